//! GIF, through `image`, which lays each frame on those before.

use std::io::{Cursor, Write};
use std::num::NonZeroU32;

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::metadata::LoopCount;
use image::{AnimationDecoder, Delay, ImageDecoder, RgbaImage};

use super::{About, Contents, Frame};
use crate::geom::Size;
use crate::io::Format;
use crate::io::open::{DecodeError, Limits};
use crate::io::simple::error;
use crate::pixels::{PixelBuf, Samples};

/// Between the best palette and the fastest, 1 to 30: what the encoder's own documents advise.
const SPEED: i32 = 10;

pub(super) fn frames(bytes: Vec<u8>, limits: &Limits) -> Result<Contents, DecodeError> {
    let fault = |cause| error(Format::Gif, &cause);
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(fault)?;
    let mut image_limits = image::Limits::no_limits();
    image_limits.max_alloc = Some(limits.max_bytes);
    decoder.set_limits(image_limits).map_err(fault)?;
    let plays = match decoder.loop_count() {
        LoopCount::Finite(plays) => plays.get(),
        LoopCount::Infinite => 0,
    };
    let frames = decoder.into_frames().map(move |frame| {
        let frame = frame.map_err(fault)?;
        let delay = frame.delay().into();
        let buffer = frame.into_buffer();
        let size = Size::new(buffer.width(), buffer.height());
        let pixels = PixelBuf::from_samples(size, 4, Samples::U8(buffer.into_raw()));
        let missing =
            || DecodeError::Damaged { format: Format::Gif, reason: "pixels missing".into() };
        Ok(Frame { pixels: pixels.ok_or_else(missing)?, delay })
    });
    Ok(Contents { frames: Box::new(frames), plays, icc: None })
}

pub(super) struct Writer<W: Write>(GifEncoder<W>);

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, about: &About) -> Result<Self, String> {
        let mut encoder = GifEncoder::new_with_speed(out, SPEED);
        let plays = NonZeroU32::new(about.plays);
        let repeat = plays.map_or(Repeat::Infinite, |plays| {
            Repeat::Finite(u16::try_from(plays.get()).unwrap_or(u16::MAX))
        });
        encoder.set_repeat(repeat).map_err(|error| error.to_string())?;
        Ok(Self(encoder))
    }
}

impl<W: Write> super::Sink for Writer<W> {
    /// Frames of 8 bits.
    fn push(&mut self, frame: &Frame) -> Result<(), String> {
        let Size { width, height } = frame.pixels.size();
        let Samples::U8(samples) = frame.pixels.samples() else {
            return Err("GIF holds 8 bits a channel".into());
        };
        let picture = RgbaImage::from_raw(width, height, samples.clone());
        let picture = picture.ok_or("pixels missing")?;
        let delay = Delay::from_saturating_duration(frame.delay);
        let frame = image::Frame::from_parts(picture, 0, 0, delay);
        self.0.encode_frame(frame).map_err(|error| error.to_string())
    }

    /// The trailer is written as the encoder goes.
    fn finish(self: Box<Self>) -> Result<(), String> {
        Ok(())
    }
}
