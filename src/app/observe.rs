//! What panels show about the document and must not compute themselves: histogram, thumbnails,
//! the colour under the cursor, the selection's outline.

use std::collections::HashMap;
use std::sync::Arc;

use super::jobs::{Latest, Wake};
use crate::color::WorkingProfile;
use crate::compose;
use crate::document::{Document, Layer, LayerId};
use crate::geom::{Point, Size};
use crate::pixels::{PixelBuf, TiledImage};

/// Longer side of a thumbnail, in pixels.
pub const THUMB_PX: u32 = 64;
/// Pixels that a histogram is counted from, at most.
const HISTOGRAM_PIXELS: u64 = 400_000;
pub const BINS: usize = 128;

/// Counts of red, green, blue and luminance, scaled so that the highest is 1.
pub type Histogram = [[f32; BINS]; 4];

/// A small picture of a layer or mask, ready to show: RGBA, sRGB.
#[derive(Clone)]
pub struct Thumb {
    /// What it shows; kept so that the pointer names this content as long as it is known.
    pub of: Arc<Layer>,
    pub pixels: Arc<Vec<u8>>,
    pub size: [usize; 2],
    pub mask: Option<(Arc<Vec<u8>>, [usize; 2])>,
}

pub type Outline = Arc<Vec<Vec<Point>>>;

/// Where a selection ends.
struct Outlined {
    of: TiledImage,
    outline: Outline,
    /// From its first to its last pixel.
    extent: Size,
}

impl Outlined {
    fn new(of: TiledImage) -> Self {
        let outline = crate::commands::selection::outline(&of);
        let span = |axis: fn(&Point) -> f32| {
            let places = || outline.iter().flatten().map(axis);
            let length = places().fold(0.0, f32::max) - places().fold(f32::INFINITY, f32::min);
            length.max(0.0).round() as u32
        };
        let extent = Size::new(span(|point| point.x), span(|point| point.y));
        Self { of, outline: Arc::new(outline), extent }
    }
}

struct Panels {
    histogram: Box<Histogram>,
    thumbs: Vec<(LayerId, Thumb)>,
}

/// The observing threads and what they have seen last.
pub struct Observer {
    panels: Latest<(Document, Vec<Arc<Layer>>), Panels>,
    sampler: Latest<(Document, i32, i32), [f32; 4]>,
    outliner: Latest<TiledImage, Outlined>,
    asked: Option<u64>,
    asked_sample: Option<(u64, i32, i32)>,
    pub histogram: Option<Box<Histogram>>,
    pub thumbs: HashMap<LayerId, Thumb>,
    /// Encoded working values and alpha under the cursor.
    pub sample: Option<[f32; 4]>,
    outline: Option<Outlined>,
    asked_outline: Option<TiledImage>,
}

impl Observer {
    pub fn spawn(wake: &Wake) -> Result<Self, std::io::Error> {
        Ok(Self {
            panels: Latest::spawn("panels", wake.clone(), |(document, layers)| {
                look(&document, layers)
            })?,
            sampler: Latest::spawn("sampler", wake.clone(), |(document, x, y)| {
                compose::sample(&document, x, y)
            })?,
            outliner: Latest::spawn("outline", wake.clone(), Outlined::new)?,
            asked: None,
            asked_sample: None,
            histogram: None,
            thumbs: HashMap::new(),
            sample: None,
            outline: None,
            asked_outline: None,
        })
    }

    /// Takes answers and asks anew where `document`, which is shown, has changed since; the layers
    /// are those of `front`. `key` names the content that is shown; while a drag goes on (`busy`)
    /// nothing is asked.
    pub fn update(
        &mut self,
        document: Option<&Document>,
        front: Option<&Document>,
        key: u64,
        cursor: Option<Point>,
        busy: bool,
    ) {
        while let Some(seen) = self.panels.answer() {
            self.histogram = Some(seen.histogram);
            self.thumbs.extend(seen.thumbs);
        }
        while let Some(sample) = self.sampler.answer() {
            self.sample = Some(sample);
        }
        while let Some(seen) = self.outliner.answer() {
            self.outline = Some(seen);
        }
        let (Some(document), Some(front)) = (document, front) else {
            self.histogram = None;
            self.thumbs.clear();
            self.asked = None;
            return;
        };
        if self.asked != Some(key) && !busy {
            self.asked = Some(key);
            let mut layers = Vec::new();
            front.walk(&mut |layer, _| {
                let known = self.thumbs.get(&layer.id);
                if !known.is_some_and(|thumb| Arc::ptr_eq(&thumb.of, layer)) {
                    layers.push(Arc::clone(layer));
                }
            });
            self.thumbs.retain(|id, _| front.layer(*id).is_some());
            self.panels.ask((document.clone(), layers));
        }
        self.update_sample(document, key, cursor);
        if let Some(selection) = &document.selection
            && !self.asked_outline.as_ref().is_some_and(|asked| asked.same_tiles(selection))
        {
            self.asked_outline = Some(selection.clone());
            self.outliner.ask(selection.clone());
        }
    }

    fn update_sample(&mut self, document: &Document, key: u64, cursor: Option<Point>) {
        let at = cursor.map(|point| (point.x.floor() as i32, point.y.floor() as i32));
        let inside = at.filter(|(x, y)| document.size.rect().contains(*x, *y));
        let Some((x, y)) = inside else {
            self.sample = None;
            self.asked_sample = None;
            return;
        };
        if self.asked_sample != Some((key, x, y)) {
            self.asked_sample = Some((key, x, y));
            self.sampler.ask((document.clone(), x, y));
        }
    }

    /// The outline of a selection, once known.
    pub fn outline(&self, selection: &TiledImage) -> Option<Outline> {
        self.outlined(selection).map(|known| Arc::clone(&known.outline))
    }

    /// How wide and high a selection is, once known.
    pub fn extent(&self, selection: &TiledImage) -> Option<Size> {
        self.outlined(selection).map(|known| known.extent)
    }

    fn outlined(&self, selection: &TiledImage) -> Option<&Outlined> {
        self.outline.as_ref().filter(|known| known.of.same_tiles(selection))
    }
}

fn look(document: &Document, layers: Vec<Arc<Layer>>) -> Panels {
    let step = (document.size.pixels().div_ceil(HISTOGRAM_PIXELS) as f64).sqrt().ceil() as u32;
    let seen = compose::preview(document, &document.layers, step.max(1));
    let thumbs = layers.into_iter().map(|layer| (layer.id, thumb(document, layer))).collect();
    Panels { histogram: Box::new(histogram(&seen)), thumbs }
}

fn thumb(document: &Document, layer: Arc<Layer>) -> Thumb {
    let picture = compose::layer_thumbnail(document, &layer, THUMB_PX);
    let mask = layer.mask.as_ref().map(|mask| {
        let seen = compose::mask_thumbnail(document, mask, THUMB_PX);
        let size = [seen.size().width as usize, seen.size().height as usize];
        let grey = (0..seen.samples().len()).map(|at| (seen.samples().get_f32(at) * 255.0) as u8);
        (Arc::new(grey.flat_map(|v| [v, v, v, 255]).collect()), size)
    });
    let size = [picture.size().width as usize, picture.size().height as usize];
    Thumb { of: layer, pixels: Arc::new(to_srgb8(&picture, &document.profile)), size, mask }
}

/// RGBA bytes in sRGB for the screen.
pub fn to_srgb8(pixels: &PixelBuf, profile: &WorkingProfile) -> Vec<u8> {
    let convert = !profile.is_srgb();
    let quantise = |value: f32| (value * 255.0 + 0.5) as u8;
    let mut out = Vec::with_capacity(pixels.samples().len());
    let size = pixels.size();
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g, b, a] = pixels.pixel_f32(x, y);
            let rgb = if convert { profile.to_srgb([r, g, b]) } else { [r, g, b] };
            out.extend(rgb.map(quantise));
            out.push(quantise(a));
        }
    }
    out
}

fn histogram(pixels: &PixelBuf) -> Histogram {
    let mut counts = [[0.0f32; BINS]; 4];
    let size = pixels.size();
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g, b, a] = pixels.pixel_f32(x, y);
            if a <= 0.0 {
                continue;
            }
            let luminance = compose::luminosity([r, g, b]);
            for (channel, value) in [r, g, b, luminance].into_iter().enumerate() {
                let bin = ((value * BINS as f32) as usize).min(BINS - 1);
                counts[channel][bin] += a;
            }
        }
    }
    // Clipped ends would flatten everything else: the scale comes from between them.
    let inner = counts.iter().flat_map(|bins| &bins[1..BINS - 1]).fold(0.0f32, |a, b| a.max(*b));
    let top = if inner > 0.0 { inner } else { 1.0 };
    counts.iter_mut().flatten().for_each(|count| *count = (*count / top).min(1.0));
    counts
}
