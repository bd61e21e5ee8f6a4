// The accumulated picture into the cache of one mip level: converted to sRGB for the display,
// premultiplied, in half floats. The cache wraps around, so that neighbours in the picture are
// neighbours in the texture.

#include "shared/transfer.wgsl"

struct Store {
    // The work rectangle in level pixels.
    work_x: i32,
    work_y: i32,
    work_width: u32,
    // The part to be stored.
    store_x: i32,
    store_y: i32,
    store_width: u32,
    store_height: u32,
    cache_width: i32,
    cache_height: i32,
    // Largest sample value of the document's depth.
    depth_max: f32,
    // 0 where the working profile is sRGB already
    convert: u32,
    transfer_gamma: f32,
    transfer_a: f32,
    transfer_b: f32,
    transfer_c: f32,
    transfer_d: f32,
    // Linear working RGB to linear sRGB.
    row_red: vec4<f32>,
    row_green: vec4<f32>,
    row_blue: vec4<f32>,
}

@group(0) @binding(0) var<storage, read> acc: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> params: Store;
@group(0) @binding(2) var cache: texture_storage_2d<rgba16float, write>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.store_width || id.y >= params.store_height {
        return;
    }
    let place = vec2<i32>(id.xy) + vec2(params.store_x, params.store_y);
    let local = vec2<u32>(place - vec2(params.work_x, params.work_y));
    // Quantised to the document's depth, for that is what a flattened copy holds.
    let unit = clamp(acc[local.y * params.work_width + local.x], vec4(0.0), vec4(1.0));
    let pixel = floor(unit * params.depth_max + 0.5) / params.depth_max;
    var rgb = pixel.rgb;
    if params.convert != 0u {
        let curve = Transfer(
            params.transfer_gamma,
            params.transfer_a,
            params.transfer_b,
            params.transfer_c,
            params.transfer_d,
        );
        let light = transfer_decode(curve, rgb);
        let linear = vec3(
            dot(params.row_red.xyz, light),
            dot(params.row_green.xyz, light),
            dot(params.row_blue.xyz, light),
        );
        // IEC 61966-2-1
        let srgb = Transfer(2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045);
        rgb = transfer_encode(srgb, max(linear, vec3(0.0)));
    }
    let shown = clamp(vec4(rgb, pixel.a), vec4(0.0), vec4(1.0));
    let cell = place % vec2(params.cache_width, params.cache_height);
    textureStore(cache, cell, vec4(shown.rgb * shown.a, shown.a));
}
