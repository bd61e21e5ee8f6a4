//! Looks for the code whose picture is nearest to a given one.

use std::sync::Arc;

use super::aids::{Aids, Judges};
use super::generator::{Generator, Part, noise_planes};
use super::perceptual::Toward;
use super::picture::{drawn_picture, in_unit};
use super::pivotal::{self, Pivot, tune};
use super::protocol::{ModelRef, Stage};
use super::worker::{Context, End, Models, NetworkError};
use crate::color::WorkingProfile;
use crate::geom::Size;
use crate::latent::invert::{
    Inputs, Options, Prior, Progress, Pyramid, Slopes, Term, invert, weighted,
};
use crate::latent::random::Normal;
use crate::latent::{Code, LatentError, Noise, Tuning};
use crate::nets::Planes;
use crate::nets::cpu::Stop;
use crate::pixels::PixelBuf;
use crate::portrait::{self, CropTransform, PortraitError, Template};

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
    pub aids: Aids,
    /// Where the search starts; where `None`, at the mean of W or what an encoder reads.
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
    /// How different the two look to the judge, where there is one; 0 for the same.
    pub perceptual: Option<f64>,
    /// Whether that is LPIPS, which compares with other programs' numbers, and not what the
    /// generator's own encoder sees.
    pub is_lpips: bool,
    /// How much the face is still the same one to a network that describes faces, where there is
    /// one: a cosine, 1 for the same picture.
    pub identity: Option<f64>,
    /// What the generator's weights were tuned by, if they were: the reconstruction is that of
    /// [`ModelRef::Tuned`].
    pub tuning: Option<Arc<Tuning>>,
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
    let judges = task.aids.judges(models)?;
    // The largest square in the middle is what the generator is to draw.
    let Size { width, height } = task.image.size();
    let center = [f64::from(width) / 2.0, f64::from(height) / 2.0];
    let square = CropTransform::new(center, width.min(height).into(), 0.0)?;
    let photo = (&*task.image, &task.profile, &square);
    let guesses = match task.start {
        Some(_) => Vec::new(),
        None => task.aids.guesses(photo, models, context)?,
    };
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let side = generator.space().side as u32;
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
    let (start, template) = (task.start.as_deref(), Template::Ffhq);
    let wanted = Wanted { picture, weights, template, start, guesses, hash: &hash };
    search(&wanted, judges, &task.options, generator, context)
}

/// What a code is looked for.
pub(super) struct Wanted<'a> {
    /// Three planes of sRGB, nominally `0..=1`, of the generator's side.
    pub picture: Planes,
    /// How much each pixel counts, `0..=1`.
    pub weights: Vec<f32>,
    /// How a face in it lies.
    pub template: Template,
    /// Where the search starts; where `None`, at the mean of W or the best of `guesses`.
    pub start: Option<&'a Code>,
    /// Codes that may be near, `[rows · w_dim]` each.
    pub guesses: Vec<Vec<f32>>,
    /// Of the generator's weights file.
    pub hash: &'a str,
}

/// Cancelling keeps the best code so far, if there is one.
pub(super) fn search(
    wanted: &Wanted<'_>,
    judges: Judges,
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
    if wanted.start.is_some_and(|start| start.model() != wanted.hash) {
        return Err(End::Failed("the code to start from belongs to another model".into()));
    }
    let signed = wanted.picture.data.iter().map(|value| 2.0 * value - 1.0).collect();
    let target = Planes { data: signed, ..wanted.picture };
    let (template, weights) = (wanted.template, || wanted.weights.clone());
    let mut toward = judges.perceptual.and_then(|judge| judge.toward(target.clone(), weights()));
    let mut identity =
        judges.identity.map(|identity| identity.toward(target.clone(), weights(), template));
    let Some(mut pyramid) = Pyramid::new(target, wanted.weights.clone()) else {
        return Err(End::Failed("the mask leaves nothing to look at".into()));
    };
    let mut terms: Vec<(f64, &mut dyn Term)> = vec![(1.0, &mut pyramid)];
    if let Some(toward) = toward.as_mut().filter(|_| options.perceptual > 0.0) {
        terms.push((options.perceptual, toward));
    }
    if let Some(identity) = identity.as_mut().filter(|_| options.identity > 0.0) {
        terms.push((options.identity, identity));
    }
    let part = Part::Picture;
    let planes = match wanted.start {
        Some(start) => generator.noise_of(start)?,
        None => generator.noise(noise),
    };
    let mut options = *options;
    let start = match wanted.start {
        Some(start) => start.w().to_vec(),
        None => {
            let mean = mean.repeat(rows);
            let (start, is_guess) = nearest(mean, &wanted.guesses, generator, &planes, &mut terms)?;
            if is_guess {
                // Random steps would lead away from a good start.
                options.exploration = 0.0;
            }
            start
        }
    };
    let options = &options;
    let maps = planes.iter().map(|planes| planes.data.clone()).collect();
    let mut network = Fixed { part, noise: planes, generator, stop: &stop };
    let work = [options.steps as f64, options.pivotal_steps as f64 * pivotal::STEP_COST];
    let searching = work[0] / (work[0] + work[1]);
    let mut watch = |Progress { done, steps, picture, .. }: Progress<'_>| {
        let fraction = done as f64 / steps as f64 * searching;
        context.progress(Stage::Running, done as u32, steps as u32, fraction);
        if let Some((_, shown)) = picture.and_then(|picture| drawn_picture(picture.clone()).ok()) {
            context.picture(Arc::new(shown));
        }
    };
    let start = Inputs { w: start, noise: maps };
    let prior = Prior { mean: &mean, sigma };
    let found = invert(&mut network, prior, &start, &mut terms, options, &mut watch, &stop)?;
    let found = found.ok_or(End::Cancelled)?;
    let mut code = Code::new(rows, found.inputs.w, wanted.hash)?;
    code.noise = noise;
    let has_maps = options.with_noise || wanted.start.is_some_and(|s| s.noise_maps().is_some());
    if has_maps && !found.inputs.noise.is_empty() {
        network.noise = noise_planes(network.generator.space(), &found.inputs.noise)?;
        code = code.with_noise_maps(found.inputs.noise)?;
    }
    code.class = wanted.start.and_then(|start| start.class);
    let mut picture = found.picture;
    let mut tuning = None;
    if options.pivotal_steps > 0 && !stop() {
        let steps = options.pivotal_steps;
        let mut watch = |done: usize, picture: &Planes| {
            let every = options.picture_every.max(1);
            let fraction = searching + (1.0 - searching) * done as f64 / steps as f64;
            context.progress(Stage::Tuning, done as u32, steps as u32, fraction);
            let shown = options.picture_every > 0 && done.is_multiple_of(every);
            if let Some((_, shown)) = drawn_picture(picture.clone()).ok().filter(|_| shown) {
                context.picture(Arc::new(shown));
            }
        };
        let Fixed { generator, noise, .. } = network;
        let pivot = Pivot { w: code.w(), noise: &noise, seed: options.seed };
        if let Some(tuned) = tune(generator, &pivot, &mut terms, steps, &mut watch, &stop)? {
            picture = tuned.picture;
            let tuned = Tuning::new(wanted.hash, &tuned.changes)?;
            code = code.with_tuning(tuned.sha256())?;
            tuning = Some(Arc::new(tuned));
        }
    }
    let is_lpips = toward.as_ref().is_some_and(Toward::is_lpips);
    let perceptual = toward.map(|mut toward| toward.measure(&picture).0);
    let identity = identity.map(|mut identity| 1.0 - identity.measure(&picture).0);
    let reconstruction = in_unit(picture)?;
    let fidelity_db = portrait::fidelity_db(&wanted.picture, &reconstruction, &wanted.weights)?;
    if found.steps < options.steps {
        context.notice(format!("stopped after {} steps; the best code is kept", found.steps));
    }
    let steps = found.steps;
    Ok(Inverted {
        code,
        reconstruction,
        fidelity_db,
        perceptual,
        is_lpips,
        identity,
        tuning,
        steps,
    })
}

/// The code among the mean of W and some guesses whose picture comes nearest, and whether it is a
/// guess.
fn nearest(
    mean: Vec<f32>,
    guesses: &[Vec<f32>],
    generator: &mut dyn Generator,
    noise: &[Planes],
    terms: &mut [(f64, &mut dyn Term)],
) -> Result<(Vec<f32>, bool), End> {
    let mut best = (f64::INFINITY, mean);
    let mut is_guess = false;
    if guesses.is_empty() {
        return Ok((best.1, is_guess));
    }
    let all: Vec<&Vec<f32>> = guesses.iter().collect();
    if let Some(other) = all.iter().find(|code| code.len() != best.1.len()) {
        let (have, want) = (other.len(), best.1.len());
        let reason =
            format!("the encoder reads codes of {have} numbers, the generator's have {want}");
        return Err(End::Failed(reason));
    }
    best.0 = weighted(terms, &generator.draw(&best.1, noise, &|| false)?).0;
    for code in all {
        let (loss, _) = weighted(terms, &generator.draw(code, noise, &|| false)?);
        if loss < best.0 {
            (best, is_guess) = ((loss, code.clone()), true);
        }
    }
    Ok((best.1, is_guess))
}

/// Standard deviation of a number of W about the mean, over numbers and seeded latents.
pub(super) fn spread(
    generator: &mut dyn Generator,
    mean: &[f32],
    stop: Stop<'_>,
) -> Result<f32, End> {
    let rows = generator.sample(&mut Normal::new(0), SPREAD_LATENTS, stop)?;
    let squares = rows.iter().zip(mean.iter().cycle()).map(|(w, mean)| f64::from(w - mean).powi(2));
    let sigma = (squares.sum::<f64>() / rows.len().max(1) as f64).sqrt() as f32;
    if sigma > 0.0 { Ok(sigma) } else { Err(LatentError::Unsolvable("all codes are one").into()) }
}

/// A part of what a generator draws, with its noise.
pub(super) struct Fixed<'a> {
    pub part: Part,
    pub generator: &'a mut dyn Generator,
    pub noise: Vec<Planes>,
    pub stop: Stop<'a>,
}

impl Slopes for Fixed<'_> {
    type Error = NetworkError;

    fn slopes(
        &mut self,
        inputs: &Inputs,
        with_noise: bool,
        judge: &mut dyn FnMut(&Planes) -> Planes,
    ) -> Result<Inputs, NetworkError> {
        let mut loss = |drawn: &Planes| (0.0, judge(drawn));
        let Self { part, generator, noise, stop } = self;
        if with_noise {
            *noise = noise_planes(generator.space(), &inputs.noise)?;
        }
        let slopes = generator.gradient(*part, &inputs.w, noise, &mut loss, stop)?;
        let by_noise = slopes.by_noise.into_iter().filter(|_| with_noise);
        Ok(Inputs { w: slopes.by_code, noise: by_noise.map(|planes| planes.data).collect() })
    }
}
