//! Noise maps that are optimised stay noise: no structure at any scale, mean 0, variance 1
//! (Karras et al. 2020, appendix D).

/// Smallest side at which structure is looked for.
const MIN_SIDE: usize = 8;

/// Adds to `slope` the gradient, times `weight`, of the squared correlations of `map` with itself
/// shifted by one to the right and downwards, round the edges, at its own scale and every half.
pub(super) fn add_slope(map: &[f32], weight: f64, slope: &mut [f32]) {
    let side = map.len().isqrt();
    if side * side != map.len() || side < MIN_SIDE {
        return;
    }
    let mut own = structure_slope(map, side);
    if side / 2 >= MIN_SIDE && side.is_multiple_of(2) {
        let half = side / 2;
        let place = |at: usize| at / side / 2 * half + at % side / 2;
        let mut smaller = vec![0.0; half * half];
        // The sum of four over two keeps the variance of noise.
        map.iter().enumerate().for_each(|(at, value)| smaller[place(at)] += value / 2.0);
        let mut below = vec![0.0; half * half];
        add_slope(&smaller, 1.0, &mut below);
        own.iter_mut().enumerate().for_each(|(at, own)| *own += below[place(at)] / 2.0);
    }
    slope.iter_mut().zip(own).for_each(|(slope, own)| *slope += (weight * f64::from(own)) as f32);
}

fn structure_slope(map: &[f32], side: usize) -> Vec<f32> {
    let count = (side * side) as f64;
    let at = |row: usize, column: usize| map[row % side * side + column % side];
    let mut slope = vec![0.0; map.len()];
    for (down, right) in [(0, 1), (1, 0)] {
        let products = (0..map.len())
            .map(|i| f64::from(map[i]) * f64::from(at(i / side + down, i % side + right)));
        let correlation = products.sum::<f64>() / count;
        for (i, slope) in slope.iter_mut().enumerate() {
            let (row, column) = (i / side + side, i % side + side);
            let neighbours = at(row + down, column + right) + at(row - down, column - right);
            *slope += (2.0 * correlation / count * f64::from(neighbours)) as f32;
        }
    }
    slope
}

/// Mean 0, variance 1.
pub(super) fn normalise(map: &mut [f32]) {
    let count = map.len() as f64;
    let mean = map.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let square = map.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    let scale = if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
    map.iter_mut().for_each(|value| *value = ((f64::from(*value) - mean) * scale) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::random::normal_latent;

    /// The number whose gradient is under test, written down plainly.
    fn structure(map: &[f32], side: usize) -> f64 {
        let at = |row: usize, column: usize| f64::from(map[row % side * side + column % side]);
        let mean = |down: usize, right: usize| {
            let products = (0..side * side).map(|i| {
                let (row, column) = (i / side, i % side);
                at(row, column) * at(row + down, column + right)
            });
            products.sum::<f64>() / (side * side) as f64
        };
        let own = mean(0, 1).powi(2) + mean(1, 0).powi(2);
        if side / 2 < MIN_SIDE {
            return own;
        }
        let half = side / 2;
        let sum = |i: usize| {
            let (row, column) = (2 * (i / half), 2 * (i % half));
            at(row, column) + at(row + 1, column) + at(row, column + 1) + at(row + 1, column + 1)
        };
        let smaller: Vec<f32> = (0..half * half).map(|i| (sum(i) / 2.0) as f32).collect();
        own + structure(&smaller, half)
    }

    #[test]
    fn the_slope_is_that_of_the_structure() {
        for side in [8, 16, 32] {
            let mut map = normal_latent(3, side * side, 1.0);
            // Some structure, so that there is something to see.
            (0..side * side).for_each(|i| map[i] += ((i % side) as f32 / 3.0).sin());
            let mut slope = vec![0.0; map.len()];
            add_slope(&map, 1.0, &mut slope);
            let along = normal_latent(4, map.len(), 1.0);
            let moved = |step: f32| -> Vec<f32> {
                map.iter().zip(&along).map(|(value, along)| value + step * along).collect()
            };
            let h = 1e-3;
            let measured = (structure(&moved(h), side) - structure(&moved(-h), side)) / 2e-3;
            let told: f64 =
                slope.iter().zip(&along).map(|(s, a)| f64::from(*s) * f64::from(*a)).sum();
            assert!((measured - told).abs() < 2e-3 * measured.abs().max(0.01), "{measured} {told}");
        }
    }

    #[test]
    fn a_map_becomes_noise_again() {
        let mut map: Vec<f32> = (0..64).map(|v| v as f32 * 3.0 + 5.0).collect();
        normalise(&mut map);
        assert!(map.iter().sum::<f32>().abs() < 1e-3);
        assert!((map.iter().map(|v| v * v).sum::<f32>() / 64.0 - 1.0).abs() < 1e-4);
        let mut flat = vec![2.0; 9];
        normalise(&mut flat);
        assert_eq!(flat, [0.0; 9]);
    }
}
