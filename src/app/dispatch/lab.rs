//! What the lab asks for.

use crate::app::action::LabAction;
use crate::app::files;
use crate::app::state::{Dock, Model, Outcome};
use crate::geom::Size;
use crate::pixels::Depth;
use crate::train::{BEST_FILE, WEIGHTS_FILE};
use crate::zoo::{Manifest, Told};

/// Side of the picture that is begun where none is open, in pixels.
const BLANK: u32 = 512;

impl Model {
    pub fn lab_action(&mut self, action: LabAction) {
        match action {
            LabAction::Open => self.lab.is_open = true,
            LabAction::Close => self.lab.is_open = false,
            LabAction::Set(settings) => self.lab.settings = *settings,
            LabAction::ChooseFolder => self.spawn("Choose folder", files::pick_folder),
            LabAction::Start => self.lab.start(self.ai.library().clone()),
            LabAction::Order(order) => self.lab.order(order),
            LabAction::Look(at) => self.lab.at = at,
            LabAction::Use { best } => self.use_learnt(best),
        }
    }

    /// Installs the generator of the run in front.
    fn use_learnt(&mut self, best: bool) {
        let Some(folder) = self.lab.folder.clone() else { return };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let images = self.lab.reports.last().map_or(0, |report| report.images);
        let kind = if best { "-best" } else { "" };
        let name = format!("{name}-{images}{kind}");
        let file = folder.join(if best { BEST_FILE } else { WEIGHTS_FILE });
        let library = self.ai.library().clone();
        self.spawn("Install generator", move |reporter| {
            reporter.stage("Reading tensors", None);
            let provenance = Some("trained in the lab of this program");
            let told = Told { name: Some(&name), provenance, ..Told::default() };
            let installed = library.import_as(&file, &told);
            let installed = installed.map_err(|err| err.to_string())?;
            Ok(Outcome::Learnt(Box::new(installed.manifest)))
        });
    }

    /// Opens a generator that was learnt.
    pub fn open_learnt(&mut self, manifest: &Manifest) {
        self.ai.read_library();
        self.latent.choose_model(Some(manifest.id.clone()));
        self.lab.is_open = false;
        (self.dock, self.panels_hidden) = (Dock::Latent, false);
        self.notices.info(format!("{} is installed", manifest.name));
        if self.tabs.is_empty() {
            self.spawn("New picture", |_| {
                Ok(Outcome::Opened {
                    path: None,
                    title: "Untitled".into(),
                    document: files::blank(Size::new(BLANK, BLANK), Depth::U8, false),
                    made_of: None,
                    notices: Vec::new(),
                })
            });
        }
    }
}
