//! The safetensors container: a JSON table of contents, then the bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use ::safetensors::tensor::{Dtype as StoredDtype, Metadata};

use super::file::SharedFile;
use super::{Contents, Dtype, Fault, MAX_TENSORS, RawTensor};

/// Largest table of contents, in bytes: room for [`MAX_TENSORS`] entries of usual length.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Whether a file that begins with `head` says to be safetensors: a length, then a JSON object.
pub(super) fn looks_like(head: &[u8]) -> bool {
    header_bytes(head).is_some_and(|length| length <= super::MAX_FILE_BYTES)
        && head.get(8) == Some(&b'{')
}

fn header_bytes(head: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*head.first_chunk()?))
}

pub(super) fn read(mut file: File, file_bytes: u64) -> Result<Contents, Fault> {
    let io = |err: std::io::Error| Fault::Damaged(err.to_string());
    let mut length = [0; 8];
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    file.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(Fault::Refused(format!("a table of contents of {length} bytes")));
    }
    if length + 8 > file_bytes {
        return Err(Fault::Damaged("it ends inside its table of contents".into()));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(io)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|err| Fault::Damaged(format!("its table of contents: {err}")))?;
    let start = length + 8;
    if start + metadata.data_len() as u64 != file_bytes {
        let (have, want) = (file_bytes - start, metadata.data_len());
        return Err(Fault::Damaged(format!("it has {have} bytes of data instead of {want}")));
    }
    let contents = metadata.tensors();
    if contents.len() > MAX_TENSORS {
        return Err(Fault::Refused(format!("{} tensors", contents.len())));
    }
    let file = SharedFile::new(file);
    let mut tensors = BTreeMap::new();
    for (name, info) in contents {
        let Some(dtype) = dtype(info.dtype) else {
            let reason = format!("tensor '{name}' has the type {:?}", info.dtype);
            return Err(Fault::Refused(reason));
        };
        let (at, end) = info.data_offsets;
        let file = file.clone();
        let read = Box::new(move || file.read(start + at as u64, end - at));
        let tensor = RawTensor::new(&name, info.shape.clone(), dtype, read)?;
        tensors.insert(name, tensor);
    }
    let words = metadata.metadata().iter().flatten();
    let metadata = words.map(|(key, word)| (key.clone(), word.as_str().into())).collect();
    Ok(Contents { tensors, metadata })
}

const fn dtype(stored: StoredDtype) -> Option<Dtype> {
    Some(match stored {
        StoredDtype::BOOL => Dtype::Bool,
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
        _ => return None,
    })
}
