// Brightness and contrast: a straight line on encoded values.

#include "shared/op.wgsl"

struct Params {
    gain: f32,
    offset: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let pixel = load_src(id.x, id.y);
    store_dst(id.x, id.y, vec4(pixel.rgb * params.gain + params.offset, pixel.a));
}
