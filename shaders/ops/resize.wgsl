// Resize: weighted sums along rows and columns, or the nearest pixel.

#include "shared/separable.wgsl"

// The table holds the source column of every output column, then the row of every row.
@compute @workgroup_size(16, 16)
fn nearest(@builtin(global_invocation_id) id: vec3<u32>) {
    if inside_dst(id) {
        let column = u32(table[id.x]);
        let row = u32(table[frame.dst_width + id.y]);
        store_dst(id.x, id.y, load_src(column, row));
    }
}
