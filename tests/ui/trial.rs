//! Variants: looked at, left without a trace, applied as seen.

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, App, Binding, Card, Command, TrialAction};
use ganvas::compose;
use ganvas::document::{Document, LayerKind};
use ganvas::geom::Size;
use ganvas::pixels::PixelBuf;
use ganvas::tools::{Pointer, ToolEvent};

use crate::harness::{command, editor_with_shipped, perform, settle, wait_until};

fn flat(document: &Document) -> PixelBuf {
    compose::flatten(document, document.size.rect())
}

fn document(harness: &Harness<'_, App>) -> Document {
    harness.state().model().document().unwrap().clone()
}

fn shown(harness: &Harness<'_, App>) -> Document {
    harness.state().model().shown().unwrap()
}

fn act(harness: &mut Harness<'_, App>, action: TrialAction) {
    perform(harness, Action::Trial(action));
}

/// Waits until the chosen variant is shown as it is set.
fn wait_for_chosen(harness: &mut Harness<'_, App>) {
    wait_until(harness, "the variant is shown", |model| {
        model.trial_shown().is_some_and(|(trial, _)| !trial.is_behind())
    });
}

#[test]
fn a_fill_is_chosen_among_several() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (60, 40));
    perform(&mut harness, Action::Start(Binding::Tool("marquee_rectangle")));
    for event in [
        ToolEvent::Press(Pointer::at(20.0, 12.0)),
        ToolEvent::Drag(Pointer::at(40.0, 28.0)),
        ToolEvent::Release(Pointer::at(40.0, 28.0)),
    ] {
        perform(&mut harness, Action::Tool(event));
    }
    perform(&mut harness, Action::Start(Binding::Tool("hand")));
    wait_until(&mut harness, "the status line", |model| {
        let selection = model.document().unwrap().selection.as_ref();
        let extent = selection.and_then(|selection| model.observer.extent(selection));
        extent == Some(Size::new(20, 16))
    });
    command(&mut harness, Command::RemoveObject);
    harness.run_steps(30);
    let before = document(&harness);
    let seed = harness.state().model().ai.effect(Card::Remove).seed;
    harness.get_by_label("Variants").click();
    wait_until(&mut harness, "every variant", |model| {
        let trial = model.trials.open.as_ref();
        trial.is_some_and(|trial| trial.variants.iter().all(|variant| variant.frame().is_some()))
    });
    let first = flat(&shown(&harness));
    assert_ne!(first, flat(&before), "the canvas shows the fill");
    harness.key_press(Key::Period);
    harness.run_steps(3);
    harness.key_press(Key::Period);
    harness.run_steps(3);
    let model = harness.state().model();
    assert_eq!(model.trials.open.as_ref().unwrap().chosen, 2);
    assert_eq!(model.ai.effect(Card::Remove).seed, seed + 2);
    let chosen = flat(&shown(&harness));
    assert_ne!(chosen, first, "another fill");

    harness.key_press(Key::Escape);
    harness.run_steps(3);
    let model = harness.state().model();
    assert!(model.trials.open.is_none());
    assert_eq!(model.ai.effect(Card::Remove).seed, seed);
    assert_eq!(
        (document(&harness).revision(), flat(&shown(&harness))),
        (before.revision(), flat(&before))
    );

    act(&mut harness, TrialAction::Open(Card::Remove));
    act(&mut harness, TrialAction::Choose(2));
    wait_for_chosen(&mut harness);
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    let revision = before.revision();
    wait_until(&mut harness, "the fill", |model| model.document().unwrap().revision() != revision);
    settle(&mut harness);
    assert!(harness.state().model().trials.open.is_none());
    assert_eq!(flat(&document(&harness)), chosen, "what was seen is what was done");
    command(&mut harness, Command::Undo);
    assert_eq!(flat(&document(&harness)), flat(&before), "one undo step");
}

#[test]
fn styles_are_tried_small_and_follow_the_sliders() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (600, 400));
    command(&mut harness, Command::Style);
    act(&mut harness, TrialAction::Open(Card::Style));
    wait_for_chosen(&mut harness);
    let small = shown(&harness);
    assert!(small.size.width < 600, "{:?}", small.size);
    assert!(harness.state().model().trials.open.as_ref().unwrap().variants.len() > 20);

    let mut settings = harness.state().model().ai.effect(Card::Style);
    settings.styles = vec![(0, 0.5), (7, 0.5)];
    perform(&mut harness, Action::SetEffect { card: Card::Style, settings: Box::new(settings) });
    wait_for_chosen(&mut harness);
    assert_ne!(flat(&shown(&harness)), flat(&small), "the blend is shown");
    assert_eq!(document(&harness).layers.len(), 1);

    act(&mut harness, TrialAction::Choose(3));
    let layers = document(&harness).layers.len();
    act(&mut harness, TrialAction::Apply);
    wait_until(&mut harness, "the layer", |model| {
        model.document().unwrap().layers.len() == layers + 1
    });
    let layer = harness.state().model().active_layer().unwrap().clone();
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    assert_eq!(generated.recipe["styles"], serde_json::json!([[2, 1.0]]));
    // The picture changes: what was tried is of another one.
    act(&mut harness, TrialAction::Open(Card::Style));
    command(&mut harness, Command::NewLayer);
    harness.run_steps(3);
    assert!(harness.state().model().trials.open.is_none(), "the picture is another one now");
}

#[test]
fn a_slider_shows_at_once_what_it_does_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (600, 400));
    command(&mut harness, Command::Style);
    let before = document(&harness);
    let set = |harness: &mut Harness<'_, App>, styles: Vec<(usize, f32)>, strength: f32| {
        let mut settings = harness.state().model().ai.effect(Card::Style);
        (settings.styles, settings.strength) = (styles, strength);
        perform(harness, Action::SetEffect { card: Card::Style, settings: Box::new(settings) });
    };
    set(&mut harness, vec![(2, 1.0)], 1.0);
    wait_for_chosen(&mut harness);
    let full = flat(&shown(&harness));
    assert!(full.size().width < 600, "a small copy");
    assert!(harness.query_by_label("Apply variant").is_none(), "and no strip");
    // Another strength takes no other run of the network.
    let count = harness.state().model().trials.count;
    set(&mut harness, vec![(2, 1.0)], 0.5);
    wait_for_chosen(&mut harness);
    assert_eq!(harness.state().model().trials.count, count);
    assert_ne!(flat(&shown(&harness)), full);
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.state().model().trials.open.is_none());
    assert_eq!(document(&harness).revision(), before.revision());
    assert_eq!(flat(&shown(&harness)), flat(&before));
    set(&mut harness, vec![(5, 1.0)], 0.5);
    wait_for_chosen(&mut harness);
    perform(&mut harness, Action::OpenCard(Card::Denoise));
    harness.run_steps(3);
    assert!(harness.state().model().trials.open.is_none(), "another card is open");
    // What is run is of the picture itself.
    perform(&mut harness, Action::RunEffect(Card::Style));
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    assert_eq!(layer.raster_content().unwrap().image.size(), Size::new(600, 400));
    assert_eq!(layer.props.opacity, 0.5);
}

#[test]
fn what_the_variants_share_stays_with_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (60, 40));
    command(&mut harness, Command::Style);
    act(&mut harness, TrialAction::Open(Card::Style));
    act(&mut harness, TrialAction::Choose(3));
    let mut settings = harness.state().model().ai.effect(Card::Style);
    assert_eq!(settings.styles, [(2, 1.0)]);
    settings.strength = 0.4;
    perform(&mut harness, Action::SetEffect { card: Card::Style, settings: Box::new(settings) });
    harness.run_steps(3);
    assert_eq!(harness.state().model().trials.open.as_ref().unwrap().chosen, 3);
    harness.key_press(Key::Period);
    harness.run_steps(3);
    let settings = harness.state().model().ai.effect(Card::Style);
    assert_eq!((settings.styles, settings.strength), (vec![(3, 1.0)], 0.4));
}
