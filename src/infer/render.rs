//! Draws pictures from codes: seeds, mixes, variations, edits.

use std::sync::Arc;

use super::generator::Generator;
use super::picture::drawn_picture;
use super::protocol::{Drawing, Drawn, Mixed, Origin, Render, Stage};
use super::worker::{Context, End, Models, NetworkError};
use crate::latent::random::{normal_latent, truncated_normal};
use crate::latent::{Code, EditStack, LatentError, Mix, Noise, Truncation};
use crate::nets::cpu::Stop;
use crate::pixels::PixelBuf;

/// The most pictures of one request.
pub const MAX_DRAWINGS: usize = 4096;

impl From<LatentError> for End {
    fn from(err: LatentError) -> Self {
        Self::Failed(err.to_string())
    }
}

pub(super) fn run(
    task: &Render,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<Drawn>, End> {
    let total = task.drawings.len();
    if total > MAX_DRAWINGS {
        return Err(End::Failed(format!("at most {MAX_DRAWINGS} pictures at a time")));
    }
    context.progress(Stage::Loading, 0, 1, 0.0);
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let mut drawn = Vec::with_capacity(total);
    for (done, drawing) in task.drawings.iter().enumerate() {
        context.check()?;
        context.progress(Stage::Running, done as u32, total as u32, done as f64 / total as f64);
        drawn.push(draw(drawing, &hash, generator, &stop)?);
    }
    Ok(drawn)
}

/// The picture of a seed with the noise of the file, as one of many that are measured; where there
/// are classes the seed chooses. `psi` is 0 (the mean) to 1.
///
/// # Errors
/// Those of the generator.
pub fn sample(
    generator: &mut dyn Generator,
    seed: u64,
    psi: f32,
    stop: Stop<'_>,
) -> Result<PixelBuf, NetworkError> {
    let from = Origin::Seed { seed, class: None, noise: Noise::Const };
    let truncation = Some(Truncation { psi, cutoff: None });
    let stack = EditStack { truncation, ..EditStack::default() };
    let drawing = Drawing { stack, ..Drawing::plain(from) };
    // The code goes with the picture and is nobody's.
    let nobody = "0".repeat(64);
    draw(&drawing, &nobody, generator, stop).map(|drawn| drawn.picture).map_err(|end| match end {
        End::Failed(reason) => NetworkError::Failed(reason),
        _ => NetworkError::Stopped,
    })
}

pub(super) fn draw(
    drawing: &Drawing,
    hash: &str,
    generator: &mut dyn Generator,
    stop: Stop<'_>,
) -> Result<Drawn, End> {
    let base = code_of(&drawing.from, hash, generator, stop)?;
    let mut mixes = Vec::with_capacity(drawing.mixes.len());
    for Mixed { from, rows, amount } in &drawing.mixes {
        let style = code_of(from, hash, generator, stop)?;
        mixes.push(Mix { style, rows: *rows, amount: *amount, on: true });
    }
    let EditStack { truncation, edits, independent, .. } = drawing.stack.clone();
    if let Some(psi) = truncation.map(|t| t.psi).filter(|psi| !(0.0..=1.0).contains(psi)) {
        return Err(End::Failed(format!("psi must be 0 to 1, not {psi}")));
    }
    let base = EditStack { mixes, ..EditStack::default() }.apply(&base, None)?;
    let center = generator.space().center(base.w(), generator.mean());
    let base = EditStack { truncation, ..EditStack::default() }.apply(&base, Some(&center))?;
    let code = EditStack { edits, independent, ..EditStack::default() }.apply(&base, None)?;
    let noise = generator.noise_of(&code)?;
    let planes = generator.draw(code.w(), &noise, stop)?;
    let (planes, picture) = drawn_picture(planes)?;
    Ok(Drawn { picture, planes: Arc::new(planes), base, code })
}

fn code_of(
    from: &Origin,
    hash: &str,
    generator: &mut dyn Generator,
    stop: Stop<'_>,
) -> Result<Code, End> {
    match from {
        Origin::Seed { seed, class, noise } => {
            let space = generator.space().clone();
            if let Some(class) = class.filter(|class| *class as usize >= space.classes) {
                let classes = space.classes;
                return Err(End::Failed(format!("there are {classes} classes, none is {class}")));
            }
            let z = match space.limit {
                Some(limit) => truncated_normal(*seed, space.z_dim, limit),
                None => normal_latent(*seed, space.z_dim, 1.0),
            };
            let class_of_seed = || (*seed % space.classes.max(1) as u64) as u32;
            let class = (space.classes > 0).then(|| class.unwrap_or_else(class_of_seed));
            let given = space.one_hot(class.unwrap_or(0) as usize);
            let w = generator.map(&z, &given, stop)?;
            let mut code = Code::in_w(&w, space.rows(), hash)?.with_z(z)?;
            (code.class, code.noise) = (class, *noise);
            Ok(code)
        }
        Origin::Code(code) if code.model() != hash => {
            Err(End::Failed("the code belongs to another model".into()))
        }
        Origin::Code(code) => Ok((**code).clone()),
    }
}
