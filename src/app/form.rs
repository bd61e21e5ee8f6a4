//! Controls generated from parameter declarations: the same rows for adjustments, tool options
//! and dialogs.

use eframe::egui;
use egui::{Button, CursorIcon, DragValue, Response, Sense, Slider, SliderClamping, Ui, vec2};

use super::theme::{self, ROW};
use crate::params::{ParamKind, ParamSpec, Params, Value};

/// What happened in a form during one frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormEvent {
    pub changed: bool,
    /// A drag or text entry ended, or a one-click control changed.
    pub finished: bool,
}

impl FormEvent {
    fn note(&mut self, response: &Response) {
        self.changed |= response.changed();
        let ended = response.drag_stopped() || response.lost_focus();
        self.finished |= ended || (response.changed() && !response.dragged());
    }
}

/// One row a parameter: name, slider, number. Dragging the name scrubs, a double click resets.
pub fn rows_ui(ui: &mut Ui, specs: &[ParamSpec], params: &mut Params) -> FormEvent {
    let mut event = FormEvent::default();
    for spec in specs {
        ui.horizontal(|ui| row_ui(ui, spec, specs, params, &mut event));
    }
    event
}

/// The same parameters side by side, for the tool options bar: those that `shows` names.
pub fn inline_ui(
    ui: &mut Ui,
    specs: &[ParamSpec],
    params: &mut Params,
    shows: impl Fn(&str, &Params) -> bool,
) -> FormEvent {
    let mut event = FormEvent::default();
    for spec in specs {
        if !shows(spec.key, params) {
            continue;
        }
        match &spec.kind {
            ParamKind::Float { .. } | ParamKind::Int { .. } => {
                let name = ui.label(egui::RichText::new(spec.label).color(theme::palette(ui).weak));
                name.on_hover_text(spec.doc);
                // What goes both ways from rest is set by eye, not by number.
                let (_, soft, ..) = ranges(spec);
                if soft.0 < 0.0 {
                    ui.spacing_mut().slider_width = 140.0;
                    slider_ui(ui, spec, specs, params, &mut event);
                }
                number_ui(ui, spec, specs, params, &mut event);
            }
            _ => choice_ui(ui, spec, specs, params, &mut event),
        }
        ui.add_space(4.0);
    }
    event
}

fn row_ui(
    ui: &mut Ui,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    event: &mut FormEvent,
) {
    const LABEL_WIDTH: f32 = 92.0;
    const NUMBER_WIDTH: f32 = 64.0;
    let is_number = matches!(spec.kind, ParamKind::Float { .. } | ParamKind::Int { .. });
    if !is_number {
        return choice_ui(ui, spec, specs, params, event);
    }
    scrub_label_ui(ui, spec, specs, params, LABEL_WIDTH, event);
    let room = ui.available_width() - NUMBER_WIDTH - ui.spacing().item_spacing.x;
    ui.spacing_mut().slider_width = room.max(40.0);
    slider_ui(ui, spec, specs, params, event);
    ui.spacing_mut().interact_size.x = NUMBER_WIDTH;
    number_ui(ui, spec, specs, params, event);
}

fn set(params: &mut Params, specs: &[ParamSpec], spec: &ParamSpec, number: f64) {
    let value = match spec.kind {
        ParamKind::Int { hard, .. } => Value::Int((number.round() as i64).clamp(hard.0, hard.1)),
        ParamKind::Float { hard, .. } => Value::Float(number.clamp(hard.0, hard.1)),
        _ => return,
    };
    // Clamped to the hard range, so never refused.
    let _ = params.set(specs, spec.key, value);
}

/// Hard range, soft range, points of a drag that cross the soft range, unit, logarithmic.
fn ranges(spec: &ParamSpec) -> ((f64, f64), (f64, f64), &'static str, bool) {
    match spec.kind {
        ParamKind::Float { hard, soft, unit, logarithmic, .. } => (hard, soft, unit, logarithmic),
        ParamKind::Int { hard, soft, unit, .. } => {
            let wide = |(low, high): (i64, i64)| (low as f64, high as f64);
            (wide(hard), wide(soft), unit, false)
        }
        _ => ((0.0, 1.0), (0.0, 1.0), "", false),
    }
}

fn default_number(spec: &ParamSpec) -> f64 {
    match spec.kind {
        ParamKind::Float { default, .. } => default,
        ParamKind::Int { default, .. } => default as f64,
        _ => 0.0,
    }
}

/// Digits that tell neighbouring slider positions apart.
fn decimals(spec: &ParamSpec) -> usize {
    let (_, soft, ..) = ranges(spec);
    match spec.kind {
        ParamKind::Int { .. } => 0,
        _ if soft.1 - soft.0 > 50.0 => 0,
        _ if soft.1 - soft.0 > 5.0 => 1,
        _ => 2,
    }
}

fn scrub_label_ui(
    ui: &mut Ui,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    width: f32,
    event: &mut FormEvent,
) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    // Not reachable by keyboard: the slider and the number beside it are.
    let response = ui
        .interact(rect, ui.scope_id().with(("scrub", spec.key)), Sense::DRAG | Sense::CLICK)
        .on_hover_cursor(CursorIcon::ResizeHorizontal)
        .on_hover_text(format!("{}. Drag to change, double-click to reset", spec.doc));
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{} label", spec.label))
    });
    let palette = theme::palette(ui);
    let changed = params.float(spec.key) != default_number(spec);
    let color = if changed { palette.strong } else { palette.text };
    let font = egui::TextStyle::Body.resolve(ui.style());
    let place = rect.left_center();
    ui.painter_at(rect).text(place, egui::Align2::LEFT_CENTER, spec.label, font, color);
    if response.dragged() {
        let (_, soft, _, logarithmic) = ranges(spec);
        let delta = f64::from(response.drag_delta().x) / 200.0;
        let now = params.float(spec.key);
        let next = if logarithmic && soft.0 > 0.0 {
            now * (delta * (soft.1 / soft.0).ln()).exp()
        } else {
            now + delta * (soft.1 - soft.0)
        };
        set(params, specs, spec, next);
        event.changed = true;
    }
    event.finished |= response.drag_stopped();
    reset_on_double_click(&response, spec, specs, params, event);
}

fn reset_on_double_click(
    response: &Response,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    event: &mut FormEvent,
) {
    if response.double_clicked() {
        set(params, specs, spec, default_number(spec));
        *event = FormEvent { changed: true, finished: true };
    }
}

fn slider_ui(
    ui: &mut Ui,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    event: &mut FormEvent,
) {
    let (_, soft, _, logarithmic) = ranges(spec);
    let mut number = params.float(spec.key);
    let slider = Slider::new(&mut number, soft.0..=soft.1)
        .show_value(false)
        .logarithmic(logarithmic)
        .clamping(SliderClamping::Never);
    let response = ui.add(slider).accessible_name(spec.label);
    if response.changed() {
        set(params, specs, spec, number);
    }
    event.note(&response);
    reset_on_double_click(&response, spec, specs, params, event);
}

fn number_ui(
    ui: &mut Ui,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    event: &mut FormEvent,
) {
    let (hard, soft, unit, _) = ranges(spec);
    let mut number = params.float(spec.key);
    let suffix = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let field = DragValue::new(&mut number)
        .range(hard.0..=hard.1)
        .speed((soft.1 - soft.0) / 400.0)
        .fixed_decimals(decimals(spec))
        .suffix(suffix);
    let response =
        ui.add(field).accessible_name(format!("{} value", spec.label)).on_hover_text(spec.doc);
    if response.changed() {
        set(params, specs, spec, number);
    }
    event.note(&response);
}

fn choice_ui(
    ui: &mut Ui,
    spec: &ParamSpec,
    specs: &[ParamSpec],
    params: &mut Params,
    event: &mut FormEvent,
) {
    match &spec.kind {
        ParamKind::Bool { .. } => {
            let mut on = params.bool(spec.key);
            if ui.checkbox(&mut on, spec.label).on_hover_text(spec.doc).changed() {
                let _ = params.set(specs, spec.key, Value::Bool(on));
                *event = FormEvent { changed: true, finished: true };
            }
        }
        ParamKind::Choice { options, .. } => {
            ui.label(egui::RichText::new(spec.label).color(theme::palette(ui).weak))
                .on_hover_text(spec.doc);
            let now = params.choice(spec.key).to_owned();
            if let Some(chosen) = choose_ui(ui, spec.label, &now, options) {
                let _ = params.set(specs, spec.key, Value::Choice(chosen.into()));
                *event = FormEvent { changed: true, finished: true };
            }
        }
        _ => {}
    }
}

/// Choices side by side of which one holds; answers whether another was chosen.
pub fn segments_ui<T: PartialEq + Copy>(
    ui: &mut Ui,
    now: &mut T,
    choices: &[(T, &str, &str)],
) -> bool {
    let before = *now;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (value, text, help) in choices {
            let mut response = ui.add(segment(*now == *value, text));
            if !help.is_empty() {
                response = response.on_hover_text(*help);
            }
            if response.clicked() {
                *now = *value;
            }
        }
    });
    *now != before
}

/// One of several choices side by side.
pub fn segment(selected: bool, text: &str) -> Button<'_> {
    Button::selectable(selected, text).frame_when_inactive(true)
}

/// A drop-down list; answers what was chosen.
pub fn choose_ui<'a>(ui: &mut Ui, label: &str, now: &str, options: &[&'a str]) -> Option<&'a str> {
    let mut chosen = None;
    let list = egui::ComboBox::from_id_salt(("choice", label)).selected_text(title(now));
    let shown = list.show_ui(ui, |ui| {
        for option in options {
            let picked = ui.add(Button::selectable(*option == now, title(option)));
            if picked.clicked() {
                chosen = Some(*option);
            }
        }
    });
    let _named = shown.response.accessible_name(label);
    chosen
}

/// `top-left` as `Top left`.
fn title(word: &str) -> String {
    let text = word.replace(['-', '_'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
