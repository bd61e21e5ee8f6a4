//! Tools driven as the window drives them: events in, commands performed on a session.

mod brush;
mod crop;
mod select;
mod simple;

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::document::{Document, Layer, LayerId, LayerMask, Metadata, Session};
use ganvas::geom::{Point, Size};
use ganvas::params::{Params, Value};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use ganvas::tools::{
    self, Modifiers, PaintTarget, Pointer, Swatch, Tool, ToolCommand, ToolContext, ToolEvent,
};

pub const SHIFT: Modifiers = Modifiers { shift: true, alt: false, command: false, space: false };
pub const ALT: Modifiers = Modifiers { shift: false, alt: true, command: false, space: false };

/// A tool at work on a session.
pub struct Bench {
    pub session: Session,
    pub tool: Box<dyn Tool>,
    pub params: Params,
    pub foreground: [f32; 3],
    pub background: [f32; 3],
    pub target: PaintTarget,
    pub zoom: f32,
    /// What the window would have shown.
    pub notices: Vec<String>,
    /// Pans and zooms in the order asked for.
    pub views: Vec<ToolCommand>,
    /// Damage of the edits since the last look.
    pub damage: ganvas::geom::IRect,
}

impl Bench {
    pub fn new(tool: &str, document: Document) -> Self {
        let spec = tools::find(tool).unwrap();
        let mut bench = Self {
            session: Session::new(document, 1 << 30),
            tool: (spec.create)(),
            params: Params::defaults(spec.params),
            foreground: [1.0, 0.0, 0.0],
            background: [1.0, 1.0, 1.0],
            target: PaintTarget::Pixels,
            zoom: 1.0,
            notices: Vec::new(),
            views: Vec::new(),
            damage: Default::default(),
        };
        bench.send(ToolEvent::Activate);
        bench
    }

    /// A grey opaque picture of one layer, and its layer.
    pub fn on_grey(tool: &str, size: Size, depth: Depth) -> (Self, LayerId) {
        let grey = depth.max() / 2;
        let photo = PixelBuf::filled(size, 4, depth, [grey, grey, grey, depth.max()]);
        let document =
            Document::from_pixels(&photo, "photo", WorkingProfile::srgb(), Metadata::default());
        let id = document.active.unwrap();
        (Self::new(tool, document), id)
    }

    pub fn set(&mut self, key: &str, value: Value) {
        self.params.set(self.tool.spec().params, key, value).unwrap();
        self.send(ToolEvent::ParamsChanged);
    }

    pub fn number(&mut self, key: &str, value: f64) {
        self.set(key, Value::Float(value));
    }

    pub fn context(&self) -> ToolContext<'_> {
        ToolContext {
            document: self.session.document(),
            params: &self.params,
            foreground: self.foreground,
            background: self.background,
            target: self.target,
            zoom: self.zoom,
        }
    }

    pub fn send(&mut self, event: ToolEvent) {
        let context = ToolContext {
            document: self.session.document(),
            params: &self.params,
            foreground: self.foreground,
            background: self.background,
            target: self.target,
            zoom: self.zoom,
        };
        for command in self.tool.handle(&event, &context) {
            match command {
                ToolCommand::Begin(label) => self.session.begin(&label).unwrap(),
                ToolCommand::Edit(edit) => {
                    self.damage = self.damage.union(self.session.edit(edit).unwrap());
                }
                ToolCommand::Commit => {
                    self.session.commit();
                }
                ToolCommand::Abort => {
                    self.session.abort();
                }
                ToolCommand::PickColor { color, swatch: Swatch::Foreground } => {
                    self.foreground = color;
                }
                ToolCommand::PickColor { color, swatch: Swatch::Background } => {
                    self.background = color;
                }
                ToolCommand::SetParam { key, value } => self.set(key, value),
                ToolCommand::Notice(text) => self.notices.push(text.into_owned()),
                ToolCommand::Compute(work) => {
                    let step =
                        (work.make)(self.session.document(), &ganvas::ops::Processor).unwrap();
                    self.session.perform(&step.label, step.edits).unwrap();
                }
                view => self.views.push(view),
            }
            assert_eq!(self.session.document().check(), Ok(()));
        }
        assert!(self.tool.is_busy() || self.session.in_progress().is_none(), "left open");
    }

    /// A press, drags and a release along a path.
    pub fn stroke_with(&mut self, path: &[(f32, f32)], modifiers: Modifiers) {
        let at = |&(x, y): &(f32, f32)| Pointer::at(x, y).with(modifiers);
        self.send(ToolEvent::Press(at(&path[0])));
        for point in &path[1..] {
            self.send(ToolEvent::Drag(at(point)));
        }
        self.send(ToolEvent::Release(at(path.last().unwrap())));
    }

    pub fn stroke(&mut self, path: &[(f32, f32)]) {
        self.stroke_with(path, Modifiers::default());
    }

    pub fn steps(&self) -> usize {
        self.session.history().past().len()
    }

    pub fn layer(&self, id: LayerId) -> Arc<Layer> {
        self.session.document().layer(id).unwrap().clone()
    }

    pub fn image(&self, id: LayerId) -> TiledImage {
        self.layer(id).raster_content().unwrap().image.clone()
    }

    pub fn selected(&self, x: i32, y: i32) -> u16 {
        self.session.document().selection.as_ref().map_or(0, |selection| selection.pixel(x, y)[0])
    }
}

pub fn mask(size: Size, value: u8) -> LayerMask {
    LayerMask { image: TiledImage::mask(size, value), origin: (0, 0), enabled: true }
}

/// Selects a rectangle as the rectangle tool does.
pub fn select(session: &mut Session, min: (f32, f32), max: (f32, f32)) {
    use ganvas::commands::{selection, shapes::Shape};
    let shape = Shape::Rectangle { min: Point::new(min.0, min.1), max: Point::new(max.0, max.1) };
    let document = session.document();
    let step = selection::select(document, &shape, selection::Mode::Replace, 0.0, true).unwrap();
    session.perform(&step.label, step.edits).unwrap();
}

#[test]
fn every_tool_is_complete() {
    let mut ids = std::collections::HashSet::new();
    assert!(tools::all().len() >= 10);
    for spec in tools::all() {
        assert!(ids.insert(spec.id), "{} twice", spec.id);
        assert!(
            spec.shortcut.is_ascii_uppercase() && !spec.label.is_empty() && !spec.doc.is_empty()
        );
        let tool = (spec.create)();
        assert_eq!(tool.spec().id, spec.id, "a tool knows its own declaration");
        for param in spec.params {
            param.check(&param.default_value()).unwrap();
        }
    }
}

/// Random events must never leave a transaction open, an invariant broken or a trace after Esc.
#[test]
fn no_tool_loses_its_way() {
    for spec in tools::all() {
        let (mut bench, _) = Bench::on_grey(spec.id, Size::new(90, 70), Depth::U8);
        let mut state = 12_345u32;
        let mut next = |n: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % n
        };
        for _ in 0..300 {
            let (x, y) = (next(130) as f32 - 20.0, next(110) as f32 - 20.0);
            let bits = next(16);
            let bit = |i: u32| (bits >> i) & 1 == 1;
            let modifiers =
                Modifiers { shift: bit(0), alt: bit(1), command: false, space: bit(2) && bit(3) };
            let pointer = Pointer::at(x, y).with(modifiers).with_pressure(next(101) as f32 / 100.0);
            bench.send(match next(12) {
                0 | 1 => ToolEvent::Press(pointer),
                2..=5 => ToolEvent::Drag(pointer),
                6 | 7 => ToolEvent::Release(pointer),
                8 => ToolEvent::Hover(pointer),
                9 => ToolEvent::Confirm,
                10 => ToolEvent::Cancel,
                _ => ToolEvent::Key(tools::Key::Left, modifiers),
            });
            let (shapes, cursor) =
                (bench.tool.overlay(&bench.context()), bench.tool.cursor(&bench.context()));
            assert!(shapes.len() < 100, "{cursor:?}");
        }
        let before = bench.session.document().revision();
        bench.send(ToolEvent::Cancel);
        bench.send(ToolEvent::Cancel);
        let steps = bench.steps();
        bench.send(ToolEvent::Press(Pointer::at(30.0, 30.0)));
        bench.send(ToolEvent::Drag(Pointer::at(50.0, 41.0)));
        let start = bench.session.before().map(Document::revision);
        bench.send(ToolEvent::Cancel);
        assert!(bench.session.in_progress().is_none(), "{}", spec.id);
        assert_eq!(bench.steps(), steps, "{}: Esc left a step", spec.id);
        assert!(start.is_none_or(|start| start == bench.session.document().revision()));
        assert!(bench.session.document().revision() <= before, "{}", spec.id);
    }
}
