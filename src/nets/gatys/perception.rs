//! VGG forwards and backwards: the losses of a picture and their gradient.

use super::Options;
use crate::nets::cpu::Stop;
use crate::nets::cpu::backward;
use crate::nets::cpu::conv::Kernel;
use crate::nets::cpu::epilogue::Epilogue;
use crate::nets::cpu::map::Map;
use crate::nets::cpu::spatial::max_pool;
use crate::nets::graph::{Act, Conv};
use crate::nets::vgg::{Layer, VGG_DEVIATION, VGG_MEAN, Vgg};
use crate::nets::{Planes, Source, Stopped};

/// Block and place of the activation that holds the content: relu4_2.
const CONTENT: (usize, usize) = (3, 1);

/// A convolution with ReLU, both ways.
struct Stage {
    forward: Kernel,
    /// From the gradient of the results to that of what went in.
    backward: Kernel,
    is_pooled: bool,
    is_style: bool,
    is_content: bool,
}

/// The part of VGG that losses look at.
pub(super) struct Perception {
    stages: Vec<Stage>,
}

/// What a picture is compared with.
pub struct Targets {
    /// Of the stages that hold style or content, in order.
    grams: Vec<Vec<f32>>,
    contents: Vec<Map>,
}

/// The losses of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// Mean squared difference of the content's activations.
    pub content: f64,
    /// Mean squared differences of the Gram matrices, summed over the layers.
    pub style: f64,
    /// Mean squared difference of neighbours.
    pub variation: f64,
    /// With the weights applied.
    pub total: f64,
    /// Of `total` by the numbers of the picture, `[3, h, w]`.
    pub gradient: Vec<f32>,
}

impl Perception {
    pub fn new<E>(vgg: &Vgg, source: Source<'_, E>) -> Result<Self, E> {
        let layers = vgg.layers();
        // What lies behind the last compared layer is not needed. The second activation of a
        // shorter network's last block stands for relu4_2.
        let content_block = CONTENT.0.min(vgg.blocks.len().saturating_sub(1));
        let is_content = |layer: &Layer| (layer.block, layer.place) == (content_block, CONTENT.1);
        let is_style = |layer: &Layer| layer.place == 0 && layer.block < 5;
        let is_compared = |layer: &Layer| is_content(layer) || is_style(layer);
        let count = layers.iter().rposition(is_compared).map_or(0, |last| last + 1);
        let mut stages = Vec::with_capacity(count);
        for layer in layers.into_iter().take(count) {
            let (is_style, is_content) = (is_style(&layer), is_content(&layer));
            let is_pooled = layer.is_pooled();
            let conv = layer.conv;
            let weight = source(&conv.weight)?;
            let bias = match &conv.bias {
                Some(name) => source(name)?,
                None => vec![0.0; conv.channels_out],
            };
            let relu = match Epilogue::new(&bias).with_act(Act::Relu) {
                Ok(epilogue) | Err(epilogue) => epilogue,
            };
            let (from, to) = (conv.channels_in, conv.channels_out);
            let plain = Epilogue::new(&vec![0.0; from]);
            let backward = Conv::new("", to, from, 3);
            stages.push(Stage {
                forward: Kernel::new(&conv, &weight, &[from], relu),
                backward: Kernel::new(&backward, &turned(&weight, from, to), &[to], plain),
                is_pooled,
                is_style,
                is_content,
            });
        }
        Ok(Self { stages })
    }

    /// The result of each stage.
    fn activations(&self, picture: &Planes, stop: Stop<'_>) -> Result<Vec<Map>, Stopped> {
        let input = Map::from_planes(&normalised(picture));
        let mut values: Vec<Map> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let before = values.last().unwrap_or(&input);
            let value = if stage.is_pooled {
                let half = [before.height / 2, before.width / 2];
                stage.forward.run(&[&max_pool(before, 2, 2, half, [0; 4])], stop)
            } else {
                stage.forward.run(&[before], stop)
            };
            if stop() {
                return Err(Stopped);
            }
            values.push(value);
        }
        Ok(values)
    }

    pub fn targets(
        &self,
        content: &Planes,
        style: &Planes,
        stop: Stop<'_>,
    ) -> Result<Targets, Stopped> {
        let of_style = self.activations(style, stop)?;
        let mut grams = Vec::new();
        for (stage, value) in self.stages.iter().zip(&of_style) {
            if stage.is_style {
                grams.push(normalised_gram(value, stop)?);
            }
        }
        let of_content = self.activations(content, stop)?;
        let pairs = self.stages.iter().zip(of_content);
        let contents = pairs.filter_map(|(stage, value)| stage.is_content.then_some(value));
        Ok(Targets { grams, contents: contents.collect() })
    }

    /// The losses without the total variation.
    pub fn losses(
        &self,
        picture: &Planes,
        targets: &Targets,
        options: &Options,
        stop: Stop<'_>,
    ) -> Result<Losses, Stopped> {
        let values = self.activations(picture, stop)?;
        let (mut content, mut style) = (0.0, 0.0);
        let (mut grams, mut contents) = (targets.grams.iter().rev(), targets.contents.iter().rev());
        let mut gradient: Option<Map> = None;
        for (index, stage) in self.stages.iter().enumerate().rev() {
            let value = &values[index];
            let mut own = gradient
                .take()
                .unwrap_or_else(|| Map::zeros(value.height, value.width, value.channels));
            if stage.is_content
                && let Some(target) = contents.next()
            {
                content += add_content(&mut own, value, target, options.content);
            }
            if stage.is_style
                && let Some(target) = grams.next()
            {
                style += add_style(&mut own, value, target, options.style, stop)?;
            }
            backward::relu_backward(&mut own, value);
            let mut before = stage.backward.run(&[&own], stop);
            if stop() {
                return Err(Stopped);
            }
            if stage.is_pooled && index > 0 {
                before = backward::max_pool_backward(&values[index - 1], &before, [2, 2], [0; 4]);
            }
            gradient = Some(before);
        }
        let mut gradient = gradient.map_or_else(Vec::new, |map| map.to_planes().data);
        let area = (picture.height * picture.width).max(1);
        for (values, deviation) in gradient.chunks_exact_mut(area).zip(VGG_DEVIATION) {
            values.iter_mut().for_each(|value| *value /= deviation);
        }
        let total = f64::from(options.content) * content + f64::from(options.style) * style;
        Ok(Losses { content, style, variation: 0.0, total, gradient })
    }
}

/// The kernels that run a 3×3 convolution of `from` to `to` channels backwards: turned by half a
/// circle, inputs and results exchanged.
fn turned(weight: &[f32], from: usize, to: usize) -> Vec<f32> {
    let mut turned = Vec::with_capacity(weight.len());
    for input in 0..from {
        for out in 0..to {
            turned.extend(weight[(out * from + input) * 9..][..9].iter().rev());
        }
    }
    turned
}

fn normalised(picture: &Planes) -> Planes {
    let area = (picture.height * picture.width).max(1);
    let number = |(at, value): (usize, &f32)| {
        let channel = (at / area).min(2);
        (value - VGG_MEAN[channel]) / VGG_DEVIATION[channel]
    };
    Planes { data: picture.data.iter().enumerate().map(number).collect(), ..*picture }
}

/// Numbers of a map, its channels without their padding.
fn count(map: &Map) -> f64 {
    (map.channels * map.height * map.width).max(1) as f64
}

/// Over channels times pixels, so that neither counts.
fn normalised_gram(map: &Map, stop: Stop<'_>) -> Result<Vec<f32>, Stopped> {
    let gram = backward::gram(map, stop);
    if stop() {
        return Err(Stopped);
    }
    let share = 1.0 / count(map);
    Ok(gram.into_iter().map(|value| (f64::from(value) * share) as f32).collect())
}

/// The content loss of an activation; adds its gradient times `weight`.
fn add_content(gradient: &mut Map, value: &Map, target: &Map, weight: f32) -> f64 {
    let factor = (2.0 * f64::from(weight) / count(value)) as f32;
    backward::add_scaled(gradient, value, factor);
    backward::add_scaled(gradient, target, -factor);
    backward::squared_distance(value, target) / count(value)
}

/// The style loss of an activation; adds its gradient times `weight`.
fn add_style(
    gradient: &mut Map,
    value: &Map,
    target: &[f32],
    weight: f32,
    stop: Stop<'_>,
) -> Result<f64, Stopped> {
    let channels = value.channels;
    let pairs = (channels * channels).max(1) as f64;
    let gram = normalised_gram(value, stop)?;
    let off: Vec<f64> = gram.iter().zip(target).map(|(g, t)| f64::from(g - t)).collect();
    // Each activation stands in a row and in a column of the symmetric matrix; so the gradient is
    // that matrix of differences times the activations: a convolution with kernels of one pixel.
    let factor = 4.0 * f64::from(weight) / (pairs * count(value));
    let weights: Vec<f32> = off.iter().map(|off| (off * factor) as f32).collect();
    let none = Epilogue::new(&vec![0.0; channels]);
    let kernel = Kernel::new(&Conv::new("", channels, channels, 1), &weights, &[channels], none);
    backward::add_scaled(gradient, &kernel.run(&[value], stop), 1.0);
    Ok(off.iter().map(|off| off * off).sum::<f64>() / pairs)
}

impl Losses {
    /// Adds the total variation of `picture` and its gradient.
    pub(super) fn add_variation(&mut self, picture: &Planes, weight: f32) {
        let (height, width) = (picture.height, picture.width);
        let count = picture.data.len().max(1) as f64;
        let factor = (2.0 * f64::from(weight) / count) as f32;
        let mut sum = 0.0;
        let mut pair = |at: usize, next: usize| {
            let step = picture.data[next] - picture.data[at];
            sum += f64::from(step) * f64::from(step);
            self.gradient[next] += factor * step;
            self.gradient[at] -= factor * step;
        };
        for at in 0..picture.data.len() {
            let (x, y) = (at % width, at / width % height);
            if x + 1 < width {
                pair(at, at + 1);
            }
            if y + 1 < height {
                pair(at, at + width);
            }
        }
        self.variation = sum / count;
        self.total += f64::from(weight) * self.variation;
    }
}
