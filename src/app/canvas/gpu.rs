//! The picture by the display compositor, drawn into a texture that egui only shows.

use eframe::egui;
use eframe::egui_wgpu::RenderState;
use egui::{Color32, Rect, TextureId, Ui, pos2};

use super::{CHECKER, Source, show};
use crate::app::state::TabId;
use crate::app::ui::Shot;
use crate::app::view::Viewport;
use crate::geom::Size;
use crate::gpu::{Compositor, FilterMode, GpuContext, GpuError, ViewParams};

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
    texture: Option<(u64, FilterMode, TextureId)>,
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

    /// Gives back what the compositor keeps of a document.
    pub fn forget(&mut self) {
        self.compositor.reset();
        self.tab = None;
        self.drawn = None;
    }

    /// Draws `document`, whose content `key` names. A frame that would show the same is skipped;
    /// one that ran out of its budget asks for another.
    ///
    /// # Errors
    /// When the device is lost or refuses the work; the caller then flattens on the processor.
    pub fn paint(
        &mut self,
        ui: &Ui,
        shot: &Shot,
        (key, document): &Source,
        surround: Color32,
    ) -> Result<(), GpuError> {
        if self.tab != Some(shot.tab) {
            self.forget();
            self.tab = Some(shot.tab);
        }
        let params = view_params(shot, surround);
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
        // Texture pixels are screen pixels, and nearest is exact, unless the picture is turned.
        let filter = if shot.turn.is_some() { FilterMode::Linear } else { FilterMode::Nearest };
        show(ui, shot, self.texture(filter), place(&shot.viewport));
        Ok(())
    }

    /// Registers the compositor's texture, again whenever it is another one.
    fn texture(&mut self, filter: FilterMode) -> TextureId {
        let generation = self.compositor.generation();
        if let Some((known, known_filter, id)) = self.texture
            && (known, known_filter) == (generation, filter)
        {
            return id;
        }
        let mut renderer = self.state.renderer.write();
        if let Some((_, _, id)) = self.texture {
            renderer.free_texture(&id);
        }
        let view = self.compositor.texture_view();
        let id = renderer.register_native_texture(&self.state.device, view, filter);
        self.texture = Some((generation, filter, id));
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

fn view_params(shot: &Shot, surround: Color32) -> ViewParams {
    let viewport = &shot.viewport;
    let ppp = viewport.pixels_per_point;
    let origin = (shot.view.origin(viewport) - place(viewport).min) * ppp;
    ViewParams {
        size: size_px(viewport),
        scale: shot.view.zoom,
        offset: (origin.x.round(), origin.y.round()),
        surround: f32::from(surround.r()) / 255.0,
        checker_px: (CHECKER * ppp).round().max(1.0),
        // The window draws its own, above the overlay's zoom.
        pixel_grid: false,
    }
}
