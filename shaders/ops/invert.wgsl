// Invert: every colour channel becomes its complement.

#include "shared/op.wgsl"

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let pixel = load_src(id.x, id.y);
    store_dst(id.x, id.y, vec4(1.0 - pixel.rgb, pixel.a));
}
