// Exposure: linear light scaled.

#include "shared/op.wgsl"
#include "shared/transfer.wgsl"

struct Params {
    transfer_gamma: f32,
    transfer_a: f32,
    transfer_b: f32,
    transfer_c: f32,
    transfer_d: f32,
    gain: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let curve = Transfer(
        params.transfer_gamma,
        params.transfer_a,
        params.transfer_b,
        params.transfer_c,
        params.transfer_d,
    );
    let pixel = load_src(id.x, id.y);
    let light = transfer_decode(curve, pixel.rgb) * params.gain;
    store_dst(id.x, id.y, vec4(transfer_encode(curve, light), pixel.a));
}
