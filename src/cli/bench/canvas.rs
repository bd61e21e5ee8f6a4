//! What a frame of painting and of looking costs: brush events and flattening.

use std::sync::Arc;

use super::super::report::Failure;
use super::{Bench, megapixels, picture};
use crate::color::WorkingProfile;
use crate::compose;
use crate::document::{
    Adjustment, BlendMode, Document, Edit, Layer, LayerKind, LayerMask, Metadata, Session,
};
use crate::geom::{IRect, Size};
use crate::params::Params;
use crate::pixels::TiledImage;
use crate::tools::{self, PaintTarget, Pointer, ToolCommand, ToolContext, ToolEvent};

/// Bytes that history may keep alive while painting.
const HISTORY_BYTES: usize = 1 << 30;

pub(super) fn run(bench: &mut Bench, size: Size) -> Result<(), Failure> {
    if ["brush/drag", "compose/window"].iter().any(|name| bench.wants(name)) {
        let document = layered(size);
        brush(bench, &document)?;
        flatten(bench, &document)?;
    }
    Ok(())
}

/// Five layers: photo, tint with a mask, adjustment, multiplied texture, screened light.
pub(super) fn layered(size: Size) -> Document {
    let photo = picture(size);
    let mut document =
        Document::from_pixels(&photo, "Photo", WorkingProfile::srgb(), Metadata::default());
    let shared = document.layers[0].raster_content().map(|raster| raster.image.clone());
    let image = shared.unwrap_or_else(|| TiledImage::from_buf(&photo));

    let mut tint = Layer::raster("Tint", image.clone(), (0, 0));
    tint.props.opacity = 0.4;
    tint.mask = Some(LayerMask::over_canvas(TiledImage::from_buf(&picture_mask(size))));
    let params = crate::ops::find("levels")
        .and_then(|op| Params::parse(op.spec().params, ["gamma=1.2"]).ok())
        .unwrap_or_default();
    let adjustment = Adjustment { op: "levels".into(), params, version: 1 };
    let mut texture = Layer::raster("Texture", image.clone(), (40, 30));
    texture.props.blend = BlendMode::Multiply;
    let mut light = Layer::raster("Light", image, (-25, 60));
    light.props.blend = BlendMode::Screen;
    light.props.opacity = 0.5;
    let above = [tint, Layer::new("Levels", LayerKind::Adjustment(adjustment)), texture, light];
    document.layers.extend(above.into_iter().map(Arc::new));
    document
}

fn picture_mask(size: Size) -> crate::pixels::PixelBuf {
    let mut mask = crate::pixels::PixelBuf::new(size, 1, crate::pixels::Depth::U8);
    for y in 0..size.height {
        for x in 0..size.width {
            let at = mask.index(x, y);
            mask.samples_mut().set_f32(at, x as f32 / size.width as f32);
        }
    }
    mask
}

/// A stroke of a 100-pixel brush that goes round over a document.
pub(super) struct Stroke {
    session: Session,
    tool: Box<dyn tools::Tool>,
    params: Params,
    angle_rad: f32,
}

impl Stroke {
    pub(super) fn begin(document: &Document) -> Result<Self, Failure> {
        let spec = tools::find("brush").ok_or_else(|| Failure::failed("there is no brush"))?;
        let params = Params::parse(spec.params, ["size=100"]).map_err(Failure::failed)?;
        let session = Session::new(document.clone(), HISTORY_BYTES);
        let mut stroke = Self { session, tool: (spec.create)(), params, angle_rad: 0.0 };
        let press = ToolEvent::Press(Pointer::at(stroke.place().0, stroke.place().1));
        send(&mut stroke.session, stroke.tool.as_mut(), &stroke.params, press)?;
        Ok(stroke)
    }

    #[cfg(feature = "gpu")]
    pub(super) const fn document(&self) -> &Document {
        self.session.document()
    }

    fn place(&self) -> (f32, f32) {
        let Size { width, height } = self.session.document().size;
        let (sin, cos) = self.angle_rad.sin_cos();
        (width as f32 * (0.5 + 0.4 * sin), height as f32 * (0.5 - 0.4 * cos))
    }

    /// One pointer event, edits included; answers what must be drawn anew.
    pub(super) fn drag(&mut self) -> Result<IRect, Failure> {
        // As far as a quick hand moves between two events.
        self.angle_rad += 0.05;
        let (x, y) = self.place();
        let event = ToolEvent::Drag(Pointer::at(x, y));
        send(&mut self.session, self.tool.as_mut(), &self.params, event)
    }
}

fn brush(bench: &mut Bench, document: &Document) -> Result<(), Failure> {
    let mut stroke = Stroke::begin(document)?;
    bench.time("brush/drag", "cpu", megapixels(document.size), || {
        Ok(Some(format!("damage {}", stroke.drag()?.size())))
    })
}

/// Performs a tool's answer as the window does and adds up the damage.
fn send(
    session: &mut Session,
    tool: &mut dyn tools::Tool,
    params: &Params,
    event: ToolEvent,
) -> Result<IRect, Failure> {
    let context = ToolContext {
        document: session.document(),
        params,
        foreground: [0.8, 0.1, 0.1],
        background: [1.0; 3],
        target: PaintTarget::Pixels,
        zoom: 1.0,
    };
    let mut damage = IRect::EMPTY;
    for command in tool.handle(&event, &context) {
        match command {
            ToolCommand::Begin(label) => session.begin(&label).map_err(Failure::failed)?,
            ToolCommand::Edit(edit) => damage = damage.union(apply(session, edit)?),
            ToolCommand::Commit => {
                session.commit();
            }
            ToolCommand::Abort => damage = damage.union(session.abort()),
            _ => {}
        }
    }
    Ok(damage)
}

fn apply(session: &mut Session, edit: Edit) -> Result<IRect, Failure> {
    session.edit(edit).map_err(Failure::failed)
}

/// A window's worth of five layers on the processor.
fn flatten(bench: &mut Bench, document: &Document) -> Result<(), Failure> {
    let window = IRect::new(0, 0, 1280, 800).intersect(document.size.rect());
    bench.time("compose/window", "cpu", megapixels(window.size()), || {
        std::hint::black_box(compose::flatten(document, window));
        Ok(None)
    })
}
