//! The row of open documents.

use eframe::egui;
use egui::{Button, ScrollArea, Stroke, Ui};

use crate::app::action::{Action, Actions};
use crate::app::icons::{Icon, icon_button};
use crate::app::state::{Model, Tab};
use crate::app::theme;

pub fn tabs_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    ScrollArea::horizontal().show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for (index, tab) in model.tabs.iter().enumerate() {
                tab_ui(ui, index, tab, index == model.active, out);
            }
        });
    });
}

fn tab_ui(ui: &mut Ui, index: usize, tab: &Tab, front: bool, out: &mut Actions) {
    let palette = theme::palette(ui);
    let fill = if front { palette.panel } else { palette.bar };
    let frame = egui::Frame::NONE.fill(fill).inner_margin(egui::Margin::symmetric(8, 2));
    let shown = frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            let color = if front { palette.strong } else { palette.weak };
            let text = egui::RichText::new(title(tab)).color(color);
            let button = ui.add(Button::new(text).frame(false));
            let path = tab.path.as_ref().map(|path| path.display().to_string());
            let button = button.on_hover_text(path.unwrap_or_else(|| "Not yet in a file".into()));
            if button.clicked() {
                out.push(Action::ActivateTab(index));
            }
            let close = format!("Close {}", tab.title);
            if button.middle_clicked()
                || icon_button(ui, Icon::Close, &close, 18.0, false, true).clicked()
            {
                out.push(Action::CloseTab(index));
            }
        });
    });
    if front {
        let rect = shown.response.rect;
        ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(2.0, palette.accent));
    }
}

/// `photo.jpg* @ 66.7 % (RGB/16)`
pub fn title(tab: &Tab) -> String {
    let star = if tab.session.is_modified() { "*" } else { "" };
    let depth = tab.document().depth.bits();
    format!("{}{star} @ {} (RGB/{depth})", tab.title, percent(tab.view.zoom))
}

/// A zoom in per cent, with a digit behind the point where it is not whole.
pub fn percent(zoom: f32) -> String {
    let value = zoom * 100.0;
    if (value - value.round()).abs() < 0.05 {
        format!("{value:.0} %")
    } else {
        format!("{value:.1} %")
    }
}
