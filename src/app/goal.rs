//! What a request to the inference thread is for, and what its result becomes.

use std::sync::Arc;

use super::ai::{Card, GenerateOutput, GenerateSettings, UpscaleOutput};
use super::effects::{EffectJob, EffectOutput};
use super::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results::{self, Made};
use crate::commands::{CommandError, Step};
use crate::document::{Document, Generated, LayerKind, Metadata};
use crate::infer::protocol::Output;
use crate::pixels::PixelBuf;

/// Everything that a result needs, as it was when it was asked for.
#[derive(Clone)]
pub enum Goal {
    Upscale { tab: TabId, base: Box<Document>, title: String, output: UpscaleOutput, scale: f32 },
    Generate { target: Option<(TabId, Box<Document>)>, settings: GenerateSettings },
    Effect(Box<EffectJob>),
}

impl Goal {
    /// What is being done, for notices.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Upscale { .. } => Card::Upscale.title(),
            Self::Generate { .. } => Card::Generate.title(),
            Self::Effect(job) => job.card.title(),
        }
    }

    /// Makes a document or an undo step of the result, which takes its time.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn finish(self, output: &Output) -> Result<Outcome, String> {
        let pixels = output.images.first().ok_or("the network made no picture")?;
        let seconds = output.seconds;
        match self {
            Self::Upscale { tab, base, title, output: to, scale } => {
                let note = format!("Enlarged to {} in {seconds:.1} s", pixels.size());
                Ok(match to {
                    UpscaleOutput::WholeDocument => {
                        let step = results::whole(&base, Card::Upscale.title(), pixels);
                        Outcome::step(tab, *base, step, note)
                    }
                    UpscaleOutput::NewDocument => {
                        let layer = format!("Upscale ×{scale}");
                        opened(pixels, format!("{title} ×{scale}"), &layer, &base, note)
                    }
                })
            }
            Self::Generate { target, settings } => {
                let name = format!("Face {}", settings.seed);
                let note = format!("{name}: {seconds:.1} s");
                let target = target.filter(|_| settings.output == GenerateOutput::NewLayer);
                let Some((tab, base)) = target else {
                    let profile = WorkingProfile::srgb();
                    let document =
                        Document::from_pixels(pixels, &name, profile, Metadata::default());
                    return Ok(Outcome::made(name, document, note));
                };
                let recipe = Arc::new(serde_json::json!({
                    "model": output.model, "seed": settings.seed, "psi": settings.psi,
                }));
                let kind = |raster| LayerKind::Generated(Generated { raster, recipe });
                let (label, from) = (Card::Generate.title(), WorkingProfile::srgb());
                let step = results::place(&base, &name, label, pixels, &from, kind);
                let step = step.map_err(|err| sentence(&err))?;
                Ok(Outcome::step(tab, *base, step, note))
            }
            Self::Effect(job) => {
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
        }
    }
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
        return Ok(results::select(base, job.card.title(), pixels));
    }
    if let (EffectOutput::InPlace, Some(layer)) = (job.settings.output, base.active) {
        return results::in_place(base, layer, job.card.title(), pixels, origin);
    }
    let made = Made { name, pixels, origin, opacity: job.settings.strength, mask: None, recipe };
    Ok(match job.card {
        // What was painted over is in the pixels already, with the edge that the fill chose.
        Card::Remove => {
            let pixels = &results::changed_only(&job.image, pixels);
            results::new_layer(base, &Made { pixels, opacity: 1.0, ..made })
        }
        _ => results::new_layer(base, &Made { mask: job.mask.as_ref(), ..made }),
    })
}
