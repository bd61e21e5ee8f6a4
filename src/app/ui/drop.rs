//! Files dropped on the window: an open picture offers to open them or to take them as layers.

use eframe::egui;
use egui::{Align2, Event, FontId, Id, Key, LayerId, Order, Rect, Stroke, StrokeKind, vec2};

use crate::app::action::{Action, Actions};
use crate::app::icons::Icon;
use crate::app::local::Local;
use crate::app::state::Model;
use crate::app::theme;

/// Shows the zones while files hover, and takes them when they are dropped.
///
/// Desktops tell where files were dropped by the first move of the pointer afterwards, and not
/// before: until then the files wait.
pub fn drop_ui(ctx: &egui::Context, model: &Model, local: &mut Local, out: &mut Actions) {
    let (hovering, dropped, shift) = ctx.input(|input| {
        let paths: Vec<_> =
            input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect();
        (!input.raw.hovered_files.is_empty(), paths, input.modifiers.shift)
    });
    let Some(viewport) = model.viewport.filter(|_| model.tab().is_some()) else {
        if !dropped.is_empty() {
            out.push(Action::OpenFiles(dropped));
        }
        return;
    };
    if !dropped.is_empty() {
        if shift {
            return out.push(Action::PlaceFiles(dropped));
        }
        local.dropped = dropped;
        ctx.request_repaint();
    } else if !local.dropped.is_empty() {
        let (moved, gives_up) = ctx.input(|input| {
            let moved = input.events.iter().rev().find_map(|event| match event {
                Event::PointerMoved(pos) | Event::PointerButton { pos, .. } => Some(*pos),
                _ => None,
            });
            (moved, input.key_pressed(Key::Escape))
        });
        if gives_up {
            local.dropped.clear();
        }
        if let Some(pos) = moved {
            let files = std::mem::take(&mut local.dropped);
            let as_layers = zones(viewport.rect)[1].contains(pos);
            out.push(if as_layers { Action::PlaceFiles(files) } else { Action::OpenFiles(files) });
        }
    }
    if hovering || !local.dropped.is_empty() {
        zones_ui(ctx, viewport.rect);
    }
}

/// Where dropping opens, and where it makes layers.
fn zones(canvas: Rect) -> [Rect; 2] {
    let (left, right) = canvas.split_left_right_at_fraction(0.5);
    [left.shrink(24.0), right.shrink(24.0)]
}

fn zones_ui(ctx: &egui::Context, canvas: Rect) {
    let palette = theme::palette_of(&ctx.global_style().visuals);
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop zones")));
    painter.rect_filled(canvas, 0.0, palette.bar.gamma_multiply(0.6));
    let pointer = ctx.input(|input| input.pointer.hover_pos());
    let texts = [("Open", "As a picture of its own"), ("New layer", "In the picture that is open")];
    for ((zone, (title, help)), icon) in
        zones(canvas).into_iter().zip(texts).zip([Icon::Picture, Icon::New])
    {
        let under = pointer.is_some_and(|pos| zone.contains(pos));
        let fill = if under { palette.accent_soft } else { palette.panel };
        let edge = if under { palette.accent } else { palette.border };
        painter.rect(
            zone,
            12.0,
            fill.gamma_multiply(0.92),
            Stroke::new(2.0, edge),
            StrokeKind::Inside,
        );
        let middle = zone.center();
        icon.paint(
            &painter,
            Rect::from_center_size(middle - vec2(0.0, 34.0), vec2(44.0, 44.0)),
            palette.accent,
        );
        let lines = [(12.0, title, 20.0, palette.strong), (38.0, help, 13.0, palette.weak)];
        for (down, text, size, color) in lines {
            let place = middle + vec2(0.0, down);
            painter.text(place, Align2::CENTER_CENTER, text, FontId::proportional(size), color);
        }
    }
}
