//! The menu bar.

use eframe::egui;
use egui::{Button, MenuBar, Ui};

use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command as C, adjustments};
use crate::app::dispatch::unavailable;
use crate::app::prefs::Look;
use crate::app::state::Model;
use crate::ops::Kind;

/// One entry of a menu.
enum Item {
    Do(C),
    Line,
}

use Item::{Do, Line};

const FILE: &[Item] = &[
    Do(C::New),
    Do(C::Open),
    Do(C::OpenSample),
    Line,
    Do(C::Save),
    Do(C::SaveAs),
    Line,
    Do(C::Export),
    Do(C::QuickExport),
    Do(C::Revert),
    Line,
    Do(C::Close),
    Do(C::Quit),
];
const EDIT: &[Item] = &[
    Do(C::Undo),
    Do(C::Redo),
    Line,
    Do(C::Cut),
    Do(C::Copy),
    Do(C::CopyMerged),
    Do(C::Paste),
    Do(C::Clear),
    Line,
    Do(C::FillForeground),
    Do(C::FillBackground),
    Do(C::SwapColors),
    Do(C::DefaultColors),
    Line,
    Do(C::Preferences),
];
const IMAGE: &[Item] = &[
    Do(C::ImageSize),
    Do(C::CanvasSize),
    Do(C::CropToSelection),
    Line,
    Do(C::RotateClockwise),
    Do(C::RotateCounterclockwise),
    Do(C::Rotate180),
    Do(C::RotateBy),
    Line,
    Do(C::FlipHorizontal),
    Do(C::FlipVertical),
];
const LAYER: &[Item] = &[
    Do(C::NewLayer),
    Do(C::NewPattern),
    Do(C::DuplicateLayer),
    Do(C::DeleteLayer),
    Line,
    Do(C::GroupLayer),
    Do(C::UngroupLayer),
    Do(C::LayerUp),
    Do(C::LayerDown),
    Do(C::SelectAbove),
    Do(C::SelectBelow),
    Line,
    Do(C::AddMask),
    Do(C::InvertMask),
    Do(C::ApplyMask),
    Do(C::DeleteMask),
    Line,
    Do(C::MergeDown),
    Do(C::MergeVisible),
    Do(C::Flatten),
];
const SELECT: &[Item] = &[
    Do(C::SelectAll),
    Do(C::Deselect),
    Do(C::InvertSelection),
    Do(C::SelectSubject),
    Line,
    Do(C::FeatherSelection),
];
const AI: &[Item] = &[
    Do(C::RemoveObject),
    Do(C::Expand),
    Do(C::Denoise),
    Do(C::Light),
    Do(C::RestoreFace),
    Do(C::Colorize),
    Do(C::Style),
    Do(C::Translate),
    Do(C::Upscale),
    Do(C::Generate),
    Do(C::AnalysePhoto),
    Do(C::Train),
    Line,
    Do(C::RunAi),
    Do(C::RandomSeed),
    Do(C::PreviousSeed),
    Do(C::CancelJob),
    Do(C::CancelJobs),
];
const VIEW: &[Item] = &[
    Do(C::ZoomIn),
    Do(C::ZoomOut),
    Do(C::ZoomFit),
    Do(C::Zoom100),
    Do(C::Zoom200),
    Line,
    Do(C::Compare),
    Do(C::CompareMode),
    Line,
    Do(C::ToggleExtras),
    Do(C::TogglePixelGrid),
    Line,
    Do(C::TogglePanels),
    Do(C::FullScreen),
    Do(C::ToggleTheme),
];
const WINDOW: &[Item] = &[Do(C::NextTab), Do(C::PreviousTab)];
const HELP: &[Item] = &[Do(C::Palette), Do(C::Shortcuts), Line, Do(C::About)];

pub fn menu_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    MenuBar::new().ui(ui, |ui| {
        ui.menu_button("File", |ui| {
            items_ui(ui, model, &FILE[..3], out);
            recent_ui(ui, model, out);
            items_ui(ui, model, &FILE[3..], out);
        });
        ui.menu_button("Edit", |ui| items_ui(ui, model, EDIT, out));
        ui.menu_button("Image", |ui| {
            ui.menu_button("Adjustments", |ui| operations_ui(ui, model, Kind::Pointwise, out));
            ui.separator();
            items_ui(ui, model, IMAGE, out);
        });
        ui.menu_button("Layer", |ui| items_ui(ui, model, LAYER, out));
        ui.menu_button("Select", |ui| items_ui(ui, model, SELECT, out));
        ui.menu_button("Filter", |ui| {
            items_ui(ui, model, &[Do(C::RepeatFilter), Line], out);
            operations_ui(ui, model, Kind::Neighborhood, out);
        });
        ui.menu_button("AI", |ui| items_ui(ui, model, AI, out));
        ui.menu_button("View", |ui| items_ui(ui, model, VIEW, out));
        ui.menu_button("Window", |ui| {
            items_ui(ui, model, WINDOW, out);
            if !model.tabs.is_empty() {
                ui.separator();
            }
            for (index, tab) in model.tabs.iter().enumerate() {
                if ui.add(Button::selectable(index == model.active, &tab.title)).clicked() {
                    out.push(Action::ActivateTab(index));
                }
            }
        });
        ui.menu_button("Help", |ui| items_ui(ui, model, HELP, out));
    });
}

fn items_ui(ui: &mut Ui, model: &Model, items: &[Item], out: &mut Actions) {
    for item in items {
        match item {
            Line => {
                ui.separator();
            }
            Do(command) => binding_ui(ui, model, Binding::Command(*command), out),
        }
    }
}

fn operations_ui(ui: &mut Ui, model: &Model, kind: Kind, out: &mut Actions) {
    for op in adjustments().filter(|op| op.spec().kind == kind) {
        binding_ui(ui, model, Binding::Operation(op.spec().name), out);
    }
}

/// One entry: name left, key right, the reason on hover when it cannot act.
pub fn binding_ui(ui: &mut Ui, model: &Model, binding: Binding, out: &mut Actions) {
    let refused = unavailable(model, binding);
    let mut button = Button::new(text_of(model, binding));
    if let Some(keys) = binding.shortcut_text(ui.ctx()) {
        button = button.shortcut_text(keys);
    }
    if is_on(model, binding) {
        button = button.selected(true);
    }
    let response = ui.add_enabled(refused.is_none(), button);
    let response = match refused {
        Some(reason) => response.on_disabled_hover_text(reason),
        None => response.on_hover_text(binding.help()),
    };
    if response.clicked() {
        out.push(Action::Start(binding));
        ui.close();
    }
}

/// The label; undo and redo say what they undo.
fn text_of(model: &Model, binding: Binding) -> String {
    let label = binding.label();
    let history = model.tab().map(|tab| tab.session.history());
    let step = match (binding, history) {
        (Binding::Command(C::Undo), Some(history)) => history.past().last(),
        (Binding::Command(C::Redo), Some(history)) => history.future().next(),
        _ => None,
    };
    match step {
        Some(step) => format!("{label} {}", step.label.to_lowercase()),
        None if matches!(binding, Binding::Operation(name) if has_sliders(name)) => {
            format!("{label}…")
        }
        None => label.into(),
    }
}

fn has_sliders(name: &str) -> bool {
    crate::ops::find(name).is_some_and(|op| !op.spec().params.is_empty())
}

fn is_on(model: &Model, binding: Binding) -> bool {
    match binding {
        Binding::Command(C::TogglePanels) => !model.panels_hidden,
        Binding::Command(C::Compare) => model.compare.on,
        Binding::Command(C::CompareMode) => model.compare.on && model.compare.side,
        Binding::Command(C::ToggleExtras) => model.extras,
        Binding::Command(C::TogglePixelGrid) => model.prefs.pixel_grid,
        Binding::Command(C::ToggleTheme) => model.prefs.look == Look::Light,
        _ => false,
    }
}

fn recent_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    if model.prefs.recent.is_empty() {
        return;
    }
    ui.menu_button("Open recent", |ui| {
        for path in &model.prefs.recent {
            let name =
                path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
            let entry = ui.button(name.as_ref()).on_hover_text(path.display().to_string());
            if entry.clicked() {
                out.push(Action::OpenFiles(vec![path.clone()]));
                ui.close();
            }
        }
    });
}
