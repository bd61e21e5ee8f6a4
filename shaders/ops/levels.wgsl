// Levels: input range, midtone gamma and output range on encoded values.

#include "shared/op.wgsl"

struct Params {
    black: f32,
    stretch: f32,
    exponent: f32,
    out_black: f32,
    out_range: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let pixel = load_src(id.x, id.y);
    let place = clamp((pixel.rgb - params.black) * params.stretch, vec3(0.0), vec3(1.0));
    let curved = params.out_black + params.out_range * pow(place, vec3(params.exponent));
    store_dst(id.x, id.y, vec4(curved, pixel.a));
}
