// Unsharp mask: the picture plus what a blur takes away from it.

#include "shared/separable.wgsl"
#include "shared/original.wgsl"

// Blurs along columns as the last pass and adds the shrunken difference to the operation's input.
@compute @workgroup_size(16, 16)
fn sharpen(@builtin(global_invocation_id) id: vec3<u32>) {
    if !inside_dst(id) {
        return;
    }
    let pixel = load_original(id.x, id.y);
    let blurred = divided_by_alpha(sum_along_column(id.x, id.y));
    let difference = pixel.rgb - blurred.rgb;
    let shrunk = sign(difference) * max(abs(difference) - params.threshold, vec3(0.0));
    store_dst(id.x, id.y, vec4(pixel.rgb + params.amount * shrunk, pixel.a));
}
