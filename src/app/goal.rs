//! What a request to the inference thread is for, and what its result becomes.

use std::sync::Arc;

use super::ai::{Card, UpscaleOutput, UpscaleSettings};
use super::editing::{BY_PATCHES, layer_name};
use super::effects::{EffectJob, EffectOutput, Found, Rest};
use super::film::FilmJob;
use super::latent::{LatentJob, Want};
use super::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::commands::results::{self, Made};
use crate::commands::{CommandError, Step, subject};
use crate::compose;
use crate::document::{Document, LayerId, LayerKind, Synthesis};
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
        settings: UpscaleSettings,
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
            Self::Upscale { tab, base, title, settings } => {
                let (pixels, scale) = (made()?, settings.scale);
                let note = format!("Enlarged to {} in {seconds:.1} s", pixels.size());
                let name = &format!("Upscale ×{scale}");
                let recipe = &Arc::new(settings.to_recipe(&output.model));
                let synthesis = Synthesis::of(&base.layers).changed();
                let made = Made { name, recipe, synthesis, ..Made::plain(pixels, recipe) };
                Ok(match settings.output {
                    UpscaleOutput::WholeDocument => {
                        let step = results::whole(&base, Card::Upscale.title(), &made);
                        Outcome::step(tab, *base, step, note)
                    }
                    UpscaleOutput::NewDocument => {
                        let (profile, metadata) = (base.profile.clone(), base.metadata.clone());
                        let other = &bicubic(&base, pixels.size())?;
                        let metadata = (*metadata).clone();
                        Outcome::Enlarged {
                            title: format!("{title} ×{scale}"),
                            document: made.document(&base),
                            bicubic: Document::from_pixels(other, "Bicubic", profile, metadata),
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
                let (pixels, recipe) = (made()?, &Arc::new(recipe));
                let synthesis = synthesis_of(&base, &output.model);
                let made = Made { synthesis, ..Made::plain(pixels, recipe) };
                let step = results::expanded(&base, &made, shift);
                let step = step.map_err(|err| sentence(&err))?;
                Ok(Outcome::step(tab, *base, step, note))
            }
            Self::Effect(job) => {
                let pixels = made()?;
                let name = layer_name(job.card, &output.model);
                let note = format!("{name}: {seconds:.1} s");
                let recipe = &Arc::new(job.recipe(&output.model));
                let made = Made {
                    name: &name,
                    origin: job.origin,
                    synthesis: synthesis_of(&job.base, &output.model),
                    ..Made::plain(pixels, recipe)
                };
                if job.settings.output == EffectOutput::NewDocument {
                    return Ok(Outcome::made(name.clone(), made.document(&job.base), note));
                }
                let attachment = job.attachment()?;
                let made = Made { opacity: job.settings.strength, attachment, ..made };
                let by_network = output.model != BY_PATCHES;
                let step = effect_step(&job, made, by_network).map_err(|err| sentence(&err))?;
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

/// How far a network had a hand in what was made of a document.
fn synthesis_of(base: &Document, by: &str) -> Synthesis {
    let before = Synthesis::of(&base.layers);
    if by == BY_PATCHES { before } else { before.changed() }
}

fn effect_step(job: &EffectJob, made: Made<'_>, by_network: bool) -> Result<Step, CommandError> {
    let base = &job.base;
    if job.card == Card::Select {
        return subject_step(job, &made);
    }
    if let (EffectOutput::InPlace, Some(layer)) = (job.settings.output, base.active) {
        let raster = base.layer(layer).and_then(|layer| layer.raster_content());
        let before = raster.map_or(Synthesis::None, |raster| raster.synthesis);
        // What others have drawn in other layers is not in this one.
        let synthesis = if by_network { before.changed() } else { before };
        let label = job.card.title();
        return results::in_place(base, layer, label, made.pixels, made.origin, synthesis);
    }
    // Where it acted is in the pixels already, with the edge that the tool chose.
    let is_local = matches!(job.card, Card::Remove | Card::RestoreFace);
    let changed = is_local.then(|| results::changed_only(&job.image, made.pixels));
    let pixels = changed.as_ref().unwrap_or(made.pixels);
    let mask = job.mask.as_ref().filter(|_| !is_local);
    let made = Made { pixels, mask, ..made };
    match job.replaces {
        Some(id) => results::made_anew(base, id, &made, &own_name(job, id)),
        None => Ok(results::new_layer(base, &made)),
    }
}

/// What the layer that is made anew was called when it was made.
fn own_name(job: &EffectJob, id: LayerId) -> String {
    let kind = job.base.layer(id).map(|layer| &layer.kind);
    let Some(LayerKind::Generated(before)) = kind else { return String::new() };
    let model = before.recipe.get("model").and_then(serde_json::Value::as_str);
    layer_name(job.card, model.unwrap_or_default())
}

const BLUR: &str = "Blur background";

/// What becomes of a subject that was found.
fn subject_step(job: &EffectJob, made: &Made<'_>) -> Result<Step, CommandError> {
    let (base, mask) = (&job.base, made.pixels);
    match (job.settings.found, job.replaces.or(base.active)) {
        (Found::Selection, _) | (Found::CutOut | Found::Replace, None) => {
            Ok(subject::select(base, job.card.title(), mask))
        }
        (Found::CutOut, Some(layer)) => subject::cut_out(base, layer, mask, made.recipe),
        (Found::Replace, Some(layer)) if job.settings.rest == Rest::Present => {
            subject::cut_out(base, layer, mask, made.recipe)
        }
        (Found::Replace, Some(layer)) => {
            let color = job.settings.rest_color;
            let rest = subject::background(base, color, job.rest.as_ref())?;
            subject::replace_rest(base, layer, mask, made.recipe, rest)
        }
        (Found::Blur, _) => {
            let sigma_px = f64::from(job.settings.blur_px);
            let around = subject::blurred(base, &job.image, mask, sigma_px, &*job.engine)?;
            let rest = subject::inverted(base, mask);
            let (name, origin) = (BLUR, (0, 0));
            let (pixels, mask) = (&around, Some(&rest));
            let made = Made { name, pixels, origin, mask, ..made.clone() };
            match job.replaces {
                Some(id) => results::made_anew(base, id, &made, BLUR),
                None => Ok(results::new_layer(base, &made)),
            }
        }
    }
}
