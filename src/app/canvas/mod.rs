//! The picture inside the canvas: by the compositor on the adapter, or, where there is none, by
//! the flattening code on a worker thread.

mod cpu;
mod gpu;

use eframe::egui;
use eframe::egui_wgpu::RenderState;
use egui::emath::Rot2;
use egui::{Color32, Mesh, Pos2, Rect, Shape, TextureId, Ui, pos2};

use crate::app::jobs::Wake;
use crate::app::ui::{CanvasPicture, Shot, Shown};
use crate::document::Document;
use crate::gpu::{GpuContext, GpuError};
use cpu::CpuPicture;
use gpu::GpuPicture;

/// Side of a square of the transparency pattern, in points.
const CHECKER: f32 = 8.0;

/// A document and what names its content.
pub type Source = (u64, Document);

/// The canvas of a window: the document, and its original while the two are compared.
pub struct Picture {
    now: Pane,
    before: Option<Pane>,
    adapter: Option<(RenderState, GpuContext)>,
    wake: Wake,
    /// Colour around the picture.
    pub surround: Color32,
    /// Why the compositor was given up, until it is told.
    pub trouble: Option<String>,
}

/// One document: the compositor while it works, else the processor.
struct Pane {
    gpu: Option<GpuPicture>,
    cpu: CpuPicture,
    source: Option<Source>,
}

impl Pane {
    fn is_settled(&self) -> bool {
        self.gpu.as_ref().map_or_else(|| self.cpu.is_settled(), GpuPicture::is_settled)
    }

    fn paint(&mut self, ui: &Ui, shot: &Shot, surround: Color32) -> Result<(), GpuError> {
        let Some(source) = &self.source else { return Ok(()) };
        if let Some(gpu) = &mut self.gpu {
            match gpu.paint(ui, shot, source, surround) {
                Ok(()) => return Ok(()),
                Err(err) => {
                    self.cpu.paint(ui, shot, source);
                    return Err(err);
                }
            }
        }
        self.cpu.paint(ui, shot, source);
        Ok(())
    }
}

impl Picture {
    /// # Errors
    /// When no thread can be started.
    pub fn on_processor(wake: &Wake) -> Result<Self, std::io::Error> {
        Ok(Self {
            now: Pane { gpu: None, cpu: CpuPicture::spawn(wake)?, source: None },
            before: None,
            adapter: None,
            wake: wake.clone(),
            surround: Color32::BLACK,
            trouble: None,
        })
    }

    /// Draws through the window's device from now on.
    pub fn use_adapter(&mut self, state: &RenderState, context: &GpuContext) {
        match GpuPicture::new(state, context) {
            Ok(gpu) => {
                self.now.gpu = Some(gpu);
                self.adapter = Some((state.clone(), context.clone()));
            }
            Err(err) => self.give_up(&err),
        }
    }

    /// What the canvas shows; `before` only while it is compared with.
    pub fn set_sources(&mut self, now: Option<Source>, before: Option<Source>) {
        self.now.source = now;
        if before.is_some() && self.before.is_none() {
            self.before = self.another_pane();
        }
        if let Some(pane) = &mut self.before {
            if before.is_none()
                && let Some(gpu) = &mut pane.gpu
            {
                gpu.forget();
            }
            pane.source = before;
        }
    }

    fn another_pane(&mut self) -> Option<Pane> {
        let gpu = self.adapter.as_ref().map(|(state, context)| GpuPicture::new(state, context));
        let gpu = gpu.transpose();
        let gpu = gpu.unwrap_or_else(|err| {
            self.give_up(&err);
            None
        });
        match CpuPicture::spawn(&self.wake) {
            Ok(cpu) => Some(Pane { gpu, cpu, source: None }),
            Err(err) => {
                self.trouble = Some(err.to_string());
                None
            }
        }
    }

    /// Whether what is shown is what was asked for.
    pub fn is_settled(&self) -> bool {
        let compared = self.before.as_ref().filter(|pane| pane.source.is_some());
        self.now.is_settled() && compared.is_none_or(Pane::is_settled)
    }

    fn give_up(&mut self, err: &GpuError) {
        self.adapter = None;
        self.now.gpu = None;
        if let Some(before) = &mut self.before {
            before.gpu = None;
        }
        self.trouble = Some(err.to_string());
    }
}

impl CanvasPicture for Picture {
    fn paint(&mut self, ui: &Ui, shot: &Shot) {
        let pane = match shot.shown {
            Shown::Now => Some(&mut self.now),
            Shown::Before => self.before.as_mut(),
        };
        if let Some(Err(err)) = pane.map(|pane| pane.paint(ui, shot, self.surround)) {
            self.give_up(&err);
        }
    }
}

/// Shows a texture in `place`, turned as the shot says.
fn show(ui: &Ui, shot: &Shot, texture: TextureId, place: Rect) {
    let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    let painter = ui.painter_at(shot.clip);
    let Some(turn) = shot.turn else {
        painter.image(texture, place, uv, Color32::WHITE);
        return;
    };
    let mut mesh = Mesh::with_texture(texture);
    mesh.add_rect_with_uv(place, uv, Color32::WHITE);
    let about = shot.view.screen_from_doc(&shot.viewport, turn.center);
    mesh.rotate(Rot2::from_angle(turn.angle_deg.to_radians()), about);
    painter.add(Shape::mesh(mesh));
}
