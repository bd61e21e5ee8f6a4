//! Parameters as data: one declaration feeds the sliders, the command line, clamping,
//! serialisation and the documentation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a parameter may be and how it is shown.
#[derive(Clone, Debug)]
pub struct ParamSpec {
    /// Name in recipes and on the command line.
    pub key: &'static str,
    /// Name in the window.
    pub label: &'static str,
    /// One line of help.
    pub doc: &'static str,
    pub kind: ParamKind,
}

#[derive(Clone, Debug)]
pub enum ParamKind {
    Float {
        default: f64,
        /// What the mathematics allows; values outside are an error.
        hard: (f64, f64),
        /// What the slider spans.
        soft: (f64, f64),
        /// Shown behind the number; empty for plain numbers.
        unit: &'static str,
        /// Whether the slider moves on a logarithmic scale.
        logarithmic: bool,
    },
    Int {
        default: i64,
        hard: (i64, i64),
        soft: (i64, i64),
        unit: &'static str,
        /// Whether the command line must name it.
        required: bool,
    },
    Bool {
        default: bool,
    },
    Choice {
        default: &'static str,
        options: &'static [&'static str],
    },
}

impl ParamSpec {
    pub const fn float(
        key: &'static str,
        label: &'static str,
        default: f64,
        hard: (f64, f64),
        soft: (f64, f64),
        unit: &'static str,
        doc: &'static str,
    ) -> Self {
        let kind = ParamKind::Float { default, hard, soft, unit, logarithmic: false };
        Self { key, label, doc, kind }
    }

    /// A whole number that has no sensible default: the command line must give it.
    pub const fn required_int(
        key: &'static str,
        label: &'static str,
        default: i64,
        hard: (i64, i64),
        unit: &'static str,
        doc: &'static str,
    ) -> Self {
        let kind = ParamKind::Int { default, hard, soft: hard, unit, required: true };
        Self { key, label, doc, kind }
    }

    pub const fn bool(
        key: &'static str,
        label: &'static str,
        default: bool,
        doc: &'static str,
    ) -> Self {
        Self { key, label, doc, kind: ParamKind::Bool { default } }
    }

    pub const fn choice(
        key: &'static str,
        label: &'static str,
        default: &'static str,
        options: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        Self { key, label, doc, kind: ParamKind::Choice { default, options } }
    }

    /// The same declaration with a logarithmic slider.
    #[must_use]
    pub const fn logarithmic(mut self) -> Self {
        if let ParamKind::Float { default, hard, soft, unit, .. } = self.kind {
            self.kind = ParamKind::Float { default, hard, soft, unit, logarithmic: true };
        }
        self
    }

    pub fn default_value(&self) -> Value {
        match self.kind {
            ParamKind::Float { default, .. } => Value::Float(default),
            ParamKind::Int { default, .. } => Value::Int(default),
            ParamKind::Bool { default } => Value::Bool(default),
            ParamKind::Choice { default, .. } => Value::Choice(default.into()),
        }
    }

    /// Whether the command line and recipes must name this parameter.
    pub const fn is_required(&self) -> bool {
        matches!(self.kind, ParamKind::Int { required: true, .. })
    }

    /// Checks kind and hard range.
    pub fn check(&self, value: &Value) -> Result<(), ParamError> {
        let key = self.key;
        let out_of_range = |low: String, high: String, value: String| ParamError::OutOfRange {
            key: key.into(),
            value,
            low,
            high,
        };
        match (&self.kind, value) {
            (ParamKind::Float { hard, .. }, Value::Float(v)) => (*v >= hard.0 && *v <= hard.1)
                .then_some(())
                .ok_or_else(|| out_of_range(hard.0.to_string(), hard.1.to_string(), v.to_string())),
            (ParamKind::Int { hard, .. }, Value::Int(v)) => (*v >= hard.0 && *v <= hard.1)
                .then_some(())
                .ok_or_else(|| out_of_range(hard.0.to_string(), hard.1.to_string(), v.to_string())),
            (ParamKind::Bool { .. }, Value::Bool(_)) => Ok(()),
            (ParamKind::Choice { options, .. }, Value::Choice(v)) => options
                .contains(&v.as_str())
                .then_some(())
                .ok_or_else(|| self.not_a(&format!("one of {}", options.join(", ")), v)),
            (_, value) => Err(self.not_a(self.expected(), &value.to_string())),
        }
    }

    /// Reads a value as typed on the command line.
    pub fn parse(&self, text: &str) -> Result<Value, ParamError> {
        let value = match self.kind {
            ParamKind::Float { .. } => text.parse().ok().map(Value::Float),
            ParamKind::Int { .. } => text.parse().ok().map(Value::Int),
            ParamKind::Bool { .. } => text.parse().ok().map(Value::Bool),
            ParamKind::Choice { .. } => Some(Value::Choice(text.into())),
        };
        let value = value.ok_or_else(|| self.not_a(self.expected(), text))?;
        self.check(&value)?;
        Ok(value)
    }

    const fn expected(&self) -> &'static str {
        match self.kind {
            ParamKind::Float { .. } => "a number",
            ParamKind::Int { .. } => "a whole number",
            ParamKind::Bool { .. } => "true or false",
            ParamKind::Choice { .. } => "a name",
        }
    }

    fn not_a(&self, expected: &str, text: &str) -> ParamError {
        ParamError::WrongKind {
            key: self.key.into(),
            expected: expected.into(),
            value: text.into(),
        }
    }
}

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Choice(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Choice(value) => value.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParamError {
    #[error("unknown parameter '{key}'; known here: {known}")]
    Unknown { key: String, known: String },
    #[error("parameter '{key}' is missing")]
    Missing { key: String },
    #[error("parameter '{key}' must be {expected}, not '{value}'")]
    WrongKind { key: String, expected: String, value: String },
    #[error("parameter '{key}' is {value}, outside {low} to {high}")]
    OutOfRange { key: String, value: String, low: String, high: String },
    #[error("'{text}' is not of the form key=value")]
    Syntax { text: String },
}

/// A complete, checked set of parameter values: every key of its specification is present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// Every parameter at its default.
    pub fn defaults(specs: &[ParamSpec]) -> Self {
        Self(specs.iter().map(|spec| (spec.key.to_owned(), spec.default_value())).collect())
    }

    /// Defaults overridden by values from a recipe; unknown keys, wrong kinds and values outside
    /// the hard range are errors, and so is a missing required key.
    pub fn from_values(
        specs: &[ParamSpec],
        values: &BTreeMap<String, Value>,
    ) -> Result<Self, ParamError> {
        let mut params = Self::defaults(specs);
        for (key, value) in values {
            params.set(specs, key, value.clone())?;
        }
        match specs.iter().find(|spec| spec.is_required() && !values.contains_key(spec.key)) {
            Some(spec) => Err(ParamError::Missing { key: spec.key.into() }),
            None => Ok(params),
        }
    }

    /// Reads `key=value` words.
    pub fn parse<'a>(
        specs: &[ParamSpec],
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ParamError> {
        let mut values = BTreeMap::new();
        for word in words {
            let (key, text) =
                word.split_once('=').ok_or_else(|| ParamError::Syntax { text: word.into() })?;
            values.insert(key.to_owned(), find(specs, key)?.parse(text)?);
        }
        Self::from_values(specs, &values)
    }

    /// Sets one checked value. A whole number is accepted where a number is asked for.
    pub fn set(&mut self, specs: &[ParamSpec], key: &str, value: Value) -> Result<(), ParamError> {
        let spec = find(specs, key)?;
        let value = match (&spec.kind, value) {
            (ParamKind::Float { .. }, Value::Int(value)) => Value::Float(value as f64),
            (_, value) => value,
        };
        spec.check(&value)?;
        self.0.insert(key.to_owned(), value);
        Ok(())
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number `key`; 0 when there is none, which a checked set rules out.
    pub fn float(&self, key: &str) -> f64 {
        match self.0.get(key) {
            Some(Value::Float(value)) => *value,
            Some(Value::Int(value)) => *value as f64,
            _ => 0.0,
        }
    }

    /// [`Params::float`] in single precision.
    pub fn f32(&self, key: &str) -> f32 {
        self.float(key) as f32
    }

    pub fn int(&self, key: &str) -> i64 {
        match self.0.get(key) {
            Some(Value::Int(value)) => *value,
            _ => 0,
        }
    }

    pub fn bool(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(Value::Bool(true)))
    }

    pub fn choice(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(Value::Choice(value)) => value,
            _ => "",
        }
    }
}

fn find<'a>(specs: &'a [ParamSpec], key: &str) -> Result<&'a ParamSpec, ParamError> {
    specs.iter().find(|spec| spec.key == key).ok_or_else(|| ParamError::Unknown {
        key: key.into(),
        known: if specs.is_empty() {
            "none".into()
        } else {
            specs.iter().map(|spec| spec.key).collect::<Vec<_>>().join(", ")
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[ParamSpec] = &[
        ParamSpec::float("ev", "Exposure", 0.0, (-10.0, 10.0), (-3.0, 3.0), "EV", "Stops"),
        ParamSpec::required_int("width", "Width", 1, (1, 100), "px", "Width"),
        ParamSpec::choice("filter", "Filter", "bicubic", &["nearest", "bicubic"], "Resampling"),
    ];

    #[test]
    fn words_become_checked_values() {
        let params = Params::parse(SPECS, ["width=3", "ev=-1.5"]);
        assert_eq!(params.as_ref().map(|p| p.float("ev")), Ok(-1.5));
        assert_eq!(params.as_ref().map(|p| p.int("width")), Ok(3));
        assert_eq!(params.as_ref().map(|p| p.choice("filter")), Ok("bicubic"));
    }

    #[test]
    fn bad_words_are_named() {
        let error = |words: &[&str]| Params::parse(SPECS, words.iter().copied()).map(|_| ());
        assert!(matches!(error(&["ev=1"]), Err(ParamError::Missing { .. })));
        assert!(matches!(error(&["width=0"]), Err(ParamError::OutOfRange { .. })));
        assert!(matches!(error(&["width=x"]), Err(ParamError::WrongKind { .. })));
        assert!(matches!(error(&["width=1", "ev=nan"]), Err(ParamError::OutOfRange { .. })));
        assert!(matches!(error(&["width=1", "hue=1"]), Err(ParamError::Unknown { .. })));
        assert!(matches!(error(&["width=1", "filter=box"]), Err(ParamError::WrongKind { .. })));
        assert!(matches!(error(&["width"]), Err(ParamError::Syntax { .. })));
    }
}
