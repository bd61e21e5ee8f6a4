//! `ganvas upscale`: enlarge a picture with a network.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::networks;
use super::report::{self, Failure};
use crate::device::DeviceChoice;
use crate::infer::models::ModelStore;
use crate::infer::plan::{self, DefaultModel, PHOTO_MODEL, Preflight};
use crate::infer::protocol::{ModelRef, Task, Upscale};
use crate::infer::upscale::SCALES;
use crate::infer::worker::{Models, capability_for};
use crate::io::{self, Limits, MetadataPolicy, Opened, SaveOptions};
use crate::zoo::Purpose;

/// Enlarges a picture with a network
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read
    input: PathBuf,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// An installed model, or a checkpoint file [default: what suits the device]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Result side over source side, 1 to 4 [default: the network's own, 4 at most]
    #[arg(long, value_name = "F")]
    scale: Option<f32>,
    /// Side of a tile in source pixels [default: by memory]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(i64::from(plan::MIN_TILE)..=i64::from(plan::MAX_TILE)))]
    tile: Option<u32>,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// JPEG quality
    #[arg(long, value_name = "N", default_value_t = SaveOptions::DEFAULT_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// What to do with EXIF, XMP and the colour profile: keep, no-gps or none
    #[arg(long, value_name = "keep|no-gps|none", default_value = "keep")]
    metadata: MetadataPolicy,
    /// Machine-readable summary
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let input_error = |error: &dyn std::error::Error| Failure::input(report::sentence(error));
    let format = io::check_target(&args.output).map_err(|error| input_error(&error))?;
    let mut options = SaveOptions::new(format);
    options.quality = args.quality;
    options.metadata = args.metadata;
    if let Some(scale) = args.scale.filter(|scale| !SCALES.contains(scale)) {
        return Err(Failure::input(format!("--scale must be 1 to 4, not {scale}")));
    }
    let opened = io::open(&args.input, &Limits::default()).map_err(|error| input_error(&error))?;
    let mut store = networks::store(args.device)?;
    let chosen = choose(args, &mut store, &opened)?;
    let said = |text: String| if args.json { Ok(report::note(text)) } else { report::print(text) };
    let note = chosen.note.map_or_else(String::new, |note| format!(" ({note})"));
    said(format!("Model: {}{note}", chosen.model))?;
    said(chosen.preflight.to_string())?;
    networks::warn(store.library(), &chosen.model);

    let Opened { pixels, profile, metadata, mut notices, .. } = opened;
    let task = Task::Upscale(Upscale {
        image: Arc::new(pixels),
        profile: profile.clone(),
        model: chosen.model,
        scale: chosen.scale,
        tile: args.tile,
    });
    let output = networks::run(store, task, "Enlarging")?;
    let Some(picture) = output.images.first() else {
        return Err(Failure::failed("the network made no picture"));
    };
    let saved = io::save(&args.output, picture, &profile, &metadata, &options);
    notices.extend(saved.map_err(|error| input_error(&error))?);
    for notice in &notices {
        report::note(format!("{}: {notice}", args.input.display()));
    }
    let size = picture.size();
    if args.json {
        return report::print_json(&json!({
            "output": args.output.to_string_lossy(),
            "model": output.model,
            "note": chosen.note,
            "width": size.width,
            "height": size.height,
            "tiles": chosen.preflight.tiles,
            "estimated_seconds": chosen.preflight.seconds,
            "seconds": output.seconds,
            "notices": notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    report::print(format!("{}: {size}, {:.1} s", args.output.display(), output.seconds))
}

struct Chosen {
    model: ModelRef,
    note: Option<&'static str>,
    scale: f32,
    preflight: Preflight,
}

/// The model that was asked for, or the default one for this picture and device.
fn choose(args: &Args, store: &mut ModelStore, opened: &Opened) -> Result<Chosen, Failure> {
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
    opened: &Opened,
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
