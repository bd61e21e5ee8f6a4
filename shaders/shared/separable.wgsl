// Weighted sums along one axis at a time; the twin of ops::resample.
//
// The table holds, for every output column or row, the first source place and then `count`
// weights. Sums run over premultiplied values: the first pass of an operation multiplies by
// alpha, the last one divides by it.

#include "shared/op.wgsl"

struct Params {
    count: u32,
    // Bit 0: the source has straight alpha. Bit 1: so has the result.
    straight: u32,
    amount: f32,
    threshold: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> table: array<f32>;

fn load_premultiplied(x: u32, y: u32) -> vec4<f32> {
    let pixel = load_src(x, y);
    return select(pixel, vec4(pixel.rgb * pixel.a, pixel.a), (params.straight & 1u) != 0u);
}

fn divided_by_alpha(pixel: vec4<f32>) -> vec4<f32> {
    return vec4(pixel.rgb * select(0.0, 1.0 / pixel.a, pixel.a > 0.0), pixel.a);
}

fn store_sum(x: u32, y: u32, sum: vec4<f32>) {
    store_dst(x, y, select(sum, divided_by_alpha(sum), (params.straight & 2u) != 0u));
}

fn sum_along_row(x: u32, y: u32) -> vec4<f32> {
    let at = x * (params.count + 1u);
    let first = u32(table[at]);
    var sum = vec4(0.0);
    for (var tap = 0u; tap < params.count; tap++) {
        sum += table[at + 1u + tap] * load_premultiplied(first + tap, y);
    }
    return sum;
}

fn sum_along_column(x: u32, y: u32) -> vec4<f32> {
    let at = y * (params.count + 1u);
    let first = u32(table[at]);
    var sum = vec4(0.0);
    for (var tap = 0u; tap < params.count; tap++) {
        sum += table[at + 1u + tap] * load_premultiplied(x, first + tap);
    }
    return sum;
}

@compute @workgroup_size(16, 16)
fn along_rows(@builtin(global_invocation_id) id: vec3<u32>) {
    if inside_dst(id) {
        store_sum(id.x, id.y, sum_along_row(id.x, id.y));
    }
}

@compute @workgroup_size(16, 16)
fn along_columns(@builtin(global_invocation_id) id: vec3<u32>) {
    if inside_dst(id) {
        store_sum(id.x, id.y, sum_along_column(id.x, id.y));
    }
}
