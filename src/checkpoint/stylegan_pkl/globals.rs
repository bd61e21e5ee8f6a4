//! The white list: every name a pickle may mention, and what a call of it builds.
//!
//! A name selects one of the arms below and nothing else; no code of the file is ever looked at.

use crate::checkpoint::{Dtype, Fault, MAX_RANK};

use super::source::Source;
use super::storage;
use super::value::{Heap, Id, Tensor, Value};

/// A name that pickles of the layout mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// `OrderedDict` or `EasyDict`.
    Mapping,
    Set,
    NumpyScalar,
    NumpyType,
    NumpyArray,
    ReconstructArray,
    RebuildTensor,
    RebuildParameter,
    LoadStorage,
    ReconstructModule,
    StorageType(Dtype),
}

/// Number types of numpy's that stand for attributes of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumpyType {
    Bool,
    I32,
    I64,
    F32,
    F64,
}

/// Which names a pickle may mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The file itself.
    Network,
    /// A storage's own stream inside of it: storage types and nothing that nests further.
    Storage,
}

impl Dialect {
    /// Most opcodes of one pickle. A generator of 1024² pixels with its discriminator has some
    /// 50,000, a storage's largest pickle three dozen.
    pub(super) const fn max_steps(self) -> usize {
        match self {
            Self::Network => 1 << 20,
            Self::Storage => 128,
        }
    }

    pub(super) fn find(self, module: &str, name: &str) -> Result<Global, Fault> {
        let global = match self {
            Self::Network => network_global(module, name),
            Self::Storage => storage_type(module, name),
        };
        global.ok_or_else(|| {
            Fault::Refused(format!("its pickle names '{module}.{name}', which is not allowed"))
        })
    }
}

fn network_global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") | ("dnnlib" | "dnnlib.util", "EasyDict") => Global::Mapping,
        ("builtins" | "__builtin__", "set") => Global::Set,
        // The second spelling is numpy 2's.
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Global::NumpyScalar,
        ("numpy", "dtype") => Global::NumpyType,
        ("numpy", "ndarray") => Global::NumpyArray,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
            Global::ReconstructArray
        }
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch.storage", "_load_from_bytes") => Global::LoadStorage,
        ("torch_utils.persistence", "_reconstruct_persistent_obj") => Global::ReconstructModule,
        _ => return None,
    })
}

fn storage_type(module: &str, name: &str) -> Option<Global> {
    if module != "torch" {
        return None;
    }
    Some(Global::StorageType(match name {
        "BoolStorage" => Dtype::Bool,
        "ByteStorage" => Dtype::U8,
        "CharStorage" => Dtype::I8,
        "ShortStorage" => Dtype::I16,
        "IntStorage" => Dtype::I32,
        "LongStorage" => Dtype::I64,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "FloatStorage" => Dtype::F32,
        "DoubleStorage" => Dtype::F64,
        _ => return None,
    }))
}

/// The result of calling `global` with `arguments`. No call copies what it is given, or a file
/// could grow without limit by naming one long list again and again.
pub(super) fn call(
    global: Global,
    arguments: &[Id],
    heap: &mut Heap,
    source: &mut Source,
) -> Result<Id, Fault> {
    let wrong = || Fault::Damaged(format!("a call of {global:?} has the wrong arguments"));
    let value = match (global, arguments) {
        (Global::Mapping, []) => Value::Dict(Vec::new()),
        (Global::Set, []) => Value::List(Vec::new()),
        (Global::Set, &[items]) if heap.items(items).is_some() => return Ok(items),
        (Global::RebuildParameter, &[data, ..]) if matches!(heap.get(data), Value::Tensor(_)) => {
            return Ok(data);
        }
        (Global::NumpyType, &[code, ..]) => numpy_type(heap.text(code).ok_or_else(wrong)?)?,
        (Global::NumpyScalar, &[dtype, bytes]) => {
            numpy_scalar(heap.get(dtype), heap.get(bytes), source)?.ok_or_else(wrong)?
        }
        // Its numbers would follow as its state.
        (Global::ReconstructArray, &[_, _, _]) => Value::NumpyArray,
        (Global::ReconstructModule, &[description]) if heap.dict(description).is_some() => {
            Value::Module(description)
        }
        (Global::LoadStorage, &[bytes]) => match heap.get(bytes) {
            Value::Bytes(span) => Value::Storage(storage::read(source.within(*span)?)?),
            _ => return Err(wrong()),
        },
        (Global::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
            Value::Tensor(tensor(heap, storage, offset, shape, strides).ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    Ok(heap.add(value))
}

fn tensor(heap: &Heap, storage: Id, offset: Id, shape: Id, strides: Id) -> Option<Tensor> {
    let Value::Storage(storage) = *heap.get(storage) else { return None };
    let (shape, strides) = (heap.counts(shape, MAX_RANK)?, heap.counts(strides, MAX_RANK)?);
    (shape.len() == strides.len()).then_some(())?;
    Some(Tensor { storage, offset: heap.count(offset)?, shape, strides })
}

fn numpy_type(code: &str) -> Result<Value, Fault> {
    let known = match code {
        "f8" => NumpyType::F64,
        "f4" => NumpyType::F32,
        "i8" => NumpyType::I64,
        "i4" => NumpyType::I32,
        "b1" => NumpyType::Bool,
        _ => return Err(Fault::Refused(format!("a number of numpy's type '{code}'"))),
    };
    Ok(Value::NumpyType(known))
}

/// A number as numpy stores it, little-endian; the gains of layers are such numbers.
fn numpy_scalar(dtype: &Value, bytes: &Value, source: &Source) -> Result<Option<Value>, Fault> {
    let (Value::NumpyType(dtype), Value::Bytes(span)) = (dtype, bytes) else { return Ok(None) };
    if span.length > 8 {
        return Ok(None);
    }
    let bytes = source.bytes(*span)?;
    Ok(match dtype {
        NumpyType::F64 => array(&bytes).map(|b| Value::Float(f64::from_le_bytes(b))),
        NumpyType::F32 => array(&bytes).map(|b| Value::Float(f32::from_le_bytes(b).into())),
        NumpyType::I64 => array(&bytes).map(|b| Value::Int(i64::from_le_bytes(b).into())),
        NumpyType::I32 => array(&bytes).map(|b| Value::Int(i32::from_le_bytes(b).into())),
        NumpyType::Bool => array(&bytes).map(|[byte]| Value::Bool(byte != 0)),
    })
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
