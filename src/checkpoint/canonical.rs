//! One place where the accidents of training scripts leave the names.

use std::collections::BTreeMap;

use super::{Dtype, Entry, Fault, RawTensor};

/// Keys under which training scripts keep a state dict, the preferred one first: averaged
/// weights come before the raw ones of the same file.
const WRAPPERS: &[&str] = &[
    "params_ema",
    "g_ema",
    "params",
    "model_state",
    "model_state_dict",
    "netG_state_dict",
    "netG",
    "G",
    "state_dict",
    "model",
];

/// Parts of a network that training scripts keep beside its state dict: the mean of rosinality's
/// styles.
const BESIDE: &[&str] = &["latent_avg"];

/// Left by data-parallel training.
const PARALLEL: &str = "module.";
/// Where training keeps the two networks of a GAN. A network may as well have a part of that
/// name: it is a wrapper only where nothing else than its opponent lies beside.
const GENERATOR: &str = "generator.";
const DISCRIMINATOR: &str = "discriminator.";

pub(super) fn canonicalise(
    mut tensors: BTreeMap<String, RawTensor>,
) -> Result<BTreeMap<String, Entry>, Fault> {
    // Wrappers nest: `state_dict` around `params_ema`, `module.` inside either.
    while let Some(prefix) = wrapper(&tensors) {
        tensors = tensors
            .into_iter()
            .filter_map(|(name, tensor)| match name.strip_prefix(&prefix) {
                Some(inside) => Some((inside.to_owned(), tensor)),
                None => BESIDE.contains(&name.as_str()).then_some((name, tensor)),
            })
            .collect();
    }
    if tensors.is_empty() {
        return Err(Fault::Damaged("it holds no tensors".into()));
    }
    fold_scales(tensors).map(fold_spectral)
}

/// The prefix to strip, with its dot. What lies outside of it (optimizer state, raw weights
/// beside averaged ones) is not part of the network.
fn wrapper(tensors: &BTreeMap<String, RawTensor>) -> Option<String> {
    if !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(PARALLEL)) {
        return Some(PARALLEL.into());
    }
    let of_gan = |name: &String| name.starts_with(GENERATOR) || name.starts_with(DISCRIMINATOR);
    if tensors.keys().all(of_gan) && tensors.keys().any(|name| name.starts_with(GENERATOR)) {
        return Some(GENERATOR.into());
    }
    WRAPPERS.iter().map(|key| format!("{key}.")).find(|prefix| {
        let mut inside = tensors.keys().filter_map(|name| name.strip_prefix(prefix.as_str()));
        // `model.0.weight` is a layer of a sequential network called `model`, not a wrapper.
        inside.next().is_some_and(|first| !first.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Joins `X` and `X.scale` where `X` is int8.
fn fold_scales(mut tensors: BTreeMap<String, RawTensor>) -> Result<BTreeMap<String, Entry>, Fault> {
    let scaled: Vec<String> = tensors
        .iter()
        .filter(|(name, tensor)| {
            tensor.dtype == Dtype::I8 && tensors.contains_key(&format!("{name}.scale"))
        })
        .map(|(name, _)| name.clone())
        .collect();
    let mut entries = BTreeMap::new();
    for name in scaled {
        let scale = tensors.remove(&format!("{name}.scale"));
        let (Some(tensor), Some(scale)) = (tensors.remove(&name), scale) else { continue };
        if scale.shape.len() != 1 || tensor.shape.first() != scale.shape.first() {
            let (have, want) = (scale.shape, tensor.shape.first().copied().unwrap_or(1));
            let reason = format!("the scale of '{name}' has the shape {have:?}, not [{want}]");
            return Err(Fault::Damaged(reason));
        }
        entries.insert(name, Entry { scale: Some(scale), ..Entry::new(tensor) });
    }
    entries.extend(tensors.into_iter().map(|(name, tensor)| (name, Entry::new(tensor))));
    Ok(entries)
}

/// Joins the three tensors that PyTorch's spectral norm keeps for a weight: `weight_orig` and the
/// vectors between which it yields the largest singular value.
fn fold_spectral(mut entries: BTreeMap<String, Entry>) -> BTreeMap<String, Entry> {
    let fits = |name: &String| {
        let layer = name.strip_suffix("weight_orig")?;
        let len = |leaf: &str| match entries.get(&format!("{layer}{leaf}"))?.tensor.shape[..] {
            [len] => Some(len),
            _ => None,
        };
        let (rows, columns) = entries[name].tensor.shape.split_first()?;
        let fits =
            len("weight_u")? == *rows && len("weight_v")? == columns.iter().product::<usize>();
        (fits && !entries.contains_key(&format!("{layer}weight"))).then(|| layer.to_owned())
    };
    let layers: Vec<String> = entries.keys().filter_map(fits).collect();
    for layer in layers {
        let mut take = |leaf: &str| entries.remove(&format!("{layer}{leaf}"));
        let parts = (take("weight_orig"), take("weight_u"), take("weight_v"));
        if let (Some(entry), Some(u), Some(v)) = parts {
            let spectral = Some([u.tensor, v.tensor]);
            entries.insert(format!("{layer}weight"), Entry { spectral, ..entry });
        }
    }
    entries
}
