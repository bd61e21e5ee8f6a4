// Rotate by quarter turns.

#include "shared/op.wgsl"
#include "shared/quarter_turn.wgsl"

struct Params {
    turns: u32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    store_dst(id.x, id.y, load_turned(params.turns, id.x, id.y));
}
