//! `ganvas portrait`: the sliders of a generator on one's own photo.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::codes::{Settings, Target};
use super::faces::{POINTS, finders};
use super::input;
use super::invert::{Search, TemplateArg};
use super::networks::{self, Worker};
use super::picture::{self, Files};
use super::report::{self, Failure};
use crate::infer::protocol::{Analyse, Drawing, ModelRef, Origin, Render, Task};
use crate::io::DigitalSource;
use crate::portrait::{ColorMatch, Paste, SoftMask, Transfer, crop};
use crate::zoo::{Library, Purpose};

/// Below this the generator's picture has little to do with the photo.
const ROUGH_DB: f64 = 18.0;

/// Changes the largest face of a photo along directions of a generator, at full resolution
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// Directions and how far to go, in standard deviations
    #[arg(long, value_name = "NAME=STRENGTH[,…]")]
    set: Settings,
    /// A picture of the same size: black protects
    #[arg(long, value_name = "MASK")]
    mask: Option<PathBuf>,
    /// A generator of faces: an installed one or a checkpoint file [default: the first installed
    /// StyleGAN2]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// A file of directions [default: those that came with the generator]
    #[arg(long, value_name = "FILE")]
    directions: Option<PathBuf>,
    /// Keep each direction from doing what the others stand for
    #[arg(long)]
    independent: bool,
    /// How the generator's faces lie in its pictures
    #[arg(long, value_enum, default_value = "portrait")]
    template: TemplateArg,
    /// Let the edit reach hair and surroundings, not the face alone
    #[arg(long)]
    whole: bool,
    /// Take over the generator's picture itself in the photo's colours, not what the edit changed
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    search: Search,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let files = &args.files;
    files.check_target()?;
    let options = args.search.options()?;
    let opened = input::open(&files.input)?;
    let limit = args.mask.as_deref();
    let limit =
        limit.map(|path| input::open_mask(path, &files.input, &opened.pixels)).transpose()?;
    let store = networks::store(files.device)?;
    let library = store.library();
    let target = match &args.model {
        Some(name) => Target::named(library, name)?,
        None => choose(library)?,
    };
    let set = target.directions(args.directions.as_deref())?;
    let stack = args.set.stack(&set, args.independent)?;
    let finders = finders(library, &POINTS)?;
    let (image, mut source) = picture::split(opened);
    let image = Arc::new(image);
    let analyse = Analyse {
        image: Arc::clone(&image),
        profile: source.profile.clone(),
        finders,
        model: target.model.clone(),
        template: args.template.into(),
        aids: args.search.aids(library, &target.model)?,
        near: None,
        start: None,
        options,
    };
    let mut worker = Worker::start(store)?;
    let output = worker.run(Task::Analyse(analyse), "Finding the face's code")?;
    let found = output.analysed.ok_or_else(|| Failure::failed("no code was found"))?;
    let mut seconds = output.seconds;
    if found.fidelity_db < ROUGH_DB {
        let db = found.fidelity_db;
        report::note(format!("the generator draws this face only roughly ({db:.1} dB)"));
    }
    let from = Origin::Code(Arc::new(found.code));
    let drawings = vec![Drawing { from, mixes: Vec::new(), stack }];
    let model = target.model.tuned_by(found.tuning);
    let mut output = worker.run(Task::Render(Render { model, drawings }), "Drawing")?;
    let drawn = output.drawn.pop().ok_or_else(|| Failure::failed("nothing was drawn"))?;
    let mask = if args.whole { SoftMask::whole() } else { found.mask };
    let transfer = if args.replace {
        let side = drawn.planes.width;
        let photo = crop(&image, &source.profile, &found.crop, side as u32);
        let photo = photo.map_err(Failure::failed)?;
        let weights = mask.of_crop(&found.crop, side);
        let colors = ColorMatch::new(&found.reconstruction, &photo, &weights);
        Transfer::Replace(colors.map_err(Failure::failed)?)
    } else {
        Transfer::Residual(&found.reconstruction)
    };
    let paste = Paste {
        photo: &image,
        profile: &source.profile,
        crop: &found.crop,
        mask: &mask,
        limit: limit.as_ref(),
        strength: 1.0,
        edited: &drawn.planes,
        transfer,
    };
    let patch = paste.run().map_err(Failure::failed)?;
    let mut result = (*image).clone();
    result.blit(&patch.pixels, patch.origin);
    seconds += output.seconds;
    output.seconds = seconds;
    let set: Value =
        args.set.iter().map(|(name, strength)| (name.to_owned(), json!(strength))).collect();
    let facts = [
        ("fidelity_db", json!(found.fidelity_db)),
        ("perceptual", json!(found.perceptual)),
        ("identity", json!(found.identity)),
        ("faces", json!(found.faces.len())),
        ("crop", json!(found.crop)),
        ("set", set),
    ];
    source.label = Some(DigitalSource::CompositeWithTrainedAlgorithm);
    files.save(&result, source, &output, &facts)
}

/// The first installed generator that maps its latents to codes: others have little to edit.
fn choose(library: &Library) -> Result<Target, Failure> {
    let models = library.list().0.into_iter().map(|installed| installed.manifest);
    let generators = models.filter(|manifest| manifest.purpose == Purpose::Generate);
    let targets = generators.filter_map(|m| Target::of(library, ModelRef::Id(m.id)).ok());
    let mut with_w = targets.filter(|target| target.space.has_w);
    with_w
        .next()
        .ok_or_else(|| Failure::input("no generator of faces is installed; name one with --model"))
}
