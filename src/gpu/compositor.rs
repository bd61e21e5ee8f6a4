//! The display compositor: a document seen through a view, as a texture for the window.
//!
//! A frame computes the names of the visible tiles of the mip level at hand, evaluates the layer
//! stack for those whose content is not cached yet (as many as the frame's budget allows), and
//! samples the cached level into the canvas texture. Panning and zooming within a level therefore
//! only sample; a brush stroke evaluates the touched tiles; a huge picture costs what the screen
//! shows of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::level_cache::LevelCache;
use super::painter::{Painter, Stores};
use super::present::{Present, PresentInput};
use super::pyramid::{Pyramid, level_size};
use super::stack::{self, Node, Preview, TileRange};
use super::tile_cache::TileCache;
use super::view::{level_for, on_screen, visible_rect};
use super::{Bind, GpuContext, GpuError, Pipelines, ViewParams};
use crate::color::WorkingProfile;
use crate::document::Document;
use crate::geom::{IRect, Size};
use crate::ops::{OpContext, Uniform};
use crate::pixels::{Depth, SQUARE, TILE};

/// Levels kept: the current one, its neighbours while zooming, and a coarse one to fall back on.
const MAX_LEVELS: usize = 4;
/// Tiles on a side of a work rectangle on a GPU; on a rasteriser half of it, for its caches.
const BLOCK_TILES: u32 = 4;
/// Where filters reach farther, tiles are evaluated as a whole.
const MAX_PART_HALO_PX: u32 = 32;
/// Farther neighbours are not looked at on the display.
const MAX_HALO_PX: u32 = 768;

/// What one frame may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameBudget {
    /// Pixels times layers to be evaluated.
    pub layer_pixels: u64,
    /// Bytes of tiles to be uploaded.
    pub upload_bytes: u64,
    /// Time on the calling thread, most of it spent on reduced tiles.
    pub time: Duration,
}

impl FrameBudget {
    /// Everything in one frame: for tests, exports and benchmarks.
    pub const UNLIMITED: Self =
        Self { layer_pixels: u64::MAX, upload_bytes: u64::MAX, time: Duration::MAX };

    /// What keeps a window fluent on this adapter.
    pub fn interactive(context: &GpuContext) -> Self {
        if context.facts().is_hardware() {
            let time = Duration::from_millis(6);
            Self { layer_pixels: 64 << 20, upload_bytes: 64 << 20, time }
        } else {
            let time = Duration::from_millis(20);
            Self { layer_pixels: 2 << 20, upload_bytes: 16 << 20, time }
        }
    }
}

/// What a frame did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenderStats {
    /// One level pixel covers `2^level` document pixels.
    pub level: u32,
    pub visible_tiles: u32,
    pub composited_tiles: u32,
    /// Pixels times layers evaluated, surroundings that filters read included.
    pub layer_pixels: u64,
    /// Canvas pixels drawn.
    pub drawn_pixels: u64,
    pub uploaded_bytes: u64,
    /// Visible tiles that still show older or coarser content: ask for another frame.
    pub pending_tiles: u32,
}

impl RenderStats {
    pub const fn is_complete(&self) -> bool {
        self.pending_tiles == 0
    }
}

/// Shows documents on one device.
pub struct Compositor {
    pipelines: Pipelines,
    stores: Stores,
    levels: BTreeMap<u32, LevelCache>,
    present: Present,
    budget: FrameBudget,
    shown: Option<Shown>,
    /// What the canvas was drawn from, unless a frame broke off.
    drawn: Option<Drawn>,
    frame: u64,
}

/// What a canvas depends on besides the cached tiles.
#[derive(PartialEq)]
struct Drawn {
    view: ViewParams,
    level: u32,
    spare_level: u32,
}

/// What the caches were filled from.
#[derive(PartialEq)]
struct Shown {
    size: Size,
    depth: Depth,
    profile: WorkingProfile,
}

impl Compositor {
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        Ok(Self {
            pipelines: Pipelines::new(context),
            stores: stores(context, Depth::U8)?,
            levels: BTreeMap::new(),
            present: Present::new(context)?,
            budget: FrameBudget::interactive(context),
            shown: None,
            drawn: None,
            frame: 0,
        })
    }

    pub const fn set_budget(&mut self, budget: FrameBudget) {
        self.budget = budget;
    }

    /// Forgets everything cached, as when another document comes into the window.
    pub fn reset(&mut self) {
        self.levels.clear();
        self.shown = None;
        self.drawn = None;
    }

    /// The canvas: [`ViewParams::size`] pixels, opaque, `Rgba8Unorm`, encoded sRGB. Stays the same
    /// texture until [`Compositor::generation`] changes.
    pub const fn texture_view(&self) -> &wgpu::TextureView {
        self.present.view()
    }

    /// Raised whenever [`Compositor::texture_view`] is another texture.
    pub const fn generation(&self) -> u64 {
        self.present.generation()
    }

    /// The canvas texture's pixels, RGBA. Blocks: for tests and screenshots.
    pub fn read_back(&self) -> Result<Vec<u8>, GpuError> {
        self.present.read_back(self.pipelines.context())
    }

    /// Brings the canvas up to date within the budget. Never waits for the adapter.
    pub fn render(
        &mut self,
        document: &Document,
        view: &ViewParams,
        preview: Option<&Preview>,
    ) -> Result<RenderStats, GpuError> {
        let context = self.pipelines.context().clone();
        context.scoped(|| self.render_frame(&context, document, view, preview))
    }

    fn render_frame(
        &mut self,
        context: &GpuContext,
        document: &Document,
        view: &ViewParams,
        preview: Option<&Preview>,
    ) -> Result<RenderStats, GpuError> {
        self.frame += 1;
        self.follow(context, document)?;
        let level = level_for(context, view.scale);
        let extent = level_size(document.size, level);
        let visible = TileRange::touching(visible_rect(view, level, extent), extent);
        self.ensure_level(context, level, visible, view.size, extent)?;
        let op_context =
            OpContext { profile: document.profile.clone(), scale: 1.0 / (1u32 << level) as f32 };
        let nodes = stack::prepare(document, &document.layers, &op_context, preview);
        let job = Job {
            nodes: &nodes,
            halo_px: stack::total_halo_px(&nodes).min(MAX_HALO_PX),
            layers: stack::count(&nodes) + 1,
            context: &op_context,
            depth: document.depth,
            level,
            extent,
        };
        let mut stats = RenderStats {
            level,
            visible_tiles: visible.columns * visible.rows,
            ..RenderStats::default()
        };
        let drawn = self.drawn.take();
        let changed = self.composite(&job, visible, view, &mut stats)?;
        stats.drawn_pixels = self.present_view(document, view, level, drawn, changed)?;
        stats.uploaded_bytes =
            self.stores.images.take_uploaded_bytes() + self.stores.masks.take_uploaded_bytes();
        Ok(stats)
    }

    /// Empties the caches where they hold another document's pixels.
    fn follow(&mut self, context: &GpuContext, document: &Document) -> Result<(), GpuError> {
        let now =
            Shown { size: document.size, depth: document.depth, profile: document.profile.clone() };
        if self.shown.as_ref() == Some(&now) {
            return Ok(());
        }
        self.levels.clear();
        self.drawn = None;
        if self.stores.images.slot_bytes() != slot_bytes(document.depth) {
            self.stores = stores(context, document.depth)?;
        }
        self.shown = Some(now);
        Ok(())
    }

    fn ensure_level(
        &mut self,
        context: &GpuContext,
        level: u32,
        visible: TileRange,
        viewport: Size,
        extent: Size,
    ) -> Result<(), GpuError> {
        if !self.levels.get(&level).is_some_and(|cache| cache.fits(visible)) {
            // Enough for every scale at which this level is shown.
            let most = context.limits().max_texture_dimension_2d / TILE;
            let side = |viewport: u32, extent: u32, visible: u32| {
                ((2 * viewport).div_ceil(TILE) + 1)
                    .min(extent.div_ceil(TILE))
                    .max(visible)
                    .min(most)
            };
            let columns = side(viewport.width, extent.width, visible.columns).max(1);
            let rows = side(viewport.height, extent.height, visible.rows).max(1);
            let cache = LevelCache::new(context, columns, rows)?;
            if !cache.fits(visible) {
                return Err(GpuError::TooLarge { what: "the canvas", size: viewport });
            }
            self.levels.insert(level, cache);
        }
        if let Some(cache) = self.levels.get_mut(&level) {
            cache.used = self.frame;
        }
        while self.levels.len() > MAX_LEVELS {
            let oldest = self.levels.iter().min_by_key(|(_, cache)| cache.used);
            match oldest.map(|(level, _)| *level) {
                Some(oldest) => self.levels.remove(&oldest),
                None => break,
            };
        }
        Ok(())
    }

    /// Evaluates visible tiles that are not cached, nearest to the middle first; answers where the
    /// level changed.
    fn composite(
        &mut self,
        job: &Job,
        visible: TileRange,
        view: &ViewParams,
        stats: &mut RenderStats,
    ) -> Result<IRect, GpuError> {
        let started = Instant::now();
        let blocks = self.stale_blocks(job, visible, view);
        let mut changed = IRect::default();
        for (done, block) in blocks.into_iter().enumerate() {
            let uploaded = self.stores.images.uploaded_bytes();
            let over = stats.layer_pixels > self.budget.layer_pixels
                || uploaded > self.budget.upload_bytes
                || started.elapsed() > self.budget.time;
            if done > 0 && over {
                stats.pending_tiles += block.tiles.len() as u32;
                continue;
            }
            changed = changed.union(block.rect);
            stats.composited_tiles += block.tiles.len() as u32;
            stats.layer_pixels += self.composite_block(job, block)?;
        }
        Ok(changed)
    }

    fn stale_blocks(&self, job: &Job, visible: TileRange, view: &ViewParams) -> Vec<Block> {
        let Some(cache) = self.levels.get(&job.level) else { return Vec::new() };
        let hardware = self.pipelines.context().facts().is_hardware();
        let side = if hardware || job.halo_px > 16 { BLOCK_TILES } else { BLOCK_TILES / 2 };
        let mut blocks: BTreeMap<(u32, u32), Block> = BTreeMap::new();
        for (column, row) in visible.cells() {
            let parts = job.parts(column, row);
            let signatures: Vec<u64> = parts.iter().map(|part| job.signature(*part)).collect();
            let held = cache.signatures(column, row).filter(|held| held.len() == parts.len());
            let is_stale =
                |index: &usize| held.is_none_or(|held| held[*index] != signatures[*index]);
            let stale = (0..parts.len()).filter(is_stale);
            let rect = stale.fold(IRect::default(), |rect, index| rect.union(parts[index]));
            if !rect.is_empty() {
                let block = blocks.entry((row / side, column / side)).or_default();
                block.rect = block.rect.union(rect);
                block.tiles.push((column, row, signatures));
            }
        }
        let level_scale = view.scale * (1u32 << job.level) as f32;
        let middle = (
            (view.size.width as f32 / 2.0 - view.offset.0) / level_scale,
            (view.size.height as f32 / 2.0 - view.offset.1) / level_scale,
        );
        let distance = |block: &Block| {
            let x = (block.rect.x0 + block.rect.x1) as f32 / 2.0 - middle.0;
            let y = (block.rect.y0 + block.rect.y1) as f32 / 2.0 - middle.1;
            (x.hypot(y)) as u64
        };
        let mut blocks: Vec<_> = blocks.into_values().collect();
        blocks.sort_by_key(distance);
        blocks
    }

    /// Evaluates and stores one block; answers its cost in pixels times layers.
    fn composite_block(&mut self, job: &Job, block: Block) -> Result<u64, GpuError> {
        let Some(cache) = self.levels.get_mut(&job.level) else { return Ok(0) };
        let work = block.rect.grow(job.halo_px as i32).intersect(job.extent.rect());
        let limits = self.pipelines.context().limits();
        if work.size().pixels() * 16 > limits.max_storage_buffer_binding_size {
            return Err(GpuError::TooLarge { what: "a filter's surroundings", size: work.size() });
        }
        let device = self.pipelines.context().device();
        let mut painter = Painter {
            pipelines: &self.pipelines,
            stores: &mut self.stores,
            context: job.context,
            depth: job.depth,
            level: job.level,
            work,
            encoder: device.create_command_encoder(&Default::default()),
        };
        let acc = painter.eval(job.nodes)?;
        store(&mut painter, &acc, block.rect, cache)?;
        painter.submit();
        self.pipelines.give_scratch(acc);
        for (column, row, signatures) in block.tiles {
            cache.set(column, row, signatures);
        }
        Ok(work.size().pixels() * job.layers)
    }

    /// Draws what `changed` of the level since `drawn`, or everything; answers how many pixels.
    fn present_view(
        &mut self,
        document: &Document,
        view: &ViewParams,
        level: u32,
        drawn: Option<Drawn>,
        changed: IRect,
    ) -> Result<u64, GpuError> {
        let Some(fine) = self.levels.get(&level) else { return Ok(0) };
        // The next coarser level that is there; while zooming out, a finer one.
        let coarser = self.levels.range(level + 1..).next();
        let spare = coarser.or_else(|| self.levels.range(..level).next_back());
        let (spare_level, spare) = spare.map_or((level, fine), |(level, cache)| (*level, cache));
        let now = Drawn { view: *view, level, spare_level };
        let region = if drawn.as_ref() == Some(&now) {
            on_screen(changed, view, level)
        } else {
            view.size.rect()
        };
        if !region.is_empty() {
            let input = PresentInput {
                document: document.size,
                view,
                fine: (level, fine),
                spare: (spare_level, spare),
                region,
            };
            self.present.draw(&self.pipelines, &input)?;
        }
        self.drawn = Some(now);
        Ok(region.size().pixels())
    }
}

/// One frame's constant facts.
struct Job<'a> {
    nodes: &'a [Node<'a>],
    halo_px: u32,
    layers: u64,
    context: &'a OpContext,
    depth: Depth,
    level: u32,
    /// The document at this level.
    extent: Size,
}

impl Job<'_> {
    fn tile_rect(&self, column: u32, row: u32) -> IRect {
        let origin = ((column * TILE) as i32, (row * TILE) as i32);
        IRect::from_origin_size(origin, Size::new(TILE, TILE)).intersect(self.extent.rect())
    }

    /// The squares of a tile that are told apart when the document changes, row by row.
    fn parts(&self, column: u32, row: u32) -> Vec<IRect> {
        let side = if self.halo_px > MAX_PART_HALO_PX { TILE } else { SQUARE };
        let count = TILE / side;
        let whole = self.tile_rect(column, row);
        let part = |x: u32, y: u32| {
            let origin = ((column * TILE + x * side) as i32, (row * TILE + y * side) as i32);
            IRect::from_origin_size(origin, Size::new(side, side)).intersect(whole)
        };
        (0..count).flat_map(|y| (0..count).map(move |x| part(x, y))).collect()
    }

    /// Names what a part shows.
    fn signature(&self, part: IRect) -> u64 {
        stack::signature(self.nodes, self.level, part.grow(self.halo_px as i32))
    }
}

/// Stale tiles evaluated together.
#[derive(Default)]
struct Block {
    /// What of them is stale.
    rect: IRect,
    tiles: Vec<(u32, u32, Vec<u64>)>,
}

/// Writes `rect` of the evaluated picture into a level's cache.
fn store(
    painter: &mut Painter,
    acc: &wgpu::Buffer,
    rect: IRect,
    cache: &LevelCache,
) -> Result<(), GpuError> {
    let (work, profile) = (painter.work, &painter.context.profile);
    let row = |index: usize| {
        let [r, g, b] = profile.to_linear_srgb[index];
        Uniform::Vec4([r, g, b, 0.0])
    };
    let params = [
        ("work_x", Uniform::I32(work.x0)),
        ("work_y", Uniform::I32(work.y0)),
        ("work_width", Uniform::U32(work.width())),
        ("store_x", Uniform::I32(rect.x0)),
        ("store_y", Uniform::I32(rect.y0)),
        ("store_width", Uniform::U32(rect.width())),
        ("store_height", Uniform::U32(rect.height())),
        ("cache_width", Uniform::I32(cache.size().width as i32)),
        ("cache_height", Uniform::I32(cache.size().height as i32)),
        ("depth_max", Uniform::F32(f32::from(painter.depth.max()))),
        ("convert", Uniform::U32(u32::from(!profile.is_srgb()))),
        ("transfer_gamma", Uniform::F32(profile.transfer.gamma)),
        ("transfer_a", Uniform::F32(profile.transfer.a)),
        ("transfer_b", Uniform::F32(profile.transfer.b)),
        ("transfer_c", Uniform::F32(profile.transfer.c)),
        ("transfer_d", Uniform::F32(profile.transfer.d)),
        ("row_red", row(0)),
        ("row_green", row(1)),
        ("row_blue", row(2)),
    ];
    let bindings = [
        ("acc", Bind::Buffer(acc)),
        ("params", Bind::Uniform(&params)),
        ("cache", Bind::Texture(&cache.view)),
    ];
    let mut pass = painter.encoder.begin_compute_pass(&Default::default());
    let extent = [rect.width(), rect.height(), 1];
    painter.pipelines.dispatch(&mut pass, ("view/store", "main"), &bindings, extent)
}

const fn slot_bytes(depth: Depth) -> u64 {
    (TILE * TILE * 4) as u64 * depth.bytes() as u64
}

fn stores(context: &GpuContext, depth: Depth) -> Result<Stores, GpuError> {
    let budget = if context.facts().is_hardware() { 512 << 20 } else { 128 << 20 };
    Ok(Stores {
        pyramid: Pyramid::default(),
        images: TileCache::new(context, slot_bytes(depth), budget)?,
        masks: TileCache::new(context, (TILE * TILE) as u64, budget / 8)?,
    })
}
