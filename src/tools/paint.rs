//! Brush and eraser: one press to release is one stroke and one undo step.
//!
//! Alt picks the foreground colour; Shift+click paints a straight line from the end of the last
//! stroke. Smoothing lets the pointer pull the brush on a string: tremor shorter than the string
//! is gone, no clock takes part, and what is shown is what is painted. On a mask the brush paints with the brightness of the foreground colour and the eraser
//! with that of the background colour.

use super::stroke::{Brush, Canvas, Ink, Stroke};
use super::{
    Button, Cursor, Group, PaintTarget, Pointer, Shape, Swatch, Tool, ToolCommand, ToolContext,
    ToolEvent, ToolSpec,
};
use crate::compose;
use crate::document::{BlendMode, Layer};
use crate::geom::Point;
use crate::params::{ParamSpec, Params};

pub static BRUSH: ToolSpec = ToolSpec {
    id: "brush",
    label: "Brush",
    doc: "Paint with the foreground colour; Shift+click draws a line, Alt picks a colour",
    shortcut: 'B',
    group: Group::Paint,
    params: &[
        SIZE,
        HARDNESS,
        OPACITY,
        FLOW,
        SPACING,
        SMOOTHING,
        MODE,
        PRESSURE_SIZE,
        PRESSURE_OPACITY,
    ],
    create: || Box::new(Paint::new(&BRUSH)),
};

pub static ERASER: ToolSpec = ToolSpec {
    id: "eraser",
    label: "Eraser",
    doc: "Make pixels transparent; Shift+click erases along a line",
    shortcut: 'E',
    group: Group::Paint,
    params: &[SIZE, HARDNESS, OPACITY, FLOW, SPACING, SMOOTHING, PRESSURE_SIZE, PRESSURE_OPACITY],
    create: || Box::new(Paint::new(&ERASER)),
};

const fn percent(
    key: &'static str,
    label: &'static str,
    default: f64,
    low: f64,
    doc: &'static str,
) -> ParamSpec {
    ParamSpec::float(key, label, default, (low, 100.0), (low, 100.0), "%", doc)
}

const SIZE: ParamSpec =
    ParamSpec::float("size", "Size", 40.0, (1.0, 5000.0), (1.0, 1000.0), "px", "Diameter")
        .logarithmic();
const HARDNESS: ParamSpec =
    percent("hardness", "Hardness", 80.0, 0.0, "Part of the radius before the edge softens");
const OPACITY: ParamSpec =
    percent("opacity", "Opacity", 100.0, 1.0, "Most that one stroke can cover");
const FLOW: ParamSpec =
    percent("flow", "Flow", 100.0, 1.0, "How fast a stroke builds up to its opacity");
const SPACING: ParamSpec = ParamSpec::float(
    "spacing",
    "Spacing",
    15.0,
    (1.0, 1000.0),
    (1.0, 200.0),
    "%",
    "Distance of the brush's imprints in diameters",
)
.logarithmic();
const SMOOTHING: ParamSpec = percent(
    "smoothing",
    "Smoothing",
    0.0,
    0.0,
    "Pulls the brush on a string of this length: the steadier, the longer",
);
const PRESSURE_SIZE: ParamSpec =
    ParamSpec::bool("pressure_size", "Pressure: size", true, "A pen's pressure sets the size");
const PRESSURE_OPACITY: ParamSpec = ParamSpec::bool(
    "pressure_opacity",
    "Pressure: opacity",
    false,
    "A pen's pressure sets the opacity",
);
const MODE: ParamSpec = ParamSpec::choice(
    "mode",
    "Mode",
    BlendMode::Normal.label(),
    &MODE_LABELS,
    "How the colour mixes with what is there",
);
const MODE_LABELS: [&str; 16] = {
    let mut labels = [""; 16];
    let mut i = 0;
    while i < labels.len() {
        labels[i] = BlendMode::ALL[i].label();
        i += 1;
    }
    labels
};

/// Length of the string at full smoothing, in screen points: the hand's tremor is the same at
/// every zoom.
const LONGEST_STRING: f32 = 80.0;
/// Screen points of diameter below which a ring is too small to aim with.
const SMALLEST_RING: f32 = 4.0;

struct Paint {
    spec: &'static ToolSpec,
    state: State,
    /// Where the last stroke ended.
    last: Option<Point>,
    hover: Option<Point>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Painting(Box<Painting>),
    Sampling,
}

/// A stroke and the string by which the pointer pulls it.
struct Painting {
    stroke: Stroke,
    /// Where the brush is; the pointer may be as far ahead as the string is long.
    brush: Point,
    string_px: f32,
}

impl Painting {
    /// Pulls the brush towards `to`, as far as the string is too short.
    fn pull(&mut self, to: Point, pressure: f32) -> Option<ToolCommand> {
        let distance = self.brush.distance(to);
        if self.string_px > 0.0 {
            if distance <= self.string_px {
                return None;
            }
            self.brush = self.brush.lerp(to, 1.0 - self.string_px / distance);
        } else {
            self.brush = to;
        }
        self.stroke.advance(self.brush, pressure).map(ToolCommand::Edit)
    }
}

impl Paint {
    const fn new(spec: &'static ToolSpec) -> Self {
        Self { spec, state: State::Idle, last: None, hover: None }
    }

    fn is_eraser(&self) -> bool {
        std::ptr::eq(self.spec, &ERASER)
    }

    fn press(&mut self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        if pointer.button != Button::Primary {
            return Vec::new();
        }
        if pointer.modifiers.alt {
            self.state = State::Sampling;
            return sample(pointer, context);
        }
        let Some(layer) = context.document.active_layer() else {
            return ToolCommand::notice("Choose a layer to paint on");
        };
        let (canvas, ink) = match self.canvas(layer, context) {
            Ok(found) => found,
            Err(notice) => return ToolCommand::notice(notice),
        };
        let line = pointer.modifiers.shift.then_some(self.last).flatten();
        let start = (line.unwrap_or(pointer.pos), pointer.pressure);
        let mut stroke = Stroke::new(
            layer.id,
            canvas,
            context.document.size.rect(),
            context.document.selection.clone(),
            brush(context.params),
            ink,
            start,
        );
        let label = format!("{} stroke", self.spec.label);
        let mut commands = vec![ToolCommand::Begin(label.into())];
        commands.extend(stroke.advance(pointer.pos, pointer.pressure).map(ToolCommand::Edit));
        let string_px = context.params.f32("smoothing") / 100.0 * LONGEST_STRING / context.zoom;
        let painting = Painting { stroke, brush: pointer.pos, string_px };
        self.state = State::Painting(Box::new(painting));
        commands
    }

    /// What to paint on and with, or why not.
    fn canvas(&self, layer: &Layer, context: &ToolContext) -> Result<(Canvas, Ink), String> {
        let name = &layer.props.name;
        if layer.props.locked {
            return Err(format!("'{name}' is locked"));
        }
        if context.target == PaintTarget::Mask {
            let mask = layer.mask.clone().ok_or_else(|| format!("'{name}' has no mask"))?;
            let color = if self.is_eraser() { context.background } else { context.foreground };
            return Ok((Canvas::Mask(mask), Ink::Mask { value: compose::luminosity(color) }));
        }
        if !layer.props.visible {
            return Err(format!("'{name}' is hidden"));
        }
        let raster = layer
            .raster_content()
            .ok_or_else(|| format!("'{name}' holds no pixels to paint on"))?;
        let ink = if self.is_eraser() {
            Ink::Erase
        } else {
            Ink::Paint { color: context.foreground, mode: mode(context.params) }
        };
        Ok((Canvas::Raster(raster.clone()), ink))
    }

    fn advance(&mut self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        match &mut self.state {
            State::Idle => Vec::new(),
            State::Sampling => sample(pointer, context),
            State::Painting(painting) => {
                painting.pull(pointer.pos, pointer.pressure).into_iter().collect()
            }
        }
    }
}

impl Tool for Paint {
    fn spec(&self) -> &'static ToolSpec {
        self.spec
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer) => {
                self.hover = Some(pointer.pos);
                if self.is_busy() { Vec::new() } else { self.press(pointer, context) }
            }
            ToolEvent::Drag(pointer) => {
                self.hover = Some(pointer.pos);
                self.advance(pointer, context)
            }
            ToolEvent::Release(pointer) => {
                let mut commands = self.advance(pointer, context);
                if let State::Painting(painting) = std::mem::take(&mut self.state) {
                    self.last = Some(painting.brush);
                    commands.push(ToolCommand::Commit);
                }
                commands
            }
            ToolEvent::Hover(pointer) => {
                self.hover = Some(pointer.pos);
                Vec::new()
            }
            ToolEvent::Leave => {
                self.hover = None;
                Vec::new()
            }
            ToolEvent::Activate => {
                self.last = None;
                Vec::new()
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => match std::mem::take(&mut self.state) {
                State::Painting(_) => vec![ToolCommand::Abort],
                State::Idle | State::Sampling => Vec::new(),
            },
            ToolEvent::ParamsChanged | ToolEvent::Key(..) | ToolEvent::Confirm => Vec::new(),
        }
    }

    fn overlay(&self, context: &ToolContext) -> Vec<Shape> {
        let Some(center) = self.hover else { return Vec::new() };
        let brush = brush(context.params);
        if brush.size_px * context.zoom < SMALLEST_RING {
            return vec![Shape::Crosshair(center)];
        }
        let radius_px = brush.size_px / 2.0;
        let mut shapes = Vec::new();
        // While a string pulls the brush, the ring is where it paints.
        let center = match &self.state {
            State::Painting(painting) if painting.string_px > 0.0 => {
                shapes.push(Shape::Line { from: painting.brush, to: center });
                painting.brush
            }
            _ => center,
        };
        shapes.push(Shape::Ring { center, radius_px });
        if brush.hardness > 0.0 && brush.hardness < 1.0 {
            shapes.push(Shape::Ring { center, radius_px: radius_px * brush.hardness });
        }
        shapes
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        if matches!(self.state, State::Sampling) { Cursor::Eyedropper } else { Cursor::Hidden }
    }

    fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle)
    }
}

fn brush(params: &Params) -> Brush {
    let part = |key| params.f32(key) / 100.0;
    Brush {
        size_px: params.f32("size"),
        hardness: part("hardness"),
        opacity: part("opacity"),
        flow: part("flow"),
        spacing: part("spacing"),
        pressure_size: params.bool("pressure_size"),
        pressure_opacity: params.bool("pressure_opacity"),
    }
}

fn mode(params: &Params) -> BlendMode {
    let label = params.choice("mode");
    BlendMode::ALL.into_iter().find(|mode| mode.label() == label).unwrap_or_default()
}

/// Picks the colour under the pointer as foreground, where there is one.
fn sample(pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
    super::eyedropper::pick(context.document, pointer.pos, 1, Swatch::Foreground)
}
