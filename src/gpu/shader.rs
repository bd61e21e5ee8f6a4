//! The table of shaders that the build script generated, and packing of uniforms by field name.

use crate::ops::Uniform;

use super::GpuError;

/// One WGSL file with its includes resolved.
#[derive(Debug)]
pub struct Shader {
    /// Path under `shaders/` without extension, such as `ops/invert`.
    pub name: &'static str,
    pub source: &'static str,
    pub entries: &'static [Entry],
}

/// An entry point with exactly the bindings it uses.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    /// Zero for vertex and fragment entries.
    pub workgroup: [u32; 3],
    /// All in group 0.
    pub bindings: &'static [Binding],
}

#[derive(Debug)]
pub struct Binding {
    pub name: &'static str,
    pub index: u32,
    pub kind: BindingKind,
}

#[derive(Debug)]
pub enum BindingKind {
    Uniform(Layout),
    StorageRead,
    StorageWrite,
    /// A texture or sampler.
    Handle,
}

/// Byte layout of a uniform struct.
#[derive(Debug)]
pub struct Layout {
    pub size: usize,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub offset: usize,
    pub kind: FieldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    F32,
    U32,
    I32,
    Vec4,
}

mod table {
    use super::{Binding, BindingKind, Entry, Field, FieldKind, Layout, Shader};
    include!(concat!(env!("OUT_DIR"), "/shaders.rs"));
}

/// Every shader, by name.
pub fn all() -> &'static [Shader] {
    table::ALL
}

/// The shader and entry point of these names.
pub fn find(shader: &str, entry: &str) -> Result<(&'static Shader, &'static Entry), GpuError> {
    all()
        .iter()
        .find(|candidate| candidate.name == shader)
        .and_then(|shader| Some((shader, shader.entries.iter().find(|e| e.name == entry)?)))
        .ok_or_else(|| GpuError::UnknownEntry { shader: shader.into(), entry: entry.into() })
}

impl Layout {
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// The struct's bytes. Every field must be given exactly once and have its declared type.
    pub fn pack(&self, shader: &str, values: &[(&str, Uniform)]) -> Result<Vec<u8>, GpuError> {
        let fail = |reason: String| GpuError::Binding { shader: shader.into(), reason };
        let mut bytes = vec![0; self.size];
        for field in self.fields {
            let mut given = values.iter().filter(|(name, _)| *name == field.name);
            let Some((_, value)) = given.next() else {
                return Err(fail(format!("uniform field '{}' is missing", field.name)));
            };
            if given.next().is_some() {
                return Err(fail(format!("uniform field '{}' is given twice", field.name)));
            }
            let (kind, words) = words(*value);
            if kind != field.kind {
                let declared = field.kind;
                return Err(fail(format!("'{}' is {declared:?}, not {kind:?}", field.name)));
            }
            let word_bytes = words.iter().take(kind.words()).flat_map(|word| word.to_ne_bytes());
            for (to, from) in bytes[field.offset..].iter_mut().zip(word_bytes) {
                *to = from;
            }
        }
        match values.iter().find(|(name, _)| !self.has(name)) {
            Some((name, _)) => Err(fail(format!("no uniform field is called '{name}'"))),
            None => Ok(bytes),
        }
    }
}

impl FieldKind {
    const fn words(self) -> usize {
        match self {
            Self::Vec4 => 4,
            _ => 1,
        }
    }
}

fn words(value: Uniform) -> (FieldKind, [u32; 4]) {
    match value {
        Uniform::F32(value) => (FieldKind::F32, [value.to_bits(), 0, 0, 0]),
        Uniform::U32(value) => (FieldKind::U32, [value, 0, 0, 0]),
        Uniform::I32(value) => (FieldKind::I32, [value.cast_unsigned(), 0, 0, 0]),
        Uniform::Vec4(value) => (FieldKind::Vec4, value.map(f32::to_bits)),
    }
}
