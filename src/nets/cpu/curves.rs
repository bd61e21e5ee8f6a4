//! Activations with an exponential in them, a vector at a time.

use pulp::{Simd, WithSimd};

use super::map::{LANES, Map};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub enum Curve {
    Sigmoid,
    Tanh,
    Elu,
}

/// Puts every number on the curve. Within 3e-7 of the true value, relative to it for the numbers
/// next to zero too.
pub fn change(map: &mut Map, curve: Curve) {
    if map.channels > 1 {
        return map.change_rows(|_, row| super::dispatch(Row { curve, row }));
    }
    // Pixels of one channel are mostly padding.
    map.change_rows(|_, row| {
        let mut line: Vec<f32> = row.iter().step_by(LANES).copied().collect();
        line.resize(line.len().next_multiple_of(LANES), 0.0);
        super::dispatch(Row { curve, row: &mut line });
        row.iter_mut().step_by(LANES).zip(line).for_each(|(x, changed)| *x = changed);
    });
}

struct Row<'a> {
    curve: Curve,
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { curve, row } = self;
        // Rows are whole vectors.
        let row = S::as_mut_simd_f32s(row).0;
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let two = simd.splat_f32s(2.0);
        match curve {
            Curve::Sigmoid => row.iter_mut().for_each(|x| {
                let below = simd.add_f32s(exp_m1(simd, simd.neg_f32s(*x)), two);
                *x = simd.div_f32s(one, below);
            }),
            Curve::Tanh => row.iter_mut().for_each(|x| {
                let grown = exp_m1(simd, simd.add_f32s(*x, *x));
                *x = simd.div_f32s(grown, simd.add_f32s(grown, two));
            }),
            Curve::Elu => row.iter_mut().for_each(|x| {
                let bent = exp_m1(simd, simd.min_f32s(*x, zero));
                *x = simd.add_f32s(simd.max_f32s(*x, zero), bent);
            }),
        }
    }
}

/// Beyond these the exponential is as good as infinite, or gone.
const BOUNDS: [f32; 2] = [-40.0, 40.0];
/// Added to a small number, this leaves the nearest whole number in the last bits.
const ROUNDER: f32 = 12_582_912.0;
/// The logarithm of two, as a number of few bits and the rest.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// Taylor's coefficients of (eʳ - 1) / r, last first: what follows is below 2e-8 for |r| ≤ ln 2 / 2.
const SERIES: [f32; 7] =
    [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0, 1.0];

/// `exp(x) - 1`, with x cut at [`BOUNDS`]: `2ⁿ eʳ - 1` with a remainder r around zero.
#[inline(always)]
fn exp_m1<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |value: f32| simd.splat_f32s(value);
    let x = simd.max_f32s(simd.min_f32s(x, splat(BOUNDS[1])), splat(BOUNDS[0]));
    let shifted = simd.mul_add_e_f32s(x, splat(std::f32::consts::LOG2_E), splat(ROUNDER));
    let n = simd.sub_f32s(shifted, splat(ROUNDER));
    let r = simd.mul_add_e_f32s(n, splat(-LN_2[0]), x);
    let r = simd.mul_add_e_f32s(n, splat(-LN_2[1]), r);
    let mut sum = splat(0.0);
    for coefficient in SERIES {
        sum = simd.mul_add_e_f32s(sum, r, splat(coefficient));
    }
    // 2ⁿ: n, in the last bits, becomes the exponent.
    let bits = simd.transmute_u32s_f32s(shifted);
    let exponent = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(23));
    let power = simd.add_u32s(exponent, simd.splat_u32s(1.0f32.to_bits()));
    let power = simd.transmute_f32s_u32s(power);
    simd.mul_add_e_f32s(simd.mul_f32s(sum, r), power, simd.sub_f32s(power, splat(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_the_true_ones() {
        let numbers: Vec<f32> = (-4000..4000)
            .map(|at| at as f32 / 200.0)
            .chain([0.0, 1e-6, -1e-6, 1e-3, -1e-3, 60.0, -60.0, 1e30, -1e30])
            .collect();
        let check = |curve: Curve, channels: usize, truth: &dyn Fn(f64) -> f64| {
            let mut map = Map::zeros(1, numbers.len(), channels);
            let padded = map.padded();
            for (pixel, number) in map.values_mut().chunks_exact_mut(padded).zip(&numbers) {
                pixel.fill(*number);
            }
            change(&mut map, curve);
            for (at, number) in numbers.iter().enumerate() {
                let (ours, truth) = (map.pixel(at, 0), truth(f64::from(*number)));
                for ours in &ours[..channels] {
                    let away = (f64::from(*ours) - truth).abs();
                    let scale = if number.abs() < 1.0 { truth.abs() } else { truth.abs().max(1.0) };
                    assert!(away <= 3e-7 * scale, "{curve:?} of {number}: {ours}, not {truth}");
                }
            }
        };
        for channels in [1, LANES] {
            check(Curve::Sigmoid, channels, &|x| 1.0 / (1.0 + (-x).exp()));
            check(Curve::Tanh, channels, &f64::tanh);
            check(Curve::Elu, channels, &|x| if x < 0.0 { x.exp_m1() } else { x });
        }
    }
}
