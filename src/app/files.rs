//! Files of the window: opening, exporting, size estimates, the desktop's file dialogs. All of
//! it runs on worker threads.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::jobs::{Latest, Reporter, Wake};
use super::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results;
use crate::compose;
use crate::document::{Document, LayerKind};
use crate::geom::Size;
use crate::io::project::{self, Project, is_project};
use crate::io::{self, DigitalSource, Format, SaveOptions};
use crate::pixels::{Depth, PixelBuf};

/// Everything the export dialog decides.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportSettings {
    pub tab: TabId,
    pub path: PathBuf,
    pub options: SaveOptions,
    /// Whether the file says that a network has drawn in it, where one has.
    pub label: bool,
}

impl ExportSettings {
    /// A fitting proposal: beside the source, as PNG where JPEG would lose something.
    pub fn propose(tab: TabId, title: &str, source: Option<&Path>, document: &Document) -> Self {
        let format = source
            .and_then(Format::from_path)
            .filter(|format| Format::WRITABLE.contains(format))
            .unwrap_or(Format::Png);
        let stem = source
            .and_then(Path::file_stem)
            .map_or_else(|| title.to_owned(), |stem| stem.to_string_lossy().into_owned());
        let folder = source.and_then(Path::parent).map(Path::to_path_buf);
        let folder = folder.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        let name = format!("{stem}-edited.{}", format.extensions()[0]);
        let mut options = SaveOptions::new(format);
        options.depth =
            Some(if document.depth == Depth::U16 { format.max_depth() } else { Depth::U8 });
        Self { tab, path: folder.join(name), options, label: true }
    }

    /// Changes the format together with the file's extension.
    pub fn set_format(&mut self, format: Format) {
        self.options.format = format;
        self.path.set_extension(format.extensions()[0]);
        if format.max_depth() == Depth::U8 {
            self.options.depth = Some(Depth::U8);
        }
    }
}

/// The answer of the size estimate.
#[derive(Clone, Debug)]
pub struct Estimate {
    pub of: (u64, SaveOptions),
    /// Bytes, and what encoding gave up, in words.
    pub file: Result<(usize, Vec<String>), String>,
}

/// Estimates and recent exports.
pub struct Files {
    estimator: Latest<(Document, SaveOptions), Estimate>,
    pub estimate: Option<Estimate>,
    asked: Option<(u64, SaveOptions)>,
    /// Where preferences are kept; `None` keeps nothing.
    pub prefs_file: Option<PathBuf>,
    /// The photo that comes with the program.
    pub sample: Option<PathBuf>,
}

impl Files {
    pub fn spawn(wake: &Wake, prefs_file: Option<PathBuf>) -> Result<Self, std::io::Error> {
        let estimator =
            Latest::spawn("size estimate", wake.clone(), |(document, options): (Document, _)| {
                Estimate {
                    of: (document.revision(), options),
                    file: encoded_len(&document, &options),
                }
            })?;
        Ok(Self { estimator, estimate: None, asked: None, prefs_file, sample: sample_photo() })
    }

    /// Asks for the size of an export; the answer arrives in `estimate`.
    pub fn ask_size(&mut self, document: &Document, options: SaveOptions) {
        let question = (document.revision(), options);
        if self.asked != Some(question) {
            self.asked = Some(question);
            self.estimator.ask((document.clone(), options));
        }
    }

    pub fn update(&mut self) {
        if let Some(estimate) = self.estimator.answer() {
            self.estimate = Some(estimate);
        }
    }
}

/// Encodes small pictures whole; of large ones a sample, scaled up.
fn encoded_len(document: &Document, options: &SaveOptions) -> Result<(usize, Vec<String>), String> {
    const WHOLE: u64 = 3_000_000;
    let step = ((document.size.pixels() as f64 / WHOLE as f64).sqrt().ceil() as u32).max(1);
    let pixels = if step == 1 {
        compose::flatten(document, document.size.rect())
    } else {
        compose::preview(document, &document.layers, step)
    };
    let (bytes, notices) =
        io::encode_to_vec(&pixels, &document.profile, &document.metadata, options)
            .map_err(|err| sentence(&err))?;
    let ratio = document.size.pixels() as f64 / pixels.size().pixels().max(1) as f64;
    let notices = notices.iter().map(ToString::to_string).collect();
    Ok(((bytes.len() as f64 * ratio) as usize, notices))
}

/// The sample photo beside the program, in its share folder, or in the source tree.
fn sample_photo() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(|folder| folder.join("assets"));
    let shared = program
        .as_deref()
        .and_then(|program| program.parent()?.parent())
        .map(|prefix| prefix.join("share/ganvas"));
    let source = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets"));
    [beside, shared, source]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("photos/coffee.png"))
        .find(|file| file.is_file())
}

pub fn title_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "Picture".into(), |name| name.to_string_lossy().into_owned())
}

/// A file as a document.
pub struct Read {
    pub title: String,
    pub document: Document,
    /// The picture that a project was made of.
    pub made_of: Option<PathBuf>,
    pub notices: Vec<String>,
}

/// Reads a picture or a project.
pub fn read(path: &Path) -> Result<Read, String> {
    let title = title_of(path);
    if is_project(path) {
        let Project { document, original, .. } =
            project::open(path).map_err(|err| sentence(&err))?;
        return Ok(Read { title, document, made_of: original, notices: Vec::new() });
    }
    let opened = io::open(path, &io::Limits::default()).map_err(|err| sentence(&err))?;
    let notices = opened.notices.iter().map(|notice| format!("{title}: {notice}")).collect();
    let layer =
        path.file_stem().map_or_else(|| title.clone(), |s| s.to_string_lossy().into_owned());
    let document = Document::from_pixels(opened.pixels, &layer, opened.profile, opened.metadata);
    Ok(Read { title, document, made_of: None, notices })
}

/// The work of opening one file.
pub fn open(path: PathBuf) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        reporter.stage("Reading", None);
        let Read { title, document, made_of, notices } = read(&path)?;
        Ok(Outcome::Opened { path: Some(path), title, document, made_of, notices })
    }
}

/// The work of reading a document's file again.
pub fn reread(
    path: PathBuf,
    tab: TabId,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        reporter.stage("Reading", None);
        let Read { document, notices, .. } = read(&path)?;
        Ok(Outcome::Reread { tab, document, notices })
    }
}

/// The work of reading a file into a new layer of a document.
pub fn place(
    path: PathBuf,
    tab: TabId,
    base: Document,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        reporter.stage("Reading", None);
        let io::Opened { pixels, profile, notices, .. } =
            io::open(&path, &io::Limits::default()).map_err(|err| sentence(&err))?;
        let title = title_of(&path);
        let notices = notices.iter().map(|notice| format!("{title}: {notice}")).collect();
        let label = "Place picture";
        let step = results::place(&base, &title, label, &pixels, &profile, LayerKind::Raster);
        Ok(Outcome::Step { tab, base, step: step.map_err(|err| sentence(&err))?, notices })
    }
}

/// The work of writing a file.
pub fn export(
    document: Document,
    settings: ExportSettings,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        reporter.stage("Joining layers", None);
        let pixels = compose::flatten(&document, document.size.rect());
        if reporter.is_cancelled() {
            return Err(String::new());
        }
        reporter.stage("Writing", Some(0.5));
        let label = DigitalSource::of(&document).filter(|_| settings.label);
        let options = SaveOptions { label, ..settings.options };
        let saved =
            io::save(&settings.path, &pixels, &document.profile, &document.metadata, &options);
        let notices = saved.map_err(|err| sentence(&err))?;
        let notices = notices.iter().map(ToString::to_string).collect();
        Ok(Outcome::Exported { settings, notices })
    }
}

/// An empty picture of one layer.
pub fn blank(size: Size, depth: Depth, transparent: bool) -> Document {
    let (sample, name) = if transparent { (0, "Layer 1") } else { (depth.max(), "Background") };
    let pixels = PixelBuf::filled(size, 4, depth, [sample; 4]);
    Document::from_pixels(pixels, name, WorkingProfile::srgb(), Default::default())
}

/// A dialog that ends sooner than any hand can press a button did not appear at all.
const NO_HAND: Duration = Duration::from_millis(250);

fn all_extensions() -> Vec<&'static str> {
    let pictures = Format::ALL.iter().flat_map(|format| format.extensions()).copied();
    pictures.chain([project::EXTENSION]).collect()
}

/// The work of asking for files to open.
pub fn pick_files(reporter: &Reporter<Outcome>) -> Result<Outcome, String> {
    reporter.stage("Waiting for the file dialog", None);
    let asked = Instant::now();
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Open pictures")
        .add_filter("Pictures and projects", &all_extensions())
        .pick_files();
    match pollster::block_on(dialog) {
        Some(files) => {
            Ok(Outcome::PickedFiles(files.iter().map(|file| file.path().to_path_buf()).collect()))
        }
        None if asked.elapsed() < NO_HAND => Ok(Outcome::NoFileDialog),
        None => Ok(Outcome::Nothing),
    }
}

/// The work of asking for a folder of pictures.
pub fn pick_folder(reporter: &Reporter<Outcome>) -> Result<Outcome, String> {
    reporter.stage("Waiting for the file dialog", None);
    let asked = Instant::now();
    let dialog = rfd::AsyncFileDialog::new().set_title("A folder of pictures").pick_folder();
    match pollster::block_on(dialog) {
        Some(folder) => Ok(Outcome::PickedFolder(folder.path().to_path_buf())),
        None if asked.elapsed() < NO_HAND => Ok(Outcome::NoFileDialog),
        None => Ok(Outcome::Nothing),
    }
}

/// The work of asking where to, and writing `bytes` there.
pub fn save_as(
    name: String,
    bytes: impl FnOnce() -> Result<Vec<u8>, String>,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        reporter.stage("Waiting for the file dialog", None);
        let asked = Instant::now();
        let dialog = rfd::AsyncFileDialog::new().set_title("Save as").set_file_name(name);
        let Some(file) = pollster::block_on(dialog.save_file()) else {
            let hand = asked.elapsed() >= NO_HAND;
            let reason = "this desktop offers no file dialog";
            return if hand { Ok(Outcome::Nothing) } else { Err(reason.into()) };
        };
        reporter.stage("Writing", None);
        let written = io::write_whole(file.path(), &bytes()?);
        written.map_err(|err| sentence(&err)).map(|()| Outcome::Nothing)
    }
}

/// The work of asking where to export to.
pub fn pick_target(
    settings: ExportSettings,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        let format = settings.options.format;
        let chosen =
            ask_target(reporter, "Export as", &settings.path, format.name(), format.extensions())?;
        Ok(chosen.map_or(Outcome::Nothing, |path| Outcome::PickedTarget {
            settings: ExportSettings { path, ..settings },
        }))
    }
}

/// Asks with the desktop's dialog for a file to write, beginning at `path`; `None` where nothing
/// was chosen.
pub fn ask_target(
    reporter: &Reporter<Outcome>,
    title: &str,
    path: &Path,
    kind: &str,
    extensions: &[&str],
) -> Result<Option<PathBuf>, String> {
    reporter.stage("Waiting for the file dialog", None);
    let asked = Instant::now();
    let mut dialog = rfd::AsyncFileDialog::new()
        .set_title(title)
        .set_file_name(title_of(path))
        .add_filter(kind, extensions);
    if let Some(folder) = path.parent() {
        dialog = dialog.set_directory(folder);
    }
    match pollster::block_on(dialog.save_file()) {
        Some(file) => Ok(Some(file.path().to_path_buf())),
        None if asked.elapsed() < NO_HAND => {
            Err("this desktop offers no file dialog; write the file's name into the field".into())
        }
        None => Ok(None),
    }
}
