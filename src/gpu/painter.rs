//! Records the commands that evaluate a layer stack over a work rectangle.

use super::executor::{GpuPicture, Storage, encode_passes};
use super::pyramid::{Pyramid, level_size, tile_key};
use super::stack::{Content, Node, Op, active_mask, mode_number, tiles_under};
use super::tile_cache::TileCache;
use super::{Bind, GpuError, Pipelines};
use crate::document::{BlendMode, Raster};
use crate::geom::IRect;
use crate::ops::{OpContext, Uniform};
use crate::pixels::{Depth, TiledImage};

const SHADER: &str = "view/layer";
/// Marks a tile that shows its image's fill; the shader knows the number.
const NO_SLOT: u32 = u32::MAX;

/// Pools and caches that outlive a frame.
pub(super) struct Stores {
    pub pyramid: Pyramid,
    pub images: TileCache,
    pub masks: TileCache,
}

/// Evaluates stacks over one work rectangle of one level.
pub(super) struct Painter<'a> {
    pub pipelines: &'a Pipelines,
    pub stores: &'a mut Stores,
    pub context: &'a OpContext,
    /// Of the document's images.
    pub depth: Depth,
    pub level: u32,
    /// Level pixels.
    pub work: IRect,
    pub encoder: wgpu::CommandEncoder,
}

/// An image as the shader reads it.
struct Placed {
    position: [f32; 2],
    size: [i32; 2],
    first: [i32; 2],
    columns: i32,
    fill: [f32; 4],
    index: Vec<u32>,
}

impl Placed {
    /// Reads nothing and shows nothing.
    fn absent() -> Self {
        let (position, size, first) = ([0.0; 2], [0; 2], [0; 2]);
        Self { position, size, first, columns: 0, fill: [0.0; 4], index: vec![NO_SLOT] }
    }
}

impl Painter<'_> {
    /// The stack's picture: straight-alpha floats over the work rectangle.
    pub(super) fn eval(&mut self, nodes: &[Node]) -> Result<wgpu::Buffer, GpuError> {
        let acc = self.pipelines.take_scratch(Storage::F32.bytes(self.work.size()));
        let (none, strength) = (Placed::absent(), Strength::full());
        self.pass("clear", &acc, None, BlendMode::Normal, &none, &strength)?;
        for node in nodes {
            match self.apply(node, &acc) {
                // Nothing of the layer has reached `acc`: its last command is the one that does.
                Err(GpuError::TileCacheFull) => {
                    self.submit();
                    self.apply(node, &acc)?;
                }
                result => result?,
            }
        }
        Ok(acc)
    }

    fn apply(&mut self, node: &Node, acc: &wgpu::Buffer) -> Result<(), GpuError> {
        let mode = node.layer.props.blend;
        match &node.content {
            Content::Raster(raster) => {
                if let Some(image) = self.place(&raster.image, raster.origin, false)? {
                    let strength = self.strength(node)?;
                    self.pass("draw_tiles", acc, None, mode, &image, &strength)?;
                }
            }
            Content::Previewed(raster, op, selection) => {
                let layer = self.preview(raster, op, *selection)?;
                let strength = self.strength(node)?;
                let none = Placed::absent();
                self.pass("draw_buffer", acc, Some(&layer), mode, &none, &strength)?;
                self.pipelines.give_scratch(layer);
            }
            Content::Group(children) => {
                let group = self.eval(children)?;
                let strength = self.strength(node)?;
                let none = Placed::absent();
                self.pass("draw_buffer", acc, Some(&group), mode, &none, &strength)?;
                self.pipelines.give_scratch(group);
            }
            Content::Adjustment(op) => {
                let strength = self.strength(node)?;
                self.adjust(acc, op, mode, &strength)?;
            }
        }
        Ok(())
    }

    /// One layer's own pixels with an operation applied inside the selection.
    fn preview(
        &mut self,
        raster: &Raster,
        op: &Op,
        selection: Option<&TiledImage>,
    ) -> Result<wgpu::Buffer, GpuError> {
        let acc = self.pipelines.take_scratch(Storage::F32.bytes(self.work.size()));
        let full = Strength::full();
        self.pass("clear", &acc, None, BlendMode::Normal, &Placed::absent(), &full)?;
        if let Some(image) = self.place(&raster.image, raster.origin, false)? {
            self.pass("draw_tiles", &acc, None, BlendMode::Normal, &image, &full)?;
        }
        let mask = match selection {
            None => None,
            Some(selection) => Some(self.place_mask(selection, (0, 0))?),
        };
        self.adjust(&acc, op, BlendMode::Normal, &Strength { opacity: 1.0, mask })?;
        Ok(acc)
    }

    fn adjust(
        &mut self,
        acc: &wgpu::Buffer,
        op: &Op,
        mode: BlendMode,
        strength: &Strength,
    ) -> Result<(), GpuError> {
        let size = self.work.size();
        let passes = op.op.gpu_passes(op.params, self.context, size);
        let picture = GpuPicture { buffer: acc.clone(), size, storage: Storage::F32 };
        let adjusted = encode_passes(
            self.pipelines,
            &mut self.encoder,
            op.op,
            &passes,
            &picture,
            Storage::F32,
        )?;
        let none = Placed::absent();
        self.pass("adjust_buffer", acc, Some(&adjusted.buffer), mode, &none, strength)?;
        self.pipelines.give_scratch(adjusted.buffer);
        Ok(())
    }

    fn strength(&mut self, node: &Node) -> Result<Strength, GpuError> {
        let mask = match active_mask(node.layer) {
            None => None,
            Some(mask) => Some(self.place_mask(&mask.image, mask.origin)?),
        };
        Ok(Strength { opacity: node.layer.props.opacity, mask })
    }

    /// A mask shows its fill outside, so it is never absent.
    fn place_mask(&mut self, image: &TiledImage, origin: (i32, i32)) -> Result<Placed, GpuError> {
        let fill = f32::from(image.fill()[0]) / f32::from(image.depth().max());
        let placed = self.place(image, origin, true)?;
        Ok(placed.unwrap_or_else(|| Placed { fill: [fill; 4], ..Placed::absent() }))
    }

    /// Makes every tile of an image under the work rectangle resident. `None` where there is
    /// none and the fill is transparent.
    fn place(
        &mut self,
        image: &TiledImage,
        origin: (i32, i32),
        is_mask: bool,
    ) -> Result<Option<Placed>, GpuError> {
        let index = self.slots(image, origin, is_mask)?;
        let shows = index.iter().any(|&slot| slot != NO_SLOT)
            || (!index.is_empty() && image.fill()[image.channels() - 1] != 0);
        if !shows {
            return Ok(None);
        }
        let range = tiles_under(image, origin, self.level, self.work);
        let size = level_size(image.size(), self.level);
        let step = (1u32 << self.level) as f32;
        let max = f32::from(image.depth().max());
        Ok(Some(Placed {
            position: [origin.0 as f32 / step, origin.1 as f32 / step],
            size: [size.width as i32, size.height as i32],
            first: [range.column as i32, range.row as i32],
            columns: range.columns as i32,
            fill: image.fill().map(|sample| f32::from(sample) / max),
            index,
        }))
    }

    /// Slots row by row.
    fn slots(
        &mut self,
        image: &TiledImage,
        origin: (i32, i32),
        is_mask: bool,
    ) -> Result<Vec<u32>, GpuError> {
        let range = tiles_under(image, origin, self.level, self.work);
        let Stores { pyramid, images, masks } = &mut *self.stores;
        let cache = if is_mask { masks } else { images };
        let mut index = Vec::with_capacity((range.columns * range.rows) as usize);
        for (column, row) in range.cells() {
            let slot = match tile_key(image, self.level, column, row) {
                None => NO_SLOT,
                Some(key) => match cache.find(key) {
                    Some(slot) => slot,
                    None => {
                        let Some(tile) = pyramid.tile(image, self.level, column, row) else {
                            index.push(NO_SLOT);
                            continue;
                        };
                        cache
                            .insert(self.pipelines.context(), key, &tile)
                            .ok_or(GpuError::TileCacheFull)?
                    }
                },
            };
            index.push(slot);
        }
        Ok(index)
    }

    /// Submits what is recorded, after which slots may be filled anew.
    pub(super) fn submit(&mut self) {
        let context = self.pipelines.context();
        let next = context.device().create_command_encoder(&Default::default());
        let recorded = std::mem::replace(&mut self.encoder, next);
        context.queue().submit([recorded.finish()]);
        self.stores.images.release();
        self.stores.masks.release();
    }

    fn pass(
        &mut self,
        entry: &'static str,
        acc: &wgpu::Buffer,
        source: Option<&wgpu::Buffer>,
        mode: BlendMode,
        image: &Placed,
        strength: &Strength,
    ) -> Result<(), GpuError> {
        let absent = Placed::absent();
        let mask = strength.mask.as_ref().unwrap_or(&absent);
        let size = self.work.size();
        let layer = [
            ("work_x", Uniform::I32(self.work.x0)),
            ("work_y", Uniform::I32(self.work.y0)),
            ("work_width", Uniform::U32(size.width)),
            ("work_height", Uniform::U32(size.height)),
            ("mode", Uniform::U32(mode_number(mode))),
            ("opacity", Uniform::F32(strength.opacity)),
            ("image_x", Uniform::F32(image.position[0])),
            ("image_y", Uniform::F32(image.position[1])),
            ("image_width", Uniform::I32(image.size[0])),
            ("image_height", Uniform::I32(image.size[1])),
            ("image_column", Uniform::I32(image.first[0])),
            ("image_row", Uniform::I32(image.first[1])),
            ("image_columns", Uniform::I32(image.columns)),
            ("image_depth", Uniform::U32(self.depth.bits())),
            ("mask_used", Uniform::U32(u32::from(strength.mask.is_some()))),
            ("mask_x", Uniform::F32(mask.position[0])),
            ("mask_y", Uniform::F32(mask.position[1])),
            ("mask_width", Uniform::I32(mask.size[0])),
            ("mask_height", Uniform::I32(mask.size[1])),
            ("mask_column", Uniform::I32(mask.first[0])),
            ("mask_row", Uniform::I32(mask.first[1])),
            ("mask_columns", Uniform::I32(mask.columns)),
            ("mask_fill", Uniform::F32(mask.fill[0])),
            ("image_fill", Uniform::Vec4(image.fill)),
        ];
        let mut bindings = vec![
            ("acc", Bind::Buffer(acc)),
            ("tiles", Bind::Buffer(self.stores.images.buffer())),
            ("tile_index", Bind::Words(&image.index)),
            ("mask_tiles", Bind::Buffer(self.stores.masks.buffer())),
            ("mask_index", Bind::Words(&mask.index)),
            ("layer", Bind::Uniform(&layer)),
        ];
        if let Some(source) = source {
            bindings.push(("source", Bind::Buffer(source)));
        }
        let mut pass = self.encoder.begin_compute_pass(&Default::default());
        let extent = [size.width, size.height, 1];
        self.pipelines.dispatch(&mut pass, (SHADER, entry), &bindings, extent)
    }
}

/// How strongly a layer acts: its opacity times its mask.
struct Strength {
    opacity: f32,
    mask: Option<Placed>,
}

impl Strength {
    const fn full() -> Self {
        Self { opacity: 1.0, mask: None }
    }
}
