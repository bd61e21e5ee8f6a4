//! Crop: a box with grips over the canvas; Enter crops, Esc gives up.

use super::{
    Cursor, Group, Key, Pointer, Shape, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec,
    corners,
};
use crate::commands::geometry;
use crate::geom::{IRect, Point, Size};
use crate::params::{ParamSpec, Value};

pub static SPEC: ToolSpec = ToolSpec {
    id: "crop",
    label: "Crop",
    doc: "Drag the box, Enter crops, Esc gives up; O changes the guides, X swaps the ratio",
    shortcut: 'C',
    group: Group::Transform,
    params: &[
        ParamSpec::choice(
            "ratio",
            "Ratio",
            "Free",
            &["Free", "Original", "1:1", "4:5", "3:2", "4:3", "16:9"],
            "Width to height of the box",
        ),
        ParamSpec::bool("swap", "Swap", false, "Exchange width and height of the ratio"),
        ParamSpec::bool(
            "delete",
            "Delete cropped pixels",
            false,
            "Give up what lies outside instead of hiding it",
        ),
    ],
    create: || Box::new(Crop::default()),
};

/// Screen points around a grip that still catch it.
const REACH: f32 = 9.0;

#[derive(Default)]
struct Crop {
    canvas: Size,
    frame: IRect,
    drag: Option<Drag>,
    hover: Option<Point>,
    guides: Guides,
    /// Width to height that the box was last fitted to; `None` when free.
    ratio: Option<f32>,
    /// Whether the box is the user's own, to be confirmed or given up.
    touched: bool,
}

struct Drag {
    grip: Grip,
    start: Point,
    frame: IRect,
}

/// What the pointer holds: sides of the box (−1 left or top, 1 right or bottom, 0 neither), the
/// whole box, or a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grip {
    Side(i32, i32),
    Whole,
    New,
}

#[derive(Clone, Copy, Default)]
enum Guides {
    #[default]
    Thirds,
    Grid,
    None,
}

impl Crop {
    fn reset(&mut self, context: &ToolContext) {
        self.canvas = context.document.size;
        self.drag = None;
        self.touched = false;
        self.frame = self.canvas.rect();
        self.refit(ratio(context));
    }

    /// Gives the box a ratio about its centre, keeping its area where it fits.
    fn refit(&mut self, ratio: Option<f32>) {
        self.ratio = ratio;
        let Some(ratio) = ratio else { return };
        let (w, h) = (self.frame.width() as f32, self.frame.height() as f32);
        let canvas = (self.canvas.width as f32, self.canvas.height as f32);
        // The canvas itself gives the largest box, not one of its area.
        let wide = if self.frame == self.canvas.rect() { f32::MAX } else { (w * h * ratio).sqrt() };
        let width = wide.min(canvas.0).min(canvas.1 * ratio);
        let (center_x, center_y) = (self.frame.x0 as f32 + w / 2.0, self.frame.y0 as f32 + h / 2.0);
        let size = (width.round().max(1.0), (width / ratio).round().max(1.0));
        let x0 = (center_x - size.0 / 2.0).round().clamp(0.0, (canvas.0 - size.0).max(0.0));
        let y0 = (center_y - size.1 / 2.0).round().clamp(0.0, (canvas.1 - size.1).max(0.0));
        self.frame = IRect::new(x0 as i32, y0 as i32, (x0 + size.0) as i32, (y0 + size.1) as i32)
            .intersect(self.canvas.rect());
    }

    fn grip(&self, pos: Point, zoom: f32) -> Grip {
        let reach = REACH / zoom.max(1e-6);
        let frame = self.frame;
        let near = |at: f32, low: i32, high: i32| {
            // In a box smaller than two grips the nearer side wins.
            let (to_low, to_high) = ((at - low as f32).abs(), (at - high as f32).abs());
            if to_low.min(to_high) > reach {
                0
            } else if to_low < to_high {
                -1
            } else {
                1
            }
        };
        let within =
            |at: f32, low: i32, high: i32, by: f32| at >= low as f32 - by && at <= high as f32 + by;
        let sides = (near(pos.x, frame.x0, frame.x1), near(pos.y, frame.y0, frame.y1));
        let touches =
            within(pos.x, frame.x0, frame.x1, reach) && within(pos.y, frame.y0, frame.y1, reach);
        if touches && sides != (0, 0) {
            Grip::Side(sides.0, sides.1)
        } else if within(pos.x, frame.x0, frame.x1, 0.0) && within(pos.y, frame.y0, frame.y1, 0.0) {
            Grip::Whole
        } else {
            Grip::New
        }
    }

    fn press(&mut self, pointer: &Pointer, context: &ToolContext) {
        let mut grip = self.grip(pointer.pos, context.zoom);
        // The whole canvas cannot be moved: a drag inside it draws a new box.
        if grip == Grip::Whole && self.frame == self.canvas.rect() {
            grip = Grip::New;
        }
        self.drag = Some(Drag { grip, start: pointer.pos, frame: self.frame });
    }

    fn drag(&mut self, pointer: &Pointer, context: &ToolContext) {
        let Some(drag) = &self.drag else { return };
        let (canvas, from) = (self.canvas.rect(), drag.frame);
        let ratio = ratio(context).or_else(|| {
            let keep = pointer.modifiers.shift && drag.grip != Grip::New;
            keep.then(|| from.width() as f32 / from.height().max(1) as f32)
        });
        self.frame = match drag.grip {
            Grip::Whole => {
                let dx = (pointer.pos.x - drag.start.x).round() as i32;
                let dy = (pointer.pos.y - drag.start.y).round() as i32;
                from.translate(
                    dx.clamp(-from.x0, canvas.x1 - from.x1),
                    dy.clamp(-from.y0, canvas.y1 - from.y1),
                )
            }
            Grip::New => {
                let side = |delta: f32| if delta < 0.0 { -1 } else { 1 };
                let sides =
                    (side(pointer.pos.x - drag.start.x), side(pointer.pos.y - drag.start.y));
                let (x, y) = (drag.start.x.round() as i32, drag.start.y.round() as i32);
                let (x, y) = (x.clamp(0, canvas.x1), y.clamp(0, canvas.y1));
                let point = IRect::new(x, y, x, y);
                let frame = pulled(point, sides, pointer.pos, ratio, canvas);
                if frame.is_empty() { from } else { frame }
            }
            Grip::Side(h, v) => pulled(from, (h, v), pointer.pos, ratio, canvas),
        };
    }
}

/// `from` with the sides named by `(h, v)` pulled to `pos`, inside `canvas`; never thinner than a
/// pixel where the side is held.
fn pulled(from: IRect, (h, v): (i32, i32), pos: Point, ratio: Option<f32>, canvas: IRect) -> IRect {
    let length = |side: i32, low: i32, high: i32, at: f32, end: i32| match side {
        -1 => (high as f32 - at).clamp(1.0, (high as f32).max(1.0)),
        1 => (at - low as f32).clamp(1.0, ((end - low) as f32).max(1.0)),
        _ => (high - low) as f32,
    };
    let mut width = length(h, from.x0, from.x1, pos.x, canvas.x1);
    let mut height = length(v, from.y0, from.y1, pos.y, canvas.y1);
    if let Some(ratio) = ratio {
        // Room from the fixed side, or both ways from the middle where neither side is held.
        let room = |side: i32, low: i32, high: i32, end: i32| match side {
            -1 => high as f32,
            1 => (end - low) as f32,
            _ => (low + high).min(2 * end - low - high) as f32,
        };
        let most =
            room(h, from.x0, from.x1, canvas.x1).min(room(v, from.y0, from.y1, canvas.y1) * ratio);
        width = match (h, v) {
            (_, 0) => width,
            (0, _) => height * ratio,
            _ => width.max(height * ratio),
        }
        .min(most);
        height = width / ratio;
    }
    let place = |side: i32, low: i32, high: i32, length: f32| {
        let length = (length.round() as i32).max(1);
        match side {
            -1 => (high - length, high),
            1 => (low, low + length),
            _ => {
                let low = (low + high - length).div_euclid(2);
                (low, low + length)
            }
        }
    };
    let (x0, x1) = place(h, from.x0, from.x1, width);
    let (y0, y1) = place(v, from.y0, from.y1, height);
    IRect::new(x0, y0, x1, y1).intersect(canvas)
}

/// The chosen width to height; `None` when free.
fn ratio(context: &ToolContext) -> Option<f32> {
    let size = context.document.size;
    let ratio = match context.params.choice("ratio") {
        "Original" => size.width as f32 / size.height.max(1) as f32,
        text => {
            let (width, height) = text.split_once(':')?;
            width.parse::<f32>().ok()? / height.parse::<f32>().ok()?
        }
    };
    Some(if context.params.bool("swap") { 1.0 / ratio } else { ratio })
}

impl Tool for Crop {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        // Another document, or an undo under the box.
        if self.canvas != context.document.size {
            self.reset(context);
        }
        match event {
            ToolEvent::Activate => self.reset(context),
            ToolEvent::ParamsChanged => {
                if self.ratio != ratio(context) {
                    self.refit(ratio(context));
                    self.touched = self.frame != self.canvas.rect();
                }
            }
            ToolEvent::Press(pointer) => self.press(pointer, context),
            ToolEvent::Drag(pointer) => self.drag(pointer, context),
            ToolEvent::Release(pointer) => {
                self.drag(pointer, context);
                self.touched |= self.drag.take().is_some_and(|drag| drag.frame != self.frame);
            }
            ToolEvent::Hover(pointer) => self.hover = Some(pointer.pos),
            ToolEvent::Leave => self.hover = None,
            ToolEvent::Key(Key::O, _) => {
                self.guides = match self.guides {
                    Guides::Thirds => Guides::Grid,
                    Guides::Grid => Guides::None,
                    Guides::None => Guides::Thirds,
                };
            }
            ToolEvent::Key(Key::X, _) => {
                self.refit(self.ratio.map(|ratio| 1.0 / ratio));
                self.touched = self.frame != self.canvas.rect();
                let value = Value::Bool(!context.params.bool("swap"));
                return vec![ToolCommand::SetParam { key: "swap", value }];
            }
            ToolEvent::Key(..) => {}
            ToolEvent::Confirm if self.frame != self.canvas.rect() => {
                let delete = context.params.bool("delete");
                let step = geometry::crop(context.document, self.frame, delete);
                // The canvas is new once this is done; the box follows with the next event.
                *self = Self { guides: self.guides, ..Self::default() };
                return ToolCommand::perform(step);
            }
            ToolEvent::Confirm => {}
            ToolEvent::Cancel => match self.drag.take() {
                Some(drag) => self.frame = drag.frame,
                None => self.reset(context),
            },
            ToolEvent::Deactivate => self.reset(context),
        }
        Vec::new()
    }

    fn overlay(&self, context: &ToolContext) -> Vec<Shape> {
        if self.canvas != context.document.size {
            return Vec::new();
        }
        let at = |x: i32, y: i32| Point::new(x as f32, y as f32);
        let (min, max) = (at(self.frame.x0, self.frame.y0), at(self.frame.x1, self.frame.y1));
        let mut shapes = vec![Shape::Shade { min, max }];
        let parts = match self.guides {
            Guides::Thirds => 3,
            Guides::Grid => 8,
            Guides::None => 1,
        };
        for i in 1..parts {
            let t = i as f32 / parts as f32;
            let (x, y) = (min.x + (max.x - min.x) * t, min.y + (max.y - min.y) * t);
            shapes.push(Shape::Line { from: Point::new(x, min.y), to: Point::new(x, max.y) });
            shapes.push(Shape::Line { from: Point::new(min.x, y), to: Point::new(max.x, y) });
        }
        let corners = corners(min, max);
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            shapes.push(Shape::Line { from: *a, to: *b });
            shapes.push(Shape::Handle(*a));
            shapes.push(Shape::Handle(a.lerp(*b, 0.5)));
        }
        shapes
    }

    fn cursor(&self, context: &ToolContext) -> Cursor {
        let grip = match (&self.drag, self.hover) {
            (Some(drag), _) => drag.grip,
            (None, Some(pos)) => self.grip(pos, context.zoom),
            (None, None) => return Cursor::Default,
        };
        match grip {
            Grip::Side(_, 0) => Cursor::ResizeHorizontal,
            Grip::Side(0, _) => Cursor::ResizeVertical,
            Grip::Side(h, v) if h == v => Cursor::ResizeFalling,
            Grip::Side(..) => Cursor::ResizeRising,
            Grip::Whole if self.frame != self.canvas.rect() => Cursor::Move,
            Grip::Whole | Grip::New => Cursor::Crosshair,
        }
    }

    fn is_busy(&self) -> bool {
        self.drag.is_some() || self.touched
    }
}
