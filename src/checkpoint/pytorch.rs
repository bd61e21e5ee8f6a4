//! PyTorch's `torch.save` files, zip and legacy layout, through the `pytorch-reader` crate.
//!
//! That crate interprets the pickle's few tensor-building calls by name and refuses the rest;
//! it holds no interpreter, bounds the size of the pickle, its nesting and each tensor, and
//! checks every length against the file. What it does not bound is bounded here; a panic in it
//! becomes an error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use pytorch_reader::{DType as StoredDtype, PytorchReader, Tensor};
use tempfile::NamedTempFile;

use super::{Contents, Dtype, Fault, MAX_EXPANSION, MAX_TENSORS, RawTensor};

/// Whether a file that begins with `head` is one of `torch.save`'s: a zip archive or a pickle.
pub(super) fn looks_like(head: &[u8]) -> bool {
    let pickle = head.first() == Some(&0x80) && head.get(1).is_some_and(|&version| version <= 5);
    head.starts_with(b"PK\x03\x04") || pickle
}

pub(super) fn read(path: &Path, file_bytes: u64) -> Result<Contents, Fault> {
    // Kept for as long as tensors may be read.
    let mended = with_marked_end(path).map_err(|err| damaged(&err))?.map(Arc::new);
    let path = mended.as_ref().map_or(path, |file| file.path());
    let reader = guarded(|| PytorchReader::new(path))?.map_err(|err| damaged(&err))?;
    if reader.len() > MAX_TENSORS {
        return Err(Fault::Refused(format!("{} tensors", reader.len())));
    }
    let declared: u64 =
        reader.tensors().values().fold(0, |sum, t| sum.saturating_add(t.byte_len() as u64));
    if declared > file_bytes.saturating_mul(MAX_EXPANSION) {
        let reason = format!("it declares {declared} bytes of tensors in {file_bytes}");
        return Err(Fault::Refused(reason));
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        let (shape, dtype) = (tensor.shape().to_vec(), dtype(tensor.dtype()));
        let mended = mended.clone();
        let read = Box::new(move || {
            let _kept = &mended;
            read_tensor(&tensor)
        });
        tensors.insert(name.clone(), RawTensor::new(&name, shape, dtype, read)?);
    }
    Ok(Contents { tensors, metadata: BTreeMap::new() })
}

/// A copy of an archive whose directory the `zip` crate would misread, in which it does not.
///
/// Between the directory and its end `torch.save` writes the 64-bit records, which `zip` 9.4.1
/// skips while the 32-bit ones suffice: it then takes the directory to reach up to the end, and
/// begins with the second entry if the first, with a name of 30 bytes, is as long as the records.
/// In the copy the 32-bit fields are marked as unused (PKWARE APPNOTE 4.4.1.4).
fn with_marked_end(path: &Path) -> io::Result<Option<NamedTempFile>> {
    const RECORDS_BYTES: u64 = 76;
    const LOCATOR_BYTES: u64 = 20;
    const END_BYTES: u64 = 22;
    const MISREAD_NAME: u16 = 30;
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = [0; 28];
    let Some(tail_at) = bytes.checked_sub(RECORDS_BYTES + END_BYTES) else { return Ok(None) };
    file.read_exact(&mut head)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_at))?;
    file.read_to_end(&mut tail)?;
    let locator = (RECORDS_BYTES - LOCATOR_BYTES) as usize;
    let is_misread = head.starts_with(b"PK\x03\x04")
        && head[26..] == MISREAD_NAME.to_le_bytes()
        && tail.starts_with(b"PK\x06\x06")
        && tail[locator..].starts_with(b"PK\x06\x07")
        && tail[RECORDS_BYTES as usize..].starts_with(b"PK\x05\x06");
    if !is_misread {
        return Ok(None);
    }
    let mut copy = NamedTempFile::new()?;
    file.rewind()?;
    io::copy(&mut file, &mut copy)?;
    // The place of the directory, in front of the comment's length.
    copy.seek(SeekFrom::Start(bytes - 6))?;
    copy.write_all(&u32::MAX.to_le_bytes())?;
    copy.flush()?;
    Ok(Some(copy))
}

fn read_tensor(tensor: &Tensor) -> Result<Vec<u8>, Fault> {
    guarded(|| tensor.read())?.map_err(|err| damaged(&err))
}

/// Runs the reader; a panic in it is the file's fault.
fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| Fault::Damaged("the PyTorch reader gave up on it".into()))
}

/// The reader's words on one line; errors may span several.
fn damaged(err: &dyn std::error::Error) -> Fault {
    let words: Vec<_> = err.to_string().split_whitespace().map(str::to_owned).collect();
    let mut text = words.join(" ");
    if let Some((at, _)) = text.char_indices().nth(300) {
        text.truncate(at);
    }
    Fault::Damaged(text)
}

/// The reader yields native-endian elements; every target of ours is little-endian.
const fn dtype(stored: StoredDtype) -> Dtype {
    match stored {
        StoredDtype::Bool => Dtype::Bool,
        StoredDtype::U8 => Dtype::U8,
        StoredDtype::I8 => Dtype::I8,
        StoredDtype::U16 => Dtype::U16,
        StoredDtype::I16 => Dtype::I16,
        StoredDtype::F16 => Dtype::F16,
        StoredDtype::BF16 => Dtype::Bf16,
        StoredDtype::U32 => Dtype::U32,
        StoredDtype::I32 => Dtype::I32,
        StoredDtype::F32 => Dtype::F32,
        StoredDtype::U64 => Dtype::U64,
        StoredDtype::I64 => Dtype::I64,
        StoredDtype::F64 => Dtype::F64,
    }
}
