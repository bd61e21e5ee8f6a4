//! Looks for the code whose picture is nearest to a given one.

use std::sync::Arc;

use super::generator::Generator;
use super::picture::{from_range, to_picture};
use super::protocol::{ModelRef, Stage};
use super::worker::{Context, End, Models, NetworkError};
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::Size;
use crate::latent::invert::{Inputs, Options, Prior, Progress, Pyramid, Slopes, Term, invert};
use crate::latent::random::Normal;
use crate::latent::{Code, LatentError, Noise};
use crate::nets::Planes;
use crate::nets::cpu::Stop;
use crate::pixels::{Depth, PixelBuf};
use crate::portrait::{self, CropTransform, PortraitError};
use crate::zoo::Range;

/// Latents whose codes tell how far W spreads.
const SPREAD_LATENTS: usize = 1024;
/// Most steps of one request.
pub const MAX_STEPS: usize = 100_000;

/// Find the code of a generator that draws a picture as it is.
#[derive(Clone, Debug)]
pub struct Invert {
    /// RGBA with straight alpha, encoded in `profile`; the largest square in its middle counts.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    /// One channel of the picture's size: black does not count.
    pub mask: Option<Arc<PixelBuf>>,
    pub model: ModelRef,
    /// Where the search starts; at the mean of W where `None`.
    pub start: Option<Arc<Code>>,
    pub options: Options,
}

/// What an [`Invert`] has found. A cancelled one that had begun has found the best so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Inverted {
    pub code: Code,
    /// The generator's picture of it: three planes of sRGB, nominally `0..=1`.
    pub reconstruction: Planes,
    /// How near that comes to the picture, in dB, where the mask is.
    pub fidelity_db: f64,
    /// Steps that were done.
    pub steps: usize,
}

impl From<PortraitError> for End {
    fn from(err: PortraitError) -> Self {
        Self::Failed(err.to_string())
    }
}

pub(super) fn run(
    task: &Invert,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Inverted, End> {
    context.progress(Stage::Loading, 0, 1, 0.0);
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let side = generator.space().side as u32;
    // The largest square in the middle is what the generator is to draw.
    let Size { width, height } = task.image.size();
    let center = [f64::from(width) / 2.0, f64::from(height) / 2.0];
    let square = CropTransform::new(center, width.min(height).into(), 0.0)?;
    let picture = portrait::crop(&task.image, &task.profile, &square, side)?;
    let area = (side * side) as usize;
    let weights = match &task.mask {
        Some(mask) if mask.size() != task.image.size() => {
            let (mask, image) = (mask.size(), task.image.size());
            return Err(End::Failed(format!("the mask is {mask}, the picture {image}")));
        }
        Some(mask) => {
            let mut planes = portrait::crop(mask, &WorkingProfile::srgb(), &square, side)?;
            planes.data.truncate(area);
            planes.data.iter().map(|weight| weight.clamp(0.0, 1.0)).collect()
        }
        None => vec![1.0; area],
    };
    let start = task.start.as_deref();
    search(&Wanted { picture, weights, start, hash: &hash }, &task.options, generator, context)
}

/// What a code is looked for.
pub(super) struct Wanted<'a> {
    /// Three planes of sRGB, nominally `0..=1`, of the generator's side.
    pub picture: Planes,
    /// How much each pixel counts, `0..=1`.
    pub weights: Vec<f32>,
    /// Where the search starts; the mean of W where `None`.
    pub start: Option<&'a Code>,
    /// Of the generator's weights file.
    pub hash: &'a str,
}

/// Cancelling keeps the best code so far, if there is one.
pub(super) fn search(
    wanted: &Wanted<'_>,
    options: &Options,
    generator: &mut dyn Generator,
    context: &mut Context<'_>,
) -> Result<Inverted, End> {
    if !(1..=MAX_STEPS).contains(&options.steps) || !(0.0..=1.0).contains(&options.editability) {
        let reason = format!("1 to {MAX_STEPS} steps and an editability of 0 to 1 are possible");
        return Err(End::Failed(reason));
    }
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let mean = generator.mean().to_vec();
    let sigma = spread(generator, &mean, &stop)?;
    let rows = generator.space().rows();
    let noise = wanted.start.map_or(Noise::Const, |start| start.noise);
    let start = match wanted.start {
        Some(start) if start.model() != wanted.hash => {
            return Err(End::Failed("the code to start from belongs to another model".into()));
        }
        Some(start) => start.w().to_vec(),
        None => mean.repeat(rows),
    };
    let signed = wanted.picture.data.iter().map(|value| 2.0 * value - 1.0).collect();
    let target = Planes { data: signed, ..wanted.picture };
    let Some(mut pyramid) = Pyramid::new(target, wanted.weights.clone()) else {
        return Err(End::Failed("the mask leaves nothing to look at".into()));
    };
    let mut terms: [(f64, &mut dyn Term); 1] = [(1.0, &mut pyramid)];
    let mut network = Fixed { noise: generator.noise(noise), generator, stop: &stop };
    let srgb = ProfileMap::new(&WorkingProfile::srgb());
    let mut watch = |Progress { done, steps, picture, .. }: Progress<'_>| {
        let fraction = done as f64 / steps as f64;
        context.progress(Stage::Running, done as u32, steps as u32, fraction);
        let shown = picture.and_then(|picture| in_unit(picture.clone()).ok());
        if let Some(shown) = shown {
            context.picture(Arc::new(to_picture(&shown, &srgb, Depth::U8)));
        }
    };
    // Codes do not hold noise maps of their own: they would stay behind when the face moves.
    let options = Options { with_noise: false, ..*options };
    let start = Inputs { w: start, noise: Vec::new() };
    let prior = Prior { mean: &mean, sigma };
    let found = invert(&mut network, prior, &start, &mut terms, &options, &mut watch, &stop)?;
    let found = found.ok_or(End::Cancelled)?;
    let mut code = Code::new(rows, found.inputs.w, wanted.hash)?;
    code.noise = noise;
    code.class = wanted.start.and_then(|start| start.class);
    let reconstruction = in_unit(found.picture)?;
    let fidelity_db = portrait::fidelity_db(&wanted.picture, &reconstruction, &wanted.weights)?;
    if found.steps < options.steps {
        context.notice(format!("stopped after {} steps; the best code is kept", found.steps));
    }
    Ok(Inverted { code, reconstruction, fidelity_db, steps: found.steps })
}

/// What a generator drew as sRGB in `0..=1`.
fn in_unit(picture: Planes) -> Result<Planes, End> {
    let size = Size::new(picture.width as u32, picture.height as u32);
    from_range(picture, Range::Signed, size).map_err(End::Failed)
}

/// Standard deviation of a number of W about the mean, over numbers and seeded latents.
fn spread(generator: &mut dyn Generator, mean: &[f32], stop: Stop<'_>) -> Result<f32, End> {
    let rows = generator.sample(&mut Normal::new(0), SPREAD_LATENTS, stop)?;
    let squares = rows.iter().zip(mean.iter().cycle()).map(|(w, mean)| f64::from(w - mean).powi(2));
    let sigma = (squares.sum::<f64>() / rows.len().max(1) as f64).sqrt() as f32;
    if sigma > 0.0 { Ok(sigma) } else { Err(LatentError::Unsolvable("all codes are one").into()) }
}

/// A generator with its noise.
struct Fixed<'a> {
    generator: &'a mut dyn Generator,
    noise: Vec<Planes>,
    stop: Stop<'a>,
}

impl Slopes for Fixed<'_> {
    type Error = NetworkError;

    fn slopes(
        &mut self,
        inputs: &Inputs,
        _: bool,
        judge: &mut dyn FnMut(&Planes) -> Planes,
    ) -> Result<Inputs, NetworkError> {
        let mut loss = |picture: &Planes| (0.0, judge(picture));
        let slopes = self.generator.gradient(&inputs.w, &self.noise, &mut loss, self.stop)?;
        Ok(Inputs { w: slopes.by_code, noise: Vec::new() })
    }
}
