//! The AI tools that change the picture in front, through the window.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use ganvas::app::{Action, App, Binding, Card, Command, EffectOutput};
use ganvas::document::{Layer, LayerKind};
use ganvas::infer::protocol::PATCHES;
use ganvas::params::Value;
use ganvas::segment::What;
use ganvas::tools::{Pointer, ToolEvent};
use ganvas::zoo::Library;

use crate::harness::{
    command, editor_with_models, editor_with_shipped, perform, settle, wait_until,
};

fn window(folder: &Path) -> Harness<'static, App> {
    editor_with_shipped(folder, (60, 40))
}

#[test]
fn painting_over_something_removes_it_in_one_undo_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    let before = harness.state().model().document().unwrap().clone();
    let pixels = |harness: &Harness<'_, App>| {
        let document = harness.state().model().document().unwrap().clone();
        document.layers[0].raster_content().unwrap().image.to_buf()
    };
    let old = pixels(&harness);
    perform(&mut harness, Action::Start(Binding::Tool("remove")));
    perform(&mut harness, Action::SetToolParam { key: "size", value: Value::Float(8.0) });
    for event in [
        ToolEvent::Press(Pointer::at(20.0, 20.0)),
        ToolEvent::Drag(Pointer::at(26.0, 20.0)),
        ToolEvent::Release(Pointer::at(30.0, 20.0)),
    ] {
        perform(&mut harness, Action::Tool(event));
    }
    let revision = before.revision();
    wait_until(&mut harness, "the hole is filled", |model| {
        model.document().unwrap().revision() != revision
    });
    settle(&mut harness);
    let new = pixels(&harness);
    let model = harness.state().model();
    assert!(model.document().unwrap().selection.is_none(), "a stroke is no selection");
    let mut changed = 0;
    for (x, y) in (0..60u32).flat_map(|x| (0..40u32).map(move |y| (x, y))) {
        let near = (10..42).contains(&x) && (10..31).contains(&y);
        let same = old.pixel_f32(x, y) == new.pixel_f32(x, y);
        assert!(near || same, "{x} {y} lies far from the stroke");
        changed += u32::from(!same);
    }
    assert!(changed > 40, "{changed} pixels changed");
    command(&mut harness, Command::Undo);
    assert_eq!(pixels(&harness), old);
    assert!(!harness.state().model().tabs[0].session.is_modified());
}

#[test]
fn escape_forgets_a_removal_that_is_being_painted() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    perform(&mut harness, Action::Start(Binding::Tool("remove")));
    perform(&mut harness, Action::Tool(ToolEvent::Press(Pointer::at(20.0, 20.0))));
    perform(&mut harness, Action::Tool(ToolEvent::Drag(Pointer::at(26.0, 20.0))));
    perform(&mut harness, Action::Tool(ToolEvent::Cancel));
    perform(&mut harness, Action::Tool(ToolEvent::Release(Pointer::at(26.0, 20.0))));
    settle(&mut harness);
    assert!(!harness.state().model().tabs[0].session.is_modified());
    assert!(harness.state().model().jobs.running().is_empty());
}

#[test]
fn denoising_makes_a_layer_that_remembers_how() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Denoise);
    // The card comes into sight.
    harness.run_steps(30);
    harness.get_by_label("Run denoise").click();
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    assert_eq!(generated.recipe["model"], "ffdnet-color");
    assert!(layer.props.name.contains("Denoise"));
    command(&mut harness, Command::Undo);
    assert_eq!(harness.state().model().document().unwrap().layers.len(), 1);
}

#[test]
fn removing_without_a_selection_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::RemoveObject);
    perform(&mut harness, Action::Start(Binding::Command(Command::RunAi)));
    settle(&mut harness);
    let model = harness.state().model();
    assert!(!model.tabs[0].session.is_modified());
    assert!(model.notices.shown().iter().any(|notice| notice.text.contains("Select")));
}

#[test]
fn a_dropped_checkpoint_is_installed_and_offered() {
    let folder = tempfile::tempdir().unwrap();
    let own = Library::of(None, Some(folder.path().join("models")));
    let mut harness = editor_with_models(own, folder.path(), (20, 12));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints");
    perform(&mut harness, Action::OpenFiles(vec![root.join("RealESRGAN_x4plus.pth")]));
    wait_until(&mut harness, "the model is offered", |model| {
        model.ai.models.iter().any(|card| card.manifest.id == "realesrgan-x4plus")
    });
    // A file that is no network is refused in words that name it.
    let other = folder.path().join("other.pth");
    std::fs::write(&other, b"no checkpoint").unwrap();
    perform(&mut harness, Action::PlaceFiles(vec![other]));
    wait_until(&mut harness, "the refusal", |model| {
        let mut shown = model.notices.shown().iter();
        shown.any(|notice| notice.text.contains("other.pth"))
    });
    assert_eq!(harness.state().model().tabs.len(), 1);
}

#[test]
fn a_class_of_a_dropped_network_is_selected() {
    let folder = tempfile::tempdir().unwrap();
    let own = Library::of(None, Some(folder.path().join("models")));
    let mut harness = editor_with_models(own, folder.path(), (40, 30));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints");
    perform(&mut harness, Action::OpenFiles(vec![root.join("tiny-deeplab-mobile.pth")]));
    wait_until(&mut harness, "the model is offered", |model| !model.ai.models.is_empty());
    command(&mut harness, Command::Denoise);
    perform(&mut harness, Action::OpenCard(Card::Select));
    harness.run_steps(30);
    harness.get_by_label("What to select").click();
    harness.run_steps(5);
    harness.get_all_by_label("cat").last().unwrap().click();
    harness.run_steps(5);
    assert_eq!(harness.state().model().ai.effect(Card::Select).what, What::Class(8));
    perform(&mut harness, Action::RunEffect(Card::Select));
    wait_until(&mut harness, "the selection", |model| {
        model.document().unwrap().selection.is_some()
    });
}

#[test]
fn what_is_set_while_a_request_runs_counts_for_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Denoise);
    perform(&mut harness, Action::RunEffect(Card::Denoise));
    let mut settings = harness.state().model().ai.effect(Card::Denoise);
    settings.output = EffectOutput::NewDocument;
    settings.strength = 0.3;
    perform(&mut harness, Action::SetEffect { card: Card::Denoise, settings: Box::new(settings) });
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let model = harness.state().model();
    assert_eq!(model.tabs.len(), 1);
    assert_eq!(model.active_layer().unwrap().props.opacity, 1.0);
}

#[test]
fn a_result_never_overwrites_newer_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Denoise);
    let mut settings = harness.state().model().ai.effect(Card::Denoise);
    settings.output = EffectOutput::InPlace;
    perform(&mut harness, Action::SetEffect { card: Card::Denoise, settings: Box::new(settings) });
    let before = harness.state().model().document().unwrap().layers[0].clone();
    perform(&mut harness, Action::RunEffect(Card::Denoise));
    command(&mut harness, Command::NewLayer);
    wait_until(&mut harness, "the result", |model| model.document().unwrap().layers.len() == 3);
    let document = harness.state().model().document().unwrap().clone();
    let pixels = |layer: &Layer| layer.raster_content().unwrap().image.to_buf();
    assert_eq!(pixels(&document.layers[0]), pixels(&before), "the layer is as it was");
    assert_ne!(pixels(&document.layers[2]), pixels(&before), "the result lies on top");
    let model = harness.state().model();
    assert!(model.notices.shown().iter().any(|notice| notice.text.contains("became a new layer")));
    command(&mut harness, Command::Undo);
    assert_eq!(harness.state().model().document().unwrap().layers.len(), 2);
}

#[test]
fn patches_stay_selectable_beside_networks() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::RemoveObject);
    harness.run_steps(30);
    harness.get_by_label("Remove model").click();
    harness.run_steps(5);
    harness.get_all_by_label("Patches of the surroundings").last().unwrap().click();
    harness.run_steps(5);
    assert_eq!(harness.state().model().ai.effect(Card::Remove).model.as_deref(), Some(PATCHES));
}

#[test]
fn a_tool_without_a_model_says_why_it_cannot_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    for (open, run) in
        [(Command::RestoreFace, "Run restore face"), (Command::Colorize, "Run colourise")]
    {
        command(&mut harness, open);
        harness.run_steps(30);
        assert!(harness.get_by_label(run).accesskit_node().is_disabled(), "{run}");
        perform(&mut harness, Action::Start(Binding::Command(Command::RunAi)));
        settle(&mut harness);
        let model = harness.state().model();
        assert!(!model.tabs[0].session.is_modified() && model.jobs.running().is_empty());
    }
}

#[test]
fn a_generator_fills_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    // Of the generator's own size, so that no face is looked for.
    let mut harness = editor_with_shipped(folder.path(), (64, 64));
    let automatic = harness.state().model().ai.effect_model(Card::Remove);
    assert!(automatic.is_none(), "patches, unless the person chooses a generator");
    perform(&mut harness, Action::Start(Binding::Tool("marquee_rectangle")));
    for event in [
        ToolEvent::Press(Pointer::at(24.0, 24.0)),
        ToolEvent::Drag(Pointer::at(40.0, 40.0)),
        ToolEvent::Release(Pointer::at(40.0, 40.0)),
    ] {
        perform(&mut harness, Action::Tool(event));
    }
    let mut settings = harness.state().model().ai.effect(Card::Remove);
    settings.model = Some("portrait-64".into());
    settings.output = EffectOutput::NewLayer;
    perform(&mut harness, Action::SetEffect { card: Card::Remove, settings: Box::new(settings) });
    perform(&mut harness, Action::RunEffect(Card::Remove));
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    assert_eq!(generated.recipe["model"], "portrait-64");
    // Only the hole and its soft edge are covered.
    let pixels = generated.raster.image.to_buf();
    let all = (0..64u32).flat_map(|x| (0..64u32).map(move |y| (x, y)));
    let covered: Vec<_> = all.filter(|&(x, y)| pixels.pixel_f32(x, y)[3] > 0.0).collect();
    let near = |(x, y): &(u32, u32)| (16..48).contains(x) && (16..48).contains(y);
    assert!(covered.len() > 200 && covered.iter().all(near), "{}", covered.len());
}

#[test]
fn what_waits_is_listed_and_cancelled_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (900, 700));
    let base = harness.state().model().document().unwrap().revision();
    for _ in 0..3 {
        perform(&mut harness, Action::RunEffect(Card::Denoise));
    }
    // Long enough for the chips to show.
    wait_until(&mut harness, "the requests", |model| {
        let jobs = model.jobs.running();
        jobs.len() == 3 && jobs.iter().all(|job| job.name == "Denoise" && job.shows())
    });
    harness.run_steps(3);
    harness.get_by_label("Queue").click();
    harness.run_steps(5);
    harness.get_by_label("Cancel all").click();
    wait_until(&mut harness, "the end", |model| model.jobs.running().is_empty());
    assert_eq!(harness.state().model().document().unwrap().revision(), base);
}
