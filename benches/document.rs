//! Flattening and brushing at 24 MP.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ganvas::color::WorkingProfile;
use ganvas::commands::{selection, shapes::Shape};
use ganvas::compose;
use ganvas::document::{Adjustment, BlendMode, Document, Layer, LayerKind, LayerMask, Session};
use ganvas::geom::{Point, Size};
use ganvas::ops;
use ganvas::params::{Params, Value};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use ganvas::tools::{self, PaintTarget, Pointer, ToolCommand, ToolContext, ToolEvent};

const SIZE: Size = Size::new(6000, 4000);

fn photo(depth: Depth, alpha: f32) -> PixelBuf {
    let mut buf = PixelBuf::new(SIZE, 4, depth);
    for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
        let wave = |a: u32, b: u32| ((x * a + y * b) % 251) as f32 / 250.0;
        buf.set_pixel_f32(x, y, [wave(3, 1), wave(1, 5), wave(7, 2), alpha]);
    }
    buf
}

/// A photo, a half-transparent layer, a multiplied one, a masked one and an adjustment.
fn five_layers(depth: Depth) -> Document {
    let mut document = Document::from_pixels(
        photo(depth, 1.0),
        "photo",
        WorkingProfile::srgb(),
        Default::default(),
    );
    let image = TiledImage::from_buf(&photo(depth, 0.7));
    let mut add = |change: &dyn Fn(&mut Layer)| {
        let mut layer = Layer::raster("layer", image.clone(), (0, 0));
        change(&mut layer);
        document.layers.push(Arc::new(layer));
    };
    add(&|layer| layer.props.opacity = 0.5);
    add(&|layer| layer.props.blend = BlendMode::Multiply);
    add(&|layer| {
        let image = TiledImage::mask(SIZE, 120);
        layer.mask = Some(LayerMask { image, origin: (0, 0), enabled: true });
    });
    add(&|layer| {
        let specs = ops::find("levels").map_or(&[][..], |op| op.spec().params);
        let mut params = Params::defaults(specs);
        let _ = params.set(specs, "gamma", Value::Float(1.3));
        let adjustment = Adjustment { op: "levels".into(), params, version: 1 };
        layer.kind = LayerKind::Adjustment(adjustment);
    });
    document
}

fn flattening(c: &mut Criterion) {
    let mut group = c.benchmark_group("24 MP");
    group.sample_size(10);
    for depth in [Depth::U8, Depth::U16] {
        let bits = depth.bits();
        let document = five_layers(depth);
        group.bench_function(format!("flatten five layers, {bits} bit"), |b| {
            b.iter(|| black_box(compose::flatten(&document, SIZE.rect())));
        });
        group.bench_function(format!("thumbnail of five layers, {bits} bit"), |b| {
            b.iter(|| black_box(compose::thumbnail(&document, 128)));
        });
    }
    let document = five_layers(Depth::U8);
    let min = Point::new(100.0, 100.0);
    let shape = Shape::Ellipse { min, max: Point::new(5900.0, 3900.0) };
    for feather_px in [0.0, 20.0] {
        group.bench_function(format!("ellipse selection, feather {feather_px} px"), |b| {
            b.iter(|| {
                let mode = selection::Mode::Replace;
                black_box(selection::select(&document, &shape, mode, feather_px, true))
            });
        });
    }
    group.finish();
}

fn brushing(c: &mut Criterion) {
    let mut group = c.benchmark_group("24 MP brush event");
    for (depth, size_px) in [(Depth::U8, 60.0), (Depth::U16, 60.0), (Depth::U8, 500.0)] {
        let Some(spec) = tools::find("brush") else { return };
        let mut params = Params::defaults(spec.params);
        let _ = params.set(spec.params, "size", Value::Float(size_px));
        let mut session = Session::new(
            Document::from_pixels(
                photo(depth, 1.0),
                "photo",
                WorkingProfile::srgb(),
                Default::default(),
            ),
            1 << 30,
        );
        let mut tool = (spec.create)();
        let mut send = |session: &mut Session, event| {
            let context = ToolContext {
                document: session.document(),
                params: &params,
                foreground: [1.0, 0.5, 0.0],
                background: [1.0; 3],
                target: PaintTarget::Pixels,
                zoom: 1.0,
            };
            for command in tool.handle(&event, &context) {
                let done = match command {
                    ToolCommand::Begin(label) => session.begin(&label),
                    ToolCommand::Edit(edit) => session.edit(edit).map(|_| ()),
                    _ => Ok(()),
                };
                black_box(done.is_ok());
            }
        };
        send(&mut session, ToolEvent::Press(Pointer::at(1000.0, 1000.0)));
        let mut step = 0u32;
        group.bench_function(format!("{size_px} px, {} bit", depth.bits()), |b| {
            b.iter(|| {
                // A fast hand: 15 pixels from event to event, around a large circle.
                step += 1;
                let (sin, cos) = (step as f32 * 0.01).sin_cos();
                let at = Pointer::at(3000.0 + 1500.0 * cos, 2000.0 + 1500.0 * sin);
                send(&mut session, ToolEvent::Drag(at));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, flattening, brushing);
criterion_main!(benches);
