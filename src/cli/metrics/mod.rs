//! `ganvas metrics`: how near pictures come to others, one by one or as a set.

mod networks;
mod pairs;
mod paths;
mod pictures;
mod sets;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::report::{self, Failure};
use crate::device::DeviceChoice;
use crate::infer::features::{FeatureNetwork, Judge};
use crate::metrics::Backbone;

/// Measures pictures against others: a set of drawn ones against real ones (fid, kid, pr), a set by
/// itself (is), a generator by itself (ppl), or pairs of pictures (psnr, ssim, ms-ssim, lpips)
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    metric: Metric,
    /// A picture or a folder of pictures, the real ones where that matters; for sets also a
    /// generator, installed or a checkpoint file, that draws them; for ppl a generator
    a: PathBuf,
    /// What is compared with it: a folder or a generator for sets, a picture of the same size for
    /// pairs, or a folder with the same names
    b: Option<PathBuf>,
    /// The network that looks at pictures, installed or a file: Inception-v3 for sets, AlexNet,
    /// VGG16 or SqueezeNet 1.1 for lpips and ppl [default: what is installed of these]
    #[arg(long, value_name = "ID|FILE")]
    model: Option<String>,
    /// At most so many pictures of each folder, by name; so many that a generator draws; for ppl so
    /// many paths [default: all, 1000 drawn ones, 1000 paths]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Chooses subsets (kid) and paths (ppl); a generator draws this seed and those after it, as
    /// 'ganvas generate' does
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Truncation of drawn pictures, 0 (the mean) to 1 (none, as published figures have it)
    #[arg(long, default_value_t = 1.0, value_name = "F")]
    psi: f32,
    /// Where paths run (ppl)
    #[arg(long, value_enum, default_value = "w")]
    space: paths::SpaceArg,
    /// Where on its path a step is made (ppl): at its start, or anywhere
    #[arg(long, value_enum, default_value = "end")]
    sampling: paths::SamplingArg,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Metric {
    /// Fréchet inception distance of two folders, 0 and up
    Fid,
    /// Kernel inception distance of two folders
    Kid,
    /// Inception Score of a folder, 1 to the number of classes
    Is,
    /// Precision and recall of the second folder against the first, 0 to 1
    Pr,
    /// Perceptual path length of a generator, 0 and up
    Ppl,
    /// Peak signal-to-noise ratio in dB
    Psnr,
    /// Structural similarity of the luma, up to 1
    Ssim,
    /// The same on five scales, 0 to 1
    MsSsim,
    /// Learned perceptual distance, 0 and up
    Lpips,
}

impl Metric {
    const fn name(self) -> &'static str {
        match self {
            Self::Fid => "FID",
            Self::Kid => "KID",
            Self::Is => "Inception Score",
            Self::Pr => "precision and recall",
            Self::Ppl => "PPL",
            Self::Psnr => "PSNR",
            Self::Ssim => "SSIM",
            Self::MsSsim => "MS-SSIM",
            Self::Lpips => "LPIPS",
        }
    }

    /// Whether it needs two sides.
    const fn compares(self) -> bool {
        !matches!(self, Self::Is | Self::Ppl)
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !(0.0..=1.0).contains(&args.psi) {
        return Err(Failure::input(format!("--psi must be 0 to 1, not {}", args.psi)));
    }
    let name = args.metric.name();
    let b = match (&args.b, args.metric.compares()) {
        (Some(b), true) => b.as_path(),
        (None, false) => args.a.as_path(),
        (None, true) => {
            return Err(Failure::input(format!("{name} compares two sides; name the second")));
        }
        (Some(b), false) => {
            let sentence = format!("{name} looks at one side; '{}' is too much", b.display());
            return Err(Failure::input(sentence));
        }
    };
    match args.metric {
        Metric::Fid | Metric::Kid | Metric::Is | Metric::Pr => sets::run(args, b),
        Metric::Ppl => paths::run(args),
        Metric::Psnr | Metric::Ssim | Metric::MsSsim | Metric::Lpips => pairs::run(args, b),
    }
}

/// What was measured, and with what.
struct Title {
    name: String,
    /// What looked at the pictures.
    features: Option<String>,
    is_comparable: bool,
}

impl Title {
    /// Of a metric by arithmetic alone.
    fn plain(metric: Metric) -> Self {
        Self { name: metric.name().into(), features: None, is_comparable: true }
    }

    /// Of a metric that this network serves.
    fn of(metric: Metric, network: &FeatureNetwork) -> Self {
        // Published path lengths are seen by VGG16.
        let prefix = match network.judge() {
            Judge::Lpips(backbone) if metric == Metric::Ppl && backbone != Backbone::Vgg16 => {
                "other-network-"
            }
            judge => judge.prefix(),
        };
        Self {
            name: format!("{prefix}{}", metric.name()),
            features: Some(network.judge().name().into()),
            is_comparable: prefix.is_empty(),
        }
    }

    /// The name with what a person must know of it.
    fn text(&self, metric: Metric) -> String {
        match (&self.features, self.is_comparable) {
            (None, _) => self.name.clone(),
            (Some(features), true) => format!("{} ({features} features)", self.name),
            (Some(features), false) => {
                let published = metric.name();
                let Self { name, .. } = self;
                format!("{name} ({features} features), not comparable with published {published}")
            }
        }
    }

    fn json(&self, metric: Metric) -> Json {
        json!({
            "metric": self.name,
            "description": self.text(metric),
            "features": self.features,
            "comparable_with_published": self.is_comparable,
        })
    }
}

/// Prints values by name, or everything as JSON.
fn show(
    args: &Args,
    title: &Title,
    values: &[(&str, f64)],
    more: &[(&str, Json)],
) -> Result<(), Failure> {
    if args.json {
        let mut said = title.json(args.metric);
        for (name, value) in values {
            said[*name] = json!(value);
        }
        for (name, value) in more {
            said[*name] = value.clone();
        }
        return report::print_json(&said);
    }
    let words = values.iter().map(|(name, value)| {
        // Six digits, whatever the magnitude.
        let digits = (5 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 12) as usize;
        // Only pictures that are equal are infinitely near.
        if value.is_infinite() { "identical".into() } else { format!("{name} {value:.digits$}") }
    });
    let words: Vec<_> = words.collect();
    report::print(format!("{}: {}", title.text(args.metric), words.join(", ")))
}
