//! Adam (Kingma and Ba 2015).

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moving moments of a gradient.
pub struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    pub fn new(len: usize) -> Self {
        Self { first: vec![0.0; len], second: vec![0.0; len], steps: 0 }
    }

    /// Moves `values` down `slope` by about `rate` each.
    pub fn step(&mut self, values: &mut [f32], slope: &[f32], rate: f32) {
        self.steps += 1;
        let first_scale = 1.0 / (1.0 - BETA1.powi(self.steps));
        let second_scale = 1.0 / (1.0 - BETA2.powi(self.steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, slope), (first, second)) in values.iter_mut().zip(slope).zip(moments) {
            let slope = f64::from(*slope);
            *first += (1.0 - BETA1) * (slope - *first);
            *second += (1.0 - BETA2) * (slope * slope - *second);
            let step = *first * first_scale / ((*second * second_scale).sqrt() + EPSILON);
            *value -= (f64::from(rate) * step) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.optim.Adam(lr=0.1)` on the sum of squares of (x - 1, 2y).
    #[test]
    fn steps_are_pytorchs() {
        let mut adam = Adam::new(2);
        let mut at = [3.0f32, -0.5];
        let want = [
            [2.9, -0.4],
            [2.8001666, -0.3011874],
            [2.7006235, -0.2048713],
            [2.601505, -0.1129154],
            [2.502_956, -0.0278144],
        ];
        for want in want {
            let slope = [2.0 * (at[0] - 1.0), 8.0 * at[1]];
            adam.step(&mut at, &slope, 0.1);
            assert!((at[0] - want[0]).abs() < 1e-6 && (at[1] - want[1]).abs() < 1e-6, "{at:?}");
        }
    }
}
