//! `ganvas info`: what a picture file or a project is.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::input;
use super::report::{self, Failure};
use crate::document::{Layer, LayerKind};
use crate::io::project::{Project, is_project};
use crate::io::{self, Opened};

/// Shows a picture's size, depth, profile, orientation and EXIF data, or a project's layers
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture or project
    file: PathBuf,
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

/// EXIF fields shown at most.
const MAX_FIELDS: usize = 100;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if is_project(&args.file) {
        let project = input::open_project(&args.file)?;
        return if args.json {
            report::print_json(&project_json(args, &project))
        } else {
            report::print(project_text(args, &project))
        };
    }
    let opened = input::open_file(&args.file)?;
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

const fn kind(layer: &Layer) -> &'static str {
    match &layer.kind {
        LayerKind::Raster(_) => "raster",
        LayerKind::Adjustment(_) => "adjustment",
        LayerKind::Group(_) => "group",
        LayerKind::Generated(_) => "generated",
    }
}

/// Layers bottom first, each with how deep it is nested.
fn project_json(args: &Args, project: &Project) -> Json {
    let document = &project.document;
    let mut layers = Vec::new();
    document.walk(&mut |layer, level| {
        layers.push(json!({
            "name": &*layer.props.name,
            "kind": kind(layer),
            "level": level,
            "visible": layer.props.visible,
            "opacity": layer.props.opacity,
            "blend": layer.props.blend,
            "mask": layer.mask.is_some(),
        }));
    });
    json!({
        "file": args.file.to_string_lossy(),
        "bytes": project.file_bytes,
        "format": "Ganvas project",
        "width": document.size.width,
        "height": document.size.height,
        "depth": document.depth.bits(),
        "working_profile": &*document.profile.name,
        "pixels_per_inch": document.metadata.pixels_per_inch,
        "original": project.original.as_ref().map(|path| path.to_string_lossy()),
        "layers": layers,
    })
}

fn project_text(args: &Args, project: &Project) -> String {
    let document = &project.document;
    let mut lines = vec![args.file.display().to_string()];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<16} {value}"));
    line("Format", format!("Ganvas project, {} bytes", project.file_bytes));
    line("Size", format!("{} px", document.size));
    line("Depth", format!("{} bits a channel", document.depth.bits()));
    line("Profile", document.profile.name.to_string());
    if let Some(original) = &project.original {
        line("Made of", original.display().to_string());
    }
    let mut layers = Vec::new();
    list(&document.layers, 0, &mut layers);
    for (index, text) in layers.into_iter().enumerate() {
        line(if index == 0 { "Layers" } else { "" }, text);
    }
    lines.join("\n")
}

/// Layers as a panel lists them: the top one first, a group before what is in it.
fn list(layers: &[Arc<Layer>], level: usize, lines: &mut Vec<String>) {
    for layer in layers.iter().rev() {
        let indent = "  ".repeat(level);
        let mask = if layer.mask.is_some() { ", masked" } else { "" };
        let hidden = if layer.props.visible { "" } else { ", hidden" };
        lines.push(format!("{indent}{} ({}{mask}{hidden})", layer.props.name, kind(layer)));
        list(layer.children().unwrap_or_default(), level + 1, lines);
    }
}
