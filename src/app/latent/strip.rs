//! Rows of small pictures: variations to choose from, a direction from end to end.

use std::sync::Arc;

use super::{Frame, LatentSettings, STEPS, VARIATIONS};
use crate::infer::protocol::{Drawing, Drawn, Mixed, Origin};
use crate::latent::{Code, Direction, Edit, Rows};

/// What a strip shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Neighbours of the present code; each round others.
    Variations { round: u64 },
    /// The present code moved along one direction.
    Direction(String),
}

/// A picture of a strip.
#[derive(Clone, Debug)]
pub struct Shot {
    pub frame: Frame,
    pub label: String,
    /// Before its edits.
    pub base: Arc<Code>,
    pub code: Arc<Code>,
}

impl Shot {
    /// Picture number `at` of a strip.
    pub fn new(strip: &Strip, at: usize, drawn: Drawn) -> Self {
        let (base, code) = (Arc::new(drawn.base), Arc::new(drawn.code));
        Self { frame: Frame::of(&drawn.picture), label: strip.label(at), base, code }
    }
}

impl Strip {
    /// The pictures to draw, from how the present one is drawn.
    pub fn drawings<'a>(
        &self,
        settings: &LatentSettings,
        present: &Drawing,
        mut directions: impl Iterator<Item = &'a Direction>,
    ) -> Vec<Drawing> {
        match self {
            Self::Variations { round } => (0..VARIATIONS)
                .map(|at| {
                    let mut drawing = present.clone();
                    drawing.mixes.push(Mixed {
                        from: Origin::Seed {
                            // Far from the seeds that people type.
                            seed: (1 << 40) + round * VARIATIONS + at,
                            class: settings.class,
                            noise: settings.noise,
                        },
                        rows: Rows::ALL,
                        amount: settings.spread,
                    });
                    drawing
                })
                .collect(),
            Self::Direction(name) => {
                let Some(direction) = directions.find(|known| known.name() == name) else {
                    return Vec::new();
                };
                let at = |step: &f32| {
                    let mut drawing = present.clone();
                    drawing.stack.edits.retain(|edit| edit.direction.name() != name);
                    let edit = Edit::new(direction.clone(), *step);
                    drawing.stack.edits.push(Edit { rows: settings.rows, ..edit });
                    drawing
                };
                STEPS.iter().map(at).collect()
            }
        }
    }

    /// What picture number `at` is called.
    pub fn label(&self, at: usize) -> String {
        match self {
            Self::Variations { .. } => format!("Variation {}", at + 1),
            Self::Direction(_) => format!("{:+} σ", STEPS.get(at).copied().unwrap_or(0.0)),
        }
    }
}
