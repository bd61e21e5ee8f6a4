//! APNG (PNG third edition, W3C 2025, "Animation"), through `png`, which hands over frames as they
//! are stored: parts of the picture that replace or cover what is there.

use std::io::{Cursor, Write};
use std::time::Duration;

use png::{BlendOp, DisposeOp, FrameControl};

use super::{About, Contents, Frame};
use crate::document::Metadata;
use crate::geom::{IRect, Size};
use crate::io::decoded::{Channels, to_rgba};
use crate::io::open::{DecodeError, Limits};
use crate::io::png::{decoder, encoder, error, samples, stored_icc};
use crate::io::{Format, Notice};
use crate::pixels::{Depth, PixelBuf, Sample, Samples};

fn damaged(reason: &str) -> DecodeError {
    DecodeError::Damaged { format: Format::Png, reason: reason.into() }
}

pub(super) fn frames(bytes: Vec<u8>, limits: &Limits) -> Result<Contents, DecodeError> {
    let reader = decoder(Cursor::new(bytes), limits).read_info().map_err(error)?;
    let info = reader.info();
    let control = info.animation_control.ok_or_else(|| damaged("it is no animation"))?;
    let (size, icc) = (Size::new(info.width, info.height), stored_icc(info));
    let is_deep = reader.output_color_type().1 == png::BitDepth::Sixteen;
    let canvas = PixelBuf::new(size, 4, if is_deep { Depth::U16 } else { Depth::U8 });
    // A picture for programs that know no animations may come first.
    let skips = info.frame_control.is_none();
    let mut player = Player { reader, canvas, undo: None, skips, is_over: false };
    let frames = std::iter::from_fn(move || {
        let frame = player.next_frame();
        player.is_over |= matches!(frame, Some(Err(_)));
        frame
    });
    Ok(Contents { frames: Box::new(frames), plays: control.num_plays, icc })
}

/// What is done before the next frame.
enum Undo {
    Clear(IRect),
    /// The part of the picture that was there, and its place.
    Restore(PixelBuf, (i32, i32)),
}

struct Player {
    reader: png::Reader<Cursor<Vec<u8>>>,
    canvas: PixelBuf,
    undo: Option<Undo>,
    skips: bool,
    is_over: bool,
}

impl Player {
    fn next_frame(&mut self) -> Option<Result<Frame, DecodeError>> {
        if self.is_over {
            return None;
        }
        if std::mem::take(&mut self.skips)
            && let Err(error) = self.read()
        {
            return Some(Err(error));
        }
        Some(self.read().and_then(|(part, control)| self.lay(&part, &control)))
    }

    /// The pixels of the next frame as stored.
    fn read(&mut self) -> Result<(PixelBuf, FrameControl), DecodeError> {
        let len = self.reader.output_buffer_size().ok_or_else(|| damaged("it is too large"))?;
        let (color, depth) = self.reader.output_color_type();
        let mut bytes = vec![0; len];
        let info = self.reader.next_frame(&mut bytes).map_err(error)?;
        bytes.truncate(info.buffer_size());
        let size = Size::new(info.width, info.height);
        let pixels = to_rgba(size, color.samples(), samples(bytes, depth));
        let whole = FrameControl { width: size.width, height: size.height, ..Default::default() };
        let control = self.reader.info().frame_control.unwrap_or(whole);
        Ok((pixels.ok_or_else(|| damaged("pixels missing"))?, control))
    }

    /// Lays a part on the picture, as it says.
    fn lay(&mut self, part: &PixelBuf, control: &FrameControl) -> Result<Frame, DecodeError> {
        match self.undo.take() {
            Some(Undo::Clear(place)) => {
                let none = PixelBuf::new(place.size(), 4, self.canvas.depth());
                self.canvas.blit(&none, (place.x0, place.y0));
            }
            Some(Undo::Restore(pixels, at)) => self.canvas.blit(&pixels, at),
            None => {}
        }
        let at = (control.x_offset as i32, control.y_offset as i32);
        let place = IRect::from_origin_size(at, part.size());
        if !self.canvas.size().rect().contains_rect(place) || part.depth() != self.canvas.depth() {
            return Err(damaged("a frame lies outside of the picture"));
        }
        let before = self.canvas.crop(place);
        match control.blend_op {
            BlendOp::Source => self.canvas.blit(part, at),
            BlendOp::Over => self.canvas.blit(&over(before.clone(), part), at),
        }
        self.undo = match control.dispose_op {
            DisposeOp::None => None,
            DisposeOp::Background => Some(Undo::Clear(place)),
            DisposeOp::Previous => Some(Undo::Restore(before, at)),
        };
        let parts = if control.delay_den == 0 { 100 } else { u32::from(control.delay_den) };
        let delay = Duration::from_secs(control.delay_num.into()) / parts;
        Ok(Frame { pixels: self.canvas.clone(), delay })
    }
}

/// `above` over `below`, pictures of one size, with straight alpha.
fn over(mut below: PixelBuf, above: &PixelBuf) -> PixelBuf {
    fn run<S: Sample>(below: &mut [S], above: &[S]) {
        for (to, from) in below.chunks_exact_mut(4).zip(above.chunks_exact(4)) {
            let (alpha, under) = (from[3].to_f32(), to[3].to_f32());
            let rest = under * (1.0 - alpha);
            let sum = alpha + rest;
            if alpha >= 1.0 || sum <= 0.0 {
                to.copy_from_slice(from);
                continue;
            }
            for (to, from) in to[..3].iter_mut().zip(from) {
                *to = S::from_f32((from.to_f32() * alpha + to.to_f32() * rest) / sum);
            }
            to[3] = S::from_f32(sum);
        }
    }
    match (below.samples_mut(), above.samples()) {
        (Samples::U8(below), Samples::U8(above)) => run(below, above),
        (Samples::U16(below), Samples::U16(above)) => run(below, above),
        // Frames of one file are equally deep.
        _ => {}
    }
    below
}

pub(super) struct Writer<W: Write>(png::Writer<W>);

impl<W: Write> Writer<W> {
    /// `picture` are the first frame's pixels, the profile and the metadata of all.
    pub(super) fn new(
        out: W,
        about: &About,
        (pixels, icc, metadata): (&PixelBuf, Option<&[u8]>, &Metadata),
        notices: &mut Vec<Notice>,
    ) -> Result<Self, String> {
        // Later frames may need every channel.
        let mut encoder = encoder(out, pixels, Channels::Rgba, icc, metadata, notices)?;
        let text = |error: png::EncodingError| error.to_string();
        encoder.set_animated(about.frames, about.plays).map_err(text)?;
        encoder.write_header().map(Self).map_err(text)
    }
}

impl<W: Write> super::Sink for Writer<W> {
    fn push(&mut self, frame: &Frame) -> Result<(), String> {
        let text = |error: png::EncodingError| error.to_string();
        // In thousandths of a second where these fit.
        let (number, parts) = match u16::try_from(frame.delay.as_millis()) {
            Ok(number) => (number, 1000),
            Err(_) => (u16::try_from(frame.delay.as_secs()).unwrap_or(u16::MAX), 1),
        };
        self.0.set_frame_delay(number, parts).map_err(text)?;
        let mut samples = Channels::Rgba.pack(&frame.pixels);
        if let Samples::U16(samples) = &mut samples {
            samples.iter_mut().for_each(|sample| *sample = sample.to_be());
        }
        self.0.write_image_data(samples.as_bytes()).map_err(text)
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        self.0.finish().map_err(|error| error.to_string())
    }
}
