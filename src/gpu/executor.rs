//! Runs an operation's shader on a picture in memory.

use super::readback::Readback;
use super::shader::{self, BindingKind};
use super::{Bind, GpuContext, GpuError, Pipelines};
use crate::geom::{IRect, Size};
use crate::ops::{self, GpuPass, Kind, OpContext, OpError, Operation, Uniform};
use crate::params::Params;
use crate::pixels::{Depth, PixelBuf, Samples};

/// Bytes of one working buffer: bounds how long one submission keeps the window waiting.
const TILE_BYTES: u64 = 64 << 20;

/// How a picture lies in a storage buffer; see `shaders/shared/op.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    U8,
    U16,
    F32,
}

impl Storage {
    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::U16 => 16,
            Self::F32 => 32,
        }
    }

    /// Bytes of an RGBA picture.
    pub(super) const fn bytes(self, size: Size) -> u64 {
        size.pixels() * self.bits() as u64 / 2
    }
}

impl From<Depth> for Storage {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::U8 => Self::U8,
            Depth::U16 => Self::U16,
        }
    }
}

/// A picture on the adapter.
#[derive(Debug)]
pub(super) struct GpuPicture {
    pub buffer: wgpu::Buffer,
    pub size: Size,
    pub storage: Storage,
}

/// Runs operations on the adapter; the answer equals [`ops::apply`] within the operation's
/// tolerance. Blocks until the pixels are back: for workers and the command line.
#[derive(Debug)]
pub struct Executor {
    pipelines: Pipelines,
}

impl Executor {
    pub fn new(context: &GpuContext) -> Self {
        Self { pipelines: Pipelines::new(context) }
    }

    const fn context(&self) -> &GpuContext {
        self.pipelines.context()
    }

    /// Applies `op` as [`ops::apply`] does. An error means that the picture is untouched and the
    /// CPU code may be asked; errors of kind [`GpuError::Op`] would come from there as well.
    pub fn apply(
        &self,
        op: &dyn Operation,
        params: &Params,
        op_context: &OpContext,
        src: &PixelBuf,
        mask: Option<&PixelBuf>,
    ) -> Result<PixelBuf, GpuError> {
        let geometry = op.spec().kind == Kind::Geometry;
        if let Some(mask) = mask {
            if geometry {
                return Err(OpError::MaskWithGeometry(op.spec().name).into());
            }
            if mask.size() != src.size() {
                let sizes = OpError::MaskSize { mask: mask.size(), image: src.size() };
                return Err(sizes.into());
            }
        }
        let output = op.output_size(params, src.size())?;
        if op.is_identity(params) {
            return Ok(src.clone());
        }
        if src.channels() != 4 {
            // Geometry of a mask: a quarter of the data and nothing to win.
            return Err(GpuError::TooLarge { what: "a one-channel picture", size: src.size() });
        }
        let mut out = PixelBuf::new(output, 4, src.depth());
        let regions = if geometry {
            vec![(src.size().rect(), output.rect())]
        } else {
            let halo = op.halo(params, op_context);
            self.tiles(src.size(), halo)?
                .into_iter()
                .map(|tile| (ops::required_input(halo, tile, src.size()), tile))
                .collect()
        };
        // The next tile is recorded and submitted while the adapter works on the one before.
        let mut running: Option<(Readback, IRect, IRect)> = None;
        for (needed, region) in regions {
            let next = self.submit(op, params, op_context, src, needed)?;
            if let Some(previous) = running.replace((next, needed, region)) {
                self.collect(previous, geometry, &mut out)?;
            }
        }
        if let Some(last) = running {
            self.collect(last, geometry, &mut out)?;
        }
        if let Some(mask) = mask {
            ops::blend_by_mask(src, &mut out, mask);
        }
        Ok(out)
    }

    /// Uploads the part `needed` of `src` and submits the operation's passes and the copy back.
    fn submit(
        &self,
        op: &dyn Operation,
        params: &Params,
        op_context: &OpContext,
        src: &PixelBuf,
        needed: IRect,
    ) -> Result<Readback, GpuError> {
        let storage = Storage::from(src.depth());
        let passes = op.gpu_passes(params, op_context, needed.size());
        self.check_fits(needed.size(), storage, &passes)?;
        self.context().scoped(|| {
            let buffer = self.pipelines.take_scratch(storage.bytes(needed.size()));
            if needed == src.size().rect() {
                self.context().queue().write_buffer(&buffer, 0, src.samples().as_bytes());
            } else {
                let part = src.crop(needed);
                self.context().queue().write_buffer(&buffer, 0, part.samples().as_bytes());
            }
            let picture = GpuPicture { buffer, size: needed.size(), storage };
            let mut encoder =
                self.context().device().create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some(op.spec().name),
                });
            let out = encode_passes(&self.pipelines, &mut encoder, op, &passes, &picture, storage)?;
            let bytes = storage.bytes(out.size);
            let readback = Readback::submit(self.context(), encoder, &out.buffer, bytes);
            // `write_buffer` of the next tile runs before its own submission and after this one.
            self.pipelines.give_scratch(picture.buffer);
            self.pipelines.give_scratch(out.buffer);
            Ok(readback)
        })
    }

    /// Waits for a tile and writes the part that counts into `out`.
    fn collect(
        &self,
        (readback, needed, region): (Readback, IRect, IRect),
        geometry: bool,
        out: &mut PixelBuf,
    ) -> Result<(), GpuError> {
        let size = if geometry { region.size() } else { needed.size() };
        let depth = out.depth();
        let tile = readback.wait(self.context(), |bytes| picture_from_bytes(size, depth, bytes))?;
        if geometry || needed == region {
            out.blit(&tile, region.origin());
        } else {
            let part = tile.crop(region.translate(-needed.x0, -needed.y0));
            out.blit(&part, region.origin());
        }
        Ok(())
    }

    /// Output regions whose input with its halo fits the working buffers, row by row.
    fn tiles(&self, size: Size, halo: u32) -> Result<Vec<IRect>, GpuError> {
        let limits = self.context().limits();
        let most =
            limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(TILE_BYTES);
        let (mut width, mut height) = (size.width, size.height);
        let bytes = |width: u32, height: u32| {
            let grown = |side: u32, whole: u32| side.saturating_add(2 * halo).min(whole);
            Storage::F32.bytes(Size::new(grown(width, size.width), grown(height, size.height)))
        };
        while bytes(width, height) > most {
            // Strips until the halo would be most of the work, then narrower ones.
            if height > (2 * halo).max(64) || (width == 1 && height > 1) {
                height = height.div_ceil(2);
            } else if width > 1 {
                width = width.div_ceil(2);
            } else {
                return Err(GpuError::TooLarge { what: "the neighbourhood", size });
            }
        }
        let step = |side: u32| side as usize;
        Ok((0..size.height)
            .step_by(step(height))
            .flat_map(|y| (0..size.width).step_by(step(width)).map(move |x| (x, y)))
            .map(|(x, y)| {
                let origin = (x as i32, y as i32);
                IRect::from_origin_size(origin, Size::new(width, height)).intersect(size.rect())
            })
            .collect())
    }

    fn check_fits(&self, src: Size, storage: Storage, passes: &[GpuPass]) -> Result<(), GpuError> {
        let limits = self.context().limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let last = passes.len().saturating_sub(1);
        let outputs = passes
            .iter()
            .enumerate()
            .map(|(index, pass)| (pass.output, if index == last { storage } else { Storage::F32 }));
        for (size, storage) in outputs.chain([(src, storage)]) {
            if storage.bytes(size) > most {
                return Err(GpuError::TooLarge { what: "a picture", size });
            }
        }
        Ok(())
    }
}

/// Records all passes of `op` from `src` into a fresh picture of storage `result`. Intermediate
/// pictures are floats. The caller gives the returned buffer back.
pub(super) fn encode_passes(
    pipelines: &Pipelines,
    encoder: &mut wgpu::CommandEncoder,
    op: &dyn Operation,
    passes: &[GpuPass],
    src: &GpuPicture,
    result: Storage,
) -> Result<GpuPicture, GpuError> {
    let shader = format!("ops/{}", op.spec().name);
    let mut current: Option<GpuPicture> = None;
    for (index, pass) in passes.iter().enumerate() {
        let input = current.as_ref().unwrap_or(src);
        let storage = if index + 1 == passes.len() { result } else { Storage::F32 };
        let buffer = pipelines.take_scratch(storage.bytes(pass.output));
        let output = GpuPicture { buffer, size: pass.output, storage };
        encode_pass(pipelines, encoder, &shader, pass, [src, input], &output)?;
        if let Some(done) = current.replace(output) {
            pipelines.give_scratch(done.buffer);
        }
    }
    current.ok_or(GpuError::Binding { shader, reason: "the operation has no passes".into() })
}

fn encode_pass(
    pipelines: &Pipelines,
    encoder: &mut wgpu::CommandEncoder,
    shader: &str,
    pass: &GpuPass,
    [original, src]: [&GpuPicture; 2],
    dst: &GpuPicture,
) -> Result<(), GpuError> {
    let (_, entry) = shader::find(shader, pass.entry)?;
    let sizes = [
        ("src_width", Uniform::U32(src.size.width)),
        ("src_height", Uniform::U32(src.size.height)),
        ("dst_width", Uniform::U32(dst.size.width)),
        ("dst_height", Uniform::U32(dst.size.height)),
    ];
    let mut frame = sizes.to_vec();
    frame.push(("src_depth", Uniform::U32(src.storage.bits())));
    frame.push(("dst_depth", Uniform::U32(dst.storage.bits())));
    let mut params = pass.uniforms.clone();
    for binding in entry.bindings {
        if let ("params", BindingKind::Uniform(layout)) = (binding.name, &binding.kind) {
            let depth = ("depth", Uniform::U32(src.storage.bits()));
            params.extend(sizes.iter().chain([&depth]).filter(|(name, _)| layout.has(name)));
        }
    }
    let table: Vec<u32> = if pass.table.is_empty() {
        vec![0]
    } else {
        pass.table.iter().map(|value| value.to_bits()).collect()
    };
    let bindings = [
        ("src", Bind::Buffer(&src.buffer)),
        ("dst", Bind::Buffer(&dst.buffer)),
        ("original", Bind::Buffer(&original.buffer)),
        ("params", Bind::Uniform(&params)),
        ("table", Bind::Words(&table)),
        ("frame", Bind::Uniform(&frame)),
    ];
    let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    let extent = [dst.size.width, dst.size.height, 1];
    pipelines.dispatch(&mut compute, (shader, pass.entry), &bindings, extent)
}

/// RGBA pixels out of the bytes of a storage buffer.
fn picture_from_bytes(size: Size, depth: Depth, bytes: &[u8]) -> PixelBuf {
    let mut out = PixelBuf::new(size, 4, depth);
    match out.samples_mut() {
        Samples::U8(samples) => {
            let len = samples.len();
            samples.copy_from_slice(&bytes[..len]);
        }
        Samples::U16(samples) => {
            let target: &mut [u8] = bytemuck::cast_slice_mut(samples);
            let len = target.len();
            target.copy_from_slice(&bytes[..len]);
        }
    }
    out
}
