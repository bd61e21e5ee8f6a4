//! Faces out of photos and back.

mod align;
mod paste;

use ganvas::geom::Size;
use ganvas::latent::random::normal_latent;
use ganvas::nets::Planes;
use ganvas::pixels::{Depth, PixelBuf};

/// A smooth colourful photo with fine noise.
pub fn photo(size: Size, depth: Depth) -> PixelBuf {
    let noise = normal_latent(5, (size.pixels() * 3) as usize, 0.03);
    let mut photo = PixelBuf::new(size, 4, depth);
    for (at, noise) in noise.chunks_exact(3).enumerate() {
        let (x, y) = (at as u32 % size.width, at as u32 / size.width);
        let wave = |period: f32, phase: f32| {
            0.5 + 0.3 * (x as f32 / period + phase).sin() * (y as f32 / (period + 7.0)).cos()
        };
        let color = [wave(31.0, 0.0), wave(43.0, 1.0), wave(57.0, 2.0)];
        let [r, g, b] = std::array::from_fn(|channel| color[channel] + noise[channel]);
        photo.set_pixel_f32(x, y, [r, g, b, 1.0]);
    }
    photo
}

/// Square planes by a function of channel and unit place.
pub fn planes(side: usize, value: impl Fn(usize, f32, f32) -> f32) -> Planes {
    let unit = |place: usize| (place as f32 + 0.5) / side as f32;
    let data = (0..3 * side * side).map(|at| {
        let (channel, at) = (at / (side * side), at % (side * side));
        value(channel, unit(at % side), unit(at / side))
    });
    Planes { channels: 3, height: side, width: side, data: data.collect() }
}
