//! A seeded monkey: whatever it does, the document stays whole and undo leads back.

use ganvas::app::{Action, Binding, Command};
use ganvas::document::LayerId;
use ganvas::tools::{Button, Modifiers, PaintTarget, Pointer, ToolEvent};

use crate::harness::{editor, perform, settle, tiny_png, wait_until};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

/// Commands that change documents and need no further answer.
const COMMANDS: &[Command] = &[
    Command::Undo,
    Command::Redo,
    Command::Copy,
    Command::Cut,
    Command::Paste,
    Command::Clear,
    Command::FillForeground,
    Command::RotateClockwise,
    Command::FlipHorizontal,
    Command::CropToSelection,
    Command::NewLayer,
    Command::DuplicateLayer,
    Command::DeleteLayer,
    Command::GroupLayer,
    Command::UngroupLayer,
    Command::AddMask,
    Command::InvertMask,
    Command::ApplyMask,
    Command::DeleteMask,
    Command::MergeDown,
    Command::MergeVisible,
    Command::Flatten,
    Command::LayerUp,
    Command::LayerDown,
    Command::SelectAll,
    Command::Deselect,
    Command::InvertSelection,
    Command::SelectAbove,
    Command::SelectBelow,
    Command::SwapColors,
    Command::RepeatFilter,
    Command::ZoomIn,
    Command::ZoomFit,
];

fn pointer(dice: &mut Dice) -> Pointer {
    let at = |dice: &mut Dice| dice.roll(80) as f32 - 8.0;
    let modifiers = Modifiers {
        shift: dice.roll(4) == 0,
        alt: dice.roll(6) == 0,
        command: false,
        space: dice.roll(10) == 0,
    };
    let mut pointer = Pointer::at(at(dice), at(dice)).with(modifiers);
    if dice.roll(8) == 0 {
        pointer.button = Button::Secondary;
    }
    pointer
}

fn action(dice: &mut Dice, layers: &[LayerId]) -> Vec<Action> {
    match dice.roll(10) {
        0..=3 => vec![Action::Start(Binding::Command(COMMANDS[dice.roll(COMMANDS.len())]))],
        4 | 5 => {
            let tools = ganvas::tools::all();
            let tool = Action::Start(Binding::Tool(tools[dice.roll(tools.len())].id));
            let stroke = [
                ToolEvent::Press(pointer(dice)),
                ToolEvent::Drag(pointer(dice)),
                ToolEvent::Drag(pointer(dice)),
            ];
            let end = match dice.roll(4) {
                0 => vec![ToolEvent::Cancel],
                1 => vec![ToolEvent::Release(pointer(dice)), ToolEvent::Confirm],
                2 => Vec::new(),
                _ => vec![ToolEvent::Release(pointer(dice))],
            };
            let events = stroke.into_iter().chain(end).map(Action::Tool);
            std::iter::once(tool).chain(events).collect()
        }
        6 => {
            let names: Vec<_> = Binding::all()
                .into_iter()
                .filter(|binding| matches!(binding, Binding::Operation(_)))
                .collect();
            let start = Action::Start(names[dice.roll(names.len())]);
            let end = [Action::ApplyDraft, Action::DraftAsLayer, Action::CancelDraft];
            vec![start, end[dice.roll(3)].clone()]
        }
        7 if !layers.is_empty() => {
            let target = if dice.roll(2) == 0 { PaintTarget::Pixels } else { PaintTarget::Mask };
            vec![Action::SelectLayer { id: layers[dice.roll(layers.len())], target }]
        }
        8 if !layers.is_empty() => {
            let id = layers[dice.roll(layers.len())];
            let parent = (dice.roll(2) == 0).then(|| layers[dice.roll(layers.len())]);
            vec![Action::MoveLayer { id, parent, index: dice.roll(4) }]
        }
        9 if !layers.is_empty() => vec![Action::Solo(layers[dice.roll(layers.len())])],
        _ => vec![Action::Jump(dice.roll(6))],
    }
}

#[test]
fn a_monkey_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = tiny_png(folder.path(), 64, 48);
    let mut harness = editor(vec![file.clone()]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    let mut dice = Dice(2026);
    let mut changes = 0;
    for round in 0..250 {
        let mut layers = Vec::new();
        if let Some(document) = harness.state().model().document() {
            document.walk(&mut |layer, _| layers.push(layer.id));
        }
        for action in action(&mut dice, &layers) {
            perform(&mut harness, action);
        }
        if round % 3 == 0 {
            settle(&mut harness);
        }
        for tab in &harness.state().model().tabs {
            tab.document().check().unwrap_or_else(|fault| panic!("round {round}: {fault}"));
            changes = changes.max(tab.document().revision());
        }
        if harness.state().model().tabs.is_empty() {
            perform(&mut harness, Action::OpenFiles(vec![file.clone()]));
            settle(&mut harness);
        }
    }
    assert!(changes > 50, "the monkey did next to nothing: {changes}");
    // Back to the beginning, whatever happened.
    settle(&mut harness);
    perform(&mut harness, Action::Tool(ToolEvent::Cancel));
    perform(&mut harness, Action::ActivateTab(0));
    perform(&mut harness, Action::Jump(0));
    let tab = &harness.state().model().tabs[0];
    assert!(tab.session.history().past().is_empty());
    assert!(tab.document().check().is_ok());
}
