//! Finished tiles of one mip level, in a texture that wraps around: tile `(column, row)` lies in
//! cell `(column mod columns, row mod rows)`, so neighbours in the picture stay neighbours and
//! one sampler in repeat mode reads across them.

use super::stack::TileRange;
use super::{GpuContext, GpuError};
use crate::geom::Size;
use crate::pixels::TILE;

#[derive(Debug)]
pub(super) struct LevelCache {
    pub view: wgpu::TextureView,
    pub columns: u32,
    pub rows: u32,
    /// The tile in each cell.
    cells: Vec<Option<Held>>,
    /// Frame in which the level was last shown.
    pub used: u64,
}

/// A tile and what names its content.
#[derive(Clone, Debug)]
struct Held {
    column: u32,
    row: u32,
    /// Of each of its equal squares, row by row.
    signatures: Vec<u64>,
}

impl LevelCache {
    pub(super) fn new(context: &GpuContext, columns: u32, rows: u32) -> Result<Self, GpuError> {
        let texture = context.scoped(|| {
            Ok(context.device().create_texture(&wgpu::TextureDescriptor {
                label: Some("level cache"),
                size: wgpu::Extent3d {
                    width: columns * TILE,
                    height: rows * TILE,
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                // Eight bits would round premultiplied colour a second time.
                format: wgpu::TextureFormat::Rgba16Float,
                usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            }))
        })?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let cells = vec![None; (columns * rows) as usize];
        Ok(Self { view, columns, rows, cells, used: 0 })
    }

    pub(super) const fn size(&self) -> Size {
        Size::new(self.columns * TILE, self.rows * TILE)
    }

    fn cell(&self, column: u32, row: u32) -> usize {
        ((row % self.rows) * self.columns + column % self.columns) as usize
    }

    /// What names the content of the tile's squares, if it is there.
    pub(super) fn signatures(&self, column: u32, row: u32) -> Option<&[u64]> {
        let held = self.cells[self.cell(column, row)].as_ref()?;
        ((held.column, held.row) == (column, row)).then_some(&held.signatures)
    }

    pub(super) fn set(&mut self, column: u32, row: u32, signatures: Vec<u64>) {
        let cell = self.cell(column, row);
        self.cells[cell] = Some(Held { column, row, signatures });
    }

    /// Whether the range fits without two tiles in one cell.
    pub(super) const fn fits(&self, range: TileRange) -> bool {
        range.columns <= self.columns && range.rows <= self.rows
    }

    /// What the shader compares against: column + 1 and row + 1 of each cell's tile.
    pub(super) fn words(&self) -> Vec<u32> {
        let word = |cell: &Option<Held>| {
            cell.as_ref().map_or([0, 0], |held| [held.column + 1, held.row + 1])
        };
        self.cells.iter().flat_map(word).collect()
    }
}
