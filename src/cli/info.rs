//! `ganvas info`: what a picture file is.

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::input;
use super::report::{self, Failure};
use crate::io::{self, Opened};

/// Shows a picture's size, depth, profile, orientation and EXIF data
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture
    file: PathBuf,
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

/// EXIF fields shown at most.
const MAX_FIELDS: usize = 100;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let opened = input::open(&args.file)?;
    let exif = opened.metadata.exif.as_deref();
    let fields = exif.map(|exif| io::exif_summary(exif, MAX_FIELDS)).unwrap_or_default();
    if args.json {
        report::print_json(&as_json(args, &opened, fields))
    } else {
        report::print(as_text(args, &opened, &fields))
    }
}

fn as_json(args: &Args, opened: &Opened, fields: Vec<(String, String)>) -> Json {
    let source = &opened.source;
    let size = opened.pixels.size();
    let exif: Map<_, _> = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    json!({
        "file": args.file.to_string_lossy(),
        "bytes": source.file_bytes,
        "format": source.format.name(),
        "width": size.width,
        "height": size.height,
        "stored_width": source.stored_size.width,
        "stored_height": source.stored_size.height,
        "orientation": source.orientation,
        "depth": source.bits,
        "color": source.model,
        "alpha": opened.pixels.has_transparency(),
        "frames": source.frames,
        "profile": source.profile,
        "working_profile": &*opened.profile.name,
        "pixels_per_inch": opened.metadata.pixels_per_inch,
        "exif": exif,
        "xmp_bytes": opened.metadata.xmp.as_ref().map(|xmp| xmp.len()),
        "notices": opened.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn as_text(args: &Args, opened: &Opened, fields: &[(String, String)]) -> String {
    let source = &opened.source;
    let mut lines = vec![args.file.display().to_string()];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<16} {value}"));
    line("Format", format!("{}, {} bytes", source.format, source.file_bytes));
    line("Size", format!("{} px", opened.pixels.size()));
    if source.orientation != 1 {
        let stored = source.stored_size;
        line("Orientation", format!("{} (stored as {stored}), applied", source.orientation));
    }
    line("Depth", format!("{} bits a channel, {}", source.bits, source.model.name()));
    line("Profile", source.profile.clone().unwrap_or_else(|| "none, taken as sRGB".into()));
    if source.profile.as_deref() != Some(&*opened.profile.name) && source.profile.is_some() {
        line("Opens as", opened.profile.name.to_string());
    }
    if let Some((x, y)) = opened.metadata.pixels_per_inch {
        let both = if (x - y).abs() < 0.5 { format!("{x:.0}") } else { format!("{x:.0}×{y:.0}") };
        line("Resolution", format!("{both} pixels per inch"));
    }
    if source.frames > 1 {
        line("Frames", source.frames.to_string());
    }
    for (index, (name, value)) in fields.iter().enumerate() {
        let title = if index == 0 { "EXIF" } else { "" };
        line(title, format!("{name}: {value}"));
    }
    for notice in &opened.notices {
        line("Note", notice.to_string());
    }
    lines.join("\n")
}
