// The frame of every operation's shader: one picture in, one picture out.
//
// A picture is rows of RGBA pixels with straight alpha, without padding, in one of three
// storages: 8 bits a sample (one word a pixel), 16 bits (two words) or 32-bit floats (four words,
// between passes, so that a multi-pass filter rounds once).
//
// An operation with parameters declares `struct Params` and
// `@group(0) @binding(2) var<uniform> params: Params;`. The executor fills its fields by name,
// and also `src_width`, `src_height`, `dst_width`, `dst_height` and `depth` where it has them.
// One that reads a table declares `@group(0) @binding(3) var<storage, read> table: array<f32>;`.

struct Frame {
    src_width: u32,
    src_height: u32,
    dst_width: u32,
    dst_height: u32,
    // 8, 16 or 32
    src_depth: u32,
    dst_depth: u32,
}

@group(0) @binding(0) var<storage, read> src: array<u32>;
@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
@group(0) @binding(4) var<uniform> frame: Frame;

// The pixel (x, y), nominally in 0..=1. The caller keeps x and y inside the source.
fn load_src(x: u32, y: u32) -> vec4<f32> {
    let index = y * frame.src_width + x;
    if frame.src_depth == 8u {
        return unpack4x8unorm(src[index]);
    }
    if frame.src_depth == 16u {
        return vec4(unpack2x16unorm(src[2u * index]), unpack2x16unorm(src[2u * index + 1u]));
    }
    let at = 4u * index;
    return bitcast<vec4<f32>>(vec4(src[at], src[at + 1u], src[at + 2u], src[at + 3u]));
}

// The pixel (x, y) of a picture whose edges are replicated outwards.
fn load_src_clamped(x: i32, y: i32) -> vec4<f32> {
    let limit = vec2(i32(frame.src_width), i32(frame.src_height)) - 1;
    let at = clamp(vec2(x, y), vec2(0), limit);
    return load_src(u32(at.x), u32(at.y));
}

// Rounds to nearest and clamps, as the CPU code does; floats are stored as they are.
fn store_dst(x: u32, y: u32, value: vec4<f32>) {
    let index = y * frame.dst_width + x;
    if frame.dst_depth == 32u {
        let bits = bitcast<vec4<u32>>(value);
        let at = 4u * index;
        dst[at] = bits.x;
        dst[at + 1u] = bits.y;
        dst[at + 2u] = bits.z;
        dst[at + 3u] = bits.w;
        return;
    }
    let unit = clamp(value, vec4(0.0), vec4(1.0));
    if frame.dst_depth == 8u {
        let q = vec4<u32>(unit * 255.0 + 0.5);
        dst[index] = q.x | (q.y << 8u) | (q.z << 16u) | (q.w << 24u);
    } else {
        let q = vec4<u32>(unit * 65535.0 + 0.5);
        dst[2u * index] = q.x | (q.y << 16u);
        dst[2u * index + 1u] = q.z | (q.w << 16u);
    }
}

// Whether an invocation has a pixel to write; dispatches cover whole workgroups.
fn inside_dst(id: vec3<u32>) -> bool {
    return id.x < frame.dst_width && id.y < frame.dst_height;
}
