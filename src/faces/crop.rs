//! Turned and scaled parts of a picture, for networks.

use rayon::prelude::*;

use crate::geom::Affine;
use crate::nets::Planes;
use crate::nets::graph::Edge;
use crate::pixels::PixelBuf;
use crate::zoo::Range;

/// Most samples a result pixel takes along one side; more would not show.
const MAX_SAMPLES: usize = 16;

/// The square that `image_from_unit` maps `0..1` × `0..1` to, as `side` × `side` pixels of RGB in
/// `range`. What is transparent counts as black; what is outside follows `edge`.
///
/// Each result pixel is the mean of bilinear samples, as many as picture pixels fall on it, so
/// that large pictures do not alias.
pub fn square(
    image: &PixelBuf,
    image_from_unit: Affine,
    side: usize,
    edge: Edge,
    range: Range,
) -> Planes {
    let scale = image_from_unit.a.hypot(image_from_unit.d) / side as f64;
    let samples = (scale.ceil() as usize).clamp(1, MAX_SAMPLES);
    let step = 1.0 / (side * samples) as f64;
    let rows: Vec<Vec<[f32; 3]>> = (0..side)
        .into_par_iter()
        .map(|row| {
            let pixel = |column: usize| {
                let mut sum = [0.0; 3];
                for sample in 0..samples * samples {
                    let x = (column * samples + sample % samples) as f64 + 0.5;
                    let y = (row * samples + sample / samples) as f64 + 0.5;
                    let (x, y) = image_from_unit.apply(x * step, y * step);
                    let colour = bilinear(image, x - 0.5, y - 0.5, edge);
                    sum = std::array::from_fn(|channel| sum[channel] + colour[channel]);
                }
                sum.map(|sum: f32| sum / (samples * samples) as f32)
            };
            (0..side).map(pixel).collect()
        })
        .collect();
    let pixels = || rows.iter().flatten();
    let data = (0..3)
        .flat_map(|channel| pixels().map(move |pixel| range.of_unit(pixel[channel], channel)));
    Planes { channels: 3, height: side, width: side, data: data.collect() }
}

/// The colour at continuous indices: whole numbers are pixel centres.
fn bilinear(image: &PixelBuf, x: f64, y: f64, edge: Edge) -> [f32; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (along, down) = ((x - left) as f32, (y - top) as f32);
    let size = image.size();
    let at = |dx: isize, dy: isize| {
        let x = edge.index((left as isize).saturating_add(dx), size.width as usize);
        let y = edge.index((top as isize).saturating_add(dy), size.height as usize);
        let (Some(x), Some(y)) = (x, y) else { return [0.0; 3] };
        let [r, g, b, a] = image.pixel_f32(x as u32, y as u32);
        [r * a, g * a, b * a]
    };
    let mix = |a: [f32; 3], b: [f32; 3], t: f32| -> [f32; 3] {
        std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * t)
    };
    mix(mix(at(0, 0), at(1, 0), along), mix(at(0, 1), at(1, 1), along), down)
}
