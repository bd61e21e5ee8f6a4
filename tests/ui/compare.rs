//! Before and after, and the view.

use eframe::egui;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, Binding, Command};
use ganvas::tools::PaintTarget;

use crate::harness::{command, editor, perform, settle, tiny_png, wait_until};

/// A window with a picture that was inverted since it was opened.
fn inverted(folder: &std::path::Path) -> egui_kittest::Harness<'static, ganvas::app::App> {
    let mut harness = editor(vec![tiny_png(folder, 64, 48)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    perform(&mut harness, Action::Start(Binding::Operation("invert")));
    settle(&mut harness);
    assert!(harness.state().model().tab().unwrap().session.is_modified());
    harness
}

#[test]
fn a_divider_stands_between_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = inverted(folder.path());
    assert!(harness.state().model().compared().is_none());
    harness.key_press(egui::Key::Y);
    harness.step();
    settle(&mut harness);
    let model = harness.state().model();
    let (_, before) = model.compared().unwrap();
    let (old, new) =
        [&before, model.document().unwrap()].map(|d| ganvas::compose::sample(d, 3, 2)).into();
    assert!((old[0] + new[0] - 1.0).abs() < 0.01, "{old:?} is not the inverse of {new:?}");

    let divider = harness.get_by_label("Divider").rect().center();
    harness.drag_at(divider);
    harness.step();
    harness.hover_at(divider + egui::vec2(120.0, 0.0));
    harness.step();
    harness.drop_at(divider + egui::vec2(120.0, 0.0));
    harness.step();
    harness.step();
    let at = harness.state().model().compare.at;
    assert!(at > 0.55, "the divider stayed at {at}");
    let moved = harness.get_by_label("Divider").rect().center();
    assert!((moved.x - divider.x - 120.0).abs() < 2.0, "{divider} to {moved}");

    harness.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::Y);
    harness.step();
    harness.step();
    let compare = harness.state().model().compare;
    assert!(compare.on && compare.side);
    // Side by side the document has its own half, in which it is fitted.
    let half = harness.state().model().viewport.unwrap().rect;
    let canvas = harness.get_by_label("Canvas: tiny.png").rect();
    assert!((half.width() - canvas.width() / 2.0).abs() < 4.0 && half.left() > canvas.left());
    harness.key_press(egui::Key::Y);
    harness.step();
    harness.step();
    assert!(harness.state().model().compared().is_none());
}

#[test]
fn the_original_is_looked_at_and_not_painted_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = inverted(folder.path());
    command(&mut harness, Command::Compare);
    perform(&mut harness, Action::Start(Binding::Tool("brush")));
    harness.step();
    let steps = |harness: &egui_kittest::Harness<'_, ganvas::app::App>| {
        harness.state().model().tab().unwrap().session.history().past().len()
    };
    let middle = harness.get_by_label("Canvas: tiny.png").rect().center();
    let before = steps(&harness);
    for (x, painted) in [(-20.0, 0), (20.0, 1)] {
        let at = middle + egui::vec2(x, 5.0);
        harness.hover_at(at);
        harness.step();
        harness.drag_at(at);
        harness.step();
        harness.drop_at(at);
        harness.step();
        assert_eq!(steps(&harness) - before, painted, "at {x}");
    }
}

#[test]
fn ctrl_space_and_a_drag_scrub_the_zoom() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = inverted(folder.path());
    let at = harness.get_by_label("Canvas: tiny.png").rect().center() + egui::vec2(10.0, 6.0);
    let zoom = |harness: &egui_kittest::Harness<'_, ganvas::app::App>| {
        harness.state().model().tab().unwrap().view.zoom
    };
    harness.hover_at(at);
    harness.step();
    let before = zoom(&harness);
    let ctrl = egui::Modifiers::COMMAND;
    harness.key_down_modifiers(ctrl, egui::Key::Space);
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: ctrl,
    };
    harness.event_modifiers(button(at, true), ctrl);
    harness.step();
    harness.event_modifiers(egui::Event::PointerMoved(at + egui::vec2(100.0, 0.0)), ctrl);
    harness.step();
    harness.event_modifiers(button(at + egui::vec2(100.0, 0.0), false), ctrl);
    harness.step();
    harness.step();
    let after = zoom(&harness);
    assert!((after / before - 2.0).abs() < 0.05, "{before} to {after}");
    assert_eq!(harness.state().model().target, PaintTarget::Pixels);
}

#[test]
fn straightening_turns_crops_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![tiny_png(folder.path(), 120, 90)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    perform(&mut harness, Action::Start(Binding::Tool("crop")));
    harness.step();
    harness.get_by_label("Straighten value").set_value_accesskit(8.0);
    harness.step();
    harness.step();
    let model = harness.state().model();
    assert!(model.tool.turn().is_some() && model.tool.awaits_confirm());
    harness.get_by_label("Apply").click();
    harness.step();
    harness.step();
    settle(&mut harness);
    let model = harness.state().model();
    let size = model.document().unwrap().size;
    assert!(size.width < 115 && size.height < 85, "{size}");
    assert_eq!(model.tab().unwrap().session.history().past().len(), 1);
    assert!(model.tool.turn().is_none());
    assert_eq!(model.tool_params["crop"].float("angle"), 0.0);
    command(&mut harness, Command::Undo);
    assert_eq!(harness.state().model().document().unwrap().size.width, 120);
}
