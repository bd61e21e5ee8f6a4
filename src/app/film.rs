//! A path of the Latent panel as an animation: what is drawn, and where it goes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::files;
use super::jobs::Reporter;
use super::state::{Model, Outcome};
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::infer::protocol::{Drawing, Drawn, ModelRef, Origin, Render, Task};
use crate::io::animation::{About, Frame};
use crate::io::film::Film;
use crate::io::{DigitalSource, Format, SaveError, SaveOptions};
use crate::latent::{Code, Curve, Path};

/// Most pictures from one to the next.
pub const MAX_BETWEEN: u32 = 240;
/// What pictures may take while they wait for their file, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Of one pixel as it waits: RGBA of 8 bits, and three planes of 32-bit floats.
const PIXEL_BYTES: u64 = 16;

/// Everything that the dialog decides.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmSettings {
    /// `.gif`, `.apng`, or a name with a number such as `path_####.png`.
    pub path: PathBuf,
    /// Pictures from one to the next.
    pub between: u32,
    /// Pictures a second.
    pub fps: f32,
    /// Whether it goes back to the first picture, so that it can be repeated.
    pub is_closed: bool,
    /// Whether the file says that a network has drawn it.
    pub label: bool,
    /// The generator.
    pub model: ModelRef,
    /// Side of a picture in pixels.
    pub side: u32,
    pub keys: Vec<Arc<Code>>,
}

/// A film that is being drawn.
#[derive(Clone)]
pub struct FilmJob {
    pub film: Film,
    pub settings: FilmSettings,
}

impl FilmSettings {
    /// Number of pictures.
    pub fn frames(&self) -> u32 {
        let keys = self.keys.len() as u32;
        let between = self.between.clamp(1, MAX_BETWEEN);
        if self.is_closed { keys * between } else { keys.saturating_sub(1) * between + 1 }
    }

    /// Why it cannot be drawn; `None` where it can.
    pub fn refusal(&self) -> Option<String> {
        let bytes = u64::from(self.frames()) * u64::from(self.side).pow(2) * PIXEL_BYTES;
        if bytes > MAX_BYTES {
            let (have, most) = (bytes >> 20, MAX_BYTES >> 20);
            return Some(format!("Fewer pictures: these would take {have} MiB, at most {most}"));
        }
        match Film::of(&self.path, false) {
            Ok(Some(_)) => None,
            Ok(None) => Some("Write a .gif, an .apng, or numbered names: path_####.png".into()),
            Err(err) => Some(sentence(&err)),
        }
    }

    /// The request for all of it.
    fn task(&self) -> Result<Task, String> {
        let keys: Vec<Code> = self.keys.iter().map(|code| (**code).clone()).collect();
        let path = Path::new(&keys, Curve::default(), self.is_closed);
        let path = path.map_err(|err| sentence(&err))?;
        let drawing = |code| Ok(Drawing::plain(Origin::Code(Arc::new(code?))));
        let drawings = path.frames(self.frames() as usize).map(drawing);
        let drawings: Result<_, crate::latent::LatentError> = drawings.collect();
        let drawings = drawings.map_err(|err| sentence(&err))?;
        Ok(Task::Render(Render { model: self.model.clone(), drawings }))
    }
}

impl Model {
    /// A proposal for the path as it is; `None` while it has less than two pictures.
    pub fn film(&self) -> Option<FilmSettings> {
        let card = self.generator()?;
        let side = card.space.as_ref().map_or(0, |space| space.side as u32);
        let keys: Vec<_> = self.latent.path.iter().map(|(_, code)| Arc::clone(code)).collect();
        let folder = std::env::current_dir().unwrap_or_default();
        let proposal = FilmSettings {
            path: folder.join("path.gif"),
            between: 24,
            fps: 24.0,
            is_closed: true,
            label: true,
            model: self.latent.model_of(card, keys.first()?),
            side,
            keys,
        };
        (proposal.keys.len() > 1).then_some(proposal)
    }

    /// Asks for the pictures of a film; they are written when they are there.
    pub fn draw_film(&mut self, settings: FilmSettings) {
        let asked = match (settings.refusal(), Film::of(&settings.path, false)) {
            (None, Ok(Some(film))) => settings.task().map(|task| (task, film)),
            (Some(reason), _) => Err(reason),
            // What `refusal` has ruled out.
            _ => return,
        };
        match asked {
            Ok((task, film)) => {
                let goal = super::goal::Goal::Film(Box::new(FilmJob { film, settings }));
                self.ask(task, goal);
            }
            Err(reason) => self.notices.warn(reason),
        }
    }
}

/// Why a film is not written.
enum Fault {
    Save(SaveError),
    Cancelled,
}

impl From<SaveError> for Fault {
    fn from(error: SaveError) -> Self {
        Self::Save(error)
    }
}

/// The work of writing the pictures that were drawn.
pub fn write(
    job: FilmJob,
    drawn: Vec<Drawn>,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        let FilmJob { film, settings } = job;
        let count = drawn.len();
        let delay = Duration::from_secs_f32(1.0 / settings.fps.clamp(0.1, 100.0));
        let frames = drawn.into_iter().enumerate().map(|(at, drawn)| {
            reporter.stage("Writing", Some(at as f32 / count as f32));
            if reporter.is_cancelled() {
                return Err(Fault::Cancelled);
            }
            Ok(Frame { pixels: drawn.picture, delay })
        });
        let mut options = SaveOptions::new(Format::Png);
        options.label = settings.label.then_some(DigitalSource::TrainedAlgorithm);
        let about = About::endless(count as u32, WorkingProfile::srgb());
        match film.write(about, &options, frames) {
            Ok(lost) => {
                let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
                let lost =
                    if lost.is_empty() { String::new() } else { format!(" ({})", lost.join("; ")) };
                let path = settings.path.display();
                Ok(Outcome::Said(format!("Exported {path}: {count} pictures{lost}")))
            }
            Err(Fault::Save(error)) => Err(sentence(&error)),
            Err(Fault::Cancelled) => Err(String::new()),
        }
    }
}

/// The work of asking where to.
pub fn pick_target(
    settings: FilmSettings,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        let kinds = ["gif", "apng", "png"];
        let chosen =
            files::ask_target(reporter, "Export path", &settings.path, "Animation", &kinds)?;
        let path = chosen.unwrap_or_else(|| settings.path.clone());
        Ok(Outcome::PickedFilm(Box::new(FilmSettings { path, ..settings })))
    }
}
