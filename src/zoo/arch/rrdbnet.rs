//! RRDBNet: Wang et al., "ESRGAN" (2018) and "Real-ESRGAN" (2021), in its three namings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Architecture, four, numbered};
use crate::nets::RrdbNet;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: RrdbNet::NAME, official, infer, is_ignorable: |_| false };

impl Describe for RrdbNet {
    const NAME: &'static str = "RRDBNet";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let capability = Capability::of(Purpose::Upscale, &self.graph());
        // The true reach of 23 blocks is 350 pixels, but influence fades. The halo with which
        // tiles agree with the whole picture to less than 1/255, measured on photos at a tile's
        // edge: the largest difference of 6 blocks is 18 levels with 16 pixels, 3 with 32 and
        // 0.4 with 48; that of 23 blocks is 15 with 16, 9 with 32, 2.2 with 48 and 0.7 with 64.
        let halo = if self.blocks <= 8 { 48 } else { 64 } * self.unshuffle as u32;
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            scale: self.scale() as u32,
            multiple: self.unshuffle as u32,
            halo_px: capability.reach_px.min(halo),
            ..capability
        }
    }
}

impl std::fmt::Display for RrdbNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { features, growth, blocks, .. } = self;
        write!(f, "×{}, {blocks} blocks, {features} features, growth {growth}", self.scale())
    }
}

/// Maps the two older ESRGAN namings to today's.
fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let numbers = shapes.keys().filter_map(|name| match numbered(name, "model.") {
        Some((position, "weight")) => Some(position),
        _ => None,
    });
    let positions: BTreeSet<usize> = numbers.collect();
    let positions: Vec<usize> = positions.into_iter().collect();
    let known = |name: &String| {
        let (path, leaf) = name.rsplit_once('.')?;
        Some((name.clone(), format!("{}.{leaf}", official_path(path, &positions)?)))
    };
    shapes.keys().filter_map(known).collect()
}

fn official_path(path: &str, positions: &[usize]) -> Option<String> {
    Some(match path {
        "conv_first" | "conv_body" | "conv_hr" | "conv_last" => path.to_owned(),
        "trunk_conv" => "conv_body".into(),
        "HRconv" => "conv_hr".into(),
        _ if path.starts_with("conv_up") || path.starts_with("body.") => path.to_owned(),
        _ if path.starts_with("upconv") => path.replacen("upconv", "conv_up", 1),
        _ => match numbered(path, "RRDB_trunk.") {
            Some((block, rest)) => format!("body.{block}.{}", rest.to_lowercase()),
            None => sequential(path, positions)?,
        },
    })
}

/// The naming of 2018: one sequential `model` whose numbers count activations and upsamplings.
fn sequential(path: &str, positions: &[usize]) -> Option<String> {
    if let Some((block, rest)) = numbered(path, "model.1.sub.") {
        let layer = rest.strip_suffix(".0")?;
        return Some(format!("body.{block}.{}", layer.to_lowercase()));
    }
    if path.starts_with("model.1.sub.") {
        return Some("conv_body".into());
    }
    let position: usize = path.strip_prefix("model.")?.parse().ok()?;
    let index = positions.binary_search(&position).ok()?;
    let count = positions.len();
    Some(match index {
        0 => "conv_first".into(),
        _ if index + 1 == count => "conv_last".into(),
        _ if index + 2 == count => "conv_hr".into(),
        _ => format!("conv_up{index}"),
    })
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const FIRST: &str = "conv_first.weight";
    const LAST: &str = "conv_last.weight";
    const DENSE: &str = "body.0.rdb1.conv1.weight";
    let found = (four(shapes, FIRST), four(shapes, LAST), four(shapes, DENSE));
    let (Some(first), Some(last), Some(dense)) = found else {
        let looked_for = [(FIRST, found.0), (LAST, found.1), (DENSE, found.2)];
        return Err(looked_for
            .into_iter()
            .filter(|(_, shape)| shape.is_none())
            .map(|(name, _)| Cow::Borrowed(name))
            .collect());
    };
    let channels = last[0];
    let unshuffle = [1, 2, 4].into_iter().find(|side| first[1] == channels * side * side);
    let blocks = shapes.keys().filter_map(|name| numbered(name, "body.")).map(|(block, _)| block);
    let doublings = (1..=4).take_while(|n| shapes.contains_key(&format!("conv_up{n}.weight")));
    let doublings = doublings.count();
    match unshuffle {
        Some(unshuffle) if unshuffle <= 1 << doublings => Ok(Spec::RrdbNet(RrdbNet {
            channels,
            features: first[0],
            growth: dense[0],
            blocks: blocks.max().map_or(0, |last| last + 1),
            doublings,
            unshuffle,
        })),
        _ => Err(vec!["a first layer that fits the last one".into()]),
    }
}
