//! Style transfer by optimisation (Gatys, Ecker, Bethge 2016): the picture itself is changed
//! until VGG's activations are those of the content and their correlations those of the style.
//!
//! Losses are normalised for any size and width: mean squares, Gram matrices over channels times
//! pixels. Colours can be kept (Gatys et al. 2017, luminance only). From coarse to fine, each
//! size starting from the result of the one before (Gatys et al. 2017, "Controlling Perceptual
//! Factors").

mod lbfgs;
mod perception;

use super::cpu::map::Map;
use super::cpu::{Stop, spatial};
use super::graph::Grid;
use super::{Planes, Source, Stopped, Vgg};
use lbfgs::Lbfgs;
use perception::Perception;
pub use perception::{Losses, Targets};

/// Luminance of YIQ.
const LUMINANCE: [f32; 3] = [0.299, 0.587, 0.114];
/// Smallest short side that a coarse size may have: five poolings leave a pixel of 32.
const MIN_SIDE: usize = 64;
/// How far the first step moves the most changed number.
const FIRST_MOVE: f32 = 0.02;
/// The share of the promised decrease that a step must keep (Armijo's condition).
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step before the search counts as done.
const HALVINGS: usize = 8;

/// What is optimised for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Weight of the content loss.
    pub content: f32,
    /// Weight of the style loss.
    pub style: f32,
    /// Weight of the total variation, the mean squared difference of neighbours.
    pub variation: f32,
    /// Steps at each size.
    pub steps: usize,
    /// Sizes, each half as large as the next; fewer where the picture is small.
    pub sizes: usize,
    /// Whether the result has the colours of the content.
    pub keeps_colors: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            content: 1.0,
            style: 1000.0,
            variation: 0.1,
            steps: 100,
            sizes: 3,
            keeps_colors: false,
        }
    }
}

/// How far an optimisation is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Steps done, at all sizes together.
    pub done: usize,
    /// Steps in all.
    pub steps: usize,
    /// Of the present size, with the weights applied.
    pub loss: f64,
    /// RGB in `0..=1` at the present size, colours not yet restored.
    pub picture: &'a Planes,
}

/// VGG, ready to compare pictures and to say how to change them.
pub struct Gatys {
    perception: Perception,
}

impl Gatys {
    /// Reads the parameters of `vgg` from `source`.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn new<E>(vgg: &Vgg, source: Source<'_, E>) -> Result<Self, E> {
        Ok(Self { perception: Perception::new(vgg, source)? })
    }

    /// What a picture of the size of `content` should come to. Both are RGB in `0..=1`.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn targets(
        &self,
        content: &Planes,
        style: &Planes,
        stop: Stop<'_>,
    ) -> Result<Targets, Stopped> {
        self.perception.targets(content, style, stop)
    }

    /// The losses of `picture`, RGB in `0..=1`, and the gradient of their weighted sum.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn losses(
        &self,
        picture: &Planes,
        targets: &Targets,
        options: &Options,
        stop: Stop<'_>,
    ) -> Result<Losses, Stopped> {
        let mut losses = self.perception.losses(picture, targets, options, stop)?;
        losses.add_variation(picture, options.variation);
        Ok(losses)
    }

    /// `content` in the style of `style`, RGB in `0..=1` both, of the size of `content`. `watch`
    /// hears of every step.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile; it is asked every few milliseconds.
    pub fn paint(
        &self,
        content: &Planes,
        style: &Planes,
        options: &Options,
        watch: &mut dyn FnMut(Progress<'_>),
        stop: Stop<'_>,
    ) -> Result<Planes, Stopped> {
        let (grey_content, grey_style);
        let (wanted, painted) = if options.keeps_colors {
            let luminances = (luminance(content), luminance(style));
            grey_style = as_grey(style, &matched(&luminances.1, &luminances.0));
            grey_content = as_grey(content, &luminances.0);
            (&grey_content, &grey_style)
        } else {
            (content, style)
        };
        let sizes = sizes(content, options.sizes);
        let steps = sizes.len() * options.steps;
        let mut picture: Option<Planes> = None;
        for (index, &size) in sizes.iter().enumerate() {
            let last = sizes.len() - 1;
            let wanted = resized(wanted, size);
            // The style's details shrink along with the picture.
            let style_size = [painted.height, painted.width].map(|side| side >> (last - index));
            let painted = resized(painted, style_size.map(|side| side.max(MIN_SIDE / 2)));
            let targets = self.targets(&wanted, &painted, stop)?;
            let start = picture.map_or_else(|| wanted.clone(), |coarse| resized(&coarse, size));
            let mut seen = |done: usize, loss: f64, picture: &Planes| {
                watch(Progress { done: index * options.steps + done, steps, loss, picture });
            };
            picture = Some(self.descend(start, &targets, options, &mut seen, stop)?);
        }
        let mut picture = picture.unwrap_or_else(|| content.clone());
        if options.keeps_colors {
            restore_colors(&mut picture, content);
        }
        Ok(picture)
    }

    /// L-BFGS from `picture` on; the result is in `0..=1`.
    fn descend(
        &self,
        mut picture: Planes,
        targets: &Targets,
        options: &Options,
        watch: &mut dyn FnMut(usize, f64, &Planes),
        stop: Stop<'_>,
    ) -> Result<Planes, Stopped> {
        let mut search = Lbfgs::default();
        let mut losses = self.losses(&picture, targets, options, stop)?;
        for step in 1..=options.steps {
            let direction = search.direction(&losses.gradient);
            let slope = lbfgs::dot(&direction, &losses.gradient);
            let steepest = losses.gradient.iter().fold(0.0f32, |top, g| top.max(g.abs()));
            if slope >= 0.0 || steepest == 0.0 {
                break;
            }
            let mut length = if search.is_fresh() { FIRST_MOVE / steepest } else { 1.0 };
            let mut found = None;
            for _ in 0..HALVINGS {
                let mut next = picture.clone();
                let moves = next.data.iter_mut().zip(&direction);
                moves.for_each(|(value, along)| *value += length * along);
                let there = self.losses(&next, targets, options, stop)?;
                if there.total <= losses.total + SUFFICIENT * f64::from(length) * slope {
                    found = Some((next, there));
                    break;
                }
                length *= 0.5;
            }
            match found {
                Some((next, there)) => {
                    search.learn(&picture.data, &next.data, &losses.gradient, &there.gradient);
                    (picture, losses) = (next, there);
                }
                // Where the remembered curvature misleads, the gradient alone may not.
                None if !search.is_fresh() => search = Lbfgs::default(),
                None => break,
            }
            watch(step, losses.total, &clamped(&picture));
        }
        Ok(clamped(&picture))
    }
}

fn clamped(picture: &Planes) -> Planes {
    let data = picture.data.iter().map(|value| value.clamp(0.0, 1.0)).collect();
    Planes { data, ..*picture }
}

/// Heights and widths, the smallest first, the picture's own last.
fn sizes(picture: &Planes, most: usize) -> Vec<[usize; 2]> {
    let short = picture.height.min(picture.width);
    let mut sizes: Vec<[usize; 2]> = (0..most.clamp(1, 8))
        .take_while(|&halvings| halvings == 0 || short >> halvings >= MIN_SIDE)
        .map(|halvings| [picture.height >> halvings, picture.width >> halvings])
        .collect();
    sizes.reverse();
    sizes
}

/// Bilinear; downwards by halves, so that every pixel counts.
fn resized(planes: &Planes, [height, width]: [usize; 2]) -> Planes {
    let mut map = Map::from_planes(planes);
    while map.height >= 2 * height.max(1) && map.width >= 2 * width.max(1) {
        map = spatial::bilinear(&map, [map.height / 2, map.width / 2], Grid::HalfPixel);
    }
    if [map.height, map.width] != [height, width] {
        map = spatial::bilinear(&map, [height, width], Grid::HalfPixel);
    }
    map.to_planes()
}

fn luminance(picture: &Planes) -> Vec<f32> {
    let area = picture.height * picture.width;
    let value = |at: usize| {
        let channels = LUMINANCE.iter().enumerate();
        channels.map(|(channel, share)| share * picture.data[channel * area + at]).sum()
    };
    (0..area).map(value).collect()
}

/// `values` with the mean and deviation of `like`.
fn matched(values: &[f32], like: &[f32]) -> Vec<f32> {
    let moments = |values: &[f32]| {
        let len = values.len().max(1) as f64;
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / len;
        let square = values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>();
        (mean, (square / len).sqrt())
    };
    let ((mean, deviation), (to_mean, to_deviation)) = (moments(values), moments(like));
    let factor = if deviation > 0.0 { to_deviation / deviation } else { 1.0 };
    values.iter().map(|x| ((f64::from(*x) - mean) * factor + to_mean) as f32).collect()
}

fn as_grey(picture: &Planes, luminance: &[f32]) -> Planes {
    Planes { data: luminance.repeat(3), ..*picture }
}

/// Gives `picture` the chromaticity of `content`. With I and Q of YIQ held, a change of Y is the
/// same change of red, green and blue.
fn restore_colors(picture: &mut Planes, content: &Planes) {
    let (made, own) = (luminance(picture), luminance(content));
    for (channel, values) in picture.data.chunks_exact_mut(own.len().max(1)).enumerate() {
        let source = &content.data[channel * own.len()..];
        for (at, value) in values.iter_mut().enumerate() {
            *value = (source[at] + made[at] - own[at]).clamp(0.0, 1.0);
        }
    }
}
