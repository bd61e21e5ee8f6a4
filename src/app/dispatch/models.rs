//! Files for networks: checkpoints go into the user's model folder, directions to the generator in
//! front.

use std::path::{Path, PathBuf};

use crate::app::state::{Model, Outcome};
use crate::infer::directions;
use crate::latent::DirectionSet;

/// What the jobs are called, before the file's name.
pub const IMPORT: &str = "Import";

/// Bytes by which a file of directions is known.
const HEAD_BYTES: u64 = 256;

impl Model {
    /// Copies a checkpoint into the user's model folder, or takes directions over.
    pub fn import_model(&mut self, path: PathBuf) {
        let library = self.ai.library().clone();
        let generator = self
            .generator()
            .and_then(|card| Some((card.manifest.sha256.clone(), card.space.clone()?)));
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        self.spawn(&format!("{IMPORT} {name}"), move |reporter| {
            reporter.stage("Reading tensors", None);
            if holds_directions(&path) {
                let (model, space) = generator.ok_or("Choose a generator for these directions")?;
                let set = directions::read(&path, &space, &model)?;
                return Ok(Outcome::Directions { model, set });
            }
            let imported = library.import(&path).map_err(|err| err.to_string())?;
            Ok(Outcome::Imported(Box::new(imported.manifest)))
        });
    }
}

/// Whether a file is no picture but something for networks, by its name.
pub fn is_for_models(path: &Path) -> bool {
    const EXTENSIONS: [&str; 8] =
        ["safetensors", "pth", "pt", "pkl", "ckpt", "bin", "param", "npy"];
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Whether a file is one of directions; what cannot be read is not.
fn holds_directions(path: &Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let read = std::fs::File::open(path).map(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    let is_array = path.extension().is_some_and(|extension| extension == "npy");
    read.is_ok() && (is_array || DirectionSet::looks_like(&head))
}
