//! `ganvas remove`: take something out of a picture.

use std::path::PathBuf;
use std::sync::Arc;

use super::faces::{POINTS, finders};
use super::filter::choose_model;
use super::invert::{TemplateArg, parse_steps};
use super::masks::Masks;
use super::networks;
use super::picture::{Files, Written};
use super::report::Failure;
use crate::infer::prior::Prior;
use crate::infer::protocol::{Engine, ModelRef, PATCHES, Remove, Task};
use crate::infer::worker::capability_for;
use crate::inpaint::Fill;
use crate::latent::invert::Options;
use crate::pixels::PixelBuf;
use crate::zoo::{Library, Purpose};

/// Takes what a mask covers out of a picture and continues the surroundings
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// A picture of the same size: white goes; of several pictures one for all, or numbered ones:
    /// mask_####.png
    #[arg(long, value_name = "MASK.png")]
    mask: PathBuf,
    /// auto, patchmatch, an installed model or a checkpoint file; auto takes a network where one
    /// is installed. A generator of faces continues the face that the mask is nearest to, any
    /// generator pictures of its own size
    #[arg(long, value_name = "ENGINE", default_value = "auto")]
    engine: String,
    /// Pixels by which the mask is grown
    #[arg(long, value_name = "PX", default_value_t = Fill::default().dilate_px,
          value_parser = clap::value_parser!(u32).range(0..=512))]
    grow: u32,
    /// Pixels over which the fill fades in beyond
    #[arg(long, value_name = "PX", default_value_t = Fill::default().feather_px,
          value_parser = parse_feather)]
    feather: f32,
    /// Of a generator: how its faces lie in its pictures
    #[arg(long, value_enum, default_value = "portrait")]
    template: TemplateArg,
    /// Of a generator: steps of the search for what fits the surroundings
    #[arg(long, value_name = "N", default_value_t = Options::default().steps,
          value_parser = parse_steps)]
    steps: usize,
    /// Another number, another fill of the same kind
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

fn parse_feather(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(px) if (0.0..=512.0).contains(&px) => Ok(px),
        _ => Err("must be 0 to 512".into()),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let opened = args.files.open()?;
    let masks = Masks::open(&args.mask, &args.files.input, &opened)?;
    let mut store = networks::store(args.files.device)?;
    let mut engine = engine(&args.engine, store.library())?;
    if let Engine::Network(model) = &engine {
        networks::warn(store.library(), model);
        if capability_for(&mut store, model, Purpose::Generate).is_ok() {
            engine = Engine::Prior(args.prior(store.library(), model.clone()));
        } else {
            capability_for(&mut store, model, Purpose::Inpaint).map_err(Failure::input)?;
        }
    }
    let options =
        Fill { dilate_px: args.grow, feather_px: args.feather, seed: args.seed, ..Fill::default() };
    let written = match engine {
        Engine::Patches => Written::Changed,
        Engine::Network(_) | Engine::Prior(_) => Written::Drawn,
    };
    let task = |image: Arc<PixelBuf>, profile, place| {
        let mask = masks.of(place, &image)?;
        let (engine, options) = (engine.clone(), options.clone());
        Ok(Task::Remove(Remove { image, mask, profile, engine, options }))
    };
    args.files.run(store, opened, task, written, "Removing", &[])
}

impl Args {
    fn prior(&self, library: &Library, model: ModelRef) -> Prior {
        Prior {
            model,
            // Where none is installed, pictures of the generator's size can still be filled.
            finders: finders(library, &POINTS).unwrap_or_default(),
            template: self.template.into(),
            options: Options {
                steps: self.steps,
                seed: self.seed,
                picture_every: 0,
                ..Options::default()
            },
        }
    }
}

fn engine(name: &str, library: &Library) -> Result<Engine, Failure> {
    match name {
        PATCHES => Ok(Engine::Patches),
        "auto" => {
            let found = choose_model(library, None, Purpose::Inpaint);
            Ok(found.map_or(Engine::Patches, Engine::Network))
        }
        name => choose_model(library, Some(name), Purpose::Inpaint).map(Engine::Network),
    }
}
