//! Crop: a box with grips over the canvas; Enter crops, Esc gives up.

use std::sync::Arc;

use super::{
    Cursor, Group, Key, Pointer, Shape, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec, Turn,
    Work, corners,
};
use crate::commands::geometry;
use crate::document::Document;
use crate::geom::{IRect, Point, Size};
use crate::ops::Engine;
use crate::params::{ParamSpec, Params, Value};

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
            &["Free", "Original", "1:1", "4:5", "3:2", "4:3", "16:9", CUSTOM],
            "Width to height of the box",
        ),
        side("ratio_width", "Width", 5.0, "Width of the custom ratio"),
        side("ratio_height", "Height", 7.0, "Height of the custom ratio"),
        ParamSpec::bool("swap", "Swap", false, "Exchange width and height of the ratio"),
        ParamSpec::float(
            "angle",
            "Straighten",
            0.0,
            (-45.0, 45.0),
            (-15.0, 15.0),
            "°",
            "Turns the picture clockwise; the box stays where there is picture",
        ),
        ParamSpec::bool(
            "delete",
            "Delete cropped pixels",
            false,
            "Give up what lies outside instead of hiding it",
        ),
    ],
    create: || Box::new(Crop::default()),
};

const CUSTOM: &str = "Custom";

const fn side(
    key: &'static str,
    label: &'static str,
    default: f64,
    doc: &'static str,
) -> ParamSpec {
    ParamSpec::float(key, label, default, (0.01, 10_000.0), (1.0, 32.0), "", doc)
}

/// Screen points around a grip that still catch it.
const REACH: f32 = 9.0;

#[derive(Default)]
struct Crop {
    canvas: Size,
    frame: IRect,
    /// The box as it was made, before the turned picture's corners cut it.
    made: IRect,
    /// Clockwise turn of the picture under the box.
    angle_deg: f32,
    drag: Option<Drag>,
    hover: Option<Point>,
    guides: Guides,
    /// Width to height that the box was last fitted to; `None` when free.
    ratio: Option<f32>,
    /// Whether there is something to be confirmed or given up.
    touched: bool,
    /// Whether the box was drawn by hand.
    drawn: bool,
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
    /// The whole canvas, or the largest box of the ratio, over the picture as it is.
    fn reset(&mut self, context: &ToolContext) -> Vec<ToolCommand> {
        self.canvas = context.document.size;
        self.drag = None;
        self.touched = false;
        self.drawn = false;
        self.angle_deg = 0.0;
        self.frame = self.canvas.rect();
        self.refit(ratio(context));
        upright(context)
    }

    /// What a new ratio starts from: the box drawn by hand, else everything.
    fn start(&self) -> IRect {
        if self.drawn { self.made } else { self.canvas.rect() }
    }

    /// Turns the picture under the box and cuts the box to where there is picture.
    fn straighten(&mut self, angle_deg: f32) {
        self.angle_deg = angle_deg;
        self.touched |= angle_deg != 0.0;
        self.frame = self.within_picture(self.made);
    }

    /// Whether `frame` lies inside the turned picture.
    fn holds(&self, frame: IRect) -> bool {
        if self.angle_deg == 0.0 {
            return self.canvas.rect().contains_rect(frame);
        }
        let (width, height) = (self.canvas.width as f32, self.canvas.height as f32);
        let (sin, cos) = (-self.angle_deg).to_radians().sin_cos();
        [(frame.x0, frame.y0), (frame.x1, frame.y0), (frame.x1, frame.y1), (frame.x0, frame.y1)]
            .into_iter()
            .all(|(x, y)| {
                let (x, y) = (x as f32 - width / 2.0, y as f32 - height / 2.0);
                let (x, y) = (cos * x - sin * y, sin * x + cos * y);
                // Half a pixel of blending at the edge is not seen.
                x.abs() <= width / 2.0 + 0.5 && y.abs() <= height / 2.0 + 0.5
            })
    }

    /// `frame` shrunk about its middle, or about the picture's, until it holds only picture.
    fn within_picture(&self, frame: IRect) -> IRect {
        if self.holds(frame) {
            return frame;
        }
        let size = (frame.width() as f32, frame.height() as f32);
        let own = ((frame.x0 + frame.x1) as f32 / 2.0, (frame.y0 + frame.y1) as f32 / 2.0);
        let middle = (self.canvas.width as f32 / 2.0, self.canvas.height as f32 / 2.0);
        let scaled = |center: (f32, f32), by: f32| {
            let (w, h) = ((size.0 * by).floor().max(1.0), (size.1 * by).floor().max(1.0));
            let (x, y) = ((center.0 - w / 2.0).round() as i32, (center.1 - h / 2.0).round() as i32);
            IRect::from_origin_size((x, y), Size::new(w as u32, h as u32))
        };
        let center = if self.holds(scaled(own, 0.0)) { own } else { middle };
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..24 {
            let by = (low + high) / 2.0;
            if self.holds(scaled(center, by)) { low = by } else { high = by }
        }
        scaled(center, low)
    }

    /// Gives the box a ratio about its centre, keeping its area where it fits.
    fn refit(&mut self, ratio: Option<f32>) {
        self.ratio = ratio;
        if let Some(ratio) = ratio {
            self.take_ratio(ratio);
        }
        self.made = self.frame;
        self.frame = self.within_picture(self.made);
    }

    fn take_ratio(&mut self, ratio: f32) {
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
        let (grip, last) = (drag.grip, self.frame);
        let wanted = match grip {
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
        self.frame = self.towards(last, wanted);
    }

    /// As far from `last` to `wanted` as there is picture.
    fn towards(&self, last: IRect, wanted: IRect) -> IRect {
        if self.holds(wanted) {
            return wanted;
        }
        let between = |t: f32| {
            let mix = |a: i32, b: i32| (a as f32 + (b - a) as f32 * t).round() as i32;
            IRect::new(
                mix(last.x0, wanted.x0),
                mix(last.y0, wanted.y0),
                mix(last.x1, wanted.x1),
                mix(last.y1, wanted.y1),
            )
        };
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..12 {
            let t = (low + high) / 2.0;
            if self.holds(between(t)) { low = t } else { high = t }
        }
        between(low)
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
        CUSTOM => context.params.f32("ratio_width") / context.params.f32("ratio_height"),
        "Original" => size.width as f32 / size.height.max(1) as f32,
        text => {
            let (width, height) = text.split_once(':')?;
            width.parse::<f32>().ok()? / height.parse::<f32>().ok()?
        }
    };
    Some(if context.params.bool("swap") { 1.0 / ratio } else { ratio })
}

/// Sets the straightening slider back where it is not at rest.
fn upright(context: &ToolContext) -> Vec<ToolCommand> {
    let rest = context.params.float("angle") == 0.0;
    let back = ToolCommand::SetParam { key: "angle", value: Value::Float(0.0) };
    if rest { Vec::new() } else { vec![back] }
}

impl Tool for Crop {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        // Another document, or an undo under the box.
        if self.canvas != context.document.size {
            let commands = self.reset(context);
            if !commands.is_empty() {
                return commands;
            }
        }
        match event {
            ToolEvent::Activate | ToolEvent::Deactivate => return self.reset(context),
            ToolEvent::ParamsChanged => {
                if self.ratio != ratio(context) {
                    self.frame = self.start();
                    self.refit(ratio(context));
                    self.touched = self.angle_deg != 0.0 || self.frame != self.canvas.rect();
                }
                if self.angle_deg != context.params.f32("angle") {
                    self.straighten(context.params.f32("angle"));
                }
            }
            ToolEvent::Press(pointer) => self.press(pointer, context),
            ToolEvent::Drag(pointer) => self.drag(pointer, context),
            ToolEvent::Release(pointer) => {
                self.drag(pointer, context);
                if self.drag.take().is_some_and(|drag| drag.frame != self.frame) {
                    self.touched = true;
                    self.drawn = true;
                    self.made = self.frame;
                }
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
                self.frame = self.start();
                self.refit(self.ratio.map(|ratio| 1.0 / ratio));
                self.touched = self.angle_deg != 0.0 || self.frame != self.canvas.rect();
                let value = Value::Bool(!context.params.bool("swap"));
                return vec![ToolCommand::SetParam { key: "swap", value }];
            }
            ToolEvent::Key(..) => {}
            ToolEvent::Confirm if self.angle_deg != 0.0 => {
                let (frame, delete) = (self.frame, context.params.bool("delete"));
                let angle_deg = f64::from(self.angle_deg);
                let make = Arc::new(move |document: &Document, engine: &dyn Engine| {
                    geometry::straighten(document, angle_deg, frame, delete, engine)
                });
                let mut commands = self.reset(context);
                commands.push(ToolCommand::Compute(Work { label: "Straighten and crop", make }));
                return commands;
            }
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
                None => return self.reset(context),
            },
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

    fn shows(&self, key: &str, params: &Params) -> bool {
        let (custom, free) = (params.choice("ratio") == CUSTOM, params.choice("ratio") == "Free");
        match key {
            "ratio_width" | "ratio_height" => custom,
            "swap" => !free,
            _ => true,
        }
    }

    fn turn(&self) -> Option<Turn> {
        let center = Point::new(self.canvas.width as f32 / 2.0, self.canvas.height as f32 / 2.0);
        (self.angle_deg != 0.0).then_some(Turn { center, angle_deg: self.angle_deg })
    }

    fn awaits_confirm(&self) -> bool {
        self.touched
    }
}
