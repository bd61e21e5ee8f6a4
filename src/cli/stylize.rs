//! `ganvas stylize`: repaint a picture in another style.

use std::path::PathBuf;
use std::sync::Arc;

use super::filter;
use super::input;
use super::report::Failure;
use crate::infer::protocol::{Effect, Paint, StyleOf};
use crate::zoo::{Library, Purpose};

/// Repaints a picture in a style of the network's own, in a blend of them, or in that of a picture
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
    /// Styles of the network by number, each with a weight: 3 or 3:0.7,12:0.3
    #[arg(long, value_name = "NAME[:WEIGHT],…", value_delimiter = ',', value_parser = parse_style,
          required_unless_present = "style_image", conflicts_with = "style_image")]
    style: Vec<(usize, f32)>,
    /// A picture whose style is taken
    #[arg(long, value_name = "FILE")]
    style_image: Option<PathBuf>,
    /// fast runs one network, gatys optimises the picture with VGG (an imported checkpoint)
    #[arg(long, value_name = "fast|gatys", default_value = "fast", requires = "style_image")]
    method: Method,
    /// With gatys: repaint the brightness only
    #[arg(long, requires = "style_image")]
    keep_colors: bool,
    /// With gatys: steps at each size
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=2000))]
    steps: u32,
    /// How far towards the picture's style, 0 to 1
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = filter::parse_share,
          requires = "style_image")]
    amount: f32,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    Fast,
    Gatys,
}

fn parse_style(text: &str) -> Result<(usize, f32), String> {
    let (name, weight) = text.split_once(':').unwrap_or((text, "1"));
    let name =
        name.parse().map_err(|_| format!("'{name}' is no style; styles are numbers from 0"))?;
    match weight.parse() {
        Ok(weight) if (0.0..=1000.0).contains(&weight) => Ok((name, weight)),
        _ => Err(format!("'{weight}' is no weight")),
    }
}

impl Args {
    /// Refuses what the way that is asked for has no use for, instead of passing over it.
    fn check(&self) -> Result<(), Failure> {
        let has_picture = self.style_image.is_some();
        let is_gatys = self.method == Method::Gatys;
        let useless = [
            (
                is_gatys && !has_picture,
                "--method gatys takes the style of a picture: give --style-image FILE, not --style",
            ),
            (self.keep_colors && !is_gatys, "--keep-colors goes with --method gatys only"),
            (
                self.amount < 1.0 && !has_picture,
                "--amount goes with --style-image only; of styles --strength takes less",
            ),
        ];
        match useless.into_iter().find(|(is_useless, _)| *is_useless) {
            Some((_, sentence)) => Err(Failure::input(sentence)),
            None => Ok(()),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    args.check()?;
    let effect = match &args.style_image {
        None => Effect::Style { weights: args.style.clone() },
        Some(path) => {
            let opened = input::open(path)?;
            if args.method == Method::Gatys {
                let effect = Effect::Paint(Paint {
                    picture: Arc::new(opened.pixels),
                    profile: opened.profile,
                    keeps_colors: args.keep_colors,
                    steps: args.steps,
                });
                return filter::run(&args.common, effect, "Painting");
            }
            let reader = filter::choose_model(&Library::discover(), None, Purpose::StyleVector)?;
            Effect::StyleOf(StyleOf {
                picture: Arc::new(opened.pixels),
                profile: opened.profile,
                reader,
                amount: args.amount,
            })
        }
    };
    filter::run(&args.common, effect, "Restyling")
}
