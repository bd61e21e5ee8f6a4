//! Latent codes inside recipes: in a project each is an entry of its own, a code file as any
//! other program of the lab reads it.

use serde_json::{Value as Json, json};

use super::Fault;
use crate::latent::Code;

/// Stands in a recipe for the code in the entry it names.
const KEY: &str = "$code";

/// Takes every code out of a recipe; `put` stores a code file and answers the entry's name.
pub(super) fn take_out(
    recipe: &mut Json,
    put: &mut impl FnMut(&[u8]) -> Result<String, Fault>,
) -> Result<(), Fault> {
    if let Some(code) = code_of(recipe) {
        let file = code.to_file().map_err(|err| Fault::Damaged(err.to_string()))?;
        *recipe = json!({ KEY: put(&file)? });
        return Ok(());
    }
    inner(recipe).try_for_each(|value| take_out(value, put))
}

/// Puts every code back; `read` gives the bytes of an entry.
pub(super) fn put_back(
    recipe: &mut Json,
    read: &mut impl FnMut(&str) -> Result<Vec<u8>, Fault>,
) -> Result<(), Fault> {
    let entry = recipe.as_object().filter(|object| object.len() == 1);
    if let Some(entry) = entry.and_then(|object| object.get(KEY)?.as_str()) {
        let damaged = |err: &dyn std::fmt::Display| Fault::Damaged(format!("'{entry}': {err}"));
        let code = Code::from_file(&read(entry)?).map_err(|err| damaged(&err))?;
        *recipe = serde_json::to_value(code).map_err(|err| damaged(&err))?;
        return Ok(());
    }
    inner(recipe).try_for_each(|value| put_back(value, read))
}

/// The code that a value spells out, where it comes back as the same value.
fn code_of(value: &Json) -> Option<Code> {
    value.as_object()?.get("w")?.as_str()?;
    let code: Code = serde_json::from_value(value.clone()).ok()?;
    (serde_json::to_value(&code).ok().as_ref() == Some(value)).then_some(code)
}

/// The values right inside a list or an object.
fn inner(value: &mut Json) -> Box<dyn Iterator<Item = &mut Json> + '_> {
    match value {
        Json::Array(items) => Box::new(items.iter_mut()),
        Json::Object(items) => Box::new(items.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}
