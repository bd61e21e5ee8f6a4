// Hue, saturation and lightness in the HSL model of encoded values.

#include "shared/op.wgsl"

struct Params {
    hue: f32,
    saturation: f32,
    light_scale: f32,
    light_shift: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

// Sixths of a turn in 0..6; 0 for greys.
fn turned_hue(rgb: vec3<f32>, high: f32, chroma: f32) -> f32 {
    let per_chroma = select(0.0, 1.0 / chroma, chroma > 0.0);
    let offsets = (rgb.gbr - rgb.brg) * per_chroma + vec3(0.0, 2.0, 4.0);
    let below_red = select(offsets.z, offsets.y, high == rgb.g);
    let hue = select(below_red, offsets.x, high == rgb.r) + params.hue;
    let positive = select(hue, hue + 6.0, hue < 0.0);
    return select(positive, positive - 6.0, positive >= 6.0);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let pixel = load_src(id.x, id.y);
    let rgb = pixel.rgb;
    let high = max(rgb.r, max(rgb.g, rgb.b));
    let low = min(rgb.r, min(rgb.g, rgb.b));
    let hue = turned_hue(rgb, high, high - low);
    let sum = high + low;
    let reach = min(sum, 2.0 - sum);
    let vivid = min(select(0.0, (high - low) / reach, reach > 0.0) * params.saturation, 1.0);
    let lit = 0.5 * sum * params.light_scale + params.light_shift;
    let chroma = vivid * min(2.0 * lit, 2.0 - 2.0 * lit);
    let distance = vec3(abs(hue - 3.0) - 1.0, 2.0 - abs(hue - 2.0), 2.0 - abs(hue - 4.0));
    let ramps = clamp(distance, vec3(0.0), vec3(1.0));
    store_dst(id.x, id.y, vec4(lit - 0.5 * chroma + chroma * ramps, pixel.a));
}
