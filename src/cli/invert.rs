//! `ganvas invert`: the code of a generator that draws a picture.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::codes::{self, Target};
use super::faces::{POINTS, finders};
use super::report::{self, Failure};
use super::{input, networks};
use crate::device::DeviceChoice;
use crate::infer::aids::Aids;
use crate::infer::invert::{Invert, MAX_STEPS};
use crate::infer::protocol::{Analyse, ModelRef, Task};
use crate::latent::Code;
use crate::latent::invert::{Options, Space};
use crate::portrait::Template;
use crate::zoo::Library;

/// Finds the code of a generator that draws a picture, by optimisation
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read: the largest square in its middle counts, as it is
    input: PathBuf,
    /// An installed generator, or a checkpoint file
    #[arg(long, value_name = "ID")]
    model: String,
    /// The code file to write
    #[arg(short, long, value_name = "CODE.safetensors")]
    output: PathBuf,
    #[command(flatten)]
    search: Search,
    /// Find the largest face first and cut it out as generators of faces want it
    #[arg(long, value_name = "TEMPLATE", value_enum)]
    face: Option<TemplateArg>,
    /// A picture of the same size: black does not count
    #[arg(long, value_name = "MASK", conflicts_with = "face")]
    mask: Option<PathBuf>,
    /// A code file to start from
    #[arg(long, value_name = "CODE", conflicts_with = "face")]
    start: Option<PathBuf>,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable summary
    #[arg(long)]
    json: bool,
}

/// How a code is looked for.
#[derive(clap::Args)]
pub(super) struct Search {
    /// Steps of the optimisation
    #[arg(long, value_name = "N", default_value_t = Options::default().steps,
          value_parser = parse_steps)]
    steps: usize,
    /// w keeps one row for all layers and edits better, wplus a row for each and is more alike
    #[arg(long, value_enum, default_value = "wplus")]
    space: SpaceArg,
    /// From 0, most alike, to 1, best to edit
    #[arg(long, value_name = "F", default_value_t = Options::default().editability)]
    editability: f32,
    /// A network of LPIPS that compares beside the pixels: an installed one, a checkpoint file, or
    /// none [default: the best that is installed]
    #[arg(long, value_name = "ID")]
    judge: Option<String>,
    /// A network that reads the code from which the search starts: an installed one, a checkpoint
    /// file, or none [default: one that is installed and fits the generator]
    #[arg(long, value_name = "ID")]
    encoder: Option<String>,
    /// A network that describes faces, so that the search keeps to the one in the picture: an
    /// installed one, a checkpoint file, or none [default: one that is installed]
    #[arg(long, value_name = "ID")]
    identity: Option<String>,
    /// Optimise the noise of each layer, too, and keep it in the code: more alike, and what it has
    /// taken over stays behind when the code is edited
    #[arg(long)]
    noise_maps: bool,
    /// Then tune the generator's weights around the code so many steps: much more alike, and beside
    /// the code a second file
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = parse_pivotal)]
    pivotal: usize,
    /// Another number, another search
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SpaceArg {
    W,
    Wplus,
}

/// How a generator's faces lie in its pictures.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum TemplateArg {
    /// From the brows to the chin, as our own generators draw them
    Portrait,
    /// The whole head, as generators of FFHQ's faces draw it
    Ffhq,
}

impl From<TemplateArg> for Template {
    fn from(arg: TemplateArg) -> Self {
        match arg {
            TemplateArg::Portrait => Self::Portrait,
            TemplateArg::Ffhq => Self::Ffhq,
        }
    }
}

fn parse_pivotal(text: &str) -> Result<usize, String> {
    if text == "0" { Ok(0) } else { parse_steps(text) }
}

pub(super) fn parse_steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(steps) if (1..=MAX_STEPS).contains(&steps) => Ok(steps),
        _ => Err(format!("must be 1 to {MAX_STEPS}")),
    }
}

impl Search {
    /// The networks that help to look for codes of `generator`.
    pub(super) fn aids(&self, library: &Library, generator: &ModelRef) -> Result<Aids, Failure> {
        let Aids { judge, encoder, identity } = Aids::installed(library, generator);
        let choice = |name: &Option<String>, installed: Option<ModelRef>| match name.as_deref() {
            Some("none") => Ok(None),
            Some(name) => networks::model_ref(library, name).map(Some),
            None => Ok(installed),
        };
        Ok(Aids {
            judge: choice(&self.judge, judge)?,
            encoder: choice(&self.encoder, encoder)?,
            identity: choice(&self.identity, identity)?,
        })
    }

    pub(super) fn options(&self) -> Result<Options, Failure> {
        if !(0.0..=1.0).contains(&self.editability) {
            let value = self.editability;
            return Err(Failure::input(format!("--editability must be 0 to 1, not {value}")));
        }
        let space = match self.space {
            SpaceArg::W => Space::W,
            SpaceArg::Wplus => Space::WPlus,
        };
        let (steps, editability, seed) = (self.steps, self.editability, self.seed);
        let pivotal_steps = self.pivotal;
        // Nobody watches.
        Ok(Options {
            space,
            steps,
            editability,
            pivotal_steps,
            with_noise: self.noise_maps,
            seed,
            picture_every: 0,
            ..Options::default()
        })
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    codes::check_target(&args.output)?;
    let options = args.search.options()?;
    let opened = input::open(&args.input)?;
    let mask = args.mask.as_deref();
    let mask = mask.map(|path| input::open_mask(path, &args.input, &opened.pixels)).transpose()?;
    let store = networks::store(args.device)?;
    let target = Target::named(store.library(), &args.model)?;
    let start = args.start.as_deref().map(codes::read).transpose()?.map(Arc::new);
    if start.as_ref().is_some_and(|start| start.model() != target.hash) {
        let model = &target.model;
        return Err(Failure::input(format!(
            "the code to start from belongs to another model than {model}"
        )));
    }
    let aids = args.search.aids(store.library(), &target.model)?;
    let name = |aid: &Option<ModelRef>| aid.as_ref().map(ToString::to_string);
    let names = [&aids.judge, &aids.encoder, &aids.identity].map(name);
    let (image, profile) = (Arc::new(opened.pixels), opened.profile);
    let model = target.model.clone();
    let task = match args.face {
        Some(template) => Task::Analyse(Analyse {
            image,
            profile,
            finders: finders(store.library(), &POINTS)?,
            model,
            template: template.into(),
            aids,
            near: None,
            start,
            options,
        }),
        None => Task::Invert(Invert {
            image,
            profile,
            mask: mask.map(Arc::new),
            aids,
            model,
            start,
            options,
        }),
    };
    let output = networks::run(store, task, "Inverting")?;
    let analysed = output
        .analysed
        .map(|of| (of.code, of.tuning, of.fidelity_db, [of.perceptual, of.identity]));
    let inverted = output
        .inverted
        .map(|of| (of.code, of.tuning, of.fidelity_db, [of.perceptual, of.identity]));
    let (code, tuning, fidelity_db, [perceptual, identity]): (Code, _, f64, _) =
        analysed.or(inverted).ok_or_else(|| Failure::failed("no code was found"))?;
    codes::write_code(&args.output, &code, &target.model.clone().tuned_by(tuning))?;
    if args.json {
        return report::print_json(&json!({
            "output": args.output.to_string_lossy(),
            "model": output.model,
            "fidelity_db": fidelity_db,
            "perceptual": perceptual,
            "identity": identity,
            "judge": names[0],
            "encoder": names[1],
            "descriptor": names[2],
            "rows": code.rows(),
            "seconds": output.seconds,
        }));
    }
    let (file, model, seconds) = (args.output.display(), &output.model, output.seconds);
    report::print(format!("{file}: {fidelity_db:.1} dB, {model}, {seconds:.1} s"))
}
