//! What the subcommands share that change a picture by a network: `denoise`, `light`, `stylize`,
//! `translate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::networks;
use super::report::{self, Failure};
use crate::device::DeviceChoice;
use crate::infer::plan;
use crate::infer::protocol::{Effect, Filter, ModelRef, Task};
use crate::infer::worker::capability_for;
use crate::io::{self, Limits, MetadataPolicy, SaveOptions};
use crate::pixels::PixelBuf;
use crate::zoo::{Library, Purpose};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read
    input: PathBuf,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// An installed model, or a checkpoint file [default: the first that is installed]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// How much of the change is taken, 0 to 1
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = parse_share)]
    strength: f32,
    /// A picture of the same size: white acts, black protects
    #[arg(long, value_name = "MASK.png")]
    mask: Option<PathBuf>,
    /// Side of a tile in pixels [default: by memory]
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

/// Opens a picture of the command line.
pub(super) fn open(path: &Path) -> Result<io::Opened, Failure> {
    io::open(path, &Limits::default()).map_err(|error| Failure::input(report::sentence(&error)))
}

/// A picture as mask for one of `size`: its luminance, transparent parts black.
pub(super) fn open_mask(path: &Path, picture: &PixelBuf) -> Result<PixelBuf, Failure> {
    let opened = io::open(path, &Limits::default())
        .map_err(|error| Failure::input(format!("the mask: {}", report::sentence(&error))))?;
    let (have, want) = (opened.pixels.size(), picture.size());
    if have != want {
        let sentence =
            format!("the mask '{}' is {have}, but the picture is {want}", path.display());
        return Err(Failure::input(sentence));
    }
    Ok(io::luminance_mask(&opened.pixels))
}

/// Runs `effect` over the picture and writes the result.
pub(super) fn run(args: &Args, effect: Effect, label: &str) -> Result<(), Failure> {
    let input_error = |error: &dyn std::error::Error| Failure::input(report::sentence(error));
    let format = io::check_target(&args.output).map_err(|error| input_error(&error))?;
    let mut options = SaveOptions::new(format);
    options.quality = args.quality;
    options.metadata = args.metadata;
    let io::Opened { pixels, profile, metadata, mut notices, .. } = open(&args.input)?;
    let mask = args.mask.as_deref().map(|path| open_mask(path, &pixels)).transpose()?;
    let mut store = networks::store(args.device)?;
    let model = choose_model(store.library(), args.model.as_deref(), effect.purpose())?;
    capability_for(&mut store, &model, effect.purpose()).map_err(Failure::input)?;
    networks::warn(store.library(), &model);
    if !args.json {
        report::print(format!("Model: {model}"))?;
    }
    let task = Task::Filter(Filter {
        image: Arc::new(pixels),
        mask: mask.map(Arc::new),
        profile: profile.clone(),
        model,
        effect,
        strength: args.strength,
        tile: args.tile,
    });
    let output = networks::run(store, task, label)?;
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
            "width": size.width,
            "height": size.height,
            "seconds": output.seconds,
            "notices": notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    report::print(format!("{}: {size}, {:.1} s", args.output.display(), output.seconds))
}
