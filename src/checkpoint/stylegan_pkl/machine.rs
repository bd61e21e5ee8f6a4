//! A pickle machine that builds values and nothing else.
//!
//! It knows the opcodes that protocols 2 to 5 use for data, numbered as in Python's
//! `pickletools`; every other one is refused by its number. A global is one of the white list
//! or an error, a call of it is an arm of a `match`.
//!
//! Each opcode pushes at most one value, stores at most one in the memo and copies none, so the
//! bound on the number of opcodes bounds stack, memo and heap as well. Nothing recurses but a
//! tensor's storage, which is a stream of its own whose white list ends there.

use std::collections::HashMap;

use crate::checkpoint::Fault;

use super::globals::{Dialect, Global, call};
use super::source::{Source, text};
use super::value::{Heap, Id, Value};

/// Most items of one list, tuple or dictionary. Those of a network have a few dozen; what is
/// looked up in them is looked up one by one.
const MAX_ITEMS: usize = 4096;
/// Longest text that is kept; longer ones are source code and stay in the file.
const MAX_TEXT_BYTES: u64 = 1024;
/// Sum of the texts that are kept.
const MAX_TEXTS_BYTES: u64 = 16 << 20;
/// Longest whole number: enough for PyTorch's magic one.
const MAX_INT_BYTES: usize = 16;
/// The newest protocol there is.
const MAX_PROTOCOL: u8 = 5;

/// Runs one pickle up to its end, which may lie before that of the source.
pub(super) fn unpickle(source: &mut Source, dialect: Dialect) -> Result<(Heap, Id), Fault> {
    let mut machine = Machine {
        source,
        dialect,
        heap: Heap::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        texts_bytes: 0,
    };
    let most = dialect.max_steps();
    for _ in 0..most {
        if let Some(id) = machine.step()? {
            return Ok((machine.heap, id));
        }
    }
    Err(Fault::Refused(format!("its pickle has more than {most} steps")))
}

struct Machine<'a> {
    source: &'a mut Source,
    dialect: Dialect,
    heap: Heap,
    stack: Vec<Id>,
    /// Heights of the stack at the marks that are open.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
    texts_bytes: u64,
}

fn damaged(what: &str) -> Fault {
    Fault::Damaged(format!("its pickle {what}"))
}

fn bounded(items: usize) -> Result<(), Fault> {
    if items > MAX_ITEMS {
        return Err(Fault::Refused(format!("its pickle has a value of {items} items")));
    }
    Ok(())
}

impl Machine<'_> {
    /// Obeys one opcode; the result of the pickle when that was the last.
    fn step(&mut self) -> Result<Option<Id>, Fault> {
        match self.source.byte()? {
            // PROTO, FRAME
            0x80 => {
                let protocol = self.source.byte()?;
                if protocol > MAX_PROTOCOL {
                    return Err(Fault::Refused(format!("pickle protocol {protocol}")));
                }
            }
            0x95 => drop(self.source.array::<8>()?),
            // STOP
            b'.' => return self.pop().map(Some),

            // NONE, NEWTRUE, NEWFALSE
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            // BININT, BININT1, BININT2, LONG1, BINFLOAT
            b'J' => {
                let number = i32::from_le_bytes(self.source.array()?);
                self.push(Value::Int(number.into()));
            }
            b'K' => {
                let number = self.source.byte()?;
                self.push(Value::Int(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.source.array()?);
                self.push(Value::Int(number.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                let number = f64::from_be_bytes(self.source.array()?);
                self.push(Value::Float(number));
            }

            // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
            0x8c => {
                let length = self.source.byte()?;
                self.text(length.into())?;
            }
            b'X' => {
                let length = u32::from_le_bytes(self.source.array()?);
                self.text(length.into())?;
            }
            0x8d => {
                let length = u64::from_le_bytes(self.source.array()?);
                self.text(length)?;
            }
            // SHORT_BINBYTES, BINBYTES, BINBYTES8
            b'C' => {
                let length = self.source.byte()?;
                self.bytes(length.into())?;
            }
            b'B' => {
                let length = u32::from_le_bytes(self.source.array()?);
                self.bytes(length.into())?;
            }
            0x8e => {
                let length = u64::from_le_bytes(self.source.array()?);
                self.bytes(length)?;
            }

            // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, MARK, TUPLE
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b'(' => self.marks.push(self.stack.len()),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            // EMPTY_LIST, EMPTY_SET, EMPTY_DICT
            b']' | 0x8f => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            // APPEND, APPENDS and ADDITEMS, SETITEM, SETITEMS
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.extend_list(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.extend_dict(&items)?;
            }

            // BINPUT, LONG_BINPUT, MEMOIZE
            b'q' => {
                let place = self.source.byte()?;
                self.memoize(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.source.array()?);
                self.memoize(place as usize)?;
            }
            0x94 => self.memoize(self.memo.len())?,
            // BINGET, LONG_BINGET
            b'h' => {
                let place = self.source.byte()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.source.array()?);
                self.recall(place as usize)?;
            }

            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let module = self.source.line(MAX_TEXT_BYTES as usize)?;
                let name = self.source.line(MAX_TEXT_BYTES as usize)?;
                let global = self.dialect.find(&module, &name)?;
                self.push(Value::Global(global));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let global = match (self.heap.text(module), self.heap.text(name)) {
                    (Some(module), Some(name)) => self.dialect.find(module, name)?,
                    _ => return Err(damaged("names something by no text")),
                };
                self.push(Value::Global(global));
            }
            // REDUCE and NEWOBJ: a function or a class, called with a tuple
            b'R' | 0x81 => {
                let (arguments, global) = (self.pop()?, self.pop()?);
                self.call(global, arguments)?;
            }
            // BUILD
            b'b' => {
                self.pop()?;
                // The state of numpy's types says their byte order and alignment again, that of its
                // arrays their numbers.
                if !matches!(self.top()?, Value::NumpyType(_) | Value::NumpyArray) {
                    return Err(Fault::Refused("its pickle gives a state to a value".into()));
                }
            }
            // BINPERSID
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id)?;
            }
            opcode => {
                let reason = format!("its pickle has the operation 0x{opcode:02x}");
                return Err(Fault::Refused(reason));
            }
        }
        Ok(None)
    }

    fn push(&mut self, value: Value) {
        let id = self.heap.add(value);
        self.stack.push(id);
    }

    /// What lies above the innermost open mark belongs to it: nothing below is reached.
    fn pop(&mut self) -> Result<Id, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(damaged("takes a value that is not there"));
        }
        self.stack.pop().ok_or_else(|| damaged("takes a value that is not there"))
    }

    fn top(&mut self) -> Result<&mut Value, Fault> {
        let id = self.stack.last().ok_or_else(|| damaged("changes a value that is not there"))?;
        Ok(self.heap.get_mut(*id))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| damaged("closes a mark that is not open"))?;
        // A dictionary's items are a key and a value each.
        bounded((self.stack.len() - mark).div_ceil(2))?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Result<(), Fault> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Value::Tuple(items));
        Ok(())
    }

    fn long(&mut self) -> Result<(), Fault> {
        let length = usize::from(self.source.byte()?);
        if length > MAX_INT_BYTES {
            return Err(Fault::Refused(format!("a whole number of {length} bytes")));
        }
        let span = self.source.skip(length as u64)?;
        let stored = self.source.bytes(span)?;
        // Two's complement: the sign fills the bytes that are not stored.
        let sign = if stored.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut bytes = [sign; MAX_INT_BYTES];
        bytes[..length].copy_from_slice(&stored);
        self.push(Value::Int(i128::from_le_bytes(bytes)));
        Ok(())
    }

    fn text(&mut self, length: u64) -> Result<(), Fault> {
        let span = self.source.skip(length)?;
        if length > MAX_TEXT_BYTES {
            self.push(Value::Bytes(span));
            return Ok(());
        }
        self.texts_bytes += length;
        if self.texts_bytes > MAX_TEXTS_BYTES {
            return Err(Fault::Refused(format!("more than {MAX_TEXTS_BYTES} bytes of text")));
        }
        let text = text(self.source.bytes(span)?)?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn bytes(&mut self, length: u64) -> Result<(), Fault> {
        let span = self.source.skip(length)?;
        self.push(Value::Bytes(span));
        Ok(())
    }

    fn extend_list(&mut self, mut items: Vec<Id>) -> Result<(), Fault> {
        match self.top()? {
            Value::List(list) => {
                list.append(&mut items);
                bounded(list.len())
            }
            _ => Err(damaged("appends to what is no list")),
        }
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), Fault> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Value::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                bounded(dict.len())
            }
            _ => Err(damaged("sets items of what is no dictionary")),
        }
    }

    fn memoize(&mut self, place: usize) -> Result<(), Fault> {
        let id = *self.stack.last().ok_or_else(|| damaged("remembers nothing"))?;
        self.memo.insert(place, id);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), Fault> {
        let id = *self.memo.get(&place).ok_or_else(|| damaged("recalls what it has not met"))?;
        self.stack.push(id);
        Ok(())
    }

    fn call(&mut self, global: Id, arguments: Id) -> Result<(), Fault> {
        let Value::Global(global) = *self.heap.get(global) else {
            return Err(damaged("calls what is no function"));
        };
        let Value::Tuple(arguments) = self.heap.get(arguments) else {
            return Err(damaged("calls a function with no arguments"));
        };
        // A handful at most, or the call refuses them.
        let arguments: Vec<Id> = arguments.iter().copied().take(MAX_ARGUMENTS).collect();
        let result = call(global, &arguments, &mut self.heap, self.source)?;
        self.stack.push(result);
        Ok(())
    }

    /// `('storage', type, key, location, elements, view)`, as `torch.save` names its storages.
    fn persistent(&mut self, id: Id) -> Result<(), Fault> {
        let name = match self.heap.items(id) {
            Some(&[kind, dtype, key, _, elements, ..]) if self.dialect == Dialect::Storage => {
                let known =
                    self.heap.text(kind) == Some("storage") && self.heap.text(key).is_some();
                match (self.heap.get(dtype), self.heap.count(elements)) {
                    (&Value::Global(Global::StorageType(dtype)), Some(elements)) if known => {
                        Some(Value::StorageName { key, dtype, elements: elements as u64 })
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        self.push(name.ok_or_else(|| damaged("names an object outside of it"))?);
        Ok(())
    }
}

/// The rebuilding calls of PyTorch have six or seven.
const MAX_ARGUMENTS: usize = 8;
