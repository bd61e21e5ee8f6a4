//! What the subcommands share that change a picture by a network: `colourise`, `denoise`, `light`,
//! `restore`, `stylize`, `translate`.

use std::path::PathBuf;
use std::sync::Arc;

use super::masks::Masks;
use super::networks;
use super::picture::{Files, Written};
use super::report::Failure;
use crate::infer::plan;
use crate::infer::protocol::{Effect, Filter, ModelRef, Task};
use crate::infer::styles::style_weights;
use crate::infer::worker::capability_for;
use crate::pixels::PixelBuf;
use crate::zoo::{Library, Purpose};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// An installed model, or a checkpoint file [default: the first that is installed]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// How much of the change is taken, 0 to 1
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = parse_share)]
    strength: f32,
    /// A picture of the same size: white acts, black protects; of several pictures one for all, or
    /// numbered ones: mask_####.png
    #[arg(long, value_name = "MASK.png")]
    mask: Option<PathBuf>,
    /// Side of a tile in pixels [default: by memory]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(i64::from(plan::MIN_TILE)..=i64::from(plan::MAX_TILE)))]
    tile: Option<u32>,
}

/// A number of `0..=1`.
pub(super) fn parse_share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".into()),
    }
}

/// The model of that name, or the first installed one for `purpose`.
pub(super) fn choose_model(
    library: &Library,
    name: Option<&str>,
    purpose: Purpose,
) -> Result<ModelRef, Failure> {
    if let Some(name) = name {
        return networks::model_ref(library, name);
    }
    let installed = library.list().0.into_iter().find(|model| model.manifest.purpose == purpose);
    installed.map(|model| ModelRef::Id(model.manifest.id)).ok_or_else(|| {
        let sentence =
            format!("no model for {purpose} is installed; 'ganvas models import FILE' adds one");
        Failure::input(sentence)
    })
}

/// Runs `effect` over the picture and writes the result.
pub(super) fn run(args: &Args, effect: Effect, label: &str) -> Result<(), Failure> {
    let files = &args.files;
    let opened = files.open()?;
    let masks = args.mask.as_deref().map(|path| Masks::open(path, &files.input, &opened));
    let masks = masks.transpose()?;
    let mut store = networks::store(files.device)?;
    let model = choose_model(store.library(), args.model.as_deref(), effect.purpose())?;
    // A network of perception is large, and only read when painting begins.
    if !matches!(effect, Effect::Paint(_)) {
        let purpose = effect.purpose();
        let capability = capability_for(&mut store, &model, purpose).map_err(Failure::input)?;
        if let Effect::Style { weights } = &effect {
            style_weights(weights, capability.vector as usize).map_err(Failure::input)?;
        }
    }
    networks::warn(store.library(), &model);
    let task = |image: Arc<PixelBuf>, profile, place| {
        let (strength, tile) = (args.strength, args.tile);
        let (model, effect) = (model.clone(), effect.clone());
        let mask = masks.as_ref().map(|masks| masks.of(place, &image)).transpose()?;
        Ok(Task::Filter(Filter { image, mask, profile, model, effect, strength, tile }))
    };
    files.run(store, opened, task, Written::Drawn, label, &[])
}
