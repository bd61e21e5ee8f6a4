//! Contextual attention (Yu et al. 2018) as products of matrices.

use burn::tensor::module::{conv_transpose2d, conv2d, max_pool2d, unfold4d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, MaxPoolOptions, UnfoldOptions};
use burn::tensor::{Tensor, activation};

use super::OnDevice;
use crate::nets::layer::{LEAST_NORM, SHARPNESS};

impl OnDevice {
    /// See [`crate::nets::graph::Op::ContextualAttention`]; of one picture.
    pub(super) fn contextual_attention(&self, x: Tensor<4>, mask: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = x.dims();
        let (rows, columns) = (height / 2, width / 2);
        let count = rows * columns;
        let seen = patches(every(x.clone(), 2), 3, 1);
        let norms = seen.clone().powf_scalar(2.0).sum_dim(1).sqrt().clamp_min(LEAST_NORM);
        let scores = (seen.clone() / norms).swap_dims(1, 2).matmul(seen); // [1, patches, places]
        // Scores of neighbours in a row, then in a column, are added.
        let diagonal = self.matrix(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [3, 3]);
        let along = |scores: Tensor<4>| {
            let options = ConvOptions::new([1; 2], [1; 2], [1; 2], 1);
            conv2d(scores, diagonal.clone(), None, options)
        };
        let scores = along(scores.reshape([1, 1, count, count]));
        let turned = scores.reshape([rows, columns, rows, columns]).permute([1, 0, 3, 2]);
        let turned = along(turned.reshape([1, 1, count, count]));
        let scores = turned.reshape([columns, rows, columns, rows]).permute([1, 0, 3, 2]);
        let scores: Tensor<3> = scores.reshape([1, count, count]);
        let holes = patches(every(mask, 8), 3, 1).sum_dim(1);
        let offered: Tensor<3> = holes.equal_elem(0.0).float().reshape([1, count, 1]);
        let shares = activation::softmax(scores * offered.clone() * SHARPNESS, 1) * offered;
        let kernels = patches(x, 4, 2).swap_dims(1, 2).reshape([count, channels, 4, 4]);
        let options = ConvTransposeOptions::new([2; 2], [1; 2], [0; 2], [1; 2], 1);
        conv_transpose2d(shares.reshape([1, count, rows, columns]), kernels, None, options) / 4.0
    }
}

/// Every `step`-th pixel.
fn every(x: Tensor<4>, step: usize) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([1; 2]).with_stride([step; 2]))
}

/// Patches with this side and distance, `[1, channels · side², patches]`; zeros lie around.
fn patches(x: Tensor<4>, side: usize, stride: usize) -> Tensor<3> {
    unfold4d(x, [side; 2], UnfoldOptions::new([stride; 2], [1; 2], [1; 2]))
}
