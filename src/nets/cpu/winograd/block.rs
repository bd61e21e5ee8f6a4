//! The transforms of one block of Winograd's method.

use pulp::Simd;

use super::{IN, OUT, POINTS, Winograd};
use crate::nets::cpu::epilogue::Modulation;
use crate::nets::cpu::map::Map;
use crate::nets::graph::Edge;

/// An array of six. A closure would not be compiled for the vector unit at hand.
macro_rules! six {
    ($at:ident: $value:expr) => {
        [
            {
                let $at = 0;
                $value
            },
            {
                let $at = 1;
                $value
            },
            {
                let $at = 2;
                $value
            },
            {
                let $at = 3;
                $value
            },
            {
                let $at = 4;
                $value
            },
            {
                let $at = 5;
                $value
            },
        ]
    };
}

/// One axis of the input transform.
#[inline(always)]
fn transform_six<S: Simd>(simd: S, d: [S::f32s; IN]) -> [S::f32s; IN] {
    let (two, four, five) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(-5.0));
    let minus_four = simd.splat_f32s(-4.0);
    // Shared terms of the rows for ±1 and ±2.
    let even1 = simd.mul_add_e_f32s(minus_four, d[2], d[4]);
    let odd1 = simd.mul_add_e_f32s(minus_four, d[1], d[3]);
    let even2 = simd.sub_f32s(d[4], d[2]);
    let odd2 = simd.mul_f32s(two, simd.sub_f32s(d[3], d[1]));
    [
        simd.mul_add_e_f32s(four, d[0], simd.mul_add_e_f32s(five, d[2], d[4])),
        simd.add_f32s(even1, odd1),
        simd.sub_f32s(even1, odd1),
        simd.add_f32s(even2, odd2),
        simd.sub_f32s(even2, odd2),
        simd.mul_add_e_f32s(four, d[1], simd.mul_add_e_f32s(five, d[3], d[5])),
    ]
}

/// Transforms the 6×6 block that begins at `[x, y]`, every channel of `map`: to `at`, and `step`
/// further on for each point.
#[inline(always)]
pub(super) fn transform_input<S: Simd>(
    simd: S,
    map: &Map,
    edge: Edge,
    [x, y]: [isize; 2],
    inputs: &mut [f32],
    (at, step): (usize, usize),
) {
    let padded = map.padded();
    let vectors = padded / S::F32_LANES;
    let inside = |at: isize, len: usize| usize::try_from(at).ok().filter(|at| at + IN <= len);
    if let (Some(x), Some(y)) = (inside(x, map.width), inside(y, map.height)) {
        let mut lines: [&[S::f32s]; IN] = [&[]; IN];
        for (row, line) in lines.iter_mut().enumerate() {
            let pixels = &map.row(y + row)[x * padded..][..IN * padded];
            *line = S::as_simd_f32s(pixels).0;
        }
        for vector in 0..vectors {
            let d = six!(column: column_inside(simd, &lines, column * vectors + vector));
            store_points(simd, d, &mut inputs[at + vector * S::F32_LANES..], step);
        }
        return;
    }
    let mut source: [Option<&[f32]>; POINTS] = [None; POINTS];
    for (point, pixel) in source.iter_mut().enumerate() {
        let row = edge.index(y + (point / IN) as isize, map.height);
        let column = edge.index(x + (point % IN) as isize, map.width);
        *pixel = row.zip(column).map(|(row, column)| map.pixel(column, row));
    }
    for vector in 0..vectors {
        let d = six!(column: column_at_edge(simd, &source, column, vector));
        store_points(simd, d, &mut inputs[at + vector * S::F32_LANES..], step);
    }
}

/// The transform of a column of which every pixel is there.
#[inline(always)]
fn column_inside<S: Simd>(simd: S, lines: &[&[S::f32s]; IN], at: usize) -> [S::f32s; IN] {
    transform_six(simd, six!(row: lines[row][at]))
}

#[inline(always)]
fn column_at_edge<S: Simd>(
    simd: S,
    source: &[Option<&[f32]>; POINTS],
    column: usize,
    vector: usize,
) -> [S::f32s; IN] {
    transform_six(simd, six!(row: pixel_or_zero(simd, source[row * IN + column], vector)))
}

#[inline(always)]
fn pixel_or_zero<S: Simd>(simd: S, pixel: Option<&[f32]>, vector: usize) -> S::f32s {
    match pixel {
        Some(pixel) => S::as_simd_f32s(pixel).0[vector],
        None => simd.splat_f32s(0.0),
    }
}

/// Transforms the rows of a block of transformed columns; writes the points `step` numbers apart.
#[inline(always)]
fn store_points<S: Simd>(simd: S, d: [[S::f32s; IN]; IN], inputs: &mut [f32], step: usize) {
    let mut points = inputs.chunks_mut(step);
    #[expect(clippy::needless_range_loop, reason = "the rows of a matrix of columns")]
    for y in 0..IN {
        for value in transform_six(simd, six!(column: d[column][y])) {
            let Some(point) = points.next() else { return };
            S::as_mut_simd_f32s(&mut point[..S::F32_LANES]).0[0] = value;
        }
    }
}

/// One axis of the output transform: 6 numbers to 4.
#[inline(always)]
fn transform_four<S: Simd>(simd: S, m: [S::f32s; IN]) -> [S::f32s; OUT] {
    let (two, four, eight) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(8.0));
    let (sum1, difference1) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (sum2, difference2) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    [
        simd.add_f32s(simd.add_f32s(m[0], sum1), sum2),
        simd.mul_add_e_f32s(two, difference2, difference1),
        simd.mul_add_e_f32s(four, sum2, sum1),
        simd.add_f32s(simd.mul_add_e_f32s(eight, difference2, difference1), m[5]),
    ]
}

/// The transform of six products, `step` numbers apart.
#[inline(always)]
fn output_line<S: Simd>(simd: S, outputs: &[f32], at: usize, step: usize) -> [S::f32s; OUT] {
    let points = &outputs[at..];
    let six = six!(column: S::as_simd_f32s(&points[column * step..][..S::F32_LANES]).0[0]);
    transform_four(simd, six)
}

/// Writes the 4×4 results of one block, of `group` whose products there are, that lie inside the
/// picture.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "an inlined part of one loop nest")]
pub(super) fn transform_output<S: Simd>(
    simd: S,
    conv: &Winograd,
    modulation: Option<Modulation<'_>>,
    outputs: &[f32],
    (block, group): (usize, usize),
    [x, y]: [usize; 2],
    width: usize,
    out: &mut [f32],
) {
    let (padded, phases) = (conv.padded_out, conv.phases);
    let rows = out.len() / (width * padded);
    // Vectors of one pixel of the result.
    let vectors = padded / (phases * phases) / S::F32_LANES;
    for vector in 0..padded / S::F32_LANES {
        let (phase, own) = (vector / vectors, vector % vectors);
        let first = block * padded + vector * S::F32_LANES;
        let lines = six!(row: output_line(simd, &outputs[first..], row * IN * group * padded, group * padded));
        let columns = [
            transform_four(simd, six!(row: lines[row][0])),
            transform_four(simd, six!(row: lines[row][1])),
            transform_four(simd, six!(row: lines[row][2])),
            transform_four(simd, six!(row: lines[row][3])),
        ];
        let ready = conv.epilogue.of(simd, own);
        for row in 0..rows.min(OUT) {
            for (column, values) in columns.iter().enumerate().take(width - x) {
                let value = values[row];
                let to_x = (x + column) * phases + phase % phases;
                let to_row = row * phases + phase / phases;
                let before = modulation.map(|all| all.at(to_x, y * phases + to_row));
                let value = ready.apply(simd, value, before);
                let pixel = to_row * width * phases + to_x;
                let start = (pixel * vectors + own) * S::F32_LANES;
                S::as_mut_simd_f32s(&mut out[start..start + S::F32_LANES]).0[0] = value;
            }
        }
    }
}
