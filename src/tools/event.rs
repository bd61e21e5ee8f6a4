//! What a tool is told.

use crate::geom::Point;

/// Modifier keys at the moment of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    pub shift: bool,
    pub alt: bool,
    /// Ctrl, or Cmd on macOS.
    pub command: bool,
    /// The space bar, which moves the origin of a box being drawn.
    pub space: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Button {
    #[default]
    Primary,
    Secondary,
}

/// One pointer position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// In document pixels, continuous; may lie outside the canvas.
    pub pos: Point,
    /// `0..=1`; 1 where the platform reports none.
    pub pressure: f32,
    pub button: Button,
    pub modifiers: Modifiers,
}

impl Pointer {
    /// The primary button at full pressure without modifiers.
    pub const fn at(x: f32, y: f32) -> Self {
        let modifiers = Modifiers { shift: false, alt: false, command: false, space: false };
        Self { pos: Point::new(x, y), pressure: 1.0, button: Button::Primary, modifiers }
    }

    #[must_use]
    pub const fn with(mut self, modifiers: Modifiers) -> Self {
        self.modifiers = modifiers;
        self
    }

    #[must_use]
    pub const fn with_pressure(mut self, pressure: f32) -> Self {
        self.pressure = pressure;
        self
    }
}

/// Keys a tool may act on; all others belong to the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Left,
    Right,
    Up,
    Down,
    /// Cycles the overlay of the crop tool.
    O,
    /// Swaps the sides of the crop ratio.
    X,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ToolEvent {
    /// The tool was chosen, or another document came to the front.
    Activate,
    /// The tool was put away; whatever is in progress ends as by [`ToolEvent::Cancel`].
    Deactivate,
    /// A value in the options bar changed.
    ParamsChanged,
    /// A button went down. Until its release only drags follow.
    Press(Pointer),
    Drag(Pointer),
    Release(Pointer),
    /// Movement without a button.
    Hover(Pointer),
    /// The pointer left the canvas.
    Leave,
    Key(Key, Modifiers),
    /// Enter.
    Confirm,
    /// Esc.
    Cancel,
}
