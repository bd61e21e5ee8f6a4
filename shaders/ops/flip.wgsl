// Flip: the mirror image.

#include "shared/op.wgsl"

struct Params {
    vertical: u32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    if params.vertical != 0u {
        store_dst(id.x, id.y, load_src(id.x, frame.src_height - 1u - id.y));
    } else {
        store_dst(id.x, id.y, load_src(frame.src_width - 1u - id.x, id.y));
    }
}
