//! The enlarging networks on the processor, built from [`winograd`](super::winograd)
//! convolutions: the same mathematics as the modules, several times faster than the tensor
//! library's own convolution there.

use super::LoadError;
use super::map::Map;
use super::winograd::Conv;
use crate::zoo::arch;

/// Where parameters come from, by official name.
pub type Source<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<f32>, LoadError>;

/// Sees the result of each named part: name, map, channels in use.
pub type MapProbe<'a> = &'a mut dyn FnMut(&str, &Map, usize);

const RESIDUAL_SCALE: f32 = 0.2;
const LEAKY_SLOPE: f32 = super::blocks::LEAKY_SLOPE as f32;

/// Reads a convolution over maps of `inputs` channels.
fn conv(
    source: Source<'_>,
    name: &str,
    inputs: &[usize],
    slopes: Option<&[f32]>,
) -> Result<Conv, LoadError> {
    let weight = source(&format!("{name}.weight"))?;
    let bias = source(&format!("{name}.bias"))?;
    Ok(Conv::new(&weight, &bias, inputs, slopes))
}

/// RRDBNet with every convolution transformed.
#[derive(Debug)]
pub struct RrdbNetProcessor {
    spec: arch::RrdbNet,
    first: Conv,
    /// Blocks of three dense blocks of five convolutions.
    body: Vec<[[Conv; 5]; 3]>,
    last_of_body: Conv,
    up: Vec<Conv>,
    hr: Conv,
    last: Conv,
}

impl RrdbNetProcessor {
    pub fn new(spec: &arch::RrdbNet, source: Source<'_>) -> Result<Self, LoadError> {
        let features = spec.features;
        let leaky = |channels: usize| vec![LEAKY_SLOPE; channels];
        let (grown, wide) = (leaky(spec.growth), leaky(features));
        let mut body = Vec::with_capacity(spec.blocks);
        for block in 0..spec.blocks {
            let mut dense = |index: usize| -> Result<[Conv; 5], LoadError> {
                let mut layer = |layer: usize| {
                    let mut inputs = vec![features];
                    inputs.resize(layer, spec.growth);
                    let name = format!("body.{block}.rdb{index}.conv{layer}");
                    let slopes = (layer < 5).then_some(grown.as_slice());
                    conv(source, &name, &inputs, slopes)
                };
                Ok([layer(1)?, layer(2)?, layer(3)?, layer(4)?, layer(5)?])
            };
            body.push([dense(1)?, dense(2)?, dense(3)?]);
        }
        let unshuffled = spec.channels * spec.unshuffle * spec.unshuffle;
        let up = |index: usize, source: Source<'_>| {
            conv(source, &format!("conv_up{index}"), &[features], Some(&wide))
        };
        Ok(Self {
            first: conv(source, "conv_first", &[unshuffled], None)?,
            body,
            last_of_body: conv(source, "conv_body", &[features], None)?,
            up: (1..=spec.doublings).map(|index| up(index, source)).collect::<Result<_, _>>()?,
            hr: conv(source, "conv_hr", &[features], Some(&wide))?,
            last: conv(source, "conv_last", &[features], None)?,
            spec: spec.clone(),
        })
    }

    /// `planes` is `[channels, height, width]`, height and width multiples of the unshuffling;
    /// the result `[channels, height·scale, width·scale]`.
    pub fn forward(
        &self,
        planes: &[f32],
        height: usize,
        width: usize,
        probe: MapProbe<'_>,
    ) -> Vec<f32> {
        let features = self.spec.features;
        let side = self.spec.unshuffle;
        let channels = self.spec.channels;
        let input = unshuffle(planes, height, width, channels, side);
        let first = self.first.run(&[&input]);
        probe("conv_first", &first, features);
        let mut trunk = first.clone();
        for (index, block) in self.body.iter().enumerate() {
            let mut x = trunk.clone();
            for dense in block {
                x = dense_block(dense, x);
            }
            trunk = x.scale_add(RESIDUAL_SCALE, &trunk);
            probe(&format!("body.{index}"), &trunk, features);
        }
        let mut out = self.last_of_body.run(&[&trunk]).scale_add(1.0, &first);
        probe("trunk", &out, features);
        for (index, conv) in self.up.iter().enumerate() {
            out = conv.run(&[&out.enlarge_nearest(2)]);
            probe(&format!("conv_up{}", index + 1), &out, features);
        }
        let out = self.hr.run(&[&out]);
        probe("conv_hr", &out, features);
        let out = self.last.run(&[&out]);
        probe("output", &out, channels);
        out.to_planes(channels)
    }
}

fn dense_block(convs: &[Conv; 5], x: Map) -> Map {
    let [inner @ .., last] = convs;
    let mut maps = vec![x];
    for conv in inner {
        let grown = conv.run(&maps.iter().collect::<Vec<_>>());
        maps.push(grown);
    }
    last.run(&maps.iter().collect::<Vec<_>>()).scale_add(RESIDUAL_SCALE, &maps[0])
}

/// Planes as a map with each `side`×`side` pixels stacked into channels `c·side² + dy·side + dx`.
fn unshuffle(planes: &[f32], height: usize, width: usize, channels: usize, side: usize) -> Map {
    let (low, narrow) = (height / side, width / side);
    let mut stacked = Vec::with_capacity(planes.len());
    for plane in planes.chunks_exact(height * width).take(channels) {
        for (dy, dx) in (0..side * side).map(|place| (place / side, place % side)) {
            for y in 0..low {
                let row = &plane[(y * side + dy) * width..][..width];
                stacked.extend((0..narrow).map(|x| row[x * side + dx]));
            }
        }
    }
    Map::from_planes(&stacked, low, narrow, channels * side * side)
}

/// SRVGGNetCompact with every convolution transformed.
#[derive(Debug)]
pub struct SrvggProcessor {
    spec: arch::Srvgg,
    convs: Vec<Conv>,
}

impl SrvggProcessor {
    pub fn new(spec: &arch::Srvgg, source: Source<'_>) -> Result<Self, LoadError> {
        let mut convs = Vec::with_capacity(spec.layers + 2);
        for layer in 0..spec.layers + 2 {
            let inputs = if layer == 0 { spec.channels } else { spec.features };
            let slopes = match layer <= spec.layers {
                true => Some(source(&format!("body.{}.weight", 2 * layer + 1))?),
                false => None,
            };
            let name = format!("body.{}", 2 * layer);
            convs.push(conv(source, &name, &[inputs], slopes.as_deref())?);
        }
        Ok(Self { spec: spec.clone(), convs })
    }

    /// `planes` is `[channels, height, width]`, the result
    /// `[channels, height·scale, width·scale]`.
    pub fn forward(
        &self,
        planes: &[f32],
        height: usize,
        width: usize,
        probe: MapProbe<'_>,
    ) -> Vec<f32> {
        let (channels, scale) = (self.spec.channels, self.spec.scale);
        let mut map = Map::from_planes(planes, height, width, channels);
        for (index, conv) in self.convs.iter().enumerate() {
            map = conv.run(&[&map]);
            // Each convolution and its slope are one step here, named after the slope.
            let is_last = index + 1 == self.convs.len();
            let used = if is_last { channels * scale * scale } else { self.spec.features };
            probe(&format!("body.{}", 2 * index + usize::from(!is_last)), &map, used);
        }
        let mut out = Vec::with_capacity(planes.len() * scale * scale);
        for (channel, plane) in planes.chunks_exact(height * width).take(channels).enumerate() {
            for y in 0..height * scale {
                for x in 0..width * scale {
                    let place = channel * scale * scale + y % scale * scale + x % scale;
                    let residual = map.pixel(x / scale, y / scale)[place];
                    out.push(residual + plane[y / scale * width + x / scale]);
                }
            }
        }
        out
    }
}
