//! Edits of a code that stay editable: the code itself is never changed.

use serde::{Deserialize, Serialize};

use super::{Code, Direction, LatentError, Rows, check, mix, without};

/// A direction and how far to go along it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub direction: Direction,
    /// In the direction's unit; 0 changes nothing.
    pub strength: f32,
    /// Rows to act on; `None` for the direction's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    pub on: bool,
}

impl Edit {
    /// The direction at a strength, on its own rows.
    pub const fn new(direction: Direction, strength: f32) -> Self {
        Self { direction, strength, rows: None, on: true }
    }

    fn acts(&self) -> bool {
        self.on && self.strength != 0.0
    }
}

/// Rows of another code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    pub style: Code,
    pub rows: Rows,
    /// `0..=1`.
    pub amount: f32,
    pub on: bool,
}

/// Towards the mean code: more typical, less various.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncation {
    /// 1 leaves the code, 0 is the mean.
    pub psi: f32,
    /// Rows that are drawn; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<usize>,
}

/// What happens to a code, in this order: mixes, truncation, edits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditStack {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mixes: Vec<Mix>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncation: Option<Truncation>,
    pub edits: Vec<Edit>,
    /// Whether each edit avoids what the others that are switched on stand for, whatever their
    /// strength (conditional manipulation, Shen et al. 2020).
    #[serde(default)]
    pub independent: bool,
}

impl EditStack {
    /// The code with everything applied; `code` itself, bit for bit, where nothing acts. `mean`,
    /// one row or one for each, is needed for truncation alone.
    ///
    /// # Errors
    /// Where a direction or a mixed code does not fit, or the mean is missing.
    pub fn apply(&self, code: &Code, mean: Option<&[f32]>) -> Result<Code, LatentError> {
        let mut edited = code.clone();
        for step in self.mixes.iter().filter(|step| step.on && step.amount != 0.0) {
            edited = mix(&edited, &step.style, step.rows, step.amount)?;
        }
        if let Some(Truncation { psi, cutoff }) = self.truncation.filter(|t| t.psi != 1.0) {
            let mean = mean.ok_or(LatentError::Unsolvable("truncation needs the mean code"))?;
            edited = edited.truncated(mean, psi, cutoff)?;
        }
        if !self.edits.iter().any(Edit::acts) {
            return Ok(edited);
        }
        let mut w = edited.w().to_vec();
        for index in (0..self.edits.len()).filter(|&index| self.edits[index].acts()) {
            let strength = self.edits[index].strength;
            let step = self.step(index, code)?;
            w.iter_mut().zip(step).for_each(|(value, step)| *value += strength * step);
        }
        check("the edited code", &w, w.len())?;
        edited.with_w(w)
    }

    /// What strength 1 of an edit adds to a code.
    fn step(&self, index: usize, code: &Code) -> Result<Vec<f32>, LatentError> {
        let expanded = |edit: &Edit| {
            check("a row of a direction", code.w(), code.rows() * edit.direction.dim())?;
            edit.direction.expanded(code.rows(), edit.rows.unwrap_or(edit.direction.rows))
        };
        let own = expanded(&self.edits[index])?;
        if !self.independent {
            return Ok(own);
        }
        let others = self.edits.iter().enumerate().filter(|(at, edit)| *at != index && edit.on);
        let others = others.map(|(_, edit)| expanded(edit)).collect::<Result<Vec<_>, _>>()?;
        Ok(without(&own, &others).unwrap_or(own))
    }
}
