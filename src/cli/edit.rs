//! `ganvas edit`: operations on a picture file without a window.

use std::path::{Path, PathBuf};

use super::devices;
use super::input::{self, unusable};
use super::moving::{DEFAULT_FPS, Moving, parse_fps};
use super::report::{self, Failure, Progress};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::io::{self, MetadataPolicy, SaveOptions};
use crate::ops::OpContext;
use crate::pixels::{Depth, PixelBuf};
use crate::recipe::{self, Compiled, Recipe};

/// Applies operations to a picture and writes the result
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read; an animation (GIF, APNG), or numbered ones: frame_####.png
    input: PathBuf,
    /// The picture to write; the extension chooses the format. Of several pictures all are
    /// written where it is a .gif, an .apng, of an APNG a .png, or has a number: out_####.png
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Pictures a second, where an animation is made of numbered ones
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FPS, value_parser = parse_fps)]
    fps: f32,
    /// An operation such as 'exposure ev=0.5'; may be repeated; see 'ganvas ops'
    #[arg(long = "op", value_name = "NAME key=value …")]
    ops: Vec<String>,
    /// Operations from a file, run before those of --op
    #[arg(long, value_name = "FILE.json")]
    recipe: Option<PathBuf>,
    /// A picture of the same size: white acts, black protects
    #[arg(long, value_name = "MASK.png")]
    mask: Option<PathBuf>,
    /// JPEG quality
    #[arg(long, value_name = "N", default_value_t = SaveOptions::DEFAULT_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Bits a channel of the result [default: as deep as the picture, if the format can]
    #[arg(long, value_name = "8|16", value_parser = parse_depth)]
    depth: Option<Depth>,
    /// What to do with EXIF, XMP and the colour profile: keep, no-gps or none
    #[arg(long, value_name = "keep|no-gps|none", default_value = "keep")]
    metadata: MetadataPolicy,
    /// Of a project with generated layers: leave out the label that says so
    #[arg(long)]
    no_label: bool,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable summary
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_depth(text: &str) -> Result<Depth, String> {
    match text {
        "8" => Ok(Depth::U8),
        "16" => Ok(Depth::U16),
        _ => Err("must be 8 or 16".into()),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // Everything that can be wrong with the arguments comes before any work.
    let moving = Moving::open(&args.input, &args.output, args.fps)?;
    let format = match &moving {
        Some(moving) => moving.format(),
        None => io::check_target(&args.output).map_err(|error| unusable(&error))?,
    };
    let mut options = SaveOptions::new(format);
    options.quality = args.quality;
    options.depth = args.depth;
    options.metadata = args.metadata;
    if args.depth == Some(Depth::U16) && format.max_depth() == Depth::U8 {
        return Err(unusable(&io::SaveError::DepthTooLarge(format)));
    }
    let steps = steps(args)?;
    if args.mask.is_some()
        && let Some(step) = steps.iter().find(|step| step.is_geometry())
    {
        let sentence = format!("--mask goes with pixel operations, and {} moves", step.name());
        return Err(Failure::input(sentence + " pixels"));
    }

    let opened = match &moving {
        Some(moving) => moving.first()?,
        None => input::open(&args.input)?,
    };
    options.label = opened.label.filter(|_| !args.no_label);
    let size = opened.pixels.size();
    recipe::output_size(&steps, size).map_err(|error| unusable(&error))?;
    let mask = args.mask.as_deref().map(|path| input::open_mask(path, &args.input, &opened.pixels));
    let mask = mask.transpose()?;

    let engine = devices::engine(args.device, size.pixels() * steps.len() as u64)?;
    let each = steps.len() as u64 + 1;
    let mut progress = Progress::new("Editing");
    let mut depth = opened.pixels.depth();
    let mut edit = |pixels: PixelBuf, profile: &WorkingProfile, [at, count]: [u64; 2]| {
        let context = OpContext::full_size(profile.clone());
        let edited = recipe::run(&steps, &*engine, &context, pixels, mask.as_ref(), |done| {
            progress.set(at * each + done as u64, count * each);
        });
        let edited = edited.map_err(|error| unusable(&error))?;
        depth = edited.depth();
        Ok::<_, Failure>(edited)
    };
    let (size, frames, notices) = match moving {
        Some(moving) => {
            let made = moving.run(&options, |picture, place| {
                if picture.pixels.size() != size && mask.is_some() {
                    return Err(Failure::input("the mask does not fit every picture"));
                }
                edit(picture.pixels, &picture.profile, place)
            })?;
            (made.size, made.frames, made.notices)
        }
        None => {
            let pixels = edit(opened.pixels, &opened.profile, [0, 1])?;
            let saved =
                io::save(&args.output, &pixels, &opened.profile, &opened.metadata, &options);
            let mut notices = opened.notices;
            notices.extend(saved.map_err(|error| unusable(&error))?);
            (pixels.size(), 1, notices)
        }
    };
    drop(progress);
    if let Some(reason) = engine.take_trouble() {
        report::note(format!("the processor took over from the graphics adapter: {reason}"));
    }
    for notice in &notices {
        report::note(format!("{}: {notice}", args.input.display()));
    }
    if args.json {
        return report::print_json(&serde_json::json!({
            "output": args.output.to_string_lossy(),
            "format": format.name(),
            "width": size.width,
            "height": size.height,
            "frames": frames,
            "depth": options.depth.unwrap_or(depth).bits().min(format.max_depth().bits()),
            "steps": steps.iter().map(Compiled::to_step).collect::<Vec<_>>(),
            "notices": notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    Ok(())
}

/// The steps of the recipe, then those of the command line.
fn steps(args: &Args) -> Result<Vec<Compiled>, Failure> {
    let mut steps = match &args.recipe {
        None => Vec::new(),
        Some(path) => {
            let bad = |reason: String| {
                Failure::input(format!("the recipe '{}': {reason}", path.display()))
            };
            let text = read_text(path).map_err(&bad)?;
            let recipe = Recipe::from_json(&text);
            recipe.and_then(|recipe| recipe.compile()).map_err(|e| bad(report::sentence(&e)))?
        }
    };
    for text in &args.ops {
        let step = Compiled::parse(text)
            .map_err(|error| Failure::input(format!("--op '{text}': {error}")))?;
        steps.push(step);
    }
    Ok(steps)
}

/// A text file of a sensible size.
fn read_text(path: &Path) -> Result<String, String> {
    const MAX_BYTES: u64 = 16 << 20;
    let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !facts.is_file() || facts.len() > MAX_BYTES {
        return Err("it is no file of at most 16 MiB".into());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
