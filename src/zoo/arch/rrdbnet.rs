//! RRDBNet: Wang et al., "ESRGAN" (2018) and "Real-ESRGAN" (2021), in its three namings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Architecture, conv3, four, numbered};
use crate::zoo::{Capability, Purpose, Shapes, Spec};

/// Residual-in-residual dense blocks, then nearest-neighbour doublings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrdbNet {
    /// Channels of the picture, in and out.
    pub channels: usize,
    /// Channels of the trunk.
    pub features: usize,
    /// Channels that each dense layer adds.
    pub growth: usize,
    /// RRDB blocks.
    pub blocks: usize,
    /// Doublings at the end.
    pub doublings: usize,
    /// Side of the pixel blocks that the input is unshuffled by: 1, 2 or 4.
    pub unshuffle: usize,
}

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: RrdbNet::NAME, official, infer, is_ignorable: |_| false };

impl RrdbNet {
    pub const NAME: &'static str = "RRDBNet";

    /// Result side over source side.
    pub const fn scale(&self) -> usize {
        (1 << self.doublings) / self.unshuffle
    }

    /// The halo with which tiles agree with the whole picture to less than 1/255, in pixels of
    /// the trunk.
    ///
    /// The true reach of 23 blocks is 350 pixels, but influence fades: measured on photos at a
    /// tile's edge, the largest difference of 6 blocks is 18 levels with 16 pixels, 3 with 32 and
    /// 0.4 with 48; that of 23 blocks is 15 with 16, 9 with 32, 2.2 with 48 and 0.7 with 64.
    const fn halo(&self) -> usize {
        if self.blocks <= 8 { 48 } else { 64 }
    }

    pub fn tensors(&self) -> Shapes {
        let mut shapes = Shapes::new();
        let (features, growth) = (self.features, self.growth);
        let unshuffled = self.channels * self.unshuffle * self.unshuffle;
        conv3(&mut shapes, "conv_first", unshuffled, features);
        for block in 0..self.blocks {
            for dense in 1..=3 {
                for layer in 1..=5 {
                    let name = format!("body.{block}.rdb{dense}.conv{layer}");
                    let out = if layer == 5 { features } else { growth };
                    conv3(&mut shapes, &name, features + (layer - 1) * growth, out);
                }
            }
        }
        conv3(&mut shapes, "conv_body", features, features);
        for doubling in 1..=self.doublings {
            conv3(&mut shapes, &format!("conv_up{doubling}"), features, features);
        }
        conv3(&mut shapes, "conv_hr", features, features);
        conv3(&mut shapes, "conv_last", features, self.channels);
        shapes
    }

    pub fn capability(&self) -> Capability {
        let (features, growth) = (self.features as f64, self.growth as f64);
        let dense = (0..4).map(|k| (features + f64::from(k) * growth) * growth).sum::<f64>()
            + (features + 4.0 * growth) * features;
        let trunk = 3.0 * self.blocks as f64 * dense
            + features * features
            + (self.channels * self.unshuffle * self.unshuffle) as f64 * features;
        let mut flops = trunk;
        for doubling in 1..=self.doublings {
            flops += features * features * 4f64.powi(doubling as i32);
        }
        let top = 4f64.powi(self.doublings as i32);
        flops += top * features * (features + self.channels as f64);
        let per_block = (self.unshuffle * self.unshuffle) as f64;
        // At the top: an activation, the next one and its unfolded columns; in the trunk the
        // dense block.
        let floats = (3.0 * top * features).max(2.0 * (features + 4.0 * growth) + 3.0 * features);
        let reach = (2 + 15 * self.blocks + 3) * self.unshuffle;
        Capability {
            purpose: Purpose::Upscale,
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            scale: self.scale() as u32,
            halo_px: reach.min(self.halo() * self.unshuffle) as u32,
            reach_px: reach as u32,
            flops_per_px: 18.0 * flops / per_block,
            bytes_per_px: 4.0 * floats / per_block,
            weight_bytes: crate::zoo::float_bytes(&self.tensors()),
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
