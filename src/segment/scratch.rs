//! Scratches, dust hairs and folds of old photographs: thin lines, brighter or darker than what
//! lies on both their sides.
//!
//! A line detector as in Tupin et al. (1998): at each pixel and in each direction the mean along
//! a short segment is compared with the segments beside it, on both sides, so that edges do not
//! answer. What answers is thinned to the ridge, linked along its direction with two thresholds
//! (Canny 1986), and kept where it is long. Nothing here tells a scratch from another thin line:
//! wires, hairs and wood grain are found as well, and are taken out of the mask by hand.

use rayon::prelude::*;

use crate::pixels::{Depth, PixelBuf, Samples};

/// Directions over half a turn.
const DIRECTIONS: usize = 24;
/// Pixels of a segment on each side of its middle.
const HALF_LENGTH_PX: isize = 10;
/// Distance of the segments beside: lines of up to 4 pixels lie between.
const BESIDE_PX: f32 = 3.0;
/// How much of the difference between both sides, and of the deviation along the segment, is
/// taken off: scratches cross a picture whose sides are alike, and are alike along their length.
const UNEVEN_SIDES: f32 = 0.5;
const UNEVEN_LINE: f32 = 0.3;
/// Contrast (of `0..=1`) that begins a line, at sensitivity 0 and 1.
const CONTRAST: [f32; 2] = [0.3, 0.1];
/// Contrast that continues a line, and that a line has on average, in parts of the first.
const CONTINUING: f32 = 0.4;
const AVERAGE: f32 = 0.75;
/// Shortest line: this part of the diagonal, within these limits in pixels.
const SHORTEST: f32 = 1.0 / 16.0;
const SHORTEST_PX: [f32; 2] = [32.0, 120.0];
/// Most pixels of a thinned line for each pixel of its extent: knots and loops have more.
const KNOTTED: f32 = 1.7;
/// Pixels that a line may skip, less one.
const GAP_PX: isize = 2;
/// Directions by which neighbours of one line may differ.
const MOST_TURN: u8 = 2;
/// Rows that are worked on at once.
const BAND_ROWS: usize = 64;
/// Pixels around the picture that repeat its edge.
const MARGIN: usize = 16;
/// Pixels beside a band where segments are needed, too.
const BESIDE: usize = BESIDE_PX as usize;

/// The sensitivity with which the quality is measured.
pub const DEFAULT_SENSITIVITY: f32 = 0.5;

/// A mask (one channel of 8 bits, 255 on a scratch) of the thin lines of an RGBA picture, of 1 to
/// about 4 pixels in width. With more `sensitivity`, `0..=1`, fainter lines are found, and more
/// that are no scratches.
pub fn scratches(image: &PixelBuf, sensitivity: f32) -> PixelBuf {
    let size = image.size();
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    if size.is_empty() {
        return mask;
    }
    let [most, least] = CONTRAST;
    let begin = most + (least - most) * sensitivity.clamp(0.0, 1.0);
    let luma = Luma::of(image);
    let ridges = Ridges::find(&luma, begin * CONTINUING);
    let covered = ridges.cover(&luma, begin);
    if let Samples::U8(samples) = mask.samples_mut() {
        samples.copy_from_slice(&covered);
    }
    mask
}

/// Step along direction `index`, and across.
fn direction(index: usize) -> ([f32; 2], [f32; 2]) {
    let angle = std::f32::consts::PI * index as f32 / DIRECTIONS as f32;
    let (sin, cos) = angle.sin_cos();
    ([cos, sin], [-sin, cos])
}

/// The pixel nearest to `times` steps.
fn steps([x, y]: [f32; 2], times: f32) -> (isize, isize) {
    ((x * times).round() as isize, (y * times).round() as isize)
}

/// Brightness as it is encoded, with a margin.
struct Luma {
    width: usize,
    height: usize,
    /// Of a row with its margins.
    stride: usize,
    values: Vec<f32>,
}

impl Luma {
    /// Luma of ITU-R BT.601, laid on black where the picture is transparent.
    fn of(image: &PixelBuf) -> Self {
        let (width, height) = (image.size().width as usize, image.size().height as usize);
        let stride = width + 2 * MARGIN;
        let mut values = vec![0.0; stride * (height + 2 * MARGIN)];
        values.par_chunks_mut(stride).enumerate().for_each(|(y, row)| {
            let y = y.saturating_sub(MARGIN).min(height - 1);
            for (x, to) in row[MARGIN..MARGIN + width].iter_mut().enumerate() {
                let [r, g, b, alpha] = image.pixel_f32(x as u32, y as u32);
                *to = (0.299 * r + 0.587 * g + 0.114 * b) * alpha;
            }
            let (first, last) = (row[MARGIN], row[MARGIN + width - 1]);
            row[..MARGIN].fill(first);
            row[MARGIN + width..].fill(last);
        });
        Self { width, height, stride, values }
    }

    /// `len` values from column `x` of row `y` on; both may lie in the margin.
    fn row(&self, x: isize, y: isize, len: usize) -> &[f32] {
        let at = |value: isize| (value + MARGIN as isize) as usize;
        &self.values[at(y) * self.stride + at(x)..][..len]
    }

    fn at(&self, x: isize, y: isize) -> f32 {
        self.row(x, y, 1)[0]
    }
}

/// The strongest line through each pixel.
struct Ridges {
    width: usize,
    height: usize,
    /// Contrast to both sides, less what speaks against a line.
    strength: Vec<f32>,
    kind: Vec<Kind>,
    /// On the line itself, not beside.
    is_crest: Vec<bool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Kind {
    direction: u8,
    is_bright: bool,
}

impl Kind {
    /// Whether two pixels may belong to one line.
    fn continues(self, other: Self) -> bool {
        let turn = self.direction.abs_diff(other.direction);
        self.is_bright == other.is_bright && turn.min(DIRECTIONS as u8 - turn) <= MOST_TURN
    }

    /// 1 where the line is brighter, -1 where it is darker.
    const fn sign(self) -> f32 {
        if self.is_bright { 1.0 } else { -1.0 }
    }
}

impl Ridges {
    fn find(luma: &Luma, least: f32) -> Self {
        let (width, height) = (luma.width, luma.height);
        let mut strength = vec![0.0; width * height];
        let mut kind = vec![Kind::default(); width * height];
        let bands = strength
            .par_chunks_mut(width * BAND_ROWS)
            .zip(kind.par_chunks_mut(width * BAND_ROWS))
            .enumerate();
        bands.for_each(|(band, (strength, kind))| {
            let mut segments = Segments::new(luma, (band * BAND_ROWS) as isize, strength.len());
            for direction in 0..DIRECTIONS {
                segments.compare(direction, strength, kind);
            }
        });
        let mut ridges = Self { width, height, strength, kind, is_crest: Vec::new() };
        let crest = |at: usize| ridges.strength[at] > least && ridges.is_highest(at);
        ridges.is_crest = (0..width * height).into_par_iter().map(crest).collect();
        ridges
    }

    /// The place of a pixel, if it is one.
    fn place(&self, x: isize, y: isize) -> Option<usize> {
        let inside =
            (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
        inside.then(|| y as usize * self.width + x as usize)
    }

    /// Column and row.
    const fn pixel(&self, at: usize) -> (isize, isize) {
        ((at % self.width) as isize, (at / self.width) as isize)
    }

    /// Whether the pixels across its direction are weaker; of equal ones the first is taken.
    fn is_highest(&self, at: usize) -> bool {
        let (x, y) = self.pixel(at);
        let (_, across) = direction(self.kind[at].direction.into());
        let own = self.strength[at];
        let beside = |times: f32| {
            let (dx, dy) = steps(across, times);
            self.place(x + dx, y + dy).map_or(0.0, |at| self.strength[at])
        };
        [1.0, 2.0].iter().all(|&step| own > beside(step) && own >= beside(-step))
    }

    /// 255 on each line that begins with `begin`, and in its width.
    fn cover(&self, luma: &Luma, begin: f32) -> Vec<u8> {
        let mut covered = vec![0; self.width * self.height];
        let mut is_seen = vec![false; covered.len()];
        let diagonal = (self.width as f32).hypot(self.height as f32);
        let shortest = (diagonal * SHORTEST).clamp(SHORTEST_PX[0], SHORTEST_PX[1]);
        for seed in 0..covered.len() {
            if is_seen[seed] || !self.is_crest[seed] || self.strength[seed] < begin {
                continue;
            }
            let line = self.line(seed, &mut is_seen);
            let mean = line.iter().map(|&at| self.strength[at]).sum::<f32>() / line.len() as f32;
            let extent = self.extent(&line);
            let is_line = extent >= shortest && line.len() as f32 <= extent * KNOTTED;
            if is_line && mean >= begin * AVERAGE {
                line.iter().for_each(|&at| self.cover_across(luma, at, &mut covered));
            }
        }
        covered
    }

    /// Every crest that is linked with `seed`.
    fn line(&self, seed: usize, is_seen: &mut [bool]) -> Vec<usize> {
        let mut line = vec![seed];
        is_seen[seed] = true;
        let mut next = 0;
        while let Some(&at) = line.get(next) {
            next += 1;
            let (x, y) = self.pixel(at);
            for (dx, dy) in
                (-GAP_PX..=GAP_PX).flat_map(|dy| (-GAP_PX..=GAP_PX).map(move |dx| (dx, dy)))
            {
                let Some(near) = self.place(x + dx, y + dy) else { continue };
                if self.is_crest[near] && !is_seen[near] && self.kind[at].continues(self.kind[near])
                {
                    is_seen[near] = true;
                    line.push(near);
                }
            }
        }
        line
    }

    /// Diagonal of the box around a line.
    fn extent(&self, line: &[usize]) -> f32 {
        let range = |of: fn((isize, isize)) -> isize| {
            let (low, high) = line.iter().fold((isize::MAX, isize::MIN), |(low, high), &at| {
                let value = of(self.pixel(at));
                (low.min(value), high.max(value))
            });
            (high - low + 1) as f32
        };
        range(|(x, _)| x).hypot(range(|(_, y)| y))
    }

    /// Covers a crest, what lies across it and is as bright or dark, and the pixels around,
    /// which have some of its colour.
    fn cover_across(&self, luma: &Luma, at: usize, covered: &mut [u8]) {
        let (x, y) = self.pixel(at);
        let (_, across) = direction(self.kind[at].direction.into());
        let (own, sign) = (luma.at(x, y), self.kind[at].sign());
        for side in [-1.0, 1.0] {
            for step in 0..=BESIDE {
                let (dx, dy) = steps(across, side * step as f32);
                let Some(_) = self.place(x + dx, y + dy) else { break };
                if sign * (luma.at(x + dx, y + dy) - own) < -0.5 * self.strength[at] {
                    break;
                }
                for (ax, ay) in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)] {
                    if let Some(at) = self.place(x + dx + ax, y + dy + ay) {
                        covered[at] = 255;
                    }
                }
            }
        }
    }
}

/// Means and deviations along segments of one direction, over a band of rows and what lies
/// beside it.
struct Segments<'a> {
    luma: &'a Luma,
    first_row: isize,
    rows: usize,
    /// Width and height with [`BESIDE`] pixels around.
    width: usize,
    sums: Vec<f32>,
    squares: Vec<f32>,
}

impl<'a> Segments<'a> {
    fn new(luma: &'a Luma, first_row: isize, pixels: usize) -> Self {
        let rows = pixels / luma.width;
        let width = luma.width + 2 * BESIDE;
        let len = width * (rows + 2 * BESIDE);
        Self { luma, first_row, rows, width, sums: vec![0.0; len], squares: vec![0.0; len] }
    }

    /// Enters direction `index` wherever it is the strongest so far.
    fn compare(&mut self, index: usize, strength: &mut [f32], kind: &mut [Kind]) {
        let (along, across) = direction(index);
        let beside = BESIDE as isize;
        for (row, (sums, squares)) in
            self.sums.chunks_mut(self.width).zip(self.squares.chunks_mut(self.width)).enumerate()
        {
            sums.fill(0.0);
            squares.fill(0.0);
            for step in -HALF_LENGTH_PX..=HALF_LENGTH_PX {
                let (dx, dy) = steps(along, step as f32);
                let y = self.first_row + row as isize - beside + dy;
                let from = self.luma.row(dx - beside, y, self.width);
                for ((sum, square), value) in sums.iter_mut().zip(&mut *squares).zip(from) {
                    *sum += value;
                    *square += value * value;
                }
            }
        }
        let count = (2 * HALF_LENGTH_PX + 1) as f32;
        let (dx, dy) = steps(across, BESIDE_PX);
        let aside = dy * self.width as isize + dx;
        for row in 0..self.rows {
            let start = (row + BESIDE) * self.width + BESIDE;
            for column in 0..self.luma.width {
                let at = start + column;
                let mean = self.sums[at] / count;
                let left = self.sums[(at as isize - aside) as usize] / count;
                let right = self.sums[(at as isize + aside) as usize] / count;
                let deviation = (self.squares[at] / count - mean * mean).max(0.0).sqrt();
                let against = UNEVEN_SIDES * (left - right).abs() + UNEVEN_LINE * deviation;
                let bright = mean - left.max(right) - against;
                let dark = left.min(right) - mean - against;
                let to = row * self.luma.width + column;
                if bright.max(dark) > strength[to] {
                    strength[to] = bright.max(dark);
                    kind[to] = Kind { direction: index as u8, is_bright: bright > dark };
                }
            }
        }
    }
}
