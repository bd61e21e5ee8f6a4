// Rotate by any angle: bicubic, transparent outside.

#include "shared/op.wgsl"
#include "shared/quarter_turn.wgsl"

struct Params {
    // Source x and y as (a, b, c): a * x + b * y + c of the result's place.
    x_row: vec4<f32>,
    y_row: vec4<f32>,
    // Quarter turns for `quarter`.
    turns: u32,
    // Distance by which a place may lie outside, see the CPU code.
    border: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

// Keys' cubic with a = -1 for the four neighbours at distance `t` from the second.
fn cubic(t: f32) -> vec4<f32> {
    let t2 = t * t;
    let t3 = t2 * t;
    return vec4(-t + 2.0 * t2 - t3, 1.0 - 2.0 * t2 + t3, t + t2 - t3, -t2 + t3);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let place = vec3(vec2<f32>(id.xy) + 0.5, 1.0);
    let source = vec2(dot(params.x_row.xyz, place), dot(params.y_row.xyz, place));
    let size = vec2(f32(frame.src_width), f32(frame.src_height));
    if any(source < vec2(-params.border)) || any(source >= size - params.border) {
        store_dst(id.x, id.y, vec4(0.0));
        return;
    }
    let corner = floor(source - 0.5);
    let along = source - 0.5 - corner;
    let across = cubic(along.x);
    let down = cubic(along.y);
    var sum = vec4(0.0);
    for (var row = 0; row < 4; row++) {
        var line = vec4(0.0);
        for (var column = 0; column < 4; column++) {
            let at = vec2<i32>(corner) + vec2(column, row) - 1;
            let pixel = load_src_clamped(at.x, at.y);
            line += across[column] * vec4(pixel.rgb * pixel.a, pixel.a);
        }
        sum += down[row] * line;
    }
    // The kernel overshoots; colour must not exceed alpha when it is divided by it.
    let alpha = clamp(sum.a, 0.0, 1.0);
    let colour = clamp(sum.rgb, vec3(0.0), vec3(alpha)) * select(0.0, 1.0 / alpha, alpha > 0.0);
    store_dst(id.x, id.y, vec4(colour, alpha));
}

@compute @workgroup_size(16, 16)
fn quarter(@builtin(global_invocation_id) id: vec3<u32>) {
    if inside_dst(id) {
        store_dst(id.x, id.y, load_turned(params.turns, id.x, id.y));
    }
}
