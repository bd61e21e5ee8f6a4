//! The picture without an adapter of our own: flattened on a worker at the scale of the screen,
//! the latest view first.

use eframe::egui;
use egui::{Color32, ColorImage, Mesh, Rect, Shape, TextureHandle, TextureOptions, Ui, pos2};

use super::{CHECKER, Source, show};
use crate::app::jobs::{Latest, Wake};
use crate::app::observe::to_srgb8;
use crate::app::ui::Shot;
use crate::compose;
use crate::document::Document;
use crate::geom::IRect;

/// Pixels around the visible part that are made ready for the next pan.
const MARGIN: i32 = 64;

struct Question {
    document: Document,
    key: u64,
    /// Document pixels.
    region: IRect,
    step: u32,
}

struct Answer {
    key: u64,
    region: IRect,
    step: u32,
    image: ColorImage,
}

/// Shows the last finished picture until a newer one is ready.
pub struct CpuPicture {
    worker: Latest<Question, Answer>,
    asked: Option<(u64, IRect, u32)>,
    shown: Option<(u64, IRect, u32, TextureHandle)>,
    checker: Option<TextureHandle>,
}

impl CpuPicture {
    pub fn spawn(wake: &Wake) -> Result<Self, std::io::Error> {
        let worker = Latest::spawn("canvas", wake.clone(), answer)?;
        Ok(Self { worker, asked: None, shown: None, checker: None })
    }

    /// Whether what is shown is what was asked for.
    pub fn is_settled(&self) -> bool {
        let shown = self.shown.as_ref().map(|(key, region, step, _)| (*key, *region, *step));
        shown == self.asked
    }
}

fn answer(question: Question) -> Answer {
    let Question { document, key, region, step } = question;
    let pixels = if step == 1 {
        compose::flatten(&document, region)
    } else {
        compose::preview(&document, &document.layers, step)
    };
    let size = [pixels.size().width as usize, pixels.size().height as usize];
    let bytes = to_srgb8(&pixels, &document.profile);
    Answer { key, region, step, image: ColorImage::from_rgba_unmultiplied(size, &bytes) }
}

impl CpuPicture {
    /// Draws what is ready of the document and asks for the rest.
    pub fn paint(&mut self, ui: &Ui, shot: &Shot, (key, document): &Source) {
        let (view, viewport) = (&shot.view, &shot.viewport);
        // Two samples a screen pixel below 100 %, so that fine texture does not sparkle.
        let step = ((0.6 / view.zoom).floor() as u32).max(1);
        let canvas = document.size.rect();
        let visible = view.visible(viewport, document.size);
        let region = if step == 1 { visible.grow(MARGIN).intersect(canvas) } else { canvas };
        let covered = self.asked.is_some_and(|(asked_key, asked, asked_step)| {
            asked_key == *key && asked_step == step && asked.contains_rect(visible)
        });
        if !covered && !region.is_empty() {
            self.asked = Some((*key, region, step));
            let document = document.clone();
            self.worker.ask(Question { document, key: *key, region, step });
        }
        while let Some(Answer { key, region, step, image }) = self.worker.answer() {
            let options = TextureOptions {
                magnification: egui::TextureFilter::Nearest,
                ..TextureOptions::LINEAR
            };
            let side = ui.input(|input| input.max_texture_side);
            if image.width() <= side && image.height() <= side {
                let texture = ui.ctx().load_texture("picture", image, options);
                self.shown = Some((key, region, step, texture));
            }
        }
        if shot.turn.is_none() {
            let whole = view.screen_rect(viewport, canvas);
            self.checker(ui, &ui.painter_at(shot.clip), whole.intersect(shot.clip));
        }
        if let Some((_, region, _, texture)) = &self.shown {
            show(ui, shot, texture.id(), view.screen_rect(viewport, *region));
        }
    }

    /// The pattern that shows through transparent pixels.
    fn checker(&mut self, ui: &Ui, painter: &egui::Painter, area: Rect) {
        if !area.is_positive() {
            return;
        }
        let texture = self.checker.get_or_insert_with(|| {
            let (light, dark) = (Color32::from_gray(204), Color32::from_gray(158));
            let image = ColorImage::new([2, 2], vec![light, dark, dark, light]);
            ui.ctx().load_texture("checker", image, TextureOptions::NEAREST_REPEAT)
        });
        let mut mesh = Mesh::with_texture(texture.id());
        let uv = Rect::from_min_size(pos2(0.0, 0.0), area.size() / (2.0 * CHECKER));
        mesh.add_rect_with_uv(area, uv, Color32::WHITE);
        painter.add(Shape::mesh(mesh));
    }
}
