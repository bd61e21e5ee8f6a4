//! Filters between zeros and pixels.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::{OnDevice, pad_with};
use crate::nets::graph::Resample;

impl OnDevice {
    /// Zeros between and around, then one convolution of all channels as a batch.
    pub(super) fn resample(&self, plan: &Resample, x: Tensor<4>) -> Option<Tensor<4>> {
        let [batch, channels, height, width] = x.dims();
        let filter = self.param(&plan.filter)?;
        let [rows, columns] = plan.size;
        let filter: Tensor<4> = if plan.is_separable {
            let row: Tensor<4> = filter.clone().reshape([1, 1, 1, columns]);
            filter.reshape([1, 1, rows, 1]) * row
        } else {
            filter.reshape([1, 1, rows, columns])
        };
        let filter = filter.clone() / filter.sum().reshape([1, 1, 1, 1]) * plan.gain;
        let mut x = x.reshape([batch * channels, 1, height, width]);
        let up = plan.up;
        if up > 1 {
            let pixels: Tensor<6> = x.reshape([batch * channels, 1, height, 1, width, 1]);
            let zeros = |shape| Tensor::<6>::zeros(shape, &self.device);
            let columns = zeros([batch * channels, 1, height, 1, width, up - 1]);
            let wide = Tensor::cat(vec![pixels, columns], 5);
            let rows = zeros([batch * channels, 1, height, up - 1, width, up]);
            let all = Tensor::cat(vec![wide, rows], 3);
            x = all.reshape([batch * channels, 1, height * up, width * up]);
        }
        let cut = plan.pad.map(|side| (-side).max(0) as usize);
        if cut != [0; 4] {
            let [top, bottom, left, right] = cut;
            x = x.narrow(2, top, (height * up).saturating_sub(top + bottom));
            x = x.narrow(3, left, (width * up).saturating_sub(left + right));
        }
        let padded = pad_with(x, plan.pad.map(|side| side.max(0) as usize), 0.0, &self.device);
        let options = ConvOptions::new([plan.down; 2], [0; 2], [1; 2], 1);
        let result = conv2d(padded, filter.flip([2, 3]), None, options);
        let [_, _, height, width] = result.dims();
        Some(result.reshape([batch, channels, height, width]))
    }
}
