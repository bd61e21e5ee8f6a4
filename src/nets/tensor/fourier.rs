//! Fourier transforms as products of matrices: exact at any size on every device.

use burn::tensor::Tensor;

use super::OnDevice;

impl OnDevice {
    /// `cos` and `sin` of `2π j k / n` over `√n`, `[1, 1, rows, columns]`.
    fn fourier(&self, rows: usize, columns: usize, n: usize) -> (Tensor<4>, Tensor<4>) {
        let scale = 1.0 / (n as f64).sqrt();
        let angle = |at: usize| {
            std::f64::consts::TAU * ((at / columns) * (at % columns) % n) as f64 / n as f64
        };
        let table = |of: fn(f64) -> f64| -> Vec<f32> {
            (0..rows * columns).map(|at| (of(angle(at)) * scale) as f32).collect()
        };
        (
            self.matrix(&table(f64::cos), [rows, columns]),
            self.matrix(&table(f64::sin), [rows, columns]),
        )
    }

    pub(super) fn rfft2(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let kept = width / 2 + 1;
        let (cos, sin) = self.fourier(width, kept, width);
        let (re, im) = (x.clone().matmul(cos), -x.matmul(sin)); // [n, c, h, kept]
        let (cos, sin) = self.fourier(height, height, height);
        let real = cos.clone().matmul(re.clone()) + sin.clone().matmul(im.clone());
        let imaginary = cos.matmul(im) - sin.matmul(re);
        let both: Tensor<5> = Tensor::stack(vec![real, imaginary], 2); // [n, c, 2, h, kept]
        both.reshape([batch, channels * 2, height, kept])
    }

    pub(super) fn irfft2(&self, x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
        let [batch, channels, _, kept] = x.dims();
        let both: Tensor<5> = x.reshape([batch, channels / 2, 2, height, kept]);
        let part = |index: usize| -> Tensor<4> {
            both.clone().narrow(2, index, 1).reshape([batch, channels / 2, height, kept])
        };
        let (re, im) = (part(0), part(1));
        let (cos, sin) = self.fourier(height, height, height);
        let real = cos.clone().matmul(re.clone()) - sin.clone().matmul(im.clone());
        let imaginary = cos.matmul(im) + sin.matmul(re);
        // Each kept frequency but the first (and the middle one) stands for its mirror too.
        let twice: Vec<f32> =
            (0..kept).map(|k| if k == 0 || 2 * k == width { 1.0 } else { 2.0 }).collect();
        let twice = self.matrix(&twice, [1, kept]);
        let (cos, sin) = self.fourier(kept, width, width);
        (real * twice.clone()).matmul(cos) - (imaginary * twice).matmul(sin)
    }
}
