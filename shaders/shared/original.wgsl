// The operation's own input, for a last pass that needs it beside the intermediate picture: the
// executor binds it by this name. It has the size and the storage of the result.
// Stands after op.wgsl.

@group(0) @binding(5) var<storage, read> original: array<u32>;

fn load_original(x: u32, y: u32) -> vec4<f32> {
    let index = y * frame.dst_width + x;
    if frame.dst_depth == 8u {
        return unpack4x8unorm(original[index]);
    }
    if frame.dst_depth == 16u {
        let words = vec2(original[2u * index], original[2u * index + 1u]);
        return vec4(unpack2x16unorm(words.x), unpack2x16unorm(words.y));
    }
    let at = 4u * index;
    let words = vec4(original[at], original[at + 1u], original[at + 2u], original[at + 3u]);
    return bitcast<vec4<f32>>(words);
}
