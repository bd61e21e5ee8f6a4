//! Dragging: points of a picture are pulled to where they should be (Pan et al. 2023, "Drag Your
//! GAN").
//!
//! The features of a layer of the generator say where a point is. *Motion supervision* moves the
//! code so that the features around each handle appear one pixel nearer to its target; *point
//! tracking* then finds the handle again, where the features are most alike to those that it had
//! at the beginning. What a mask keeps is held by the difference of its features from the
//! original's. Features see only the rows of W+ before them, so that the rows after them, colours
//! and fine texture, stay.
//!
//! No network here: whoever has one draws features through [`Slopes`]. Every step is one call, so
//! that a drag can be looked at, stopped and taken back at any step.

mod field;

use self::field::Field;
use super::LatentError;
use super::adam::Adam;
use super::invert::{Inputs, Slopes};
use crate::nets::Planes;

/// A place in the picture in pixels, x to the right and y down; the centre of the first pixel is
/// (0.5, 0.5).
pub type Place = [f32; 2];

/// Most points that are dragged at once.
pub const MAX_PULLS: usize = 64;

/// A point and where it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pull {
    pub handle: Place,
    pub target: Place,
}

/// How points are dragged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Largest step of Adam, in standard deviations of a number of W.
    pub learning_rate: f32,
    /// Radius of the patch around a handle that is moved and known again, in pixels of the picture.
    pub motion_radius_px: f32,
    /// How far from its last place a handle is looked for, in pixels of the picture.
    pub tracking_radius_px: f32,
    /// How much the change of what is kept counts beside the motion.
    pub keep_weight: f32,
    /// A handle this near to its target has arrived.
    pub near_px: f32,
}

/// Side of the pictures for which the published radii are meant, in pixels.
const PUBLISHED_SIDE: f32 = 512.0;

impl Options {
    /// For pictures of `side` pixels: the published radii, but not below what the features of small
    /// pictures resolve. What is kept counts a tenth of the published: the few channels of small
    /// networks would not let anything move.
    pub fn for_side(side: usize) -> Self {
        let published = |px: f32| px * side as f32 / PUBLISHED_SIDE;
        Self {
            learning_rate: 0.01,
            motion_radius_px: published(3.0).max(2.5),
            tracking_radius_px: published(12.0).max(1.5),
            keep_weight: 2.0,
            near_px: published(2.0).max(0.5),
        }
    }
}

/// A code and where the handles are in its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// `[rows, dim]`, row by row.
    pub w: Vec<f32>,
    pub handles: Vec<Place>,
}

/// What a step has seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub state: State,
    /// Of the motion, and of the change of what is kept.
    pub loss: f64,
    /// The mean distance of the handles from their targets, in pixels.
    pub distance_px: f32,
    /// Whether every handle has arrived; nothing moves any more.
    pub arrived: bool,
}

/// A drag, step by step.
pub struct Drag {
    origin: State,
    targets: Vec<Place>,
    /// Side of the picture in pixels.
    side: usize,
    /// How much of each pixel stays, `0..=1`.
    keep: Option<Vec<f32>>,
    options: Options,
    /// Largest step of a number of the code.
    rate: f32,
    beginning: Option<Beginning>,
    state: State,
    adam: Adam,
}

/// What the original's features say.
struct Beginning {
    features: Planes,
    /// Those of the patch about each handle.
    references: Vec<Vec<f32>>,
    /// How much of each cell stays.
    keep: Option<Vec<f32>>,
}

impl Drag {
    /// Begins with the code `w`, whose picture has `side` pixels a side and `pulls` in it. `mask`
    /// has a number for each pixel of the picture: where it is 1 everything may move, where it is 0
    /// nothing should. `sigma` is the standard deviation of a number of W.
    ///
    /// # Errors
    /// Where a point is not in the picture, there are none or too many, or the mask has another
    /// size or lets nothing move.
    pub fn new(
        w: Vec<f32>,
        pulls: &[Pull],
        mask: Option<&[f32]>,
        side: usize,
        sigma: f32,
        options: Options,
    ) -> Result<Self, LatentError> {
        let inside = |place: Place| place.iter().all(|at| (0.0..=side as f32).contains(at));
        if pulls.is_empty() || pulls.len() > MAX_PULLS {
            return Err(LatentError::Unsolvable("1 to 64 points can be dragged at once"));
        }
        if !pulls.iter().all(|pull| inside(pull.handle) && inside(pull.target)) {
            return Err(LatentError::Unsolvable("a point lies outside the picture"));
        }
        if let Some(mask) = mask {
            super::check("the mask", mask, side * side)?;
            if mask.iter().all(|share| *share <= 0.0) {
                return Err(LatentError::Unsolvable("the mask lets nothing move"));
            }
        }
        let origin = State { w, handles: pulls.iter().map(|pull| pull.handle).collect() };
        Ok(Self {
            targets: pulls.iter().map(|pull| pull.target).collect(),
            side,
            keep: mask.map(|mask| mask.iter().map(|share| 1.0 - share.clamp(0.0, 1.0)).collect()),
            options,
            rate: options.learning_rate * sigma,
            beginning: None,
            state: origin.clone(),
            adam: Adam::new(origin.w.len()),
            origin,
        })
    }

    /// Goes on from what an earlier step has seen: undo, or the way on after a pause.
    ///
    /// # Errors
    /// Where it is no state of this drag.
    pub fn go_to(&mut self, state: State) -> Result<(), LatentError> {
        super::check("the code", &state.w, self.origin.w.len())?;
        super::check("the handles", state.handles.as_flattened(), 2 * self.targets.len())?;
        (self.state, self.adam) = (state, Adam::new(self.origin.w.len()));
        Ok(())
    }

    /// Looks where the handles are and moves the code by a step. `generator` draws features.
    ///
    /// # Errors
    /// Those of the generator; the drag then is where it was.
    pub fn step<G: Slopes + ?Sized>(&mut self, generator: &mut G) -> Result<Step, G::Error> {
        let beginning = match self.beginning.take() {
            Some(beginning) => beginning,
            None => self.begin(generator)?,
        };
        let beginning = self.beginning.insert(beginning);
        let Options { motion_radius_px, tracking_radius_px, keep_weight, near_px, .. } =
            self.options;
        let (targets, side) = (&self.targets, self.side);
        let (mut handles, mut loss) = (self.state.handles.clone(), 0.0);
        let is_away =
            |(handle, target): &(Place, Place)| field::distance(*handle, *target) > near_px;
        let mut judge = |features: &Planes| {
            let field = Field::new(features, side);
            for (handle, reference) in handles.iter_mut().zip(&beginning.references) {
                let known = (reference.as_slice(), motion_radius_px);
                *handle = field.nearest(known, *handle, tracking_radius_px, step_px(side));
            }
            let mut slope = Planes { data: vec![0.0; features.data.len()], ..*features };
            let pairs = handles.iter().copied().zip(targets.iter().copied());
            for (handle, target) in pairs.filter(is_away) {
                loss += field.motion([handle, target], motion_radius_px, &mut slope);
            }
            if let Some(keep) = &beginning.keep {
                let origin = &beginning.features;
                let change = field::change(features, origin, keep, keep_weight, &mut slope);
                loss += f64::from(keep_weight) * change;
            }
            slope
        };
        let inputs = Inputs { w: self.state.w.clone(), noise: Vec::new() };
        let slopes = generator.slopes(&inputs, false, &mut judge)?;
        let pairs = || handles.iter().copied().zip(targets.iter().copied());
        let sum: f32 = pairs().map(|(handle, target)| field::distance(handle, target)).sum();
        let arrived = !pairs().any(|pair| is_away(&pair));
        let seen = State { w: inputs.w, handles };
        self.state.handles.clone_from(&seen.handles);
        if !arrived {
            self.adam.step(&mut self.state.w, &slopes.w, self.rate);
        }
        let distance_px = sum / targets.len() as f32;
        Ok(Step { state: seen, loss, distance_px, arrived })
    }

    /// Draws the original's features.
    fn begin<G: Slopes + ?Sized>(&self, generator: &mut G) -> Result<Beginning, G::Error> {
        let inputs = Inputs { w: self.origin.w.clone(), noise: Vec::new() };
        let mut features = Planes::default();
        generator.slopes(&inputs, false, &mut |drawn| {
            features = drawn.clone();
            Planes { data: vec![0.0; drawn.data.len()], ..*drawn }
        })?;
        let field = Field::new(&features, self.side);
        let radius_px = self.options.motion_radius_px;
        let references = self.origin.handles.iter();
        let references = references.map(|place| field.patch(*place, radius_px).collect());
        let references = references.collect();
        let keep = self.keep.as_deref();
        let keep = keep.map(|keep| field::cells(keep, self.side, features.height, features.width));
        Ok(Beginning { references, keep, features })
    }
}

/// Between two places where a handle is looked for, in pixels: small pictures want it finer.
fn step_px(side: usize) -> f32 {
    (side as f32 / 256.0).clamp(0.25, 1.0)
}
