//! The command palette and the list of all keys.

use eframe::egui;
use egui::{Key, ScrollArea, TextEdit, Ui, vec2};

use super::heading_ui;
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, key_text};
use crate::app::dispatch::unavailable;
use crate::app::state::Model;
use crate::app::theme;

/// Commands that match every word of `query`, best first.
fn matches(query: &str) -> Vec<Binding> {
    let words: Vec<_> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<(usize, Binding)> = Binding::all()
        .into_iter()
        .filter_map(|binding| {
            let label = binding.label().to_lowercase();
            let help = binding.help().to_lowercase();
            let score = words.iter().try_fold(0, |score, word| {
                if label.starts_with(word.as_str()) {
                    Some(score)
                } else if label.contains(word.as_str()) {
                    Some(score + 1)
                } else if help.contains(word.as_str()) {
                    Some(score + 3)
                } else {
                    None
                }
            })?;
            Some((score, binding))
        })
        .collect();
    found.sort_by_key(|(score, _)| *score);
    found.into_iter().map(|(_, binding)| binding).collect()
}

/// Answers whether the palette is done.
pub fn palette_ui(
    ui: &mut Ui,
    model: &Model,
    query: &mut String,
    at: &mut usize,
    out: &mut Actions,
) -> bool {
    ui.set_width(440.0);
    let field =
        TextEdit::singleline(query).hint_text("Find a command").desired_width(f32::INFINITY);
    let field = ui.add(field).accessible_name("Find a command");
    field.request_focus();
    if field.changed() {
        *at = 0;
    }
    let found = matches(query);
    let (down, up, enter) = ui.input(|input| {
        (
            input.num_presses(Key::ArrowDown),
            input.num_presses(Key::ArrowUp),
            input.key_pressed(Key::Enter),
        )
    });
    *at = (*at + down).saturating_sub(up).min(found.len().saturating_sub(1));
    let mut done = false;
    let palette = theme::palette(ui);
    ui.add_space(4.0);
    ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
        ui.set_min_height(120.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        for (index, binding) in found.iter().copied().enumerate() {
            let refused = unavailable(model, binding);
            let color = if refused.is_some() { palette.weak } else { palette.text };
            let label = egui::RichText::new(binding.label()).color(color);
            let mut button = egui::Button::selectable(index == *at, label)
                .min_size(vec2(ui.available_width(), 26.0));
            if let Some(keys) = binding.shortcut_text(ui.ctx()) {
                button = button.shortcut_text(keys);
            }
            let row = ui.add(button);
            let row = row.on_hover_text(refused.clone().unwrap_or_else(|| binding.help().into()));
            if index == *at && (down > 0 || up > 0) {
                row.scroll_to_me(None);
            }
            if row.clicked() || (enter && index == *at) {
                out.push(Action::Start(binding));
                done = true;
            }
        }
        if found.is_empty() {
            ui.label(egui::RichText::new("Nothing is called like that").color(palette.weak));
        }
    });
    done
}

/// Every key, in two columns.
pub fn shortcuts_ui(ui: &mut Ui) {
    let bound: Vec<_> =
        Binding::all().into_iter().filter(|binding| !binding.shortcuts().is_empty()).collect();
    let palette = theme::palette(ui);
    ui.set_width(640.0);
    ScrollArea::vertical().max_height(480.0).show(ui, |ui| {
        let half = bound.len().div_ceil(2);
        ui.columns_const(|columns: &mut [Ui; 2]| {
            for (column, part) in columns.iter_mut().zip(bound.chunks(half.max(1))) {
                for binding in part {
                    column.horizontal(|ui| {
                        let keys: Vec<_> = binding
                            .shortcuts()
                            .iter()
                            .map(|keys| key_text(ui.ctx(), keys))
                            .collect();
                        ui.label(binding.label());
                        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                            ui.add_space(12.0);
                            ui.label(egui::RichText::new(keys.join("  ")).color(palette.weak));
                        });
                    });
                }
            }
        });
        ui.add_space(8.0);
        heading_ui(ui, "Mouse and held keys");
        for line in [
            "Wheel: zoom at the pointer (Alt: finely). Shift+wheel: sideways",
            "Two fingers: move. Pinch: zoom. Middle button or Space+drag: move",
            "\\ held: the original. [ and ]: brush size. Digits: opacity",
            "Drag a slider's name to change it, double-click to reset",
            "Alt+click an eye: show that layer alone. Shift+click a mask: off and on",
        ] {
            ui.label(line);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command::Command;

    #[test]
    fn words_find_commands_in_any_order() {
        assert_eq!(matches("undo").first(), Some(&Binding::Command(Command::Undo)));
        assert!(matches("layer new").contains(&Binding::Command(Command::NewLayer)));
        assert!(matches("zzz").is_empty());
        assert_eq!(matches("").len(), Binding::all().len());
    }
}
