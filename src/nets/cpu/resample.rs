//! Filters that pictures are enlarged and reduced by, on the processor.
//!
//! A filter that is a product of a column and a row goes over the columns first. Between two of
//! them an activation may stand that needs the higher sampling rate (Karras et al., "Alias-Free
//! Generative Adversarial Networks", 2021, section 3.2): then all three are done for a tile and some
//! channels at a time, so that the enlarged picture is never whole in memory.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::map::{LANES, Map};
use super::spare::Lent;
use crate::nets::Side;
use crate::nets::graph::Resample;

/// Places in a filter and the pixels that they meet.
type Taps = Vec<(usize, usize)>;

/// Vectors of channels that are filtered together.
const VECTORS: usize = 4;
/// Rows and columns of a tile of results.
const TILE: [usize; 2] = [16, 64];

/// A filter as a sum of products of a column and a row: one where that is enough.
#[derive(Clone, Debug)]
pub struct Filter {
    plan: Resample,
    terms: Vec<(Vec<f32>, Vec<f32>)>,
}

/// What stands between two filters: a slope for negative numbers, a gain, bounds; in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    pub slope: f32,
    pub gain: f32,
    pub bounds: [f32; 2],
}

/// An enlargement, an activation and a reduction.
#[derive(Clone, Debug)]
pub struct Filtered {
    pub up: Filter,
    pub between: Between,
    pub down: Filter,
}

impl Filter {
    /// `numbers` are the filter's, row by row.
    pub fn new(plan: &Resample, numbers: &[f32]) -> Self {
        let columns = plan.size[1].max(1);
        let sum: f32 = numbers.iter().sum();
        let scaled = |gain: f32| numbers.iter().map(|x| x / sum * gain).collect::<Vec<f32>>();
        if plan.is_separable {
            let terms = vec![(scaled(plan.gain), scaled(1.0))];
            return Self { plan: plan.clone(), terms };
        }
        let numbers = scaled(plan.gain);
        let rows = || numbers.chunks_exact(columns);
        let (largest, _) =
            numbers.iter().enumerate().fold((0, 0.0), |best: (usize, f32), (i, x)| {
                if x.abs() > best.1 { (i, x.abs()) } else { best }
            });
        let (row, pivot) = (largest / columns * columns, numbers[largest]);
        let row = numbers[row..row + columns].to_vec();
        let column: Vec<f32> = rows().map(|numbers| numbers[largest % columns] / pivot).collect();
        let is_product = rows().zip(&column).all(|(numbers, factor)| {
            numbers.iter().zip(&row).all(|(x, y)| (x - factor * y).abs() <= 1e-6 * pivot.abs())
        });
        let unit = |at: usize| (0..plan.size[0]).map(|y| f32::from(u8::from(y == at))).collect();
        let terms = if is_product {
            vec![(column, row)]
        } else {
            rows().enumerate().map(|(at, row)| (unit(at), row.to_vec())).collect()
        };
        Self { plan: plan.clone(), terms }
    }

    pub fn run(&self, map: &Map) -> Map {
        self.gather(map, &self.plan.taps(0, map.height), &self.plan.taps(1, map.width))
    }

    /// The gradient of what went in, a picture of `side`, from that of the results.
    pub fn backward(&self, gradient: &Map, [height, width]: Side) -> Map {
        let [rows, columns] = [(0, height), (1, width)].map(|(axis, len)| {
            let mut turned = vec![Vec::new(); len];
            for (at, taps) in self.plan.taps(axis, len).into_iter().enumerate() {
                for (place, from) in taps {
                    turned[from].push((place, at));
                }
            }
            turned
        });
        self.gather(gradient, &rows, &columns)
    }

    /// For each result along both axes the places in the filter and the pixels that they meet.
    fn gather(&self, map: &Map, rows: &[Taps], columns: &[Taps]) -> Map {
        let mut out = Map::stale(rows.len(), columns.len(), map.channels);
        out.change_rows(|y, row| {
            let (taps, line) = ([&rows[y..=y], columns], Lent::new(line_len(columns)));
            super::dispatch(Row { filter: self, map, taps, line, row });
        });
        out
    }
}

impl Filtered {
    pub fn run(&self, map: &Map) -> Map {
        let [height, width] = self.up.plan.output([map.height, map.width]);
        let up = [self.up.plan.taps(0, map.height), self.up.plan.taps(1, map.width)];
        let down = [self.down.plan.taps(0, height), self.down.plan.taps(1, width)];
        let mut out = Map::stale(down[0].len(), down[1].len(), map.channels);
        let row = (out.width * out.padded()).max(1);
        out.values_mut().par_chunks_mut(TILE[0] * row).enumerate().for_each(|(band, to)| {
            let rows = &down[0][band * TILE[0]..][..to.len() / row];
            let tiles = || down[1].chunks(TILE[1]);
            let widest = tiles().map(|columns| span(columns).len()).max().unwrap_or(0);
            let lines =
                tiles().map(|columns| line_len(&up[1][span(columns)]).max(line_len(columns)));
            super::dispatch(Band {
                both: self,
                map,
                up: &up,
                down: [rows, &down[1]],
                middle: Lent::new(span(rows).len() * widest * VECTORS * LANES),
                line: Lent::new(lines.max().unwrap_or(0)),
                to,
            });
        });
        out
    }
}

/// The pixels that results read.
fn span(taps: &[Taps]) -> Range<usize> {
    let pixels = || taps.iter().flatten().map(|(_, pixel)| *pixel);
    let first = pixels().min().unwrap_or(0);
    first..pixels().max().map_or(first, |last| last + 1)
}

/// Some channels of a part of a picture.
#[derive(Clone, Copy)]
struct Place {
    /// Row and column of the first pixel.
    origin: [usize; 2],
    /// Vectors of a row, and of a pixel.
    steps: [usize; 2],
    /// The first of the vectors of a pixel.
    vector: usize,
}

impl Place {
    #[inline(always)]
    const fn at(&self, y: usize, x: usize) -> usize {
        (y - self.origin[0]) * self.steps[0] + (x - self.origin[1]) * self.steps[1] + self.vector
    }
}

/// `V` vectors of channels through a filter: `from` and `to` are parts of pictures, results lie from
/// `to`'s first pixel on.
#[inline(always)]
fn filter<S: Simd, const V: usize>(
    simd: S,
    filter: &Filter,
    (source, from): (&[S::f32s], Place),
    [rows, columns]: [&[Taps]; 2],
    line: &mut [S::f32s],
    (target, to): (&mut [S::f32s], Place),
    between: Option<Between>,
) {
    let zero = simd.splat_f32s(0.0);
    let reach = span(columns);
    let last = filter.terms.len().saturating_sub(1);
    for (y, taps) in rows.iter().enumerate() {
        for (term, (down, along)) in filter.terms.iter().enumerate() {
            for x in reach.clone() {
                let mut sums = [zero; V];
                for &(place, row) in taps {
                    if down[place] == 0.0 {
                        continue;
                    }
                    let factor = simd.splat_f32s(down[place]);
                    let pixel = &source[from.at(row, x)..][..V];
                    for v in 0..V {
                        sums[v] = simd.mul_add_e_f32s(pixel[v], factor, sums[v]);
                    }
                }
                line[(x - reach.start) * V..][..V].copy_from_slice(&sums);
            }
            for (x, taps) in columns.iter().enumerate() {
                let pixel = &mut target[to.at(y + to.origin[0], x + to.origin[1])..][..V];
                let mut sums = [zero; V];
                if term > 0 {
                    sums.copy_from_slice(pixel);
                }
                for &(place, column) in taps {
                    let factor = simd.splat_f32s(along[place]);
                    let run = &line[(column - reach.start) * V..][..V];
                    for v in 0..V {
                        sums[v] = simd.mul_add_e_f32s(run[v], factor, sums[v]);
                    }
                }
                if let Some(Between { slope, gain, bounds: [low, high] }) = between
                    && term == last
                {
                    let (slope, gain) = (simd.splat_f32s(slope), simd.splat_f32s(gain));
                    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
                    for sum in &mut sums {
                        let negative = simd.mul_f32s(simd.min_f32s(*sum, zero), slope);
                        let value = simd.add_f32s(simd.max_f32s(*sum, zero), negative);
                        let value = simd.max_f32s(simd.mul_f32s(value, gain), low);
                        *sum = simd.min_f32s(value, high);
                    }
                }
                pixel.copy_from_slice(&sums);
            }
        }
    }
}

/// Numbers of the longest line that is filtered for these results.
fn line_len(columns: &[Taps]) -> usize {
    span(columns).len() * VECTORS * LANES
}

/// Work that is done for some channels at a time.
trait Channels {
    /// `V` vectors from the one of this number on.
    fn part<S: Simd, const V: usize>(&mut self, simd: S, vector: usize);

    #[inline(always)]
    fn all<S: Simd>(&mut self, simd: S, padded: usize) {
        let vectors = padded / S::F32_LANES;
        let whole = vectors / VECTORS * VECTORS;
        for vector in (0..whole).step_by(VECTORS) {
            self.part::<S, VECTORS>(simd, vector);
        }
        for vector in whole..vectors {
            self.part::<S, 1>(simd, vector);
        }
    }
}

/// One row of results of a whole picture.
struct Row<'a> {
    filter: &'a Filter,
    map: &'a Map,
    taps: [&'a [Taps]; 2],
    line: Lent,
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let padded = self.map.padded();
        self.all(simd, padded);
    }
}

impl Channels for Row<'_> {
    #[inline(always)]
    fn part<S: Simd, const V: usize>(&mut self, simd: S, vector: usize) {
        let pixel = self.map.padded() / S::F32_LANES;
        let from = Place { origin: [0; 2], steps: [self.map.width * pixel, pixel], vector };
        let to = Place { origin: [0; 2], steps: [0, pixel], vector };
        let source = (S::as_simd_f32s(self.map.values()).0, from);
        let line = S::as_mut_simd_f32s(&mut self.line).0;
        let target = (S::as_mut_simd_f32s(self.row).0, to);
        filter::<S, V>(simd, self.filter, source, self.taps, line, target, None);
    }
}

/// Some rows of results of a [`Filtered`].
struct Band<'a> {
    both: &'a Filtered,
    map: &'a Map,
    up: &'a [Vec<Taps>; 2],
    /// Of these results only, and of all columns.
    down: [&'a [Taps]; 2],
    middle: Lent,
    line: Lent,
    to: &'a mut [f32],
}

impl WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let padded = self.map.padded();
        self.all(simd, padded);
    }
}

impl Channels for Band<'_> {
    #[inline(always)]
    fn part<S: Simd, const V: usize>(&mut self, simd: S, vector: usize) {
        let Self { both, map, up, down: [rows, columns], .. } = *self;
        let pixel = map.padded() / S::F32_LANES;
        let whole = Place { origin: [0; 2], steps: [map.width * pixel, pixel], vector };
        let line = S::as_mut_simd_f32s(&mut self.line).0;
        let middle = S::as_mut_simd_f32s(&mut self.middle).0;
        let to = S::as_mut_simd_f32s(self.to).0;
        let high = span(rows);
        for (at, columns_of_tile) in columns.chunks(TILE[1]).enumerate() {
            let wide = span(columns_of_tile);
            let origin = [high.start, wide.start];
            let tile = Place { origin, steps: [wide.len() * V, V], vector: 0 };
            let taps = [&up[0][high.clone()], &up[1][wide]];
            let source = (S::as_simd_f32s(map.values()).0, whole);
            let target = (&mut *middle, tile);
            filter::<S, V>(simd, &both.up, source, taps, line, target, Some(both.between));
            let steps = [columns.len() * pixel, pixel];
            let result = Place { origin: [0; 2], steps, vector: at * TILE[1] * pixel + vector };
            let taps = [rows, columns_of_tile];
            filter::<S, V>(
                simd,
                &both.down,
                (&*middle, tile),
                taps,
                line,
                (&mut *to, result),
                None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::Planes;

    fn picture(channels: usize, height: usize, width: usize) -> Map {
        let data =
            (0..channels * height * width).map(|at| ((at * 37 + 11) % 101) as f32 / 50.0 - 1.0);
        Map::from_planes(&Planes { channels, height, width, data: data.collect() })
    }

    /// Straight from the definition: zeros between, around, the filter, every so many.
    fn by_definition(plan: &Resample, numbers: &[f32], map: &Map) -> Planes {
        let x = map.to_planes();
        let [height, width] = plan.output([x.height, x.width]);
        let sum: f64 = numbers.iter().map(|x| f64::from(*x)).sum();
        let number = |y: usize, x: usize| match plan.is_separable {
            true => f64::from(numbers[y]) * f64::from(numbers[x]) / sum / sum,
            false => f64::from(numbers[y * plan.size[1] + x]) / sum,
        };
        let mut data = Vec::new();
        for channel in 0..x.channels {
            for (out_y, out_x) in (0..height * width).map(|at| (at / width, at % width)) {
                let mut value = 0.0;
                for (ky, kx) in (0..plan.size[0] * plan.size[1])
                    .map(|at| (at / plan.size[1], at % plan.size[1]))
                {
                    let y = (out_y * plan.down + ky) as isize - plan.pad[0];
                    let left = (out_x * plan.down + kx) as isize - plan.pad[2];
                    let up = plan.up as isize;
                    if y < 0 || left < 0 || y % up != 0 || left % up != 0 {
                        continue;
                    }
                    let (y, left) = ((y / up) as usize, (left / up) as usize);
                    if y < x.height && left < x.width {
                        let flipped = number(plan.size[0] - 1 - ky, plan.size[1] - 1 - kx);
                        value +=
                            flipped * f64::from(x.data[(channel * x.height + y) * x.width + left]);
                    }
                }
                data.push((value * f64::from(plan.gain)) as f32);
            }
        }
        Planes { channels: x.channels, height, width, data }
    }

    fn assert_near(have: &Planes, want: &Planes) {
        assert_eq!(
            [have.channels, have.height, have.width],
            [want.channels, want.height, want.width]
        );
        for (have, want) in have.data.iter().zip(&want.data) {
            assert!((have - want).abs() < 2e-6, "{have} for {want}");
        }
    }

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|at| 0.2 + ((at * 29 + 3) % 17) as f32 / 17.0).collect()
    }

    #[test]
    fn a_filter_is_what_it_is_defined_as() {
        for channels in [3, 8, 40, 70] {
            let map = picture(channels, 7, 9);
            for plan in [
                Resample { up: 2, pad: [3, 2, 3, 2], gain: 4.0, ..Resample::separable("f", 6) },
                Resample { down: 2, pad: [-1, 2, 0, 1], ..Resample::separable("f", 3) },
                Resample { up: 4, down: 3, pad: [5; 4], ..Resample::new("f", [4, 5]) },
            ] {
                let numbers = numbers(plan.filter_shape().iter().product());
                let filter = Filter::new(&plan, &numbers);
                assert_near(&filter.run(&map).to_planes(), &by_definition(&plan, &numbers, &map));
            }
        }
    }

    #[test]
    fn an_activation_between_filters_is_the_three_in_turn() {
        let between = Between { slope: 0.2, gain: 2f32.sqrt(), bounds: [-0.5, 0.6] };
        // Smaller than a tile, and larger; a column and a row, and not.
        for ([height, width], channels, down) in [
            ([5, 4], 3, Resample { down: 2, ..Resample::separable("d", 12) }),
            ([39, 75], 40, Resample { down: 2, ..Resample::separable("d", 12) }),
            ([20, 70], 20, Resample { down: 2, ..Resample::new("d", [4, 4]) }),
        ] {
            let map = picture(channels, height, width);
            let up =
                Resample { up: 2, pad: [9, 8, 9, 8], gain: 4.0, ..Resample::separable("u", 12) };
            let [up, down] = [up, down]
                .map(|plan| Filter::new(&plan, &numbers(plan.filter_shape().iter().product())));
            let mut middle = up.run(&map);
            for value in middle.values_mut() {
                let Between { slope, gain, bounds: [low, high] } = between;
                *value = ((value.max(0.0) + slope * value.min(0.0)) * gain).clamp(low, high);
            }
            let want = down.run(&middle).to_planes();
            let have = Filtered { up, between, down }.run(&map).to_planes();
            assert_near(&have, &want);
        }
    }
}
