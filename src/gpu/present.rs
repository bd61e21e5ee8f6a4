//! The canvas texture that the window shows.

use super::level_cache::LevelCache;
use super::readback::Readback;
use super::{Bind, GpuContext, GpuError, Pipelines, ViewParams};
use crate::geom::{IRect, Size};
use crate::ops::Uniform;

/// From this scale on, pixels show as squares.
const NEAREST_SCALE: f32 = 2.0;
/// From this scale on, lines separate pixels.
const GRID_SCALE: f32 = 8.0;
/// Rows of a copied texture start at multiples of this.
const ROW_ALIGNMENT: u32 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT;

pub(super) struct Present {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    sampler: wgpu::Sampler,
    generation: u64,
}

/// What is shown: the cache of the level at hand, and one to fall back on.
pub(super) struct PresentInput<'a> {
    pub document: Size,
    pub view: &'a ViewParams,
    pub fine: (u32, &'a LevelCache),
    pub spare: (u32, &'a LevelCache),
    /// Canvas pixels to be drawn; the others stay.
    pub region: IRect,
}

impl Present {
    pub(super) fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let texture = context.scoped(|| Ok(canvas(context, Size::new(1, 1))))?;
        let sampler = context.device().create_sampler(&wgpu::SamplerDescriptor {
            label: Some("canvas"),
            address_mode_u: wgpu::AddressMode::Repeat,
            address_mode_v: wgpu::AddressMode::Repeat,
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self { texture, view, sampler, generation: 0 })
    }

    pub(super) const fn view(&self) -> &wgpu::TextureView {
        &self.view
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Samples the caches into the canvas and submits.
    pub(super) fn draw(
        &mut self,
        pipelines: &Pipelines,
        input: &PresentInput,
    ) -> Result<(), GpuError> {
        let context = pipelines.context();
        let size = input.view.size;
        let most = context.limits().max_texture_dimension_2d;
        if size.is_empty() || size.width > most || size.height > most {
            return Err(GpuError::TooLarge { what: "the canvas", size });
        }
        if (self.texture.width(), self.texture.height()) != (size.width, size.height) {
            self.texture = canvas(context, size);
            self.view = self.texture.create_view(&wgpu::TextureViewDescriptor::default());
            self.generation += 1;
        }
        let mut encoder = context.device().create_command_encoder(&Default::default());
        self.encode(pipelines, &mut encoder, input)?;
        context.queue().submit([encoder.finish()]);
        Ok(())
    }

    fn encode(
        &self,
        pipelines: &Pipelines,
        encoder: &mut wgpu::CommandEncoder,
        input: &PresentInput,
    ) -> Result<(), GpuError> {
        let PresentInput { document, view, fine, spare, region } = input;
        let step = |level: u32| Uniform::F32((1u32 << level) as f32);
        let whole = |at: f32| at.fract() == 0.0;
        // At 100 % on whole pixels a sample is a pixel; reading it directly is exact.
        let exact = view.scale == 1.0 && whole(view.offset.0) && whole(view.offset.1);
        let grid = view.pixel_grid && view.scale >= GRID_SCALE;
        let values = [
            ("from_x", Uniform::I32(region.x0)),
            ("from_y", Uniform::I32(region.y0)),
            ("to_x", Uniform::I32(region.x1)),
            ("to_y", Uniform::I32(region.y1)),
            ("offset_x", Uniform::F32(view.offset.0)),
            ("offset_y", Uniform::F32(view.offset.1)),
            ("scale", Uniform::F32(view.scale)),
            ("doc_width", Uniform::F32(document.width as f32)),
            ("doc_height", Uniform::F32(document.height as f32)),
            ("fine_step", step(fine.0)),
            ("spare_step", step(spare.0)),
            ("fine_columns", Uniform::I32(fine.1.columns as i32)),
            ("fine_rows", Uniform::I32(fine.1.rows as i32)),
            ("spare_columns", Uniform::I32(spare.1.columns as i32)),
            ("spare_rows", Uniform::I32(spare.1.rows as i32)),
            ("nearest", Uniform::U32(u32::from(exact || view.scale >= NEAREST_SCALE))),
            ("grid", Uniform::U32(u32::from(grid))),
            ("surround", Uniform::F32(view.surround)),
            ("checker", Uniform::F32(view.checker_px.max(1.0))),
        ];
        let (fine_cells, spare_cells) = (fine.1.words(), spare.1.words());
        let bindings = [
            ("view", Bind::Uniform(&values)),
            ("fine", Bind::Texture(&fine.1.view)),
            ("spare", Bind::Texture(&spare.1.view)),
            ("wrap", Bind::Sampler(&self.sampler)),
            ("fine_cells", Bind::Words(&fine_cells)),
            ("spare_cells", Bind::Words(&spare_cells)),
            ("picture", Bind::Texture(&self.view)),
        ];
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let extent = [region.width(), region.height(), 1];
        pipelines.dispatch(&mut pass, ("view/present", "main"), &bindings, extent)
    }

    /// The canvas's pixels, RGBA, row by row. Blocks.
    pub(super) fn read_back(&self, context: &GpuContext) -> Result<Vec<u8>, GpuError> {
        let (width, height) = (self.texture.width(), self.texture.height());
        let row_bytes = (4 * width).next_multiple_of(ROW_ALIGNMENT);
        let bytes = u64::from(row_bytes) * u64::from(height);
        let buffer = context.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("canvas copy"),
            size: bytes,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = context.device().create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(row_bytes),
                    rows_per_image: None,
                },
            },
            self.texture.size(),
        );
        Readback::submit(context, encoder, &buffer, bytes).wait(context, |copied| {
            copied
                .chunks_exact(row_bytes as usize)
                .flat_map(|row| row[..4 * width as usize].iter().copied())
                .collect()
        })
    }
}

fn canvas(context: &GpuContext, size: Size) -> wgpu::Texture {
    context.device().create_texture(&wgpu::TextureDescriptor {
        label: Some("canvas"),
        size: wgpu::Extent3d { width: size.width, height: size.height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::STORAGE_BINDING
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}
