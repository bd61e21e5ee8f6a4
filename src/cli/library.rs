//! Models by the names that a person gives them.

use std::path::{Path, PathBuf};

use super::report::{self, Failure};
use crate::infer::protocol::ModelRef;
use crate::zoo::Library;

/// The model that `name` means: an installed one, else a file.
pub(super) fn model_ref(library: &Library, name: &str) -> Result<ModelRef, Failure> {
    match library.find(name) {
        Ok(_) => Ok(ModelRef::Id(name.into())),
        Err(_) if Path::new(name).is_file() => Ok(ModelRef::File(PathBuf::from(name))),
        Err(error) => Err(Failure::input(report::sentence(&error))),
    }
}
