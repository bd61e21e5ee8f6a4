//! What a pickle builds: values in one arena, so that cycles cost nothing and leak nothing.

use crate::checkpoint::Dtype;

use super::globals::{Global, NumpyType};

/// A value's place in its [`Heap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(usize);

/// Bytes of the file, left where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub at: u64,
    pub length: u64,
}

/// The elements behind one or more tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub dtype: Dtype,
    /// Where the raw elements lie; the length is a whole number of elements.
    pub data: Span,
}

/// A view into a storage. Offset and strides count elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tensor {
    pub storage: Storage,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    /// Wide enough for the magic number of `torch.save`.
    Int(i128),
    Float(f64),
    Text(String),
    /// Bytes, or a text too long to be a name: a module's source code, which nobody here reads.
    Bytes(Span),
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    /// Any kind of mapping, in the order of the file.
    Dict(Vec<(Id, Id)>),
    Global(Global),
    NumpyType(NumpyType),
    /// An attribute such as the sides of a layer, which nobody here reads.
    NumpyArray,
    /// An object of the persistence layout; its description is a [`Value::Dict`].
    Module(Id),
    /// A storage named by a persistent id, `key` being its text.
    StorageName {
        key: Id,
        dtype: Dtype,
        elements: u64,
    },
    Storage(Storage),
    Tensor(Tensor),
}

/// The values of one pickle.
#[derive(Default)]
pub(super) struct Heap(Vec<Value>);

impl Heap {
    pub(super) fn add(&mut self, value: Value) -> Id {
        self.0.push(value);
        Id(self.0.len() - 1)
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.0[id.0]
    }

    pub(super) fn get_mut(&mut self, id: Id) -> &mut Value {
        &mut self.0[id.0]
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a tuple or a list.
    pub(super) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A number that counts something.
    pub(super) fn count(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(count) => usize::try_from(*count).ok(),
            _ => None,
        }
    }

    /// The numbers of a tuple or a list of at most `most`.
    pub(super) fn counts(&self, id: Id, most: usize) -> Option<Vec<usize>> {
        let items = self.items(id).filter(|items| items.len() <= most)?;
        items.iter().map(|&item| self.count(item)).collect()
    }

    /// The last value stored under a key: what Python's assignment leaves.
    pub(super) fn lookup(&self, dict: Id, key: &str) -> Option<Id> {
        let items = self.dict(dict)?;
        items.iter().rev().find(|(have, _)| self.text(*have) == Some(key)).map(|(_, value)| *value)
    }
}
