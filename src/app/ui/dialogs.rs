//! Dialogs: small, modal to the keyboard, closed by Esc.

use eframe::egui;
use egui::{DragValue, Id, Modal, TextEdit, Ui};

use super::palette::{palette_ui, shortcuts_ui};
use super::{export, film, note_ui, preferences, primary_button, save};
use crate::app::action::{Action, Actions};
use crate::app::dialog::{
    CanvasForm, Dialog, ExpandForm, NewForm, ParamForm, PatternForm, SizeForm,
};
use crate::app::form::{choose_ui, rows_ui, segments_ui};
use crate::app::local::Local;
use crate::app::state::Model;
use crate::geom::{MAX_SIDE, Size};
use crate::inpaint::Border;
use crate::ops;
use crate::params::{ParamKind, Params};
use crate::patterns;

/// The widest border that can be added.
const MAX_EXPAND_PX: u32 = 8192;

/// How a dialog ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Stays,
    Closes,
}

pub fn dialogs_ui(ctx: &egui::Context, model: &Model, local: &mut Local, out: &mut Actions) {
    let Some(mut dialog) = local.dialog.take() else { return };
    // Each kind remembers its own extent.
    let modal = Modal::new(Id::unique(("dialog", std::mem::discriminant(&dialog))))
        .frame(egui::Frame::window(&ctx.global_style()).inner_margin(egui::Margin::same(20)));
    let shown = modal.show(ctx, |ui| dialog_ui(ui, model, local, &mut dialog, out));
    // A click outside must not throw away an export being set up.
    let escaped = ctx.input(|input| input.key_pressed(egui::Key::Escape));
    let light = matches!(dialog, Dialog::Palette { .. } | Dialog::About | Dialog::Shortcuts);
    let closes = shown.inner == End::Closes || escaped || (light && shown.should_close());
    if !closes && local.dialog.is_none() {
        local.dialog = Some(dialog);
    }
}

fn dialog_ui(
    ui: &mut Ui,
    model: &Model,
    local: &mut Local,
    dialog: &mut Dialog,
    out: &mut Actions,
) -> End {
    let done = match dialog {
        Dialog::New(form) => new_ui(ui, form, out),
        Dialog::ImageSize(form) => image_size_ui(ui, model, form, out),
        Dialog::CanvasSize(form) => canvas_size_ui(ui, form, out),
        Dialog::Expand(form) => expand_ui(ui, form, out),
        Dialog::Pattern(form) => pattern_ui(ui, form, out),
        Dialog::Operation(form) => operation_ui(ui, form, out),
        Dialog::Feather { radius_px } => feather_ui(ui, radius_px, out),
        Dialog::Export(settings) => export::export_ui(ui, model, settings, out),
        Dialog::Save(settings) => save::save_ui(ui, model, settings, out),
        Dialog::Film(settings) => film::film_ui(ui, settings, out),
        Dialog::OpenPath { text } => open_path_ui(ui, text, out),
        Dialog::ConfirmClose { index, quit } => {
            save::confirm_close_ui(ui, model, local, (*index, *quit), out)
        }
        Dialog::Preferences => preferences::preferences_ui(ui, model, out),
        Dialog::Palette { query, at } => palette_ui(ui, model, query, at, out),
        Dialog::Shortcuts => {
            ui.heading("Keyboard shortcuts");
            ui.add_space(8.0);
            shortcuts_ui(ui);
            close_ui(ui)
        }
        Dialog::About => about_ui(ui, model),
    };
    if done { End::Closes } else { End::Stays }
}

/// OK and Cancel at the right; Enter is OK. Answers (confirmed, done).
fn buttons_ui(ui: &mut Ui, ok: &str) -> (bool, bool) {
    let mut answer = (false, false);
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
        let confirmed = primary_button(ui, ok, true).clicked() || entered;
        let cancelled = ui.button("Cancel").clicked();
        answer = (confirmed, confirmed || cancelled);
    });
    answer
}

pub fn close_ui(ui: &mut Ui) -> bool {
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.button("Close").clicked()
    })
    .inner
}

/// The rows Width and Height of a grid; answers which were changed.
fn sides_ui(ui: &mut Ui, width: &mut u32, height: &mut u32) -> [bool; 2] {
    [("Width", width), ("Height", height)].map(|(label, side)| {
        ui.label(label);
        let field = DragValue::new(side).range(1..=MAX_SIDE).speed(1.0).suffix(" px");
        let changed = ui.add(field).accessible_name(label).changed();
        ui.end_row();
        changed
    })
}

fn new_ui(ui: &mut Ui, form: &mut NewForm, out: &mut Actions) -> bool {
    ui.set_width(300.0);
    ui.heading("New picture");
    ui.add_space(8.0);
    egui::Grid::new("new").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        sides_ui(ui, &mut form.width, &mut form.height);
        ui.label("Depth");
        segments_ui(ui, &mut form.deep, &[(false, "8 bit", ""), (true, "16 bit", "")]);
        ui.end_row();
        ui.label("Content");
        let contents = [(false, "White", ""), (true, "Transparent", "")];
        segments_ui(ui, &mut form.transparent, &contents);
        ui.end_row();
    });
    let size = Size::new(form.width, form.height);
    if !size.is_acceptable() {
        note_ui(ui, "These are more pixels than can be worked with");
    }
    let (confirmed, done) = buttons_ui(ui, "Create");
    if confirmed && size.is_acceptable() {
        let NewForm { deep, transparent, .. } = *form;
        out.push(Action::NewDocument { size, deep, transparent });
    }
    done && (!confirmed || size.is_acceptable())
}

fn image_size_ui(ui: &mut Ui, model: &Model, form: &mut SizeForm, out: &mut Actions) -> bool {
    ui.set_width(320.0);
    ui.heading("Image size");
    ui.add_space(8.0);
    let bytes = model.document().map_or(4, |document| 4 * document.depth.bytes() as u64);
    let megabytes = |size: Size| (size.pixels() * bytes) as f64 / 1e6;
    egui::Grid::new("image size").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        let (mut width, mut height) = (form.width, form.height);
        match sides_ui(ui, &mut width, &mut height) {
            [true, _] => form.set_width(width),
            [_, true] => form.set_height(height),
            _ => {}
        }
        ui.label("");
        ui.checkbox(&mut form.linked, "Keep proportions");
        ui.end_row();
        ui.label("Resampling");
        let filters = ops::find("resize")
            .and_then(|op| op.spec().params.iter().find(|spec| spec.key == "filter"))
            .map(|spec| &spec.kind);
        if let Some(ParamKind::Choice { options, .. }) = filters
            && let Some(chosen) = choose_ui(ui, "Resampling", &form.filter, options)
        {
            form.filter = chosen.into();
        }
        ui.end_row();
    });
    let after = Size::new(form.width, form.height);
    note_ui(ui, &format!("{:.1} MB now, {:.1} MB after", megabytes(form.before), megabytes(after)));
    let (confirmed, done) = buttons_ui(ui, "Resize");
    if confirmed && after != form.before {
        out.push(Action::Resize { size: after, filter: form.filter.clone() });
    }
    done
}

fn canvas_size_ui(ui: &mut Ui, form: &mut CanvasForm, out: &mut Actions) -> bool {
    const ANCHORS: [[&str; 3]; 3] = [
        ["top-left", "top", "top-right"],
        ["left", "center", "right"],
        ["bottom-left", "bottom", "bottom-right"],
    ];
    ui.set_width(320.0);
    ui.heading("Canvas size");
    ui.add_space(8.0);
    egui::Grid::new("canvas size").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        sides_ui(ui, &mut form.width, &mut form.height);
        ui.label("Anchor");
        ui.vertical(|ui| {
            for row in ANCHORS {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 4.0;
                    for anchor in row {
                        let chosen = form.anchor == anchor;
                        let button =
                            egui::Button::selectable(chosen, if chosen { "•" } else { "" })
                                .frame_when_inactive(true)
                                .min_size(egui::Vec2::splat(26.0));
                        if ui.add(button).accessible_name(format!("Anchor {anchor}")).clicked() {
                            form.anchor = anchor.into();
                        }
                    }
                });
            }
        });
        ui.end_row();
    });
    note_ui(ui, &format!("Now {}", form.before));
    let (confirmed, done) = buttons_ui(ui, "Change");
    if confirmed && let Some(op) = ops::find("canvas_size") {
        let words = [
            format!("width={}", form.width),
            format!("height={}", form.height),
            format!("anchor={}", form.anchor),
        ];
        if let Ok(params) = Params::parse(op.spec().params, words.iter().map(String::as_str)) {
            out.push(Action::Geometry { op: op.spec().name, params });
        }
    }
    done
}

fn expand_ui(ui: &mut Ui, form: &mut ExpandForm, out: &mut Actions) -> bool {
    ui.set_width(320.0);
    ui.heading("Expand");
    note_ui(ui, "Continues the picture beyond its border");
    ui.add_space(8.0);
    let before = form.border;
    egui::Grid::new("expand").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        let Border { left, top, right, bottom } = &mut form.border;
        for (label, side) in [("Left", left), ("Top", top), ("Right", right), ("Bottom", bottom)] {
            ui.label(label);
            let field = DragValue::new(side).range(0..=MAX_EXPAND_PX).suffix(" px");
            let _named = ui.add(field).accessible_name(format!("Expand {}", label.to_lowercase()));
            ui.end_row();
        }
        ui.label("");
        ui.checkbox(&mut form.linked, "All sides alike");
        ui.end_row();
    });
    if form.linked {
        let sides = |border: Border| [border.left, border.top, border.right, border.bottom];
        let (now, then) = (sides(form.border), sides(before));
        let px = (0..4).find(|&side| now[side] != then[side]).map_or(now[0], |side| now[side]);
        form.border = Border { left: px, top: px, right: px, bottom: px };
    }
    let (confirmed, done) = buttons_ui(ui, "Expand");
    if confirmed && form.border != Border::default() {
        out.push(Action::Expand(form.border));
    }
    done
}

fn pattern_ui(ui: &mut Ui, form: &mut PatternForm, out: &mut Actions) -> bool {
    ui.set_width(360.0);
    ui.heading("New pattern layer");
    ui.add_space(8.0);
    let labels: Vec<&str> = patterns::all().iter().map(|pattern| pattern.label).collect();
    if let Some(label) = choose_ui(ui, "Pattern", form.pattern.label, &labels)
        && let Some(pattern) = patterns::all().iter().find(|pattern| pattern.label == label)
    {
        *form = PatternForm { seed: form.seed, ..PatternForm::new(pattern) };
    }
    note_ui(ui, form.pattern.doc);
    ui.add_space(4.0);
    rows_ui(ui, form.pattern.params, &mut form.params);
    ui.horizontal(|ui| {
        ui.label("Seed");
        let field = DragValue::new(&mut form.seed).range(0..=999_999_999u64).speed(0.2);
        let _named = ui.add(field).accessible_name("Pattern seed");
    });
    note_ui(ui, "Between the foreground and the background colour");
    let (confirmed, done) = buttons_ui(ui, "Draw");
    if confirmed {
        let (name, params) = (form.pattern.name, form.params.clone());
        out.push(Action::DrawPattern { name, params, seed: form.seed });
    }
    done
}

fn operation_ui(ui: &mut Ui, form: &mut ParamForm, out: &mut Actions) -> bool {
    let spec = form.op.spec();
    ui.set_width(360.0);
    ui.heading(spec.label);
    note_ui(ui, spec.doc);
    ui.add_space(8.0);
    rows_ui(ui, spec.params, &mut form.params);
    let (confirmed, done) = buttons_ui(ui, "Apply");
    if confirmed {
        out.push(Action::Geometry { op: spec.name, params: form.params.clone() });
    }
    done
}

fn feather_ui(ui: &mut Ui, radius_px: &mut f32, out: &mut Actions) -> bool {
    ui.set_width(280.0);
    ui.heading("Feather selection");
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.label("Softness");
        let field = DragValue::new(radius_px).range(0.1..=500.0).speed(0.1).suffix(" px");
        let _named = ui.add(field).accessible_name("Softness");
    });
    let (confirmed, done) = buttons_ui(ui, "Feather");
    if confirmed {
        out.push(Action::Feather(*radius_px));
    }
    done
}

fn open_path_ui(ui: &mut Ui, text: &mut String, out: &mut Actions) -> bool {
    ui.set_width(420.0);
    ui.heading("Open");
    note_ui(ui, "This desktop offers no file dialog: write the file's name");
    let field =
        TextEdit::singleline(text).hint_text("/path/to/picture.jpg").desired_width(f32::INFINITY);
    ui.add(field).accessible_name("File to open").request_focus();
    let (confirmed, done) = buttons_ui(ui, "Open");
    if confirmed && !text.trim().is_empty() {
        out.push(Action::OpenFiles(vec![text.trim().into()]));
    }
    done
}

fn about_ui(ui: &mut Ui, model: &Model) -> bool {
    ui.set_width(380.0);
    ui.heading(concat!("Ganvas ", env!("CARGO_PKG_VERSION")));
    ui.label("A native image editor whose retouching tools are GANs");
    ui.add_space(8.0);
    note_ui(ui, &format!("Graphics: {}", model.adapter));
    let networks = match (&model.ai.refused, model.ai.on_gpu) {
        (Some(reason), _) => format!("unavailable: {reason}"),
        (None, true) => "on the graphics card".into(),
        (None, false) => "on the processor".into(),
    };
    note_ui(ui, &format!("Networks: {networks}"));
    note_ui(ui, "MIT or Apache-2.0, at your choice");
    close_ui(ui)
}
