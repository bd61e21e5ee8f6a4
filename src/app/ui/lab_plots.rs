//! The lab's pictures: sheets, the judge's plane, curves.

use eframe::egui;
use egui::{Color32, Pos2, Sense, Stroke, Ui, Vec2, pos2};
use egui_plot::{Legend, Line, Plot, PlotPoints, Points};

use super::{heading_ui, note_ui};
use crate::app::lab::{Lab, Measured, REACH, Sheet};
use crate::app::{theme, thumbs};
use crate::infer::examine::Examination;
use crate::train::Report;

const REAL: Color32 = Color32::from_rgb(0x4f, 0x9d, 0xe8);
const DRAWN: Color32 = Color32::from_rgb(0xf0, 0x8c, 0x3a);
const CURVE_HEIGHT: f32 = 128.0;
/// Logits at which the judge is quite sure.
const SURE: f32 = 3.0;

/// What the generator draws: pictures, or points with the grid of latents among them.
pub fn sheet_ui(ui: &mut Ui, lab: &Lab, sheet: &Sheet) {
    let width = ui.available_width();
    if let Some(frame) = &sheet.frame {
        let height = width * frame.size[1] as f32 / frame.size[0].max(1) as f32;
        let (rect, response) = ui.allocate_exact_size(Vec2::new(width, height), Sense::hover());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, "What the generator draws")
        });
        thumbs::paint(ui, rect, &frame.bytes, frame.size);
    } else {
        points_ui(ui, sheet, width.min(420.0));
    }
    let newest = if lab.at.is_none() { "now" } else { "then" };
    let thousands = sheet.images as f64 / 1000.0;
    let variety = sheet.diversity * 100.0;
    note_ui(
        ui,
        &format!(
            "{newest}, after {thousands:.1} thousand; variety {variety:.0} % of the real ones"
        ),
    );
}

/// The plane of a playground: real points, drawn ones, and what a grid of latents becomes.
fn points_ui(ui: &mut Ui, sheet: &Sheet, side: f32) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Image, true, "What the generator draws")
    });
    let palette = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 4.0, palette.panel);
    let place =
        |[x, y]: [f32; 2]| -> Pos2 { rect.center() + Vec2::new(x, -y) * (side / 2.0 / REACH) };
    // Where the judge believes that a point is real.
    let side_count = (sheet.field.len() as f64).sqrt() as usize;
    let cell = side / side_count.max(1) as f32;
    for (at, belief) in sheet.field.iter().enumerate() {
        let (row, column) = (at / side_count, at % side_count);
        let corner =
            pos2(rect.left() + column as f32 * cell, rect.bottom() - (row + 1) as f32 * cell);
        let sure = (belief - 0.5) * 2.0;
        let color = if sure > 0.0 { REAL } else { DRAWN }.gamma_multiply(sure.abs() * 0.35);
        painter.rect_filled(egui::Rect::from_min_size(corner, Vec2::splat(cell)), 0.0, color);
    }
    // The manifold: the plane of latents as the generator bends it.
    let columns = (sheet.grid.len() as f64).sqrt() as usize;
    let line = Stroke::new(1.0, palette.weak.gamma_multiply(0.5));
    for at in 0..sheet.grid.len() {
        let (row, column) = (at / columns, at % columns);
        for (next, inside) in [(at + 1, column + 1 < columns), (at + columns, row + 1 < columns)] {
            if let (true, Some(to)) = (inside, sheet.grid.get(next)) {
                painter.line_segment([place(sheet.grid[at]), place(*to)], line);
            }
        }
    }
    let real = &sheet.projection.points[..sheet.projection.real.min(sheet.projection.points.len())];
    for point in real {
        painter.circle_filled(place(*point), 2.0, REAL.gamma_multiply(0.6));
    }
    for point in &sheet.points {
        painter.circle_filled(place(*point), 2.0, DRAWN);
    }
}

/// Real and drawn samples where the judge's features put them.
pub fn plane_ui(ui: &mut Ui, sheet: &Sheet) {
    let projection = &sheet.projection;
    let side = Vec2::new(ui.available_width().min(420.0), 220.0);
    let (rect, response) = ui.allocate_exact_size(side, Sense::hover());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Image, true, "As the judge sees them")
    });
    let palette = theme::palette(ui);
    ui.painter().rect_filled(rect, 4.0, palette.panel);
    let Some(bounds) = bounds(&projection.points) else { return };
    let inner = rect.shrink(10.0);
    for (at, point) in projection.points.iter().enumerate() {
        let share = |value: f32, [low, high]: [f32; 2]| (value - low) / (high - low).max(1e-9);
        let at_x = egui::lerp(inner.x_range(), share(point[0], bounds[0]));
        let at_y = egui::lerp(inner.y_range(), 1.0 - share(point[1], bounds[1]));
        let sure = projection.logits.get(at).map_or(0.0, |logit| logit.abs() / SURE).min(1.0);
        let color = if at < projection.real { REAL } else { DRAWN };
        let color = color.gamma_multiply(0.25 + 0.75 * sure);
        ui.painter().circle_filled(pos2(at_x, at_y), 3.0, color);
    }
}

/// Lowest and highest of either axis.
fn bounds(points: &[[f32; 2]]) -> Option<[[f32; 2]; 2]> {
    let axis = |axis: usize| {
        let values = points.iter().map(|point| point[axis]).filter(|value| value.is_finite());
        values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
    };
    let found = [axis(0), axis(1)];
    found.iter().all(|[low, high]| low.is_finite() && high.is_finite()).then_some(found)
}

/// How the numbers went.
pub fn curves_ui(ui: &mut Ui, lab: &Lab) {
    curve_ui(
        ui,
        lab,
        "Losses",
        &[
            ("judge", REAL, |report| report.scores.discriminator_loss),
            ("generator", DRAWN, |report| report.scores.generator_loss),
        ],
    );
    curve_ui(
        ui,
        lab,
        "The judge's answers",
        &[
            ("real", REAL, |report| report.scores.real),
            ("drawn", DRAWN, |report| report.scores.fake),
        ],
    );
    if lab.reports.last().is_some_and(|report| report.r_t != 0.0) {
        let sign = Color32::from_rgb(0x8a, 0xc9, 0x6d);
        curve_ui(
            ui,
            lab,
            "Augmentation",
            &[
                ("r_t", sign, |report| report.r_t),
                ("probability", DRAWN, |report| report.augmentation),
            ],
        );
    }
    if lab.reports.last().is_some_and(|report| report.path_length.is_some()) {
        let of = |report: &Report| report.path_length.unwrap_or_default();
        curve_ui(ui, lab, "Path length", &[("length", DRAWN, of)]);
    }
    sheets_ui(ui, lab, "Variety (1: as various as real ones)", |sheet| Some(sheet.diversity));
    if lab.sheets.iter().any(|sheet| sheet.distance.is_some()) {
        sheets_ui(ui, lab, "Distance from real ones", |sheet| sheet.distance);
    }
    measured_ui(ui, lab);
}

/// What the run was measured by, by its name.
fn measured_ui(ui: &mut Ui, lab: &Lab) {
    let Some(Examination { metric, features, is_published, .. }) =
        lab.measured.last().map(|last| &last.found)
    else {
        return;
    };
    let kernel = metric.replace("FID", "KID");
    let of = |of: fn(&Examination) -> Option<f64>| -> Vec<[f64; 2]> {
        let place = |at: &Measured| Some([at.images as f64 / 1000.0, of(&at.found)?]);
        lab.measured.iter().filter_map(place).collect()
    };
    dots_ui(ui, metric, of(|found| Some(found.fid)));
    dots_ui(ui, &kernel, of(|found| Some(found.kid)));
    let looks = of(Examination::diversity);
    if !looks.is_empty() {
        dots_ui(ui, "Variety by LPIPS (1: as various as real ones)", looks);
    }
    let few =
        if *is_published { "Of few pictures, so FID is too large" } else { "Not published FID" };
    note_ui(ui, &format!("{few}; seen by {features}."));
}

/// A number of each sheet.
fn sheets_ui(ui: &mut Ui, lab: &Lab, title: &str, of: fn(&Sheet) -> Option<f64>) {
    let place = |sheet: &Sheet| Some([sheet.images as f64 / 1000.0, of(sheet)?]);
    dots_ui(ui, title, lab.sheets.iter().filter_map(place).collect());
}

/// Numbers over thousands of pictures, few enough to show each.
fn dots_ui(ui: &mut Ui, title: &str, points: Vec<[f64; 2]>) {
    heading_ui(ui, title);
    plot(ui, title).show(ui, |plot| {
        plot.line(Line::new(title, PlotPoints::from(points.clone())).color(DRAWN));
        plot.points(Points::new("sheets", PlotPoints::from(points)).radius(2.0).color(DRAWN));
    });
    ui.add_space(4.0);
}

type Curve = (&'static str, Color32, fn(&Report) -> f64);

fn curve_ui(ui: &mut Ui, lab: &Lab, title: &str, curves: &[Curve]) {
    heading_ui(ui, title);
    plot(ui, title).legend(Legend::default()).show(ui, |plot| {
        for (name, color, of) in curves {
            let points: Vec<[f64; 2]> = lab
                .reports
                .iter()
                .map(|report| [report.images as f64 / 1000.0, of(report)])
                .collect();
            plot.line(Line::new(*name, PlotPoints::from(points)).color(*color));
        }
    });
    ui.add_space(4.0);
}

/// Thousand pictures to the right; nothing to drag.
fn plot<'a>(ui: &Ui, name: &str) -> Plot<'a> {
    Plot::new(name.to_owned())
        .height(CURVE_HEIGHT)
        .width(ui.available_width())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .show_background(false)
        .set_margin_fraction(Vec2::new(0.01, 0.08))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_finite_points() {
        let points = [[1.0, 2.0], [f32::NAN, 5.0], [-3.0, 4.0]];
        assert_eq!(bounds(&points), Some([[-3.0, 1.0], [2.0, 5.0]]));
        assert_eq!(bounds(&[]), None);
    }
}
