//! `ganvas upscale`: enlarge a picture with a network.

use serde_json::json;

use super::input::Picture;
use super::networks;
use super::picture::{Files, Written};
use super::report::{self, Failure};
use crate::infer::models::ModelStore;
use crate::infer::plan::{self, DefaultModel, PHOTO_MODEL, Preflight};
use crate::infer::protocol::{ModelRef, Task, Upscale};
use crate::infer::upscale::SCALES;
use crate::infer::worker::{Models, capability_for};
use crate::zoo::Purpose;

/// Enlarges a picture with a network
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// An installed model, or a checkpoint file [default: what suits the device]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Result side over source side, 1 to 8; beyond the network's own by Lanczos [default: the
    /// network's own]
    #[arg(long, value_name = "F")]
    scale: Option<f32>,
    /// Side of a tile in source pixels [default: by memory]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(i64::from(plan::MIN_TILE)..=i64::from(plan::MAX_TILE)))]
    tile: Option<u32>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let files = &args.files;
    if let Some(scale) = args.scale.filter(|scale| !SCALES.contains(scale)) {
        let (low, high) = (SCALES.start(), SCALES.end());
        return Err(Failure::input(format!("--scale must be {low} to {high}, not {scale}")));
    }
    let opened = files.open()?;
    let mut store = networks::store(files.device)?;
    let Chosen { model, note, scale, preflight } = choose(args, &mut store, &opened.0)?;
    let said = note.map_or_else(String::new, |note| format!(" ({note})"));
    for line in [format!("Model: {model}{said}"), preflight.to_string()] {
        if files.json {
            report::note(line);
        } else {
            report::print(line)?;
        }
    }
    networks::warn(store.library(), &model);

    let task = |image, profile, _| {
        let (model, tile) = (model.clone(), args.tile);
        Ok(Task::Upscale(Upscale { image, profile, model, scale, tile }))
    };
    let facts = [
        ("note", json!(note)),
        ("tiles", json!(preflight.tiles)),
        ("estimated_seconds", json!(preflight.seconds)),
    ];
    files.run(store, opened, task, Written::Drawn, "Enlarging", &facts)
}

struct Chosen {
    model: ModelRef,
    note: Option<&'static str>,
    scale: f32,
    preflight: Preflight,
}

/// The model that was asked for, or the default one for this picture and device.
fn choose(args: &Args, store: &mut ModelStore, opened: &Picture) -> Result<Chosen, Failure> {
    if let Some(name) = &args.model {
        let model = networks::model_ref(store.library(), name)?;
        return estimate(args, store, opened, model, None);
    }
    let photo = estimate(args, store, opened, ModelRef::Id(PHOTO_MODEL.into()), None)?;
    let DefaultModel { id, note } =
        plan::default_model(!store.on_processor(), photo.preflight.seconds);
    if id == PHOTO_MODEL {
        return Ok(photo);
    }
    estimate(args, store, opened, ModelRef::Id(id.into()), note)
}

/// Loads the model, so that a damaged one is found before anything else happens.
fn estimate(
    args: &Args,
    store: &mut ModelStore,
    opened: &Picture,
    model: ModelRef,
    note: Option<&'static str>,
) -> Result<Chosen, Failure> {
    let speed = store.measure();
    let capability = capability_for(store, &model, Purpose::Upscale).map_err(Failure::input)?;
    let scale = args.scale.unwrap_or_else(|| (capability.scale as f32).min(*SCALES.end()));
    let tile = args.tile.map_or_else(|| plan::default_tile(&capability), plan::clamp_tile);
    let (size, depth) = (opened.pixels.size(), opened.pixels.depth());
    let preflight = plan::preflight(&capability, size, depth.bytes(), scale, tile, speed);
    Ok(Chosen { model, note, scale, preflight })
}
