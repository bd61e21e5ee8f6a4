// Operations that scale the channels of linear light. Stands after op.wgsl and transfer.wgsl.

struct Params {
    gains: vec4<f32>,
    transfer_gamma: f32,
    transfer_a: f32,
    transfer_b: f32,
    transfer_c: f32,
    transfer_d: f32,
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
    let light = transfer_decode(curve, pixel.rgb) * params.gains.rgb;
    store_dst(id.x, id.y, vec4(transfer_encode(curve, light), pixel.a));
}
