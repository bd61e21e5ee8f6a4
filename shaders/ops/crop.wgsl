// Crop: the part of the picture inside a rectangle.

#include "shared/op.wgsl"

struct Params {
    left: u32,
    top: u32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    store_dst(id.x, id.y, load_src(params.left + id.x, params.top + id.y));
}
