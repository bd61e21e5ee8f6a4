//! What a request to the inference thread is for, and what its result becomes.

use std::sync::Arc;

use super::ai::{Card, UpscaleOutput};
use super::effects::{EffectJob, EffectOutput, Found};
use super::film::FilmJob;
use super::latent::{LatentJob, Want};
use super::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::commands::results::{self, Made};
use crate::commands::{CommandError, Step, subject};
use crate::compose;
use crate::document::Document;
use crate::geom::Size;
use crate::infer::protocol::Output;
use crate::inpaint::Border;
use crate::ops::{self, OpContext};
use crate::params::Params;
use crate::pixels::PixelBuf;

/// Everything that a result needs, as it was when it was asked for.
#[derive(Clone)]
pub enum Goal {
    Upscale {
        tab: TabId,
        base: Box<Document>,
        title: String,
        output: UpscaleOutput,
        scale: f32,
    },
    Expand {
        tab: TabId,
        base: Box<Document>,
        border: Border,
    },
    Effect(Box<EffectJob>),
    /// A variant that is only looked at; the token names the question.
    Trial {
        token: u64,
        job: Box<EffectJob>,
    },
    Latent(Box<LatentJob>),
    /// Pictures for a file of several.
    Film(Box<FilmJob>),
    /// A picture for the Latent panel itself.
    Look(Want),
}

impl Goal {
    /// What is being done, for notices.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Upscale { .. } => Card::Upscale.title(),
            Self::Expand { .. } => "Expand",
            Self::Effect(job) | Self::Trial { job, .. } => job.card.title(),
            Self::Latent(_) => "Generate",
            Self::Film(_) => "Export path",
            Self::Look(Want::Discover { .. }) => "Find directions",
            Self::Look(Want::Analysed(_)) => "Analyse photo",
            Self::Look(Want::Tuned(_)) => "Tune the generator",
            Self::Look(Want::Dragged) => "Drag points",
            Self::Look(_) => "Draw",
        }
    }

    /// Makes a document or an undo step of the result, which takes its time.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn finish(self, output: &Output) -> Result<Outcome, String> {
        let made = || output.images.first().ok_or("the network made no picture");
        let seconds = output.seconds;
        match self {
            Self::Upscale { tab, base, title, output: to, scale } => {
                let pixels = made()?;
                let note = format!("Enlarged to {} in {seconds:.1} s", pixels.size());
                Ok(match to {
                    UpscaleOutput::WholeDocument => {
                        let step = results::whole(&base, Card::Upscale.title(), pixels);
                        Outcome::step(tab, *base, step, note)
                    }
                    UpscaleOutput::NewDocument => {
                        let layer = format!("Upscale ×{scale}");
                        let of = |pixels: &PixelBuf, name: &str| {
                            let (profile, metadata) = (base.profile.clone(), base.metadata.clone());
                            Document::from_pixels(pixels, name, profile, (*metadata).clone())
                        };
                        Outcome::Enlarged {
                            title: format!("{title} ×{scale}"),
                            document: of(pixels, &layer),
                            bicubic: of(&bicubic(&base, pixels.size())?, "Bicubic"),
                            note,
                        }
                    }
                })
            }
            Self::Expand { tab, base, border } => {
                let note = format!("Expand: {seconds:.1} s");
                let Border { left, top, right, bottom } = border;
                let recipe = serde_json::json!({
                    "tool": "Expand", "model": output.model,
                    "left": left, "top": top, "right": right, "bottom": bottom,
                });
                let shift = (left as i32, top as i32);
                let step = results::expanded(&base, made()?, shift, &Arc::new(recipe));
                let step = step.map_err(|err| sentence(&err))?;
                Ok(Outcome::step(tab, *base, step, note))
            }
            Self::Effect(job) => {
                let pixels = made()?;
                let name = format!("{} ({})", job.card.title(), output.model);
                let note = format!("{name}: {seconds:.1} s");
                if job.settings.output == EffectOutput::NewDocument {
                    return Ok(opened(pixels, name.clone(), &name, &job.base, note));
                }
                let recipe = Arc::new(job.recipe(&output.model));
                let step = effect_step(&job, &name, pixels, &recipe);
                let step = step.map_err(|err| sentence(&err))?;
                Ok(Outcome::step(job.tab, job.base, step, note))
            }
            Self::Latent(job) => job.finish(output),
            // These go elsewhere.
            Self::Look(_) | Self::Film(_) | Self::Trial { .. } => Ok(Outcome::Nothing),
        }
    }
}

/// The document as it looks at another size, by interpolation.
fn bicubic(document: &Document, size: Size) -> Result<PixelBuf, String> {
    let resize = ops::find("resize").ok_or("there is no resizing")?;
    let (width, height) = (format!("width={}", size.width), format!("height={}", size.height));
    let params = Params::parse(resize.spec().params, [&*width, &*height, "filter=bicubic"]);
    let params = params.map_err(|err| sentence(&err))?;
    let context = OpContext::full_size(document.profile.clone());
    let flat = compose::flatten(document, document.size.rect());
    ops::apply(resize, &params, &context, &flat, None).map_err(|err| sentence(&err))
}

/// A document of its own with the profile and metadata of what it was made from.
fn opened(pixels: &PixelBuf, title: String, layer: &str, base: &Document, note: String) -> Outcome {
    let (profile, metadata) = (base.profile.clone(), (*base.metadata).clone());
    Outcome::made(title, Document::from_pixels(pixels, layer, profile, metadata), note)
}

fn effect_step(
    job: &EffectJob,
    name: &str,
    pixels: &PixelBuf,
    recipe: &Arc<serde_json::Value>,
) -> Result<Step, CommandError> {
    let (base, origin) = (&job.base, job.origin);
    if job.card == Card::Select {
        return match (job.settings.found, base.active) {
            (Found::Selection, _) | (Found::CutOut, None) => {
                Ok(subject::select(base, job.card.title(), pixels))
            }
            (Found::CutOut, Some(layer)) => subject::cut_out(base, layer, pixels),
            (Found::Blur, _) => {
                let (sigma_px, recipe) = (f64::from(job.settings.blur_px), (**recipe).clone());
                subject::blur_background(base, &job.image, pixels, sigma_px, &*job.engine, recipe)
            }
        };
    }
    if let (EffectOutput::InPlace, Some(layer)) = (job.settings.output, base.active) {
        return results::in_place(base, layer, job.card.title(), pixels, origin);
    }
    let made = Made { name, pixels, origin, opacity: job.settings.strength, mask: None, recipe };
    Ok(match job.card {
        // Where it acted is in the pixels already, with the edge that the tool chose.
        Card::Remove | Card::RestoreFace => {
            let pixels = &results::changed_only(&job.image, pixels);
            results::new_layer(base, &Made { pixels, ..made })
        }
        _ => results::new_layer(base, &Made { mask: job.mask.as_ref(), ..made }),
    })
}
