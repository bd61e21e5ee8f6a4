// One layer into the accumulated picture of a work rectangle, in pixels of one mip level.
//
// `acc` holds straight-alpha floats, row by row over the rectangle. Images come as 256×256 tiles
// in a pool; an index names the pool slot of every tile that the rectangle may touch.

#include "shared/blend.wgsl"

const TILE = 256;
const NO_SLOT = 0xffffffffu;

struct Layer {
    // The work rectangle in level pixels.
    work_x: i32,
    work_y: i32,
    work_width: u32,
    work_height: u32,
    mode: u32,
    opacity: f32,
    // Level position of the image's top left pixel; not whole where the level is coarse.
    image_x: f32,
    image_y: f32,
    image_width: i32,
    image_height: i32,
    image_column: i32,
    image_row: i32,
    image_columns: i32,
    // 8 or 16
    image_depth: u32,
    mask_used: u32,
    mask_x: f32,
    mask_y: f32,
    mask_width: i32,
    mask_height: i32,
    mask_column: i32,
    mask_row: i32,
    mask_columns: i32,
    mask_fill: f32,
    image_fill: vec4<f32>,
}

@group(0) @binding(0) var<storage, read_write> acc: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> tiles: array<u32>;
@group(0) @binding(2) var<storage, read> tile_index: array<u32>;
@group(0) @binding(3) var<storage, read> mask_tiles: array<u32>;
@group(0) @binding(4) var<storage, read> mask_index: array<u32>;
@group(0) @binding(5) var<uniform> layer: Layer;
@group(0) @binding(6) var<storage, read> source: array<vec4<f32>>;

fn outside(id: vec3<u32>) -> bool {
    return id.x >= layer.work_width || id.y >= layer.work_height;
}

fn at(id: vec3<u32>) -> u32 {
    return id.y * layer.work_width + id.x;
}

fn image_pixel(p: vec2<i32>) -> vec4<f32> {
    if p.x < 0 || p.y < 0 || p.x >= layer.image_width || p.y >= layer.image_height {
        return vec4(0.0);
    }
    let row = p.y / TILE - layer.image_row;
    let slot = tile_index[row * layer.image_columns + p.x / TILE - layer.image_column];
    if slot == NO_SLOT {
        return layer.image_fill;
    }
    let inside = u32((p.y % TILE) * TILE + p.x % TILE);
    if layer.image_depth == 8u {
        return unpack4x8unorm(tiles[slot * 65536u + inside]);
    }
    let word = slot * 131072u + 2u * inside;
    return vec4(unpack2x16unorm(tiles[word]), unpack2x16unorm(tiles[word + 1u]));
}

fn mask_pixel(p: vec2<i32>) -> f32 {
    if p.x < 0 || p.y < 0 || p.x >= layer.mask_width || p.y >= layer.mask_height {
        return layer.mask_fill;
    }
    let row = p.y / TILE - layer.mask_row;
    let slot = mask_index[row * layer.mask_columns + p.x / TILE - layer.mask_column];
    if slot == NO_SLOT {
        return layer.mask_fill;
    }
    let inside = u32((p.y % TILE) * TILE + p.x % TILE);
    let word = mask_tiles[slot * 16384u + inside / 4u];
    return f32((word >> (8u * (inside % 4u))) & 255u) / 255.0;
}

fn weighted(pixel: vec4<f32>, weight: f32) -> vec4<f32> {
    return weight * vec4(pixel.rgb * pixel.a, pixel.a);
}

// The image under the work pixel; between pixels of the level, a mean weighted by alpha.
fn image_at(id: vec3<u32>) -> vec4<f32> {
    let place = vec2<f32>(vec2<i32>(id.xy) + vec2(layer.work_x, layer.work_y))
        - vec2(layer.image_x, layer.image_y);
    let base = floor(place);
    let f = place - base;
    let p = vec2<i32>(base);
    if f.x == 0.0 && f.y == 0.0 {
        return image_pixel(p);
    }
    let sum = weighted(image_pixel(p), (1.0 - f.x) * (1.0 - f.y))
        + weighted(image_pixel(p + vec2(1, 0)), f.x * (1.0 - f.y))
        + weighted(image_pixel(p + vec2(0, 1)), (1.0 - f.x) * f.y)
        + weighted(image_pixel(p + vec2(1, 1)), f.x * f.y);
    if sum.a <= 0.0 {
        return vec4(0.0);
    }
    return vec4(sum.rgb / sum.a, sum.a);
}

// Opacity times mask.
fn strength_at(id: vec3<u32>) -> f32 {
    if layer.mask_used == 0u {
        return layer.opacity;
    }
    let place = vec2<f32>(vec2<i32>(id.xy) + vec2(layer.work_x, layer.work_y))
        - vec2(layer.mask_x, layer.mask_y);
    let base = floor(place);
    let f = place - base;
    let p = vec2<i32>(base);
    if f.x == 0.0 && f.y == 0.0 {
        return layer.opacity * mask_pixel(p);
    }
    let upper = mix(mask_pixel(p), mask_pixel(p + vec2(1, 0)), f.x);
    let lower = mix(mask_pixel(p + vec2(0, 1)), mask_pixel(p + vec2(1, 1)), f.x);
    return layer.opacity * mix(upper, lower, f.y);
}

@compute @workgroup_size(16, 16)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    if !outside(id) {
        acc[at(id)] = vec4(0.0);
    }
}

// A raster layer.
@compute @workgroup_size(16, 16)
fn draw_tiles(@builtin(global_invocation_id) id: vec3<u32>) {
    if outside(id) {
        return;
    }
    let pixel = image_at(id);
    let alpha = pixel.a * strength_at(id);
    acc[at(id)] = composite(layer.mode, acc[at(id)], vec4(pixel.rgb, alpha));
}

// A finished group.
@compute @workgroup_size(16, 16)
fn draw_buffer(@builtin(global_invocation_id) id: vec3<u32>) {
    if outside(id) {
        return;
    }
    let pixel = source[at(id)];
    let alpha = pixel.a * strength_at(id);
    acc[at(id)] = composite(layer.mode, acc[at(id)], vec4(pixel.rgb, alpha));
}

// What an operation made of the accumulated picture.
@compute @workgroup_size(16, 16)
fn adjust_buffer(@builtin(global_invocation_id) id: vec3<u32>) {
    if outside(id) {
        return;
    }
    let adjusted = clamp(source[at(id)], vec4(0.0), vec4(1.0));
    acc[at(id)] = adjust(layer.mode, acc[at(id)], adjusted, strength_at(id));
}
