//! NVIDIA's `.pkl` files of StyleGAN2-ADA and its kin, read as data.
//!
//! Such a file is a pickled dictionary with the networks `G`, `D` and `G_ema`. Each module is
//! stored as a call of `torch_utils.persistence._reconstruct_persistent_obj` with a dictionary:
//! class name, source code (which Python would run and nobody here reads) and `state`, the
//! module's attributes: `_parameters`, `_buffers`, `_modules` and plain values. The layout is
//! written down from `torch_utils/persistence.py` of NVlabs/stylegan2-ada-pytorch.
//!
//! Tensors carry the names that `state_dict()` of the official code gives them, and are read
//! from the file when asked for.

mod globals;
mod machine;
mod source;
mod storage;
mod value;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use serde_json::Value as Json;

use self::globals::Dialect;
use self::machine::unpickle;
use self::source::Source;
use self::value::{Heap, Id, Span, Tensor, Value};
use self::view::View;
use super::file::SharedFile;
use super::{Contents, Fault, MAX_EXPANSION, MAX_TENSORS, Network, RawTensor};

/// Most modules inside one another; StyleGAN2 has four.
const MAX_DEPTH: usize = 32;
/// Most modules of one network. A module may be named twice, so that their number is not
/// bounded by the file.
const MAX_MODULES: usize = 4096;
/// Most values of the metadata.
const MAX_FACTS: usize = 1024;
/// What a legacy `torch.save` stream begins with behind its protocol.
const TORCH_MAGIC: &[u8] =
    &[0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Whether a file that begins with `head` is a pickle other than PyTorch's own.
pub(super) fn looks_like(head: &[u8]) -> bool {
    let pickle = head.first() == Some(&0x80) && head.get(1).is_some_and(|&protocol| protocol <= 5);
    pickle && !head[2..].starts_with(TORCH_MAGIC)
}

pub(super) fn read(file: File, file_bytes: u64, network: Network) -> Result<Contents, Fault> {
    let file = SharedFile::new(file);
    let mut source = Source::new(file.clone(), Span { at: 0, length: file_bytes });
    let (heap, root) = unpickle(&mut source, Dialect::Network)?;
    let keys: &[&str] = match network {
        Network::Generator => &["G_ema", "G"],
        Network::Discriminator => &["D"],
    };
    let module = keys.iter().find_map(|key| {
        let id = heap.lookup(root, key)?;
        matches!(heap.get(id), Value::Module(_)).then_some(id)
    });
    let Some(module) = module else {
        let reason = format!("its pickle holds no network {}", keys.join(" or "));
        return Err(Fault::Refused(reason));
    };
    let mut walk = Walk {
        heap: &heap,
        file,
        left_bytes: file_bytes.saturating_mul(MAX_EXPANSION),
        modules: 0,
        mentions: 0,
        tensors: BTreeMap::new(),
    };
    walk.module(module, "", 0)?;
    Ok(Contents { tensors: walk.tensors, metadata: facts(&heap, module) })
}

/// Collects the tensors of a module and of those inside it.
struct Walk<'a> {
    heap: &'a Heap,
    file: SharedFile,
    /// What all tensors together may still declare.
    left_bytes: u64,
    modules: usize,
    /// Counted by mention: one name may be mentioned twice.
    mentions: usize,
    tensors: BTreeMap<String, RawTensor>,
}

impl Walk<'_> {
    fn module(&mut self, id: Id, prefix: &str, depth: usize) -> Result<(), Fault> {
        self.modules += 1;
        if depth > MAX_DEPTH || self.modules > MAX_MODULES {
            return Err(Fault::Refused(format!("too many modules inside '{prefix}'")));
        }
        let heap = self.heap;
        let state = state(heap, id)
            .ok_or_else(|| Fault::Damaged(format!("the module '{prefix}' has no state")))?;
        // `state_dict()` leaves these out.
        let unsaved: BTreeSet<&str> = heap
            .lookup(state, "_non_persistent_buffers_set")
            .and_then(|set| heap.items(set))
            .unwrap_or_default()
            .iter()
            .filter_map(|&name| heap.text(name))
            .collect();
        for (name, value) in members(heap, state, "_parameters")? {
            self.tensor(format!("{prefix}{name}"), value)?;
        }
        for (name, value) in members(heap, state, "_buffers")? {
            if !unsaved.contains(name) {
                self.tensor(format!("{prefix}{name}"), value)?;
            }
        }
        for (name, value) in members(heap, state, "_modules")? {
            match heap.get(value) {
                Value::None => {}
                Value::Module(_) => self.module(value, &format!("{prefix}{name}."), depth + 1)?,
                _ => return Err(Fault::Damaged(format!("'{prefix}{name}' is no module"))),
            }
        }
        Ok(())
    }

    /// A place without a tensor, such as the bias of a layer that has none, is passed over.
    fn tensor(&mut self, name: String, value: Id) -> Result<(), Fault> {
        let tensor = match self.heap.get(value) {
            Value::None => return Ok(()),
            Value::Tensor(tensor) => tensor.clone(),
            _ => return Err(Fault::Damaged(format!("'{name}' is no tensor"))),
        };
        self.mentions += 1;
        if self.mentions > MAX_TENSORS {
            return Err(Fault::Refused(format!("more than {MAX_TENSORS} tensors")));
        }
        let Tensor { storage, shape, .. } = &tensor;
        let dtype = storage.dtype;
        let view = View::new(&tensor)
            .ok_or_else(|| Fault::Damaged(format!("tensor '{name}' reaches beyond its storage")))?;
        let file = self.file.clone();
        let read = Box::new(move || view.read(&file));
        let raw = RawTensor::new(&name, shape.clone(), dtype, read)?;
        let bytes = (raw.elements() * dtype.bytes()) as u64;
        self.left_bytes = self.left_bytes.checked_sub(bytes).ok_or_else(|| {
            Fault::Refused("it declares many times more tensors than it holds".into())
        })?;
        self.tensors.insert(name, raw);
        Ok(())
    }
}

/// The attributes of a module.
fn state(heap: &Heap, module: Id) -> Option<Id> {
    match heap.get(module) {
        Value::Module(description) => heap.lookup(*description, "state"),
        _ => None,
    }
}

/// Names and values of one of a module's three registries; a missing one is empty.
fn members<'a>(
    heap: &'a Heap,
    state: Id,
    registry: &str,
) -> Result<impl Iterator<Item = (&'a str, Id)>, Fault> {
    let Some(registry_id) = heap.lookup(state, registry) else {
        return Err(Fault::Damaged(format!("a module has no '{registry}'")));
    };
    let items = heap.dict(registry_id).unwrap_or_default();
    if items.iter().any(|(name, _)| heap.text(*name).is_none()) {
        return Err(Fault::Damaged(format!("an entry of '{registry}' has no name")));
    }
    Ok(items.iter().filter_map(|(name, value)| Some((heap.text(*name)?, *value))))
}

/// What the module says of itself: its class, what it was constructed with and its plain
/// attributes, the arguments of inner networks as `synthesis_kwargs.channel_max`.
fn facts(heap: &Heap, module: Id) -> BTreeMap<String, Json> {
    let mut facts = BTreeMap::new();
    let (Value::Module(description), Some(state)) = (heap.get(module), state(heap, module)) else {
        return facts;
    };
    let class = heap.lookup(*description, "class_name").and_then(|id| plain(heap, id));
    facts.extend(class.map(|class| ("class_name".to_owned(), class)));
    add_facts(heap, state, "", 0, &mut facts);
    if let Some(arguments) = heap.lookup(state, "_init_kwargs") {
        add_facts(heap, arguments, "", 2, &mut facts);
    }
    facts
}

/// Adds the plain values of a dictionary, and those of dictionaries in it down to `depth`.
fn add_facts(
    heap: &Heap,
    dict: Id,
    prefix: &str,
    depth: usize,
    facts: &mut BTreeMap<String, Json>,
) {
    for &(key, value) in heap.dict(dict).unwrap_or_default() {
        let name = match heap.text(key) {
            Some(name) if !name.starts_with('_') && facts.len() < MAX_FACTS => {
                format!("{prefix}{name}")
            }
            _ => continue,
        };
        match plain(heap, value) {
            Some(fact) => drop(facts.insert(name, fact)),
            None if depth > 0 => add_facts(heap, value, &format!("{name}."), depth - 1, facts),
            None => {}
        }
    }
}

fn plain(heap: &Heap, id: Id) -> Option<Json> {
    Some(match heap.get(id) {
        Value::None => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => i64::try_from(*value).ok()?.into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => text.as_str().into(),
        _ => return None,
    })
}
