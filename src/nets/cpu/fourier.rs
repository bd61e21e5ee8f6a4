//! Two-dimensional Fourier transforms of every channel, orthonormal.
//!
//! Cooley and Tukey's splitting into even and odd samples as long as the length is even, the
//! definition for the odd rest; each number of it is a whole vector of channels.

use rayon::prelude::*;

use super::map::{LANES, Map};

/// A line of `n` complex vectors of `channels` numbers.
struct Line {
    re: Vec<f32>,
    im: Vec<f32>,
}

impl Line {
    fn zeros(len: usize) -> Self {
        Self { re: vec![0.0; len], im: vec![0.0; len] }
    }
}

/// `cos` and `sin` of `sign · 2π k / n`.
fn twiddles(n: usize, sign: f64) -> Vec<(f32, f32)> {
    let angle = |k: usize| sign * std::f64::consts::TAU * k as f64 / n as f64;
    (0..n).map(|k| (angle(k).cos() as f32, angle(k).sin() as f32)).collect()
}

/// `to += factor · from` for complex vectors.
fn accumulate(to: (&mut [f32], &mut [f32]), from: (&[f32], &[f32]), (cos, sin): (f32, f32)) {
    let targets = to.0.iter_mut().zip(to.1.iter_mut());
    for ((re, im), (from_re, from_im)) in targets.zip(from.0.iter().zip(from.1)) {
        *re += from_re * cos - from_im * sin;
        *im += from_re * sin + from_im * cos;
    }
}

/// The transform of `n` vectors that lie at `start` and then `stride` apart, into the first `n`
/// of `out`. `twiddles` are those of the whole line, which is `twiddles.len()` long.
fn transform(
    line: &Line,
    (start, stride): (usize, usize),
    twiddles: &[(f32, f32)],
    channels: usize,
    out: (&mut [f32], &mut [f32]),
) {
    let n = twiddles.len() / stride;
    let (out_re, out_im) = out;
    if n % 2 == 1 {
        out_re.fill(0.0);
        out_im.fill(0.0);
        for k in 0..n {
            let to = k * channels..(k + 1) * channels;
            for j in 0..n {
                let at = (start + j * stride) * channels;
                let from = (&line.re[at..at + channels], &line.im[at..at + channels]);
                let factor = twiddles[j * k % n * stride];
                accumulate((&mut out_re[to.clone()], &mut out_im[to.clone()]), from, factor);
            }
        }
        return;
    }
    let half = n / 2 * channels;
    let (even_re, odd_re) = out_re.split_at_mut(half);
    let (even_im, odd_im) = out_im.split_at_mut(half);
    transform(line, (start, 2 * stride), twiddles, channels, (even_re, even_im));
    transform(line, (start + stride, 2 * stride), twiddles, channels, (odd_re, odd_im));
    let pairs = even_re.iter_mut().zip(even_im).zip(odd_re.iter_mut().zip(odd_im));
    for (index, ((even_re, even_im), (odd_re, odd_im))) in pairs.enumerate() {
        let (cos, sin) = twiddles[index / channels * stride];
        let (re, im) = (*odd_re * cos - *odd_im * sin, *odd_re * sin + *odd_im * cos);
        (*odd_re, *odd_im) = (*even_re - re, *even_im - im);
        (*even_re, *even_im) = (*even_re + re, *even_im + im);
    }
}

fn transformed(line: &Line, twiddles: &[(f32, f32)], channels: usize) -> Line {
    let mut out = Line::zeros(line.re.len());
    transform(line, (0, 1), twiddles, channels, (&mut out.re, &mut out.im));
    out
}

/// Transforms along columns: `lines[x]` is the column `x`.
fn columns(lines: &[Line], width: usize, channels: usize, sign: f64) -> Vec<Line> {
    let twiddles = twiddles(lines.len(), sign);
    (0..width)
        .into_par_iter()
        .map(|x| {
            let mut column = Line::zeros(lines.len() * channels);
            for (y, row) in lines.iter().enumerate() {
                let (to, from) = (y * channels, x * channels);
                column.re[to..to + channels].copy_from_slice(&row.re[from..from + channels]);
                column.im[to..to + channels].copy_from_slice(&row.im[from..from + channels]);
            }
            transformed(&column, &twiddles, channels)
        })
        .collect()
}

/// `[c, h, w]` to `[2c, h, w/2 + 1]`, real and imaginary channels alternating.
pub fn forward(map: &Map) -> Map {
    let (height, width, channels) = (map.height, map.width, map.padded());
    let kept = width / 2 + 1;
    let along = twiddles(width, -1.0);
    let rows: Vec<Line> = (0..height)
        .into_par_iter()
        .map(|y| {
            let line = Line { re: map.row(y).to_vec(), im: vec![0.0; width * channels] };
            transformed(&line, &along, channels)
        })
        .collect();
    let lines = columns(&rows, kept, channels, -1.0);
    let scale = 1.0 / ((height * width) as f32).sqrt();
    let padded = (2 * map.channels).next_multiple_of(LANES);
    Map::build(height, kept, 2 * map.channels, |y, row| {
        for (pixel, line) in row.chunks_exact_mut(padded).zip(&lines) {
            for channel in 0..map.channels {
                let at = y * channels + channel;
                pixel[2 * channel] = line.re[at] * scale;
                pixel[2 * channel + 1] = line.im[at] * scale;
            }
        }
    })
}

/// The inverse of [`forward`] for a picture of `height` and `width`.
pub fn inverse(map: &Map, [height, width]: [usize; 2]) -> Map {
    let real_channels = map.channels / 2;
    let channels = real_channels.next_multiple_of(LANES);
    let kept = map.width;
    let rows: Vec<Line> = (0..height)
        .into_par_iter()
        .map(|y| {
            let mut line = Line::zeros(kept * channels);
            for x in 0..kept {
                let pixel = map.pixel(x, y);
                for channel in 0..real_channels {
                    line.re[x * channels + channel] = pixel[2 * channel];
                    line.im[x * channels + channel] = pixel[2 * channel + 1];
                }
            }
            line
        })
        .collect();
    let lines = columns(&rows, kept, channels, 1.0);
    let along = twiddles(width, 1.0);
    let scale = 1.0 / ((height * width) as f32).sqrt();
    Map::build(height, width, real_channels, |y, row| {
        let mut line = Line::zeros(width * channels);
        let from = y * channels..(y + 1) * channels;
        for x in 0..width {
            // The spectrum of a real line: what is missing mirrors what is there.
            let (source, sign) = if x < kept { (x, 1.0) } else { (width - x, -1.0) };
            let to = x * channels..(x + 1) * channels;
            line.re[to.clone()].copy_from_slice(&lines[source].re[from.clone()]);
            let im = lines[source].im[from.clone()].iter();
            line.im[to].iter_mut().zip(im).for_each(|(to, from)| *to = from * sign);
        }
        let out = transformed(&line, &along, channels);
        row.iter_mut().zip(out.re).for_each(|(to, value)| *to = value * scale);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::Planes;

    #[test]
    fn it_is_the_transform_and_back() {
        for (height, width) in [(8, 8), (6, 10), (5, 7), (1, 4), (12, 9)] {
            let data: Vec<f32> =
                (0..3 * height * width).map(|i| ((i * 7919) % 101) as f32 / 101.0 - 0.5).collect();
            let planes = Planes { channels: 3, height, width, data };
            let map = Map::from_planes(&planes);
            let spectrum = forward(&map);
            assert_eq!((spectrum.channels, spectrum.width), (6, width / 2 + 1));
            for (channel, v, u) in [(0, 0, 0), (1, height / 2, width / 2), (2, height - 1, 1)] {
                let (mut re, mut im) = (0.0f64, 0.0f64);
                for y in 0..height {
                    for x in 0..width {
                        let turn = (v * y) as f64 / height as f64 + (u * x) as f64 / width as f64;
                        let angle = -std::f64::consts::TAU * turn;
                        let at = (channel * height + y) * width + x;
                        let value = f64::from(planes.data[at]);
                        re += value * angle.cos();
                        im += value * angle.sin();
                    }
                }
                let scale = 1.0 / ((height * width) as f64).sqrt();
                let pixel = spectrum.pixel(u, v);
                assert!((f64::from(pixel[2 * channel]) - re * scale).abs() < 1e-5);
                assert!((f64::from(pixel[2 * channel + 1]) - im * scale).abs() < 1e-5);
            }
            let back = inverse(&spectrum, [height, width]).to_planes();
            let pairs = back.data.iter().zip(&planes.data);
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-5), "{height} {width}");
        }
    }
}
