// Quarter turns, which move whole pixels. Stands after op.wgsl.

// The pixel that a clockwise rotation by `turns` quarter turns brings to (x, y).
fn load_turned(turns: u32, x: u32, y: u32) -> vec4<f32> {
    let right = frame.src_width - 1u;
    let bottom = frame.src_height - 1u;
    switch turns {
        case 1u: { return load_src(y, bottom - x); }
        case 2u: { return load_src(right - x, bottom - y); }
        case 3u: { return load_src(right - y, x); }
        default: { return load_src(x, y); }
    }
}
