//! Super resolution networks of ncnn's files under their official names.
//!
//! ncnn numbers its layers where PyTorch names them. The layers that hold weights get the
//! official names in their order; then the whole network has to prove that it is the
//! architecture's own: each layer does the same to the same values.

use std::collections::BTreeMap;

use super::detect::{Attempt, Detected, UnknownNetwork, detect};
use super::{Shapes, Spec};
use crate::checkpoint::{Layer, LayerKind};
use crate::nets::graph::{Act, Conv, Graph, Op};

/// The network that these layers are, whose tensors have `shapes` by the layers' names.
pub(super) fn detect_layers(layers: &[Layer], shapes: &Shapes) -> Result<Detected, UnknownNetwork> {
    let official = official_names(layers);
    let mut names = BTreeMap::new();
    for (layer, name) in &official {
        for leaf in ["weight", "bias"] {
            let stored = format!("{layer}.{leaf}");
            if shapes.contains_key(&stored) {
                names.insert(format!("{name}.{leaf}"), stored);
            }
        }
    }
    let renamed = names.iter().map(|(name, stored)| (name.clone(), shapes[stored].clone()));
    let mut spec = detect(&renamed.collect())?.spec;
    // Some networks are published for smaller factors, too: as they are, and a reduction.
    let (network, reduction) = match layers {
        [network @ .., last] => match last.kind {
            LayerKind::Bicubic { factor } => (network, Some((last, factor))),
            _ => (layers, None),
        },
        [] => (layers, None),
    };
    let difference = first_difference(&spec, network, &official).or_else(|| {
        let (last, factor) = reduction?;
        let end = network.last()?.output;
        let is_known = last.inputs == [end] && is_reduced(&mut spec, factor);
        (!is_known).then(|| last.name.clone())
    });
    match difference {
        None => Ok(Detected { spec, names }),
        Some(layer) => {
            let attempt = Attempt {
                architecture: spec.architecture(),
                missing: Vec::new(),
                unexpected: vec![layer],
                misshapen: Vec::new(),
                fitting: names.len(),
            };
            Err(UnknownNetwork { attempts: vec![attempt] })
        }
    }
}

/// Makes the result smaller by `factor`; `false` where no network is known that ends so.
fn is_reduced(spec: &mut Spec, factor: f32) -> bool {
    let Spec::Srvgg(net) = spec else { return false };
    let scale = net.shuffle as f32 * factor;
    net.scale = scale.round() as usize;
    net.scale > 0 && (scale - scale.round()).abs() < 1e-3
}

/// Layer → official path, for every layer that holds weights: of SRVGGNetCompact where there
/// are slopes, else of RRDBNet.
fn official_names(layers: &[Layer]) -> BTreeMap<&str, String> {
    let weighted = layers.iter().filter(|layer| {
        matches!(layer.kind, LayerKind::Convolution { .. } | LayerKind::PRelu { .. })
    });
    let weighted: Vec<&str> = weighted.map(|layer| layer.name.as_str()).collect();
    let is_compact = layers.iter().any(|layer| matches!(layer.kind, LayerKind::PRelu { .. }));
    let doublings =
        layers.iter().filter(|layer| matches!(layer.kind, LayerKind::Nearest { .. })).count();
    // Behind the blocks: conv_body, the doublings, conv_hr and conv_last.
    let behind = weighted.len().saturating_sub(doublings + 3);
    let name = |index: usize| match index {
        _ if is_compact => format!("body.{index}"),
        0 => "conv_first".into(),
        _ if index < behind => {
            let (block, layer) = ((index - 1) / 15, (index - 1) % 15);
            format!("body.{block}.rdb{}.conv{}", layer / 5 + 1, layer % 5 + 1)
        }
        _ => match index - behind {
            0 => "conv_body".into(),
            doubling if doubling <= doublings => format!("conv_up{doubling}"),
            last if last == doublings + 1 => "conv_hr".into(),
            _ => "conv_last".into(),
        },
    };
    weighted.into_iter().enumerate().map(|(index, layer)| (layer, name(index))).collect()
}

/// The first layer that does something else than the architecture does with the same weights.
fn first_difference(
    spec: &Spec,
    layers: &[Layer],
    official: &BTreeMap<&str, String>,
) -> Option<String> {
    let mut forms = Forms::default();
    let expected = forms.of_graph(&spec.graph());
    let known = forms.ids.len();
    let mut values: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut last, mut stranger) = (None, None);
    for layer in layers {
        let inputs: Vec<usize> =
            layer.inputs.iter().filter_map(|value| values.get(value).copied()).collect();
        let form = forms.of_layer(layer, &inputs, official.get(layer.name.as_str()));
        // A factor is compared with the sum that it goes into.
        let is_compared = !matches!(layer.kind, LayerKind::Scale(_));
        if form >= known && is_compared {
            stranger = stranger.or(Some(layer.name.clone()));
        }
        values.extend((layer.output..layer.output + layer.outputs).map(|value| (value, form)));
        last = Some((layer, form));
    }
    match last {
        Some((_, form)) if stranger.is_none() && Some(form) == expected => None,
        Some((layer, _)) => stranger.or_else(|| Some(layer.name.clone())),
        None => Some("nothing".into()),
    }
}

/// What is done to what, as numbers: equal numbers are equal values of equal networks.
#[derive(Default)]
struct Forms {
    ids: BTreeMap<String, usize>,
    /// Values that are others times a factor.
    scaled: BTreeMap<usize, (f32, usize)>,
}

impl Forms {
    fn id(&mut self, step: String) -> usize {
        let next = self.ids.len();
        *self.ids.entry(step).or_insert(next)
    }

    fn conv(&mut self, conv: &Conv, x: usize) -> usize {
        self.id(format!("{conv:?} of {x}"))
    }

    fn leaky(&mut self, slope: f32, x: usize) -> usize {
        self.id(format!("slope {slope:?} of {x}"))
    }

    fn prelu(&mut self, name: &str, x: usize) -> usize {
        self.id(format!("slopes {name} of {x}"))
    }

    fn nearest(&mut self, times: usize, x: usize) -> usize {
        self.id(format!("nearest {times} of {x}"))
    }

    fn shuffle(&mut self, side: usize, x: usize) -> usize {
        self.id(format!("shuffle {side} of {x}"))
    }

    fn concat(&mut self, values: &[usize]) -> usize {
        self.id(format!("concat of {values:?}"))
    }

    /// In any order, with factors that were multiplied before taken in.
    fn sum(&mut self, terms: impl Iterator<Item = (f32, usize)>) -> usize {
        let mut terms: Vec<(usize, f32)> = terms
            .map(|(factor, x)| match self.scaled.get(&x) {
                Some((scale, of)) => (*of, factor * scale),
                None => (x, factor),
            })
            .collect();
        terms.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        self.id(format!("sum of {terms:?}"))
    }

    /// The form of the network's result; `None` where it does what no layer of ncnn's does.
    fn of_graph(&mut self, graph: &Graph) -> Option<usize> {
        let mut forms: Vec<usize> = Vec::new();
        for node in graph.nodes() {
            let of: Vec<usize> = node.inputs.iter().map(|value| forms[value.index()]).collect();
            forms.push(match (&node.op, of.as_slice()) {
                (Op::Input, _) => self.id("input".into()),
                (Op::Conv(conv), &[x]) => self.conv(conv, x),
                (Op::Act(Act::Leaky(slope)), &[x]) => self.leaky(*slope, x),
                (Op::PRelu { slope }, &[x]) => self.prelu(slope, x),
                (Op::Nearest { times }, &[x]) => self.nearest(*times, x),
                (Op::PixelShuffle(side), &[x]) => self.shuffle(*side, x),
                (Op::Concat, [x]) => *x,
                (Op::Concat, values) => self.concat(values),
                (Op::Add, &[a, b]) => self.sum([(1.0, a), (1.0, b)].into_iter()),
                (Op::AddScaled(factor), &[a, b]) => self.sum([(*factor, a), (1.0, b)].into_iter()),
                _ => return None,
            });
        }
        graph.outputs().first().map(|value| forms[value.index()])
    }

    /// The form of a layer's result; `official` is the path of its weights.
    fn of_layer(&mut self, layer: &Layer, inputs: &[usize], official: Option<&String>) -> usize {
        let name = official.map_or("", String::as_str);
        match (&layer.kind, inputs) {
            (LayerKind::Input, _) => self.id("input".into()),
            (LayerKind::Split, &[x]) => x,
            (
                LayerKind::Convolution {
                    channels_in,
                    channels_out,
                    kernel,
                    stride,
                    dilation,
                    pad,
                    has_bias,
                    slope,
                },
                &[x],
            ) => {
                let plain = Conv::new(name, *channels_in, *channels_out, kernel[0]);
                let conv = Conv {
                    bias: plain.bias.clone().filter(|_| *has_bias),
                    kernel: *kernel,
                    stride: *stride,
                    dilation: *dilation,
                    pad: [*pad; 4],
                    ..plain
                };
                let x = self.conv(&conv, x);
                slope.map_or(x, |slope| self.leaky(slope, x))
            }
            (LayerKind::PRelu { .. }, &[x]) => self.prelu(&format!("{name}.weight"), x),
            (LayerKind::Relu { slope }, &[x]) => self.leaky(*slope, x),
            (LayerKind::PixelShuffle(side), &[x]) => self.shuffle(*side, x),
            (LayerKind::Nearest { times }, &[x]) => self.nearest(*times, x),
            (LayerKind::Scale(factor), &[x]) => {
                let form = self.id(format!("{factor:?} times {x}"));
                self.scaled.insert(form, (*factor, x));
                form
            }
            (LayerKind::Sum(factors), terms) => {
                self.sum(factors.iter().copied().zip(terms.iter().copied()))
            }
            (LayerKind::Concat, [x]) => *x,
            (LayerKind::Concat, values) => self.concat(values),
            _ => self.id(format!("unknown {}", layer.name)),
        }
    }
}
