//! How near a picture comes to another, whether it looks alive, and how near generated pictures
//! come to real ones.
//!
//! Those of pairs take encoded values, and some a mask (one channel, half white and above counts)
//! that says which pixels are looked at. Those of sets take what a network makes of each picture,
//! one after the other, and know no network; all but precision and recall keep no more for many
//! pictures than for few.

mod frechet;
mod gradient;
mod inception_score;
mod kernel_distance;
mod lpips;
mod ms_ssim;
mod path_length;
mod precision_recall;
mod psnr;
mod reservoir;
mod ssim;

pub use frechet::{frechet_distance, frechet_distance_of_few};
pub use gradient::gradient_ratio;
pub use inception_score::InceptionScore;
pub use kernel_distance::{Estimate, Subsets, kernel_distance};
pub use lpips::{Backbone, perceptual_distance, perceptual_slope};
pub use ms_ssim::ms_ssim;
pub use path_length::{PathLength, PathSpace, Sampling, Walked};
pub use precision_recall::{NEIGHBOURS, PrecisionRecall, precision_recall};
pub use psnr::psnr_db;
pub use reservoir::Reservoir;
pub use ssim::ssim;

use crate::geom::Size;
use crate::latent::LatentError;
use crate::pixels::PixelBuf;

/// Why a figure cannot be given; one sentence without a full stop.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error("{have} pictures are too few, {need} are needed")]
    TooFew { have: usize, need: usize },
    #[error("{0} numbers cannot be compared with {1}")]
    Dimensions(usize, usize),
    #[error("the pictures differ in size: {0} and {1}")]
    Sizes(Size, Size),
    #[error("a picture of {size} is too small; {need} pixels a side are needed")]
    TooSmall { size: Size, need: u32 },
    #[error("a network answered with a number that is not finite")]
    NotFinite,
    #[error(transparent)]
    Algebra(#[from] LatentError),
    #[error("the learned weights of LPIPS cannot be read: {0}")]
    Heads(#[from] safetensors::SafeTensorError),
}

fn check_finite(values: &[f32]) -> Result<(), MetricsError> {
    let is_finite = values.iter().all(|value| value.is_finite());
    if is_finite { Ok(()) } else { Err(MetricsError::NotFinite) }
}

/// The sum of a function of the numbers of two vectors, in `f64` and in eight parts that
/// processors add side by side.
fn lanes(a: &[f32], b: &[f32], of: impl Fn(f64, f64) -> f64) -> f64 {
    let ((a8, a_rest), (b8, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += of(f64::from(a[lane]), f64::from(b[lane]));
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| of(f64::from(*a), f64::from(*b)));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

/// Whether pixel `(x, y)` is looked at.
fn is_in(mask: &PixelBuf, x: u32, y: u32) -> bool {
    mask.samples().get(mask.index(x, y)) > mask.depth().max() / 2
}

/// Luma (ITU-R BT.601-7) of every pixel, 0..=1.
fn luma(image: &PixelBuf) -> Vec<f32> {
    places(image.size())
        .map(|(x, y)| {
            let [r, g, b, _] = image.pixel_f32(x, y);
            0.299 * r + 0.587 * g + 0.114 * b
        })
        .collect()
}

fn places(size: Size) -> impl Iterator<Item = (u32, u32)> {
    (0..size.height).flat_map(move |y| (0..size.width).map(move |x| (x, y)))
}
