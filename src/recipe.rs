//! Recipes: a serialisable list of operations, as the command line, batches and macros share it.
//!
//! As JSON: `{"version": 1, "steps": [{"op": "exposure", "params": {"ev": 0.5}}]}`. Reading is
//! strict: an unknown field, operation or parameter is an error, and so is a value out of range.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::geom::Size;
use crate::ops::{self, Engine, Kind, OpContext, OpError, Operation};
use crate::params::{ParamError, Params, Value};
use crate::pixels::PixelBuf;

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Steps to perform in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub version: u32,
    pub steps: Vec<Step>,
}

/// One operation with the parameters that differ from their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub op: String,
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("it is no recipe: {0}")]
    Syntax(#[source] serde_json::Error),
    #[error("recipe version {0} is unknown; this program reads version {VERSION}")]
    Version(u64),
    #[error("step {step}: {source}")]
    Step {
        /// Counted from 1.
        step: usize,
        source: Box<OpError>,
    },
    #[error("'{0}' does not begin with the name of an operation")]
    NoName(String),
}

impl Default for Recipe {
    fn default() -> Self {
        Self { version: VERSION, steps: Vec::new() }
    }
}

impl Recipe {
    /// Reads a recipe and checks its version. Operations and values are checked by
    /// [`Recipe::compile`].
    pub fn from_json(text: &str) -> Result<Self, RecipeError> {
        // A later version may have other fields: name the version, not the field.
        let value: serde_json::Value = serde_json::from_str(text).map_err(RecipeError::Syntax)?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => Err(RecipeError::Version(version)),
            // Read anew from the text, so that errors name line and column.
            _ => serde_json::from_str(text).map_err(RecipeError::Syntax),
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Looks up every operation and checks every value.
    pub fn compile(&self) -> Result<Vec<Compiled>, RecipeError> {
        let compile = |(index, step): (usize, &Step)| {
            step.compile()
                .map_err(|source| RecipeError::Step { step: index + 1, source: Box::new(source) })
        };
        self.steps.iter().enumerate().map(compile).collect()
    }
}

impl Step {
    fn compile(&self) -> Result<Compiled, OpError> {
        let op = ops::find(&self.op).ok_or_else(|| OpError::Unknown(self.op.clone()))?;
        let params = Params::from_values(op.spec().params, &self.params)
            .map_err(|source| param_error(op, source))?;
        Ok(Compiled { op, params })
    }
}

/// An operation ready to run.
#[derive(Clone)]
pub struct Compiled {
    pub op: &'static dyn Operation,
    pub params: Params,
}

impl Compiled {
    /// Reads `NAME key=value …`, words parted by blanks.
    pub fn parse(text: &str) -> Result<Self, CompileError> {
        let mut words = text.split_whitespace();
        let name = words.next().ok_or_else(|| RecipeError::NoName(text.into()))?;
        let op = ops::find(name).ok_or_else(|| OpError::Unknown(name.into()))?;
        let params =
            Params::parse(op.spec().params, words).map_err(|source| param_error(op, source))?;
        Ok(Self { op, params })
    }

    pub fn name(&self) -> &'static str {
        self.op.spec().name
    }

    pub fn is_geometry(&self) -> bool {
        self.op.spec().kind == Kind::Geometry
    }

    /// This operation as a step that can be written.
    pub fn to_step(&self) -> Step {
        let params = self.params.iter().map(|(key, value)| (key.to_owned(), value.clone()));
        Step { op: self.name().into(), params: params.collect() }
    }
}

/// Why the text of one operation cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Op(#[from] OpError),
}

fn param_error(op: &dyn Operation, source: ParamError) -> OpError {
    OpError::Param { op: op.spec().name.into(), source }
}

/// Checks that every step fits a picture of `size`, and answers the size of the result.
pub fn output_size(steps: &[Compiled], size: Size) -> Result<Size, OpError> {
    steps.iter().try_fold(size, |size, step| step.op.output_size(&step.params, size))
}

/// Runs the steps on `engine`. `mask` (one channel, the picture's size) goes with pixel operations
/// only. `progress` hears how many steps are done.
pub fn run(
    steps: &[Compiled],
    engine: &dyn Engine,
    context: &OpContext,
    mut pixels: PixelBuf,
    mask: Option<&PixelBuf>,
    mut progress: impl FnMut(usize),
) -> Result<PixelBuf, OpError> {
    for (index, step) in steps.iter().enumerate() {
        progress(index);
        pixels = engine.apply(step.op, &step.params, context, &pixels, mask)?;
    }
    progress(steps.len());
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let outcome = Recipe::from_json(text).and_then(|recipe| recipe.compile().map(|_| ()));
        outcome.expect_err(text).to_string()
    }

    #[test]
    fn a_recipe_survives_json() {
        let text = r#"{"version": 1, "steps": [{"op": "invert"}, {"op": "invert", "params": {}}]}"#;
        let recipe = Recipe::from_json(text).unwrap();
        assert_eq!(recipe.compile().unwrap().len(), 2);
        assert_eq!(Recipe::from_json(&recipe.to_json()).unwrap(), recipe);
        assert_eq!(Compiled::parse("invert").unwrap().to_step(), recipe.steps[0]);
    }

    #[test]
    fn strangers_are_named() {
        assert!(error(r#"{"version": 2, "steps": [], "x": 1}"#).contains("version 2"));
        assert!(error(r#"{"version": 1, "steps": [], "x": 1}"#).contains("unknown field `x`"));
        assert!(error(r#"{"steps": []}"#).contains("missing field `version`"));
        assert!(error(r#"{"version": 1, "steps": [{"op": "invert", "n": 1}]}"#).contains("`n`"));
        let unknown = error(r#"{"version": 1, "steps": [{"op": "invert"}, {"op": "explode"}]}"#);
        assert!(unknown.contains("step 2") && unknown.contains("'explode'"), "{unknown}");
        let strange = error(r#"{"version": 1, "steps": [{"op": "invert", "params": {"a": 1}}]}"#);
        assert!(strange.contains("unknown parameter 'a'"), "{strange}");
        assert!(error("not json").contains("no recipe"));
        assert!(Compiled::parse("  ").is_err());
        assert!(Compiled::parse("invert x").is_err());
    }
}
