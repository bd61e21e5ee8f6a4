// Canvas size: a frame around unchanged pixels, transparent outside them.

#include "shared/op.wgsl"

struct Params {
    left: i32,
    top: i32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let place = vec2<i32>(id.xy) - vec2(params.left, params.top);
    let size = vec2(i32(frame.src_width), i32(frame.src_height));
    var pixel = vec4(0.0);
    if all(place >= vec2(0)) && all(place < size) {
        pixel = load_src(u32(place.x), u32(place.y));
    }
    store_dst(id.x, id.y, pixel);
}
