//! NumPy's `.npy`, versions 1 to 3, as `numpy.lib.format` describes it: one array of 32- or
//! 64-bit floats, rows or columns first, either byte order.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::file::SharedFile;
use super::{Contents, Dtype, Fault, RawTensor};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest description of the array, in bytes; usual ones have 118.
const MAX_HEADER_BYTES: usize = 4096;
/// The array has no name of its own.
const NAME: &str = "array";

pub(super) fn looks_like(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

pub(super) fn read(mut file: File, file_bytes: u64) -> Result<Contents, Fault> {
    let io = |err: std::io::Error| Fault::Damaged(err.to_string());
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut exactly = |count: usize| {
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).map(|()| bytes).map_err(io)
    };
    let version = exactly(8)?[6];
    let length = match version {
        1 => usize::from(u16::from_le_bytes(exactly(2)?.try_into().unwrap_or_default())),
        2 | 3 => u32::from_le_bytes(exactly(4)?.try_into().unwrap_or_default()) as usize,
        _ => return Err(Fault::Refused(format!("version {version} of NumPy's format"))),
    };
    if length > MAX_HEADER_BYTES {
        return Err(Fault::Refused(format!("a description of {length} bytes")));
    }
    let header = String::from_utf8(exactly(length)?)
        .map_err(|_| Fault::Damaged("its description is no text".into()))?;
    let Header { dtype, big_endian, columns_first, shape } = Header::parse(&header)?;
    let start = file.stream_position().map_err(io)?;
    let data_bytes = file_bytes.saturating_sub(start) as usize;
    let elements = shape.iter().try_fold(1usize, |total, &side| total.checked_mul(side));
    if elements.and_then(|elements| elements.checked_mul(dtype.bytes())) != Some(data_bytes) {
        return Err(Fault::Damaged(format!("{data_bytes} bytes are no array of {shape:?}")));
    }
    let file = SharedFile::new(file);
    let layout = if columns_first { shape.clone() } else { Vec::new() };
    let read = Box::new(move || {
        let mut bytes = file.read(start, data_bytes)?;
        if big_endian {
            bytes.chunks_exact_mut(dtype.bytes()).for_each(<[u8]>::reverse);
        }
        Ok(if layout.len() > 1 { rows_first(&bytes, &layout, dtype.bytes()) } else { bytes })
    });
    let tensor = RawTensor::new(NAME, shape, dtype, read)?;
    Ok(Contents { tensors: [(NAME.to_owned(), tensor)].into(), metadata: Default::default() })
}

/// Elements of `width` bytes stored with the first axis running fastest, in the order in which
/// the last one does.
fn rows_first(bytes: &[u8], shape: &[usize], width: usize) -> Vec<u8> {
    let count = bytes.len() / width;
    let mut ordered = Vec::with_capacity(bytes.len());
    for index in 0..count {
        let (mut rest, mut span, mut from) = (index, count, 0);
        let mut stride = 1;
        for side in shape {
            span /= side;
            from += rest / span * stride;
            rest %= span;
            stride *= side;
        }
        ordered.extend_from_slice(&bytes[from * width..(from + 1) * width]);
    }
    ordered
}

struct Header {
    dtype: Dtype,
    big_endian: bool,
    columns_first: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads the description, a Python dictionary of exactly three entries in any order:
    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 512), }`.
    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || {
            let text: String = text.trim().chars().take(80).collect();
            Fault::Damaged(format!("its description is '{text}'"))
        };
        let mut rest =
            text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(bad)?;
        let (mut descr, mut order, mut shape) = (None, None, None);
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let (key, after) = quoted(rest).ok_or_else(bad)?;
            let after = after.trim_start().strip_prefix(':').ok_or_else(bad)?.trim_start();
            let (fresh, after) = match key {
                "descr" => {
                    let (value, after) = quoted(after).ok_or_else(bad)?;
                    (descr.replace(value).is_none(), after)
                }
                "fortran_order" => {
                    let yes = after.starts_with("True");
                    let word = if yes { "True" } else { "False" };
                    (order.replace(yes).is_none(), after.strip_prefix(word).ok_or_else(bad)?)
                }
                "shape" => {
                    let (inside, after) = after
                        .strip_prefix('(')
                        .and_then(|after| after.split_once(')'))
                        .ok_or_else(bad)?;
                    let sides = inside.split(',').map(str::trim).filter(|side| !side.is_empty());
                    let sides = sides.map(str::parse).collect::<Result<Vec<usize>, _>>();
                    (shape.replace(sides.map_err(|_| bad())?).is_none(), after)
                }
                _ => return Err(bad()),
            };
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after);
            if !fresh || (rest == after && !rest.is_empty()) {
                return Err(bad());
            }
        }
        let (Some(descr), Some(columns_first), Some(shape)) = (descr, order, shape) else {
            return Err(bad());
        };
        let (big_endian, dtype) = match descr {
            "<f4" => (false, Dtype::F32),
            "<f8" => (false, Dtype::F64),
            ">f4" => (true, Dtype::F32),
            ">f8" => (true, Dtype::F64),
            _ => return Err(Fault::Refused(format!("an array of '{descr}', not of floats"))),
        };
        Ok(Self { dtype, big_endian, columns_first, shape })
    }
}

/// A quoted word at the start, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}
