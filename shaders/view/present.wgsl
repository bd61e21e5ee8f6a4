// The window's canvas: the cached level sampled at the view's scale over a checkerboard, with the
// neutral surround and the pixel grid. Tiles that are not ready show another level.

struct View {
    // The screen pixels to be drawn.
    from_x: i32,
    from_y: i32,
    to_x: i32,
    to_y: i32,
    // Screen position of the document's origin, and screen pixels a document pixel.
    offset_x: f32,
    offset_y: f32,
    scale: f32,
    doc_width: f32,
    doc_height: f32,
    // Document pixels a level pixel.
    fine_step: f32,
    spare_step: f32,
    fine_columns: i32,
    fine_rows: i32,
    spare_columns: i32,
    spare_rows: i32,
    nearest: u32,
    grid: u32,
    surround: f32,
    // Side of a checkerboard square in screen pixels.
    checker: f32,
}

const TILE = 256.0;

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var fine: texture_2d<f32>;
@group(0) @binding(2) var spare: texture_2d<f32>;
@group(0) @binding(3) var wrap: sampler;
// The tile that each cell of a cache holds: column + 1, then row + 1; 0 where it holds none.
@group(0) @binding(4) var<storage, read> fine_cells: array<u32>;
@group(0) @binding(5) var<storage, read> spare_cells: array<u32>;
@group(0) @binding(6) var picture: texture_storage_2d<rgba8unorm, write>;

fn place_in_level(doc: vec2<f32>, step: f32) -> vec2<f32> {
    let extent = ceil(vec2(view.doc_width, view.doc_height) / step);
    return clamp(doc / step, vec2(0.5), max(extent - 0.5, vec2(0.5)));
}

// Premultiplied sRGB; alpha below zero where neither level is ready.
fn picture_at(doc: vec2<f32>) -> vec4<f32> {
    let at_fine = place_in_level(doc, view.fine_step);
    let cell = vec2<i32>(at_fine / TILE);
    let slot = 2 * ((cell.y % view.fine_rows) * view.fine_columns + cell.x % view.fine_columns);
    if i32(fine_cells[slot]) == cell.x + 1 && i32(fine_cells[slot + 1]) == cell.y + 1 {
        let size = textureDimensions(fine);
        if view.nearest != 0u {
            return textureLoad(fine, vec2<u32>(at_fine) % size, 0);
        }
        return textureSampleLevel(fine, wrap, at_fine / vec2<f32>(size), 0.0);
    }
    let at_spare = place_in_level(doc, view.spare_step);
    let other = vec2<i32>(at_spare / TILE);
    let place = 2 * ((other.y % view.spare_rows) * view.spare_columns + other.x % view.spare_columns);
    if i32(spare_cells[place]) == other.x + 1 && i32(spare_cells[place + 1]) == other.y + 1 {
        let size = textureDimensions(spare);
        return textureSampleLevel(spare, wrap, at_spare / vec2<f32>(size), 0.0);
    }
    return vec4(0.0, 0.0, 0.0, -1.0);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = vec2<i32>(id.xy) + vec2(view.from_x, view.from_y);
    if place.x >= view.to_x || place.y >= view.to_y {
        return;
    }
    let screen = vec2<f32>(place) + 0.5 - vec2(view.offset_x, view.offset_y);
    let doc = screen / view.scale;
    var rgb = vec3(view.surround);
    if doc.x >= 0.0 && doc.y >= 0.0 && doc.x < view.doc_width && doc.y < view.doc_height {
        let pixel = picture_at(doc);
        if pixel.a >= 0.0 {
            let square = vec2<i32>(floor(screen / view.checker));
            let light = select(158.0 / 255.0, 0.8, ((square.x + square.y) & 1) == 0);
            rgb = pixel.rgb + (1.0 - pixel.a) * light;
            if view.grid != 0u {
                let inside = (doc - floor(doc)) * view.scale;
                if inside.x < 1.0 || inside.y < 1.0 {
                    rgb = mix(rgb, vec3(0.5), 0.35);
                }
            }
        }
    }
    textureStore(picture, place, vec4(rgb, 1.0));
}
