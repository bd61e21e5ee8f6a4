//! Remove: paint over what is to vanish; the surroundings are continued there.

use super::coverage::{Coverage, Dab};
use super::{Cursor, Group, Shape, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec};
use crate::geom::{IRect, Point};
use crate::params::ParamSpec;
use crate::pixels::{Depth, PixelBuf, TiledImage};

const SIZE: ParamSpec =
    ParamSpec::float("size", "Size", 60.0, (1.0, 5000.0), (1.0, 1000.0), "px", "Diameter")
        .logarithmic();
const AT_ONCE: ParamSpec = ParamSpec::bool(
    "at_once",
    "On release",
    true,
    "Remove after each stroke; otherwise strokes gather until Enter",
);

pub static SPEC: ToolSpec = ToolSpec {
    id: "remove",
    label: "Remove",
    doc: "Paint over what is to vanish; Esc forgets the strokes",
    shortcut: 'J',
    group: Group::Paint,
    params: &[SIZE, AT_ONCE],
    create: || Box::new(RemoveBrush::default()),
};

/// Distance of the dabs in radii: closer than any edge shows.
const SPACING: f32 = 0.2;

struct Stroke {
    points: Vec<Point>,
    radius_px: f32,
}

#[derive(Default)]
struct RemoveBrush {
    strokes: Vec<Stroke>,
    drawing: bool,
    hover: Option<Point>,
}

impl RemoveBrush {
    /// The strokes as a mask over the canvas.
    fn take_mask(&mut self, context: &ToolContext) -> Option<TiledImage> {
        let size = context.document.size;
        let mut coverage = Coverage::new(size);
        let mut painted = IRect::EMPTY;
        for stroke in self.strokes.drain(..) {
            let dabs = dabs(&stroke);
            painted = dabs.iter().fold(painted, |all, dab| all.union(dab.bounds()));
            coverage.stamp(&dabs);
        }
        let painted = painted.intersect(size.rect());
        if painted.is_empty() {
            return None;
        }
        let mut drawn = PixelBuf::new(painted.size(), 1, Depth::U8);
        let mut row = vec![0.0; painted.width() as usize];
        for y in painted.y0..painted.y1 {
            coverage.read_row(painted.x0, y, &mut row);
            let at = drawn.index(0, (y - painted.y0) as u32);
            for (x, covered) in row.iter().enumerate() {
                drawn.samples_mut().set_f32(at + x, *covered);
            }
        }
        let mut mask = TiledImage::mask(size, 0);
        mask.write(&drawn, painted.origin());
        Some(mask)
    }

    fn run(&mut self, context: &ToolContext) -> Vec<ToolCommand> {
        self.take_mask(context).map(ToolCommand::Remove).into_iter().collect()
    }
}

/// Hard dabs along a stroke.
fn dabs(stroke: &Stroke) -> Vec<Dab> {
    let radius_px = stroke.radius_px;
    let dab = |center| Dab { center, radius_px, hardness: 1.0, opacity: 1.0, flow: 1.0 };
    let mut dabs: Vec<Dab> = stroke.points.first().map(|point| dab(*point)).into_iter().collect();
    for pair in stroke.points.windows(2) {
        let steps = (pair[0].distance(pair[1]) / (radius_px * SPACING).max(0.5)).ceil() as u32;
        dabs.extend((1..=steps).map(|at| dab(pair[0].lerp(pair[1], at as f32 / steps as f32))));
    }
    dabs
}

impl Tool for RemoveBrush {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Hover(pointer) => self.hover = Some(pointer.pos),
            ToolEvent::Press(pointer) => {
                let radius_px = context.params.f32("size") / 2.0;
                self.strokes.push(Stroke { points: vec![pointer.pos], radius_px });
                self.hover = Some(pointer.pos);
                self.drawing = true;
            }
            ToolEvent::Drag(pointer) if self.drawing => {
                self.hover = Some(pointer.pos);
                if let Some(stroke) = self.strokes.last_mut() {
                    stroke.points.push(pointer.pos);
                }
            }
            ToolEvent::Release(_) if self.drawing => {
                self.drawing = false;
                if context.params.bool("at_once") {
                    return self.run(context);
                }
            }
            ToolEvent::Confirm => return self.run(context),
            ToolEvent::Cancel | ToolEvent::Deactivate => {
                self.strokes.clear();
                self.drawing = false;
            }
            ToolEvent::Leave => self.hover = None,
            _ => {}
        }
        Vec::new()
    }

    fn overlay(&self, context: &ToolContext) -> Vec<Shape> {
        let marked = |stroke: &Stroke| Shape::Marker {
            points: stroke.points.clone(),
            radius_px: stroke.radius_px,
        };
        let mut shapes: Vec<Shape> = self.strokes.iter().map(marked).collect();
        if let Some(center) = self.hover {
            let radius_px = context.params.f32("size") / 2.0;
            shapes.push(Shape::Ring { center, radius_px });
        }
        shapes
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        Cursor::Hidden
    }

    fn confirms_with(&self) -> &'static str {
        "Run"
    }

    fn awaits_confirm(&self) -> bool {
        !self.drawing && !self.strokes.is_empty()
    }

    fn is_busy(&self) -> bool {
        self.drawing || !self.strokes.is_empty()
    }
}
