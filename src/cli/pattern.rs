//! `ganvas pattern`: a picture without a model.

use std::path::PathBuf;

use super::input::unusable;
use super::report::{self, Failure};
use crate::color::WorkingProfile;
use crate::document::Metadata;
use crate::geom::Size;
use crate::io::{self, SaveOptions};
use crate::params::Params;
use crate::patterns;
use crate::pixels::Depth;

/// Draws a gradient, noise, clouds or a regular pattern
#[derive(clap::Args)]
pub(super) struct Args {
    /// checker, clouds, gradient, noise, plasma, radial or stripes, then its parameters: 'clouds
    /// scale=128 roughness=0.6'
    #[arg(value_name = "NAME key=value …", num_args = 1.., required = true)]
    pattern: Vec<String>,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Width and height in pixels
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Size,
    /// The two colours
    #[arg(long, value_name = "RRGGBB,RRGGBB", default_value = "000000,ffffff",
          value_parser = parse_colors)]
    colors: [[f32; 3]; 2],
    /// Another number, another picture of the same kind
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Bits a channel
    #[arg(long, value_name = "8|16", default_value = "8", value_parser = super::edit::parse_depth)]
    depth: Depth,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let sides = text
        .split_once('x')
        .and_then(|(width, height)| Some(Size::new(width.parse().ok()?, height.parse().ok()?)));
    sides
        .filter(|size| size.is_acceptable())
        .ok_or_else(|| format!("'{text}' is no size such as 800x600"))
}

fn parse_colors(text: &str) -> Result<[[f32; 3]; 2], String> {
    let color = |text: &str| -> Option<[f32; 3]> {
        let text = text.strip_prefix('#').unwrap_or(text);
        let all = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 6)?;
        Some([16, 8, 0].map(|shift| ((all >> shift) & 0xff) as f32 / 255.0))
    };
    let both = text.split_once(',').and_then(|(a, b)| Some([color(a)?, color(b)?]));
    both.ok_or_else(|| format!("'{text}' is no pair of colours such as 102030,f0e0d0"))
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let format = io::check_target(&args.output).map_err(|error| unusable(&error))?;
    let words: Vec<&str> = args.pattern.iter().flat_map(|words| words.split_whitespace()).collect();
    let [name, words @ ..] = words.as_slice() else {
        return Err(Failure::input("say which pattern"));
    };
    let pattern = patterns::find(name).ok_or_else(|| {
        let known: Vec<&str> = patterns::all().iter().map(|pattern| pattern.name).collect();
        Failure::input(format!("there is no pattern '{name}'; there are {}", known.join(", ")))
    })?;
    let params = Params::parse(pattern.params, words.iter().copied())
        .map_err(|error| Failure::input(format!("pattern '{name}': {error}")))?;
    let picture = pattern.draw(&params, args.size, args.depth, args.seed, args.colors);
    let (profile, metadata) = (WorkingProfile::srgb(), Metadata::default());
    let options = SaveOptions::new(format);
    let saved = io::save(&args.output, &picture, &profile, &metadata, &options);
    for notice in saved.map_err(|error| unusable(&error))? {
        report::note(notice);
    }
    report::print(format!("{}: {}", args.output.display(), args.size))
}
