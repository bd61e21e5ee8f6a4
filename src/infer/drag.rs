//! Drags points of a generator's picture to where they should be.
//!
//! A window uses it like this: [`Task::Drag`](super::protocol::Task) starts with a code, pulls and,
//! if the person has painted one, a mask. After each step an
//! [`Event::Dragged`](super::protocol::Event) brings what it led to, a [`Dragged`]: picture, code
//! and handles that belong together; steps are left out where the window does not keep up.
//! Cancelling is pausing: the job then finishes with the latest step. To go on, or to take steps
//! back, the same task is sent again with the step to go on from in [`Drag::from`]: whoever keeps
//! the steps has the history. Points that are added later begin a new drag from the present code.

use std::sync::Arc;

use super::generator::{Generator, Part};
use super::invert::{Fixed, spread};
use super::picture::drawn_picture;
use super::protocol::{ModelRef, Stage};
use super::worker::{Context, End, Models};
use crate::latent::Code;
use crate::latent::drag::{self, Options, Place, Pull, State, Step};
use crate::nets::Planes;
use crate::pixels::PixelBuf;

/// Most steps of one request.
pub const MAX_STEPS: usize = 10_000;

/// Drag points of a code's picture.
#[derive(Clone, Debug)]
pub struct Drag {
    pub model: ModelRef,
    /// The code whose picture the pulls were set in.
    pub code: Arc<Code>,
    /// In pixels of the generator's picture.
    pub pulls: Vec<Pull>,
    /// One channel of the generator's size: white may move, black should stay.
    pub mask: Option<Arc<PixelBuf>>,
    /// An earlier step of this drag to go on from.
    pub from: Option<Arc<Dragged>>,
    /// Most steps, `1..=`[`MAX_STEPS`]; fewer where all points have arrived.
    pub steps: usize,
    /// Those for the generator's side where `None`.
    pub options: Option<Options>,
    /// The layer whose features are followed, by its side in pixels; `None` leaves the choice to
    /// [`feature_side`].
    pub feature_side: Option<usize>,
}

/// What a step of a drag has led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Dragged {
    pub code: Code,
    /// Where the points are in its picture, in the order of the pulls.
    pub handles: Vec<Place>,
    /// RGBA in sRGB, opaque, 8 bits.
    pub picture: PixelBuf,
    /// The same unrounded: three planes, nominally `0..=1`.
    pub planes: Arc<Planes>,
    pub loss: f64,
    /// The mean distance of the handles from their targets, in pixels of the picture.
    pub distance_px: f32,
    /// Steps since the beginning of the drag.
    pub steps: usize,
    /// Whether all points are where they should be.
    pub arrived: bool,
}

/// The layer whose features tell points apart best. The published choice is the sixth block, 128
/// pixels of 512 or 1024; pictures that are smaller than that leave less to choose from.
pub fn feature_side(sides: &[usize], picture: usize) -> Option<usize> {
    let most = if picture >= 256 { picture / 4 } else { picture / 2 };
    sides.iter().copied().filter(|side| *side <= most).max()
}

/// Cancelling keeps the latest step, if there is one.
pub(super) fn run(
    task: &Drag,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Arc<Dragged>, End> {
    if !(1..=MAX_STEPS).contains(&task.steps) {
        return Err(End::Failed(format!("1 to {MAX_STEPS} steps are possible")));
    }
    context.progress(Stage::Loading, 0, 1, 0.0);
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    if task.code.model() != hash {
        return Err(End::Failed("the code belongs to another model".into()));
    }
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let side = generator.space().side;
    let sides = generator.feature_sides();
    let layer = task.feature_side.or_else(|| feature_side(&sides, side));
    let layer =
        layer.ok_or_else(|| End::Failed("the generator has no layers to look at".into()))?;
    let mask = task.mask.as_deref().map(|mask| weights(mask, side)).transpose()?;
    let mean = generator.mean().to_vec();
    let sigma = spread(generator, &mean, &stop)?;
    let noise = generator.noise_of(&task.code)?;
    let options = task.options.unwrap_or_else(|| Options::for_side(side));
    let start = task.code.w().to_vec();
    let mut drag = drag::Drag::new(start, &task.pulls, mask.as_deref(), side, sigma, options)?;
    let mut before = 0;
    if let Some(from) = &task.from {
        drag.go_to(State { w: from.code.w().to_vec(), handles: from.handles.clone() })?;
        before = from.steps;
    }
    let mut latest = None;
    // One look more than there are steps: the last one wants to be seen, too.
    for done in 0..=task.steps {
        let part = Part::Features { side: layer };
        let mut features = Fixed { part, noise: noise.clone(), generator, stop: &stop };
        let seen = match drag.step(&mut features) {
            // What was stopped in the middle leaves the step before.
            Err(_) if stop() => break,
            seen => seen?,
        };
        let steps = before + done;
        let dragged = match show(task, seen, steps, &noise, generator, &stop) {
            Err(_) if stop() => break,
            shown => Arc::new(shown?),
        };
        context.dragged(Arc::clone(&dragged));
        let fraction = done as f64 / task.steps as f64;
        context.progress(Stage::Running, done as u32, task.steps as u32, fraction);
        let arrived = dragged.arrived;
        latest = Some(dragged);
        if arrived || stop() {
            break;
        }
    }
    latest.ok_or(End::Cancelled)
}

/// Draws what a step has led to.
fn show(
    task: &Drag,
    Step { state, loss, distance_px, arrived }: Step,
    steps: usize,
    noise: &[Planes],
    generator: &mut dyn Generator,
    stop: crate::nets::cpu::Stop<'_>,
) -> Result<Dragged, End> {
    let planes = generator.draw(&state.w, noise, stop)?;
    let (planes, picture) = drawn_picture(planes)?;
    let code =
        if state.w == task.code.w() { (*task.code).clone() } else { task.code.with_w(state.w)? };
    let planes = Arc::new(planes);
    let handles = state.handles;
    Ok(Dragged { code, handles, picture, planes, loss, distance_px, steps, arrived })
}

/// A mask of the generator's side as numbers.
fn weights(mask: &PixelBuf, side: usize) -> Result<Vec<f32>, End> {
    let size = mask.size();
    if (size.width as usize, size.height as usize) != (side, side) {
        return Err(End::Failed(format!("the mask is {size}, the picture {side}×{side}")));
    }
    Ok((0..side * side).map(|at| mask.samples().get_f32(at)).collect())
}
