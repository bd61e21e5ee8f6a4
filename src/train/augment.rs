//! Adaptive discriminator augmentation (Karras et al., "Training Generative Adversarial Networks
//! with Limited Data", 2020): the judge sees real and generated pictures through the same random
//! moves and colours, as often as it takes to keep it from learning the pictures by heart.
//!
//! Its pixel moves, general geometry and colours. Unlike the published code a warp reads between
//! four pixels of the mirrored picture instead of filtering a doubled one.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::randomness::Uniform;
use crate::latent::random::Normal;

/// Share of the largest shift in the side.
const SHIFT: f64 = 0.125;
/// Deviation of the binary logarithm of scales.
const SCALE: f64 = 0.2;

/// What happens to one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// From places of the result to places of the picture, about the middle, in half sides:
    /// `x' = m[0]·(x, y, 1)`.
    pub warp: [[f64; 3]; 2],
    /// Of colours in `-1..=1`: `rgb' = m·(rgb, 1)`.
    pub color: [[f64; 4]; 3],
}

impl Augmentation {
    pub const NONE: Self = Self {
        warp: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        color: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]],
    };

    /// Each kind with probability `p`, independently, for pictures of `side` pixels.
    pub fn random(p: f64, side: usize, uniform: &mut Uniform, normal: &mut Normal) -> Self {
        let mut all = Self::NONE;
        let mut gauss = || normal.next().unwrap_or(0.0);
        // Pixel moves: mirrored, shifted by whole pixels.
        if uniform.chance(p * 0.5) {
            all.before([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        }
        if uniform.chance(p) {
            let mut whole = || {
                let px = ((uniform.unit() * 2.0 - 1.0) * SHIFT * side as f64).round();
                px * 2.0 / side as f64
            };
            let (dx, dy) = (whole(), whole());
            all.before([[1.0, 0.0, dx], [0.0, 1.0, dy]]);
        }
        // General geometry: scaled, turned, stretched, turned again, shifted.
        if uniform.chance(p) {
            let scale = (gauss() * SCALE).exp2();
            all.before([[1.0 / scale, 0.0, 0.0], [0.0, 1.0 / scale, 0.0]]);
        }
        // Two turns that together come with probability p.
        let each = 1.0 - (1.0 - p.min(1.0)).sqrt();
        let turn = |uniform: &mut Uniform| {
            let angle = (uniform.unit() * 2.0 - 1.0) * std::f64::consts::PI;
            let (sin, cos) = angle.sin_cos();
            [[cos, -sin, 0.0], [sin, cos, 0.0]]
        };
        if uniform.chance(each) {
            all.before(turn(uniform));
        }
        if uniform.chance(p) {
            let stretch = (gauss() * SCALE).exp2();
            all.before([[1.0 / stretch, 0.0, 0.0], [0.0, stretch, 0.0]]);
        }
        if uniform.chance(each) {
            all.before(turn(uniform));
        }
        if uniform.chance(p) {
            let (dx, dy) = (gauss() * 2.0 * SHIFT, gauss() * 2.0 * SHIFT);
            all.before([[1.0, 0.0, dx], [0.0, 1.0, dy]]);
        }
        // Colours: brightness, contrast, mirrored luma, hue, saturation.
        let axis = [1.0 / 3.0_f64.sqrt(); 3];
        if uniform.chance(p) {
            let more = gauss() * 0.2;
            all.then(&identity(), [more; 3]);
        }
        if uniform.chance(p) {
            let factor = (gauss() * 0.5).exp2();
            all.then(&scaled(&identity(), factor), [0.0; 3]);
        }
        if uniform.chance(p * 0.5) {
            all.then(&combined(&identity(), 1.0, &outer(axis), -2.0), [0.0; 3]);
        }
        if uniform.chance(p) {
            let angle = (uniform.unit() * 2.0 - 1.0) * std::f64::consts::PI;
            all.then(&rotation(axis, angle), [0.0; 3]);
        }
        if uniform.chance(p) {
            let factor = gauss().exp2();
            all.then(&combined(&outer(axis), 1.0 - factor, &identity(), factor), [0.0; 3]);
        }
        all
    }

    /// Another move, nearer to the picture: places pass through it last.
    fn before(&mut self, [x, y]: [[f64; 3]; 2]) {
        let old = self.warp;
        let row = |new: [f64; 3]| {
            let mut out = [0.0; 3];
            for (at, out) in out.iter_mut().enumerate() {
                *out = new[0] * old[0][at] + new[1] * old[1][at];
            }
            out[2] += new[2];
            out
        };
        self.warp = [row(x), row(y)];
    }

    fn then(&mut self, matrix: &[[f64; 3]; 3], offset: [f64; 3]) {
        let old = self.color;
        for (channel, row) in self.color.iter_mut().enumerate() {
            for (at, out) in row.iter_mut().enumerate() {
                *out = (0..3).map(|k| matrix[channel][k] * old[k][at]).sum();
            }
            row[3] += offset[channel];
        }
    }
}

const fn identity() -> [[f64; 3]; 3] {
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
}

fn outer(v: [f64; 3]) -> [[f64; 3]; 3] {
    v.map(|a| v.map(|b| a * b))
}

fn scaled(m: &[[f64; 3]; 3], factor: f64) -> [[f64; 3]; 3] {
    m.map(|row| row.map(|x| x * factor))
}

fn combined(a: &[[f64; 3]; 3], by_a: f64, b: &[[f64; 3]; 3], by_b: f64) -> [[f64; 3]; 3] {
    let mut out = *a;
    for (row, other) in out.iter_mut().zip(b) {
        for (x, y) in row.iter_mut().zip(other) {
            *x = *x * by_a + y * by_b;
        }
    }
    out
}

/// About an axis of length 1 (Rodrigues).
fn rotation(axis: [f64; 3], angle: f64) -> [[f64; 3]; 3] {
    let [x, y, z] = axis;
    let cross = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
    let (sin, cos) = angle.sin_cos();
    let turned = combined(&identity(), cos, &cross, sin);
    combined(&turned, 1.0, &outer(axis), 1.0 - cos)
}

/// Pictures `[n, 3, side, side]` in `-1..=1` with an augmentation each, differentiable by them.
pub fn augment(pictures: Tensor<4>, how: &[Augmentation]) -> Tensor<4> {
    let [n, channels, height, width] = pictures.dims();
    let device = pictures.device().without_autodiff();
    let area = height * width;
    let mut flat: Tensor<3> = pictures.reshape([n, channels, area]);
    if how.iter().any(|one| one.warp != Augmentation::NONE.warp) {
        flat = warped(flat, how, [height, width], &device);
    }
    if how.iter().any(|one| one.color != Augmentation::NONE.color) {
        let number = |pick: fn(&Augmentation) -> Vec<f32>, shape: [usize; 3]| -> Tensor<3> {
            let all: Vec<f32> = how.iter().flat_map(pick).collect();
            Tensor::<3>::from_data(TensorData::new(all, shape), &device).autodiff()
        };
        let matrix = |one: &Augmentation| -> Vec<f32> {
            one.color.iter().flat_map(|row| row[..3].iter().map(|x| *x as f32)).collect()
        };
        let offset = |one: &Augmentation| one.color.iter().map(|row| row[3] as f32).collect();
        flat = number(matrix, [n, 3, 3]).matmul(flat) + number(offset, [n, 3, 1]);
    }
    flat.reshape([n, channels, height, width])
}

/// Each result pixel between four pixels of the picture, which is mirrored at its edges.
fn warped(
    flat: Tensor<3>,
    how: &[Augmentation],
    [height, width]: [usize; 2],
    device: &Device,
) -> Tensor<3> {
    let [n, channels, area] = flat.dims();
    let mut places: [Vec<i32>; 4] = std::array::from_fn(|_| Vec::with_capacity(n * area));
    let mut shares: [Vec<f32>; 4] = std::array::from_fn(|_| Vec::with_capacity(n * area));
    for one in how {
        for at in 0..area {
            let half = [width as f64 / 2.0, height as f64 / 2.0];
            let x = ((at % width) as f64 + 0.5) / half[0] - 1.0;
            let y = ((at / width) as f64 + 0.5) / half[1] - 1.0;
            let [u, v] = one.warp.map(|row| row[0] * x + row[1] * y + row[2]);
            let (u, v) = ((u + 1.0) * half[0] - 0.5, (v + 1.0) * half[1] - 0.5);
            let (left, top) = (u.floor(), v.floor());
            let (right, below) = (u - left, v - top);
            for (corner, (place, share)) in places.iter_mut().zip(&mut shares).enumerate() {
                let (dx, dy) = ((corner % 2) as f64, (corner / 2) as f64);
                let column = mirrored(left + dx, width);
                let row = mirrored(top + dy, height);
                let across = if dx == 1.0 { right } else { 1.0 - right };
                let along = if dy == 1.0 { below } else { 1.0 - below };
                place.push((row * width + column) as i32);
                share.push((across * along) as f32);
            }
        }
    }
    let corners = places.into_iter().zip(shares).map(|(places, shares)| {
        let index: Tensor<3, Int> =
            Tensor::from_data(TensorData::new(places, [n, 1, area]), device);
        let share: Tensor<3> = Tensor::from_data(TensorData::new(shares, [n, 1, area]), device);
        let index = index.expand([n, channels, area]);
        flat.clone().gather(2, index) * share.autodiff()
    });
    corners.reduce(|sum, more| sum + more).unwrap_or(flat)
}

/// A place of `0..len` for one beyond, as if the picture went on as its mirror image.
fn mirrored(at: f64, len: usize) -> usize {
    let period = 2 * len as i64;
    let at = (at.clamp(-1e9, 1e9) as i64).rem_euclid(period);
    (if at < len as i64 { at } else { period - 1 - at }) as usize
}

/// Sets the probability so that the judge stays as unsure as wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Controller {
    /// Of each kind of augmentation.
    pub probability: f64,
    signs: f64,
    count: u64,
    /// Mean sign of the judge's logits of real pictures when it was last looked at: 0 where it
    /// guesses, 1 where it knows them all.
    pub r_t: f64,
}

/// Steps between changes.
const EVERY: u64 = 4;

impl Controller {
    /// After a step with these logits of real pictures.
    pub fn observe(&mut self, real: &[f32], target: f64, kimg: f64) {
        let sum: f64 = real.iter().map(|logit| f64::from(logit.signum())).sum();
        self.signs += sum / real.len().max(1) as f64;
        self.count += 1;
        if self.count >= EVERY {
            self.r_t = self.signs / self.count as f64;
            let pictures = (self.count as usize * real.len()) as f64;
            let step = (self.r_t - target).signum() * pictures / (kimg * 1000.0);
            self.probability = (self.probability + step).clamp(0.0, 1.0);
            (self.signs, self.count) = (0.0, 0);
        }
    }
}
