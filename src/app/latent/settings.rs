//! What the Latent panel is set to.

use std::sync::Arc;

use crate::infer::protocol::{Drawing, Mixed, Origin};
use crate::latent::{Code, Direction, Edit, EditStack, Noise, Rows, Truncation};
use crate::portrait::Template;

/// What is edited.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Base {
    /// What the seed draws.
    #[default]
    Seed,
    /// A code: of a photo, a variation, a file.
    Code(Arc<Code>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatentOutput {
    #[default]
    NewLayer,
    NewDocument,
}

/// A slider.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    /// Of the direction.
    pub name: String,
    /// In the direction's unit.
    pub strength: f32,
    pub on: bool,
}

/// Rows of another seed's code.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixing {
    pub on: bool,
    pub seed: u64,
    pub rows: Rows,
    /// `0..=1`.
    pub amount: f32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LatentSettings {
    /// `None` takes the first generator.
    pub model: Option<String>,
    pub base: Base,
    pub seed: u64,
    /// `None` lets the seed choose.
    pub class: Option<u32>,
    /// Truncation, `0..=1`.
    pub psi: f32,
    pub noise: Noise,
    pub mixing: Mixing,
    /// Sliders that were moved; the rest stand at 0.
    pub dials: Vec<Dial>,
    /// Rows that sliders act on; `None` for each direction's own.
    pub rows: Option<Rows>,
    /// Whether each slider leaves alone what the others stand for.
    pub independent: bool,
    /// How far variations go, `0..=1`.
    pub spread: f32,
    /// How the generator's faces lie in its pictures.
    pub template: Template,
    /// Steps of the search for a photo's code.
    pub steps: usize,
    /// Steps in which the generator is tuned to a face.
    pub tuning_steps: usize,
    /// From the most alike, 0, to the best to edit, 1.
    pub editability: f32,
    pub output: LatentOutput,
}

impl Default for LatentSettings {
    fn default() -> Self {
        Self {
            model: None,
            base: Base::Seed,
            seed: 1,
            class: None,
            psi: 0.7,
            noise: Noise::Const,
            mixing: Mixing { on: false, seed: 2, rows: Rows::new(0, 4), amount: 1.0 },
            dials: Vec::new(),
            rows: None,
            independent: false,
            spread: 0.35,
            template: Template::default(),
            steps: 300,
            tuning_steps: 100,
            editability: 0.1,
            output: LatentOutput::NewLayer,
        }
    }
}

impl LatentSettings {
    pub fn strength(&self, name: &str) -> f32 {
        self.dial(name).map_or(0.0, |dial| dial.strength)
    }

    pub fn dial(&self, name: &str) -> Option<&Dial> {
        self.dials.iter().find(|dial| dial.name == name)
    }

    /// Moves a slider; at 0 it is as if it had never been moved.
    pub fn turn(&mut self, name: &str, strength: f32) {
        let at = self.dials.iter().position(|dial| dial.name == name);
        match at {
            Some(at) if strength == 0.0 => {
                self.dials.remove(at);
            }
            Some(at) => self.dials[at].strength = strength,
            None if strength == 0.0 => {}
            None => self.dials.push(Dial { name: name.into(), strength, on: true }),
        }
    }

    /// Where the base comes from.
    pub fn origin(&self) -> Origin {
        match &self.base {
            Base::Seed => Origin::Seed { seed: self.seed, class: self.class, noise: self.noise },
            Base::Code(code) => Origin::Code(Arc::clone(code)),
        }
    }

    /// What is drawn, with the directions that the sliders are called by.
    pub fn drawing<'a>(&self, directions: impl Iterator<Item = &'a Direction>) -> Drawing {
        let mut edits = Vec::new();
        for direction in directions {
            if let Some(dial) = self.dial(direction.name()) {
                let edit = Edit::new(direction.clone(), dial.strength);
                edits.push(Edit { rows: self.rows, on: dial.on, ..edit });
            }
        }
        let mixing = &self.mixing;
        let mix = mixing.on.then_some(Mixed {
            from: Origin::Seed { seed: mixing.seed, class: self.class, noise: self.noise },
            rows: mixing.rows,
            amount: mixing.amount,
        });
        // What a photo was inverted to is not drawn towards the mean.
        let psi = if self.base == Base::Seed { self.psi } else { 1.0 };
        let truncation = Some(Truncation { psi, cutoff: None });
        let stack =
            EditStack { truncation, edits, independent: self.independent, ..EditStack::default() };
        Drawing { from: self.origin(), mixes: mix.into_iter().collect(), stack }
    }
}
