//! How near a picture comes to another, and whether it looks alive: figures for benches and
//! tests. All take encoded values, and a mask (one channel, half white and above counts) that
//! says which pixels are looked at.

mod gradient;
mod psnr;
mod ssim;

pub use gradient::gradient_ratio;
pub use psnr::psnr_db;
pub use ssim::ssim;

use crate::geom::Size;
use crate::pixels::PixelBuf;

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
