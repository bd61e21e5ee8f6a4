//! A tensor's storage: a legacy `torch.save` stream of its own inside the pickle.
//!
//! Five pickles in a row (a magic number, the version, facts of the system that wrote it, the
//! saved object, the keys of the storages), then each storage as its number of elements and
//! the elements. Written down from PyTorch's `serialization.py` (`_legacy_save`).

use crate::checkpoint::Fault;

use super::globals::Dialect;
use super::machine::unpickle;
use super::source::Source;
use super::value::{Storage, Value};

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const VERSION: i128 = 1001;

/// Reads the one storage that the stream holds.
pub(super) fn read(mut source: Source) -> Result<Storage, Fault> {
    let damaged = |what: &str| Fault::Damaged(format!("a tensor's bytes {what}"));
    for (what, number) in [("are not PyTorch's", MAGIC), ("have an unknown version", VERSION)] {
        let (heap, value) = unpickle(&mut source, Dialect::Storage)?;
        if *heap.get(value) != Value::Int(number) {
            return Err(damaged(what));
        }
    }
    let (heap, system) = unpickle(&mut source, Dialect::Storage)?;
    let little = heap.lookup(system, "little_endian").map(|id| heap.get(id));
    if little != Some(&Value::Bool(true)) {
        return Err(Fault::Refused("a tensor's bytes are not little-endian".into()));
    }
    let (heap, saved) = unpickle(&mut source, Dialect::Storage)?;
    let Value::StorageName { key, dtype, elements } = *heap.get(saved) else {
        return Err(damaged("are not a storage"));
    };
    let (keys_heap, keys) = unpickle(&mut source, Dialect::Storage)?;
    let one_key = keys_heap
        .items(keys)
        .is_some_and(|keys| keys.len() == 1 && keys_heap.text(keys[0]) == heap.text(key));
    if !one_key {
        return Err(damaged("hold more than their storage"));
    }
    let stored = u64::from_le_bytes(source.array()?);
    let length = stored.checked_mul(dtype.bytes() as u64);
    if stored != elements || length != Some(source.left()) {
        return Err(damaged("have another length than they say"));
    }
    Ok(Storage { dtype, data: source.skip(source.left())? })
}
