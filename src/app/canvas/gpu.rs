//! The picture by the display compositor, drawn into a texture that egui only shows.

use eframe::egui;
use eframe::egui_wgpu::RenderState;
use egui::{Color32, Pos2, Rect, TextureId, Ui, pos2};

use super::CHECKER;
use crate::app::state::{Tab, TabId};
use crate::app::ui::CanvasPicture;
use crate::app::view::Viewport;
use crate::document::Document;
use crate::geom::Size;
use crate::gpu::{Compositor, GpuContext, GpuError, ViewParams};

/// What the texture shows at present.
#[derive(Clone, Copy, PartialEq)]
struct Drawn {
    key: u64,
    params: ViewParams,
    is_complete: bool,
}

/// Shows documents through the adapter that draws the window.
pub struct GpuPicture {
    state: RenderState,
    compositor: Compositor,
    /// The compositor's texture as egui knows it, and which of its generations that is.
    texture: Option<(u64, TextureId)>,
    tab: Option<TabId>,
    drawn: Option<Drawn>,
}

impl GpuPicture {
    /// # Errors
    /// When the adapter lacks what the compositor needs.
    pub fn new(state: &RenderState, context: &GpuContext) -> Result<Self, GpuError> {
        let compositor = Compositor::new(context)?;
        Ok(Self { state: state.clone(), compositor, texture: None, tab: None, drawn: None })
    }

    pub fn is_settled(&self) -> bool {
        self.drawn.is_none_or(|drawn| drawn.is_complete)
    }

    /// Draws `document`, whose content `key` names. A frame that would show the same is skipped;
    /// one that ran out of its budget asks for another.
    ///
    /// # Errors
    /// When the device is lost or refuses the work; the caller then flattens on the processor.
    pub fn paint(
        &mut self,
        ui: &Ui,
        tab: &Tab,
        viewport: &Viewport,
        (key, document): &(u64, Document),
        surround: Color32,
    ) -> Result<(), GpuError> {
        if self.tab != Some(tab.id) {
            self.compositor.reset();
            self.tab = Some(tab.id);
            self.drawn = None;
        }
        let params = view_params(tab, viewport, surround);
        if params.size.is_empty() {
            return Ok(());
        }
        let same = |drawn: &Drawn| drawn.key == *key && drawn.params == params;
        if !self.drawn.as_ref().is_some_and(|drawn| drawn.is_complete && same(drawn)) {
            let stats = self.compositor.render(document, &params, None)?;
            let is_complete = stats.is_complete();
            self.drawn = Some(Drawn { key: *key, params, is_complete });
            if !is_complete {
                ui.ctx().request_repaint();
            }
        }
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter_at(viewport.rect).image(self.texture(), place(viewport), uv, Color32::WHITE);
        Ok(())
    }

    /// Registers the compositor's texture, again whenever it is another one.
    fn texture(&mut self) -> TextureId {
        let generation = self.compositor.generation();
        if let Some((known, id)) = self.texture
            && known == generation
        {
            return id;
        }
        let mut renderer = self.state.renderer.write();
        if let Some((_, id)) = self.texture {
            renderer.free_texture(&id);
        }
        // Texture pixels are screen pixels: the default filter, nearest, is exact.
        let view = self.compositor.texture_view();
        let id = renderer.register_native_texture(&self.state.device, view, Default::default());
        self.texture = Some((generation, id));
        id
    }
}

/// The whole screen pixels that the viewport covers, in points.
fn place(viewport: &Viewport) -> Rect {
    let ppp = viewport.pixels_per_point;
    let size = size_px(viewport);
    let min = viewport.rect.min;
    let min = pos2((min.x * ppp).round() / ppp, (min.y * ppp).round() / ppp);
    Rect::from_min_size(min, egui::vec2(size.width as f32, size.height as f32) / ppp)
}

fn size_px(viewport: &Viewport) -> Size {
    let size = viewport.rect.size() * viewport.pixels_per_point;
    Size::new(size.x.ceil().max(0.0) as u32, size.y.ceil().max(0.0) as u32)
}

fn view_params(tab: &Tab, viewport: &Viewport, surround: Color32) -> ViewParams {
    let ppp = viewport.pixels_per_point;
    let origin = (tab.view.origin(viewport) - place(viewport).min) * ppp;
    ViewParams {
        size: size_px(viewport),
        scale: tab.view.zoom,
        offset: (origin.x.round(), origin.y.round()),
        surround: f32::from(surround.r()) / 255.0,
        checker_px: (CHECKER * ppp).round().max(1.0),
        // The window draws its own, above the overlay's zoom.
        pixel_grid: false,
    }
}

/// The canvas of a window: the compositor while it works, else the processor.
pub struct Picture {
    gpu: Option<GpuPicture>,
    cpu: super::CpuPicture,
    /// Colour around the picture.
    pub surround: Color32,
    /// Why the compositor was given up, until it is told.
    pub trouble: Option<String>,
}

impl Picture {
    pub const fn on_processor(cpu: super::CpuPicture) -> Self {
        Self { gpu: None, cpu, surround: Color32::BLACK, trouble: None }
    }

    /// Draws through the window's device from now on.
    pub fn use_adapter(&mut self, state: &RenderState, context: &GpuContext) {
        match GpuPicture::new(state, context) {
            Ok(gpu) => self.gpu = Some(gpu),
            Err(err) => self.give_up(&err),
        }
    }

    pub fn set_source(&mut self, source: Option<(u64, Document)>) {
        self.cpu.source = source;
    }

    /// Whether what is shown is what was asked for.
    pub fn is_settled(&self) -> bool {
        self.gpu.as_ref().map_or_else(|| self.cpu.is_settled(), GpuPicture::is_settled)
    }

    fn give_up(&mut self, err: &GpuError) {
        self.gpu = None;
        self.trouble = Some(err.to_string());
    }
}

impl CanvasPicture for Picture {
    fn paint(&mut self, ui: &Ui, tab: &Tab, viewport: &Viewport) {
        if let (Some(gpu), Some(source)) = (&mut self.gpu, &self.cpu.source) {
            match gpu.paint(ui, tab, viewport, source, self.surround) {
                Ok(()) => return,
                Err(err) => self.give_up(&err),
            }
        }
        self.cpu.paint(ui, tab, viewport);
    }
}
