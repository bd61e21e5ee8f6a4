//! What a frame of the display costs: opening, panning, zooming and painting on documents of
//! five layers, through the compositor of the window.

use super::super::devices;
use super::super::report::Failure;
use super::canvas::{Stroke, layered};
use super::{Bench, megapixels, size_of};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::document::Document;
use crate::geom::Size;
use crate::gpu::{self, Compositor, GpuContext, GpuError, RenderStats, ViewParams};
use crate::ops;
use crate::pixels::Depth;

/// Extent of the window.
const WINDOW: Size = Size::new(1360, 860);
/// Frames of one pan, zoom or stroke.
const FRAMES: usize = 60;

/// The adapter that the window would come up on.
pub(super) struct Adapter {
    pub context: GpuContext,
    /// Whether operations are to be timed on it: where they would run, or where it was named.
    pub times_operations: bool,
    name: String,
}

impl Adapter {
    /// `None` where no entry wants one or the machine has none.
    pub fn open(bench: &Bench, choice: DeviceChoice) -> Result<Option<Self>, Failure> {
        let operations = || ops::all().iter().map(|op| format!("op/{}", op.spec().name));
        if !ENTRIES.iter().any(|name| bench.wants(name)) && !operations().any(|op| bench.wants(&op))
        {
            return Ok(None);
        }
        let survey = devices::survey(choice)?;
        let Some(index) = survey.plan().adapter() else { return Ok(None) };
        let context = survey.open().map_err(Failure::failed)?;
        let times_operations = survey.runs_operations() || matches!(choice, DeviceChoice::Gpu(_));
        Ok(Some(Self { context, times_operations, name: format!("gpu:{index}") }))
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

const ENTRIES: [&str; 4] = ["view/open", "view/pan", "view/zoom", "brush/frame"];

pub(super) fn run(bench: &mut Bench, adapter: &Adapter, megapixels: &[f64]) -> Result<(), Failure> {
    if !ENTRIES.iter().any(|name| bench.wants(name)) {
        return Ok(());
    }
    for mp in megapixels {
        let document = layered(size_of(*mp));
        let mut view = View::new(adapter, document).map_err(Failure::failed)?;
        view.open(bench)?;
        view.pan(bench)?;
        view.zoom(bench)?;
        view.paint(bench)?;
    }
    Ok(())
}

/// A document in a window.
struct View<'a> {
    adapter: &'a Adapter,
    compositor: Compositor,
    document: Document,
    megapixels: f64,
    /// The scale at which the whole document shows.
    fit: f32,
}

impl<'a> View<'a> {
    fn new(adapter: &'a Adapter, document: Document) -> Result<Self, GpuError> {
        let Size { width, height } = document.size;
        let fit = (WINDOW.width as f32 / width as f32).min(WINDOW.height as f32 / height as f32);
        let compositor = Compositor::new(&adapter.context)?;
        let megapixels = megapixels(document.size);
        Ok(Self { adapter, compositor, document, megapixels, fit })
    }

    /// The view at `scale` with the document's middle `shift` screen pixels from the window's.
    fn params(&self, scale: f32, shift: (f32, f32)) -> ViewParams {
        let Size { width, height } = self.document.size;
        let start = |window: u32, side: u32, shift: f32| {
            ((window as f32 - side as f32 * scale) / 2.0 + shift).round()
        };
        ViewParams {
            size: WINDOW,
            scale,
            offset: (start(WINDOW.width, width, shift.0), start(WINDOW.height, height, shift.1)),
            surround: 0.2,
            checker_px: 8.0,
            pixel_grid: false,
        }
    }

    /// One frame within the window's budget, until the adapter is done with it.
    fn frame(&mut self, params: &ViewParams) -> Result<RenderStats, Failure> {
        let stats = self.compositor.render(&self.document, params, None);
        let stats = stats.map_err(Failure::failed)?;
        gpu::finish(&self.adapter.context).map_err(Failure::failed)?;
        Ok(stats)
    }

    /// Frames until everything visible is there; answers how many, and the bytes uploaded.
    fn settle(&mut self, params: &ViewParams) -> Result<(u32, u64), Failure> {
        let (mut frames, mut bytes) = (0, 0);
        loop {
            let stats = self.frame(params)?;
            frames += 1;
            bytes += stats.uploaded_bytes;
            if stats.is_complete() {
                return Ok((frames, bytes));
            }
        }
    }

    /// From nothing to the whole document in sight.
    fn open(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        let (name, megapixels) = (self.adapter.name(), self.megapixels);
        let params = self.params(self.fit, (0.0, 0.0));
        // A picture of another depth in between empties the caches of tiles.
        let deep = Document::new(Size::new(1, 1), Depth::U16, WorkingProfile::srgb());
        bench.time("view/open", name, megapixels, || {
            self.compositor.render(&deep, &params, None).map_err(Failure::failed)?;
            let (frames, bytes) = self.settle(&params)?;
            Ok(Some(format!("{frames} frames, {:.1} MiB uploaded", mebibytes(bytes))))
        })
    }

    /// A frame of a drag at 100 %.
    fn pan(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        let (name, megapixels) = (self.adapter.name(), self.megapixels);
        self.settle(&self.params(1.0, (0.0, 0.0)))?;
        let (mut step, mut pending) = (0.0, 0);
        bench.time_runs(FRAMES, "view/pan", name, megapixels, || {
            step += 1.0;
            let stats = self.frame(&self.params(1.0, (-24.0 * step, -15.0 * step)))?;
            pending = pending.max(stats.pending_tiles);
            Ok(Some(format!("at most {pending} of {} tiles late", stats.visible_tiles)))
        })
    }

    /// A frame while the wheel turns from the whole document to 200 % and back.
    fn zoom(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        let (name, megapixels) = (self.adapter.name(), self.megapixels);
        self.settle(&self.params(self.fit, (0.0, 0.0)))?;
        let (mut step, mut pending) = (0.0_f32, 0);
        bench.time_runs(FRAMES, "view/zoom", name, megapixels, || {
            step += 2.0 / FRAMES as f32;
            let way = 1.0 - (1.0 - step % 2.0).abs();
            let scale = self.fit * (2.0 / self.fit).powf(way);
            let stats = self.frame(&self.params(scale, (0.0, 0.0)))?;
            pending = pending.max(stats.pending_tiles);
            Ok(Some(format!("at most {pending} tiles late")))
        })
    }

    /// A pointer event of a stroke with the frame that shows it, the whole document in sight.
    fn paint(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        let (name, megapixels) = (self.adapter.name(), self.megapixels);
        let mut stroke = Stroke::begin(&self.document)?;
        let params = self.params(self.fit, (0.0, 0.0));
        self.settle(&params)?;
        let mut most = 0;
        bench.time_runs(FRAMES, "brush/frame", name, megapixels, || {
            stroke.drag()?;
            self.document = stroke.document().clone();
            most = self.frame(&params)?.uploaded_bytes.max(most);
            Ok(Some(format!("at most {:.2} MiB uploaded", mebibytes(most))))
        })
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
