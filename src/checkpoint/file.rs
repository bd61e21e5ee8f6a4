//! A checkpoint's file, read by position.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use super::Fault;

/// One open file, shared by every tensor that will be read from it.
#[derive(Clone)]
pub(super) struct SharedFile(Arc<Mutex<File>>);

impl SharedFile {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }

    /// The `length` bytes from byte `at` on. Callers bound `length` by the size of the file.
    pub(super) fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; length];
        // A panic elsewhere leaves the file usable: the position is set before each read.
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|err| Fault::Damaged(err.to_string()))?;
        Ok(bytes)
    }
}
