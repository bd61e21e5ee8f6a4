//! Commands: everything a menu, a shortcut or the palette can ask for, without any payload.
//!
//! One declaration a command: its label, its help and its keys. Operations and tools declare
//! themselves in their registries; [`Binding`] joins all three for the shortcut listener, the
//! palette and the help.

use eframe::egui;
use egui::{Key, KeyboardShortcut, Modifiers};

use crate::{ops, tools};

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const CTRL_ALT: Modifiers = Modifiers::COMMAND.plus(Modifiers::ALT);
const SHIFT_ALT: Modifiers = Modifiers::SHIFT.plus(Modifiers::ALT);
const CTRL_ALT_SHIFT: Modifiers = CTRL_ALT.plus(Modifiers::SHIFT);
const SHIFT: Modifiers = Modifiers::SHIFT;
const ALT: Modifiers = Modifiers::ALT;
const NONE: Modifiers = Modifiers::NONE;

macro_rules! commands {
    ($($name:ident: $label:literal, $help:literal, [$($mods:ident + $key:ident),*];)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Command { $($name,)* }

        impl Command {
            /// Every command, in menu order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Sentence case; ends in `…` where it asks for more.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// One line of help.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }

            /// Its keys, the one shown in menus first.
            pub const fn shortcuts(self) -> &'static [KeyboardShortcut] {
                match self {
                    $(Self::$name => {
                        const KEYS: &[KeyboardShortcut] = &[$(KeyboardShortcut::new($mods, Key::$key)),*];
                        KEYS
                    })*
                }
            }
        }
    };
}

commands! {
    New: "New…", "Start an empty picture", [CTRL + N];
    Open: "Open…", "Open pictures", [CTRL + O];
    OpenSample: "Open sample photo", "Open the photo that comes with the program", [];
    Close: "Close", "Close this picture", [CTRL + W];
    Save: "Save", "Save the project: layers, masks and sliders", [CTRL + S];
    SaveAs: "Save as…", "Save the project to another file", [CTRL_SHIFT + S];
    Export: "Export…", "Write a flat picture to a file", [CTRL_ALT_SHIFT + S];
    QuickExport: "Export again", "Export with the last settings to the last file", [CTRL_ALT + S];
    Revert: "Revert", "Load the file again", [NONE + F12];
    Quit: "Quit", "Close the program", [CTRL + Q];

    Undo: "Undo", "Take back the last step", [CTRL + Z];
    Redo: "Redo", "Do the step again", [CTRL_SHIFT + Z, CTRL + Y];
    Cut: "Cut", "Move the selected pixels to the clipboard", [CTRL + X];
    Copy: "Copy", "Copy the selected pixels of this layer", [CTRL + C];
    CopyMerged: "Copy merged", "Copy what is visible inside the selection", [CTRL_SHIFT + C];
    Paste: "Paste", "Put the clipboard's picture on a new layer", [CTRL + V];
    Clear: "Clear", "Make the selected pixels transparent", [NONE + Delete];
    FillForeground: "Fill with foreground", "Fill the selection with the foreground colour", [ALT + Backspace];
    FillBackground: "Fill with background", "Fill the selection with the background colour", [CTRL + Backspace];
    SwapColors: "Swap colours", "Exchange foreground and background", [NONE + X];
    DefaultColors: "Default colours", "Black on white", [NONE + D];
    Preferences: "Preferences…", "Look, input and devices", [CTRL + Comma];

    ImageSize: "Image size…", "Resample the whole picture", [CTRL_ALT + I];
    CanvasSize: "Canvas size…", "Change the frame, not the pixels", [CTRL_ALT + C];
    RotateClockwise: "Rotate 90° clockwise", "Turn the picture to the right", [];
    RotateCounterclockwise: "Rotate 90° counterclockwise", "Turn the picture to the left", [];
    Rotate180: "Rotate 180°", "Turn the picture upside down", [];
    RotateBy: "Rotate by angle…", "Turn the picture by any angle", [];
    FlipHorizontal: "Flip horizontal", "Mirror left and right", [];
    FlipVertical: "Flip vertical", "Mirror top and bottom", [];
    CropToSelection: "Crop to selection", "Cut the picture to the selected box", [];

    NewLayer: "New layer", "Add an empty layer", [CTRL_SHIFT + N];
    NewPattern: "New pattern layer…", "A gradient, noise, clouds or a regular pattern", [];
    DuplicateLayer: "Duplicate layer", "Copy the layer", [CTRL + J];
    DeleteLayer: "Delete layer", "Remove the layer", [];
    GroupLayer: "Group layer", "Put the layer into a group", [CTRL + G];
    UngroupLayer: "Ungroup", "Dissolve the group", [CTRL_SHIFT + G];
    AddMask: "Add mask", "Add a mask; the selection becomes the shown part", [];
    DeleteMask: "Delete mask", "Remove the mask", [];
    ApplyMask: "Apply mask", "Make the mask part of the pixels", [];
    InvertMask: "Invert mask", "Show what is hidden and hide what is shown", [];
    MergeDown: "Merge down", "Join the layer with the one beneath", [CTRL + E];
    MergeVisible: "Merge visible", "Join all visible layers", [CTRL_SHIFT + E];
    Flatten: "Flatten", "Join everything to one layer", [];
    LayerUp: "Move layer up", "Move the layer one place up", [CTRL + CloseBracket];
    LayerDown: "Move layer down", "Move the layer one place down", [CTRL + OpenBracket];
    SelectAbove: "Select layer above", "Go to the layer above", [ALT + CloseBracket];
    SelectBelow: "Select layer below", "Go to the layer below", [ALT + OpenBracket];

    SelectAll: "All", "Select everything", [CTRL + A];
    Deselect: "Deselect", "Select nothing", [CTRL + D];
    InvertSelection: "Invert selection", "Select what is not selected", [CTRL_SHIFT + I];
    FeatherSelection: "Feather…", "Soften the selection's edge", [SHIFT + F6];

    RepeatFilter: "Repeat last adjustment", "Apply the last adjustment with the same values", [CTRL_ALT + F];

    RemoveObject: "Remove…", "Take out what is selected and continue the surroundings", [SHIFT + Delete];
    Expand: "Expand…", "Continue the picture beyond its border", [];
    SelectSubject: "Subject", "Find the person in the picture and select them", [];
    Denoise: "Denoise…", "Take the grain out with a network", [];
    Light: "Light up…", "Light a dark picture with a network", [];
    RestoreFace: "Restore face…", "Redraw blurred or damaged faces with a network", [];
    Colorize: "Colourise…", "Give colours to a grey picture with a network", [];
    Style: "Style transfer…", "Repaint the picture in another style", [];
    Translate: "Translate…", "Turn the picture into one of another kind", [];
    Upscale: "Upscale…", "Enlarge the picture with a network", [];
    Generate: "Generate…", "Draw a picture that nobody has, and move it by sliders", [];
    AnalysePhoto: "Analyse photo", "Find the face in the picture and the code that draws it", [CTRL_ALT + P];
    Train: "Train a generator…", "Teach a network to draw pictures like those of a folder", [];
    RunAi: "Run", "Run the AI tool that is shown", [CTRL + Enter];
    RandomSeed: "Random seed", "Choose another seed", [SHIFT + R];
    PreviousSeed: "Previous seed", "Back by one seed", [SHIFT_ALT + R];
    CancelJob: "Cancel job", "Stop the newest job", [SHIFT + X];
    CancelJobs: "Cancel all jobs", "Stop everything that runs or waits", [CTRL_SHIFT + X];

    ZoomIn: "Zoom in", "One step closer", [CTRL + Equals, CTRL + Plus, NONE + Plus, NONE + Equals];
    ZoomOut: "Zoom out", "One step away", [CTRL + Minus, NONE + Minus];
    ZoomFit: "Fit on screen", "Show the whole picture", [CTRL + Num0];
    Zoom100: "100 %", "One picture pixel a screen pixel", [CTRL + Num1];
    Zoom200: "200 %", "Two screen pixels a picture pixel", [CTRL + Num2];
    TogglePixelGrid: "Pixel grid", "Lines between pixels when close", [];
    Compare: "Compare with original", "The original beside the picture: as opened, or as last reverted", [NONE + Y];
    CompareMode: "Compare side by side", "Two pictures, or one with a divider to drag", [SHIFT + Y];
    ToggleExtras: "Selection edges", "Show or hide the marching ants", [CTRL + H];
    TogglePanels: "Panels", "Show or hide all panels", [NONE + Tab];
    FullScreen: "Full screen", "Fill the screen", [NONE + F11];
    ToggleTheme: "Light theme", "Switch between dark and light", [];

    NextTab: "Next picture", "Go to the next open picture", [CTRL + Tab];
    PreviousTab: "Previous picture", "Go to the previous open picture", [CTRL_SHIFT + Tab];
    Palette: "Find a command…", "Every command by name", [CTRL + K, NONE + Slash];
    Shortcuts: "Keyboard shortcuts", "All keys at a glance", [SHIFT + Questionmark];
    About: "About Ganvas", "Version, adapter, folders", [];
}

/// Anything that a key or the palette can start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Binding {
    Command(Command),
    /// The adjustment or filter of this name.
    Operation(&'static str),
    /// The tool of this id.
    Tool(&'static str),
}

/// Keys of operations that have any.
const OPERATION_KEYS: &[(&str, KeyboardShortcut)] = &[
    ("levels", KeyboardShortcut::new(CTRL, Key::L)),
    ("hue_saturation", KeyboardShortcut::new(CTRL, Key::U)),
    ("invert", KeyboardShortcut::new(CTRL, Key::I)),
];

impl Binding {
    /// Everything that can be started, commands first.
    pub fn all() -> Vec<Self> {
        let commands = Command::ALL.iter().map(|command| Self::Command(*command));
        let operations = adjustments().map(|op| Self::Operation(op.spec().name));
        let tools = tools::all().iter().map(|tool| Self::Tool(tool.id));
        commands.chain(operations).chain(tools).collect()
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Command(command) => command.label(),
            Self::Operation(name) => ops::find(name).map_or(name, |op| op.spec().label),
            Self::Tool(id) => tools::find(id).map_or(id, |tool| tool.label),
        }
    }

    pub fn help(self) -> &'static str {
        match self {
            Self::Command(command) => command.help(),
            Self::Operation(name) => ops::find(name).map_or("", |op| op.spec().doc),
            Self::Tool(id) => tools::find(id).map_or("", |tool| tool.doc),
        }
    }

    pub fn shortcuts(self) -> Vec<KeyboardShortcut> {
        match self {
            Self::Command(command) => command.shortcuts().to_vec(),
            Self::Operation(name) => {
                OPERATION_KEYS.iter().filter(|(op, _)| *op == name).map(|(_, keys)| *keys).collect()
            }
            Self::Tool(id) => tools::find(id)
                .and_then(|tool| Key::from_name(&tool.shortcut.to_string()))
                .map(|key| KeyboardShortcut::new(NONE, key))
                .into_iter()
                .collect(),
        }
    }

    /// Its first key in words.
    pub fn shortcut_text(self, ctx: &egui::Context) -> Option<String> {
        self.shortcuts().first().map(|keys| key_text(ctx, keys))
    }
}

/// A key in words, with signs for signs: `Ctrl+=`, not `Ctrl+Equals`.
pub fn key_text(ctx: &egui::Context, keys: &KeyboardShortcut) -> String {
    let symbol = match keys.logical_key {
        // egui's sign for it is the longer one of mathematics.
        Key::Minus => "-",
        key => key.symbol_or_name(),
    };
    let is_sign = symbol.len() == 1 && symbol.is_ascii();
    let modifiers = ctx.format_modifiers(keys.modifiers);
    let key = if is_sign { symbol } else { keys.logical_key.name() };
    if modifiers.is_empty() { key.into() } else { format!("{modifiers}+{key}") }
}

/// Operations that change colours or neighbourhoods, in menu order.
pub fn adjustments() -> impl Iterator<Item = &'static dyn ops::Operation> {
    ops::all().iter().copied().filter(|op| op.spec().kind != ops::Kind::Geometry)
}

/// What a pressed key starts. Shift is part of some characters and then does not count.
pub fn bound_to(key: Key, modifiers: Modifiers) -> Option<Binding> {
    let shifted = matches!(
        key,
        Key::Questionmark | Key::Plus | Key::OpenCurlyBracket | Key::CloseCurlyBracket
    );
    let same = |keys: &KeyboardShortcut| {
        keys.logical_key == key
            && keys.modifiers.command == modifiers.command
            && keys.modifiers.alt == modifiers.alt
            && (shifted || keys.modifiers.shift == modifiers.shift)
    };
    Binding::all().into_iter().find(|binding| binding.shortcuts().iter().any(same))
}
