//! The histogram of what is shown.

use eframe::egui;
use egui::{Color32, Mesh, Rect, Sense, Shape, Ui, pos2, vec2};

use crate::app::observe::BINS;
use crate::app::state::Model;
use crate::app::theme;

pub fn histogram_ui(ui: &mut Ui, model: &Model) {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 72.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Histogram"));
    ui.painter().rect_filled(rect, 4.0, palette.well);
    let Some(histogram) = &model.observer.histogram else { return };
    let inner = rect.shrink(3.0);
    let tone = |r, g, b| Color32::from_rgba_unmultiplied(r, g, b, 120);
    let colors = [tone(240, 80, 76), tone(84, 200, 96), tone(84, 136, 250)];
    let grey = palette.weak.gamma_multiply(0.35);
    area(ui, inner, &histogram[3], grey);
    for (bins, color) in histogram.iter().zip(colors) {
        area(ui, inner, bins, color);
    }
}

/// The filled area under one curve.
fn area(ui: &Ui, rect: Rect, bins: &[f32; BINS], color: Color32) {
    let mut mesh = Mesh::default();
    for (bin, height) in bins.iter().enumerate() {
        let x = rect.left() + rect.width() * bin as f32 / (BINS - 1) as f32;
        // A root lets small counts be seen beside large ones.
        let y = rect.bottom() - rect.height() * height.sqrt();
        mesh.colored_vertex(pos2(x, y), color);
        mesh.colored_vertex(pos2(x, rect.bottom()), color);
        if bin > 0 {
            let at = bin as u32 * 2;
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    ui.painter().add(Shape::mesh(mesh));
}
