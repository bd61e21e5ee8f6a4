//! The tool shelf with the two colours.

use eframe::egui;
use egui::{Color32, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, vec2};

use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::icons::{Icon, icon_button};
use crate::app::state::Model;
use crate::app::theme;
use crate::tools;

pub fn shelf_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    ui.vertical_centered(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut group = None;
        for tool in tools::all() {
            if group.is_some_and(|group| group != tool.group) {
                ui.add_space(4.0);
                ui.separator();
                ui.add_space(4.0);
            }
            group = Some(tool.group);
            let selected = model.tool.spec().id == tool.id;
            let icon = Icon::of_tool(tool.id);
            let keys = Binding::Tool(tool.id).shortcut_text(ui.ctx()).unwrap_or_default();
            let response = icon_button(ui, icon, tool.label, 34.0, selected, true)
                .on_hover_text(format!("{} ({keys})\n{}", tool.label, tool.doc));
            if response.clicked() {
                out.push(Action::Start(Binding::Tool(tool.id)));
            }
        }
        ui.add_space(8.0);
        ui.separator();
        ui.add_space(8.0);
        colors_ui(ui, model, out);
    });
}

fn colors_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let palette = theme::palette(ui);
    let profile = model.document().map(|document| document.profile.clone()).unwrap_or_default();
    let (area, _) = ui.allocate_exact_size(Vec2::splat(36.0), Sense::hover());
    let behind = Rect::from_min_size(area.min + vec2(13.0, 13.0), Vec2::splat(22.0));
    let front = Rect::from_min_size(area.min + vec2(1.0, 1.0), Vec2::splat(22.0));
    for (rect, color, name, is_front) in [
        (behind, model.background, "Background colour", false),
        (front, model.foreground, "Foreground colour", true),
    ] {
        let shown = profile.to_srgb(color).map(|v| (v * 255.0 + 0.5) as u8);
        let response = ui.interact(rect, ui.scope_id().with(name), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
        ui.painter().rect(
            rect,
            3.0,
            Color32::from_rgb(shown[0], shown[1], shown[2]),
            Stroke::new(1.5, if response.hovered() { palette.accent } else { palette.strong }),
            StrokeKind::Inside,
        );
        let response = response.on_hover_text(name);
        egui::Popup::menu(&response)
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                let mut edited = egui::Rgba::from_rgb(color[0], color[1], color[2]);
                ui.set_width(220.0);
                if picker_ui(ui, &mut edited) {
                    let new = [edited.r(), edited.g(), edited.b()];
                    let (foreground, background) =
                        if is_front { (new, model.background) } else { (model.foreground, new) };
                    out.push(Action::SetColors { foreground, background });
                }
            });
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (icon, command) in
            [(Icon::Swap, Command::SwapColors), (Icon::Reset, Command::DefaultColors)]
        {
            let binding = Binding::Command(command);
            let keys = binding.shortcut_text(ui.ctx()).unwrap_or_default();
            if icon_button(ui, icon, command.label(), 18.0, false, true)
                .on_hover_text(format!("{} ({keys})", command.label()))
                .clicked()
            {
                out.push(Action::Start(binding));
            }
        }
    });
}

/// Sliders over encoded values; `color` carries them unconverted.
fn picker_ui(ui: &mut Ui, color: &mut egui::Rgba) -> bool {
    let encoded = [color.r(), color.g(), color.b()].map(|v| (v * 255.0 + 0.5) as u8);
    let mut shown = Color32::from_rgb(encoded[0], encoded[1], encoded[2]);
    let changed =
        egui::color_picker::color_picker_color32(ui, &mut shown, egui::color_picker::Alpha::Opaque);
    if changed {
        let [r, g, b, _] = shown.to_array().map(|v| f32::from(v) / 255.0);
        *color = egui::Rgba::from_rgb(r, g, b);
    }
    changed
}
