//! Turns every WGSL file under `shaders/` into one entry of a Rust table.
//!
//! Each file outside `shaders/shared` is resolved (`#include "shared/x.wgsl"`), validated with
//! naga and described: entry points with their workgroup size and the bindings they use, and the
//! byte layout of every uniform struct. `src/gpu/shader.rs` includes the table, so nothing about
//! a shader is written twice.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, Scalar, ScalarKind, StorageAccess, TypeInner, VectorSize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Includes may nest this deep; deeper ones are taken for a cycle.
const MAX_INCLUDE_DEPTH: usize = 8;

/// Writes `shaders.rs` into the build's output directory.
pub fn generate() -> Result<()> {
    let root = Path::new("shaders");
    println!("cargo::rerun-if-changed=build/shaders.rs");
    println!("cargo::rerun-if-changed=shaders");
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut table = String::from("pub static ALL: &[Shader] = &[\n");
    for file in files.iter().filter(|file| !file.starts_with(root.join("shared"))) {
        println!("cargo::rerun-if-changed={}", file.display());
        let mut source = String::new();
        resolve(root, file, &mut Vec::new(), &mut source)?;
        let name = file.strip_prefix(root)?.with_extension("");
        let name = name.to_str().ok_or("a shader's name is not UTF-8")?.replace('\\', "/");
        describe(&name, &source, &mut table)?;
    }
    table.push_str("];\n");
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    std::fs::write(Path::new(&out).join("shaders.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "wgsl") {
            files.push(path);
        }
    }
    Ok(())
}

/// Appends `file` with its includes in place; a file included twice appears once.
fn resolve(root: &Path, file: &Path, seen: &mut Vec<PathBuf>, source: &mut String) -> Result<()> {
    if seen.len() > MAX_INCLUDE_DEPTH {
        return Err(format!("{}: includes nest too deep", file.display()).into());
    }
    println!("cargo::rerun-if-changed={}", file.display());
    let text = std::fs::read_to_string(file)?;
    for (index, line) in text.lines().enumerate() {
        let Some(argument) = line.trim().strip_prefix("#include") else {
            source.push_str(line);
            source.push('\n');
            continue;
        };
        let at = format!("{}:{}", file.display(), index + 1);
        let included = argument.trim().trim_matches('"');
        let path = root.join(included);
        if !included.starts_with("shared/") || !path.is_file() {
            return Err(format!("{at}: unknown include '{included}'").into());
        }
        if !seen.contains(&path) {
            seen.push(path.clone());
            resolve(root, &path, seen, source)?;
        }
    }
    Ok(())
}

fn describe(name: &str, source: &str, table: &mut String) -> Result<()> {
    let module = naga::front::wgsl::parse_str(source)
        .map_err(|err| err.emit_to_string_with_path(source, name))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|err| err.emit_to_string_with_path(source, name))?;
    if module.entry_points.is_empty() {
        return Err(format!("{name}: no entry point").into());
    }
    writeln!(table, "    Shader {{\n        name: {name:?},\n        source: {source:?},")?;
    writeln!(table, "        entries: &[")?;
    for index in 0..module.entry_points.len() {
        describe_entry(name, &module, &info, index, table)?;
    }
    writeln!(table, "        ],\n    }},")?;
    Ok(())
}

fn describe_entry(
    shader: &str,
    module: &Module,
    info: &ModuleInfo,
    index: usize,
    table: &mut String,
) -> Result<()> {
    let entry = &module.entry_points[index];
    let uses = info.get_entry_point(index);
    writeln!(
        table,
        "            Entry {{ name: {:?}, workgroup: {:?}, bindings: &[",
        entry.name, entry.workgroup_size
    )?;
    for (handle, global) in module.global_variables.iter() {
        let Some(binding) = &global.binding else { continue };
        if uses[handle] == GlobalUse::empty() {
            continue;
        }
        if binding.group != 0 {
            return Err(format!("{shader}: bindings live in group 0").into());
        }
        let name = global.name.as_deref().unwrap_or_default();
        let kind = match global.space {
            AddressSpace::Uniform => uniform(shader, module, global.ty)?,
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                "BindingKind::StorageWrite".into()
            }
            AddressSpace::Storage { .. } => "BindingKind::StorageRead".into(),
            AddressSpace::Handle => "BindingKind::Handle".into(),
            space => return Err(format!("{shader}: '{name}' lives in {space:?}").into()),
        };
        writeln!(
            table,
            "                Binding {{ name: {name:?}, index: {}, kind: {kind} }},",
            binding.binding
        )?;
    }
    writeln!(table, "            ] }},")?;
    Ok(())
}

fn uniform(shader: &str, module: &Module, ty: naga::Handle<naga::Type>) -> Result<String> {
    let TypeInner::Struct { members, span } = &module.types[ty].inner else {
        return Err(format!("{shader}: a uniform is not a struct").into());
    };
    let mut text = format!("BindingKind::Uniform(Layout {{ size: {span}, fields: &[");
    for member in members {
        let name = member.name.as_deref().unwrap_or_default();
        let kind = field_kind(&module.types[member.ty].inner)
            .ok_or_else(|| format!("{shader}: uniform field '{name}' is of no packable type"))?;
        write!(
            text,
            "Field {{ name: {name:?}, offset: {}, kind: FieldKind::{kind} }}, ",
            member.offset
        )?;
    }
    text.push_str("] })");
    Ok(text)
}

fn field_kind(inner: &TypeInner) -> Option<&'static str> {
    match *inner {
        TypeInner::Scalar(Scalar { kind: ScalarKind::Float, width: 4 }) => Some("F32"),
        TypeInner::Scalar(Scalar { kind: ScalarKind::Uint, width: 4 }) => Some("U32"),
        TypeInner::Scalar(Scalar { kind: ScalarKind::Sint, width: 4 }) => Some("I32"),
        TypeInner::Vector {
            size: VectorSize::Quad,
            scalar: Scalar { kind: ScalarKind::Float, width: 4 },
        } => Some("Vec4"),
        _ => None,
    }
}
