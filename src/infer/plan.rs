//! What a job will do and cost, before it runs: tiles, seconds, memory, and the default model.

use crate::geom::{IRect, Size};
use crate::zoo::{Capability, Extent};

/// Smallest core of a tile, in source pixels: below it the halo is most of the work.
pub const MIN_TILE: u32 = 32;
/// Largest core of a tile, in source pixels.
pub const MAX_TILE: u32 = 1024;
/// Cores are multiples of this, so that pixel-unshuffling networks always fit.
const TILE_STEP: u32 = 16;
/// Working memory that the default tile may take: small enough for any machine, large enough
/// for tiles whose halo is a minor part.
const TILE_BUDGET_BYTES: f64 = 1.5 * 1024.0 * 1024.0 * 1024.0;
/// Core of the default tile where memory does not ask for less. Larger wastes less on halos,
/// smaller answers a cancel sooner.
const PREFERRED_TILE: u32 = 224;

/// Id of the default network for photographs.
pub const PHOTO_MODEL: &str = "realesrgan-x4plus-int8";
/// Id of the fast default network.
pub const FAST_MODEL: &str = "realesr-animevideov3-x4";
/// Longest estimate with which a processor is still asked to run [`PHOTO_MODEL`].
pub const PHOTO_LIMIT_SECONDS: f32 = 120.0;

/// Measured speed of a device: multiply and add count as two, of the plain convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    pub flops_per_second: f64,
}

/// One tile: the network sees `input`, the result keeps what belongs to `core`. Source pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    pub core: IRect,
    pub input: IRect,
}

impl Tile {
    /// `core` with a halo of `halo_px`, cut at the picture's edge, where the network's own
    /// padding is what an untiled run would see.
    pub fn new(core: IRect, halo_px: u32, size: Size) -> Self {
        Self { core, input: core.grow(halo_px as i32).intersect(size.rect()) }
    }
}

/// The core for pictures of `size`: the preferred one, less where memory asks for it.
pub fn default_tile(capability: &Capability) -> u32 {
    let fits = |core: u32| {
        let side = f64::from(core + 2 * capability.halo_px);
        side * side * capability.bytes_per_px <= TILE_BUDGET_BYTES
    };
    let mut core = PREFERRED_TILE;
    while core > MIN_TILE && !fits(core) {
        core -= TILE_STEP;
    }
    core
}

/// A core side as asked for, brought into range and onto the grid.
pub const fn clamp_tile(asked: u32) -> u32 {
    let clamped = if asked < MIN_TILE { MIN_TILE } else { asked };
    let clamped = if clamped > MAX_TILE { MAX_TILE } else { clamped };
    clamped / TILE_STEP * TILE_STEP
}

/// Cores that cover `area` row by row, at most `side` pixels wide and high.
pub fn cores(area: IRect, side: u32) -> Vec<IRect> {
    let side = side.max(1) as i32;
    let mut cores = Vec::new();
    let mut y = area.y0;
    while y < area.y1 {
        let y1 = y.saturating_add(side).min(area.y1);
        let mut x = area.x0;
        while x < area.x1 {
            let x1 = x.saturating_add(side).min(area.x1);
            cores.push(IRect::new(x, y, x1, y1));
            x = x1;
        }
        y = y1;
    }
    cores
}

/// Side of the picture of one megapixel by which networks are compared, in pixels.
const MEGAPIXEL_SIDE: u32 = 1000;

/// What a network needs in bytes beside its weights: for a picture of one megapixel in tiles of
/// the default size, or for one picture of a generator.
pub fn working_bytes(capability: &Capability) -> u64 {
    let side = f64::from(MEGAPIXEL_SIDE);
    let pixels = match capability.extent {
        // Generators count a whole picture as one.
        _ if capability.channels_in == 0 => 1.0,
        Extent::Tiles => {
            let tile = default_tile(capability).saturating_add(2 * capability.halo_px);
            side.min(f64::from(tile)).powi(2)
        }
        Extent::Whole => side * side,
        Extent::Fixed([height, width]) => (height * width) as f64,
    };
    (pixels * capability.bytes_per_px) as u64
}

/// The side of the result: `size` times `scale`, rounded, at least one pixel.
pub fn scaled(size: Size, scale: f32) -> Size {
    let side = |px: u32| ((f64::from(px) * f64::from(scale)).round() as u32).max(1);
    Size::new(side(size.width), side(size.height))
}

/// The line shown before a job starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preflight {
    pub tiles: u32,
    /// Absent until the device has been measured.
    pub seconds: Option<f32>,
    pub memory_bytes: u64,
    pub output: Size,
}

/// Estimates an upscale of a picture of `size` by `scale`, whose samples have `sample_bytes`.
pub fn preflight(
    capability: &Capability,
    size: Size,
    sample_bytes: usize,
    scale: f32,
    tile: u32,
    speed: Option<Speed>,
) -> Preflight {
    let cores = cores(size.rect(), tile);
    let inputs = cores.iter().map(|core| Tile::new(*core, capability.halo_px, size).input.size());
    let (mut pixels, mut largest) = (0u64, 0u64);
    for input in inputs {
        pixels += input.pixels();
        largest = largest.max(input.pixels());
    }
    let net = scaled(size, capability.scale as f32);
    let output = scaled(size, scale);
    // A result of another size is resampled from 16 bits.
    let buffers = if net == output {
        output.pixels() * 4 * sample_bytes as u64
    } else {
        net.pixels() * 8 + output.pixels() * 8
    };
    let work = largest as f64 * capability.bytes_per_px;
    let runs = if capability.is_grey() { 3.0 } else { 1.0 };
    let flops = runs * pixels as f64 * capability.flops_per_px;
    Preflight {
        tiles: cores.len() as u32,
        seconds: speed.map(|speed| (flops / speed.flops_per_second) as f32),
        memory_bytes: capability.weight_bytes + work as u64 + buffers,
        output,
    }
}

/// Estimates a change of a picture that keeps its size: in tiles, at once, or at the size that
/// the network sees.
pub fn preflight_change(
    capability: &Capability,
    size: Size,
    sample_bytes: usize,
    speed: Option<Speed>,
) -> Preflight {
    let (seen, tile) = match capability.extent {
        Extent::Tiles => (size, default_tile(capability)),
        Extent::Whole => (size, size.width.max(size.height)),
        Extent::Fixed([height, width]) => {
            (Size::new(width as u32, height as u32), height.max(width) as u32)
        }
    };
    let estimate = preflight(capability, seen, sample_bytes, 1.0, tile, speed);
    Preflight { output: size, ..estimate }
}

impl std::fmt::Display for Preflight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.tiles == 1 { "" } else { "s" };
        write!(f, "{} · {} tile{plural}", self.output, self.tiles)?;
        match self.seconds {
            Some(seconds) => write!(f, " · {}", Seconds(seconds))?,
            None => write!(f, " · time not yet measured")?,
        }
        write!(f, " · {} MB", self.memory_bytes.div_ceil(1_000_000))
    }
}

/// A duration in words: `under 1 s`, `about 12 s`, `about 3 min`.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub f32);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0;
        if seconds < 1.0 {
            write!(f, "under 1 s")
        } else if seconds < 100.0 {
            write!(f, "about {seconds:.0} s")
        } else if seconds < 100.0 * 60.0 {
            write!(f, "about {:.0} min", seconds / 60.0)
        } else {
            write!(f, "about {:.1} h", seconds / 3600.0)
        }
    }
}

/// The network that runs when none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultModel {
    pub id: &'static str,
    /// Shown beside the choice.
    pub note: Option<&'static str>,
}

/// [`PHOTO_MODEL`] on a graphics card, and on a processor as long as its estimate stays within
/// [`PHOTO_LIMIT_SECONDS`]; else [`FAST_MODEL`]. An unknown estimate counts as too long.
pub fn default_model(on_gpu: bool, photo_seconds: Option<f32>) -> DefaultModel {
    let affordable = photo_seconds.is_some_and(|seconds| seconds <= PHOTO_LIMIT_SECONDS);
    if on_gpu || affordable {
        DefaultModel { id: PHOTO_MODEL, note: None }
    } else {
        DefaultModel {
            id: FAST_MODEL,
            note: Some(
                "chosen for its speed on this processor; it is made for drawings and video, \
                 realesrgan-x4plus-int8 suits photos better",
            ),
        }
    }
}
