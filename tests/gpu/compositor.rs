//! The display compositor against the flattening code.

use std::sync::Arc;

use ganvas::color::{Transfer, WorkingProfile};
use ganvas::compose;
use ganvas::document::{Adjustment, BlendMode, Document, Layer, LayerKind, LayerMask};
use ganvas::geom::{IRect, Size};
use ganvas::gpu::{Compositor, FrameBudget, Preview, RenderStats, ViewParams};
use ganvas::ops;
use ganvas::params::{Params, Value};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};

use crate::executor::random_picture;
use crate::{Random, gpu};

const CHECKER: [f32; 2] = [0.8, 158.0 / 255.0];

fn actual_size(size: Size) -> ViewParams {
    ViewParams {
        size,
        scale: 1.0,
        offset: (0.0, 0.0),
        surround: 0.25,
        checker_px: 8.0,
        pixel_grid: true,
    }
}

fn compositor() -> Option<Compositor> {
    let mut compositor = Compositor::new(gpu()?).unwrap();
    compositor.set_budget(FrameBudget::UNLIMITED);
    Some(compositor)
}

fn show(
    compositor: &mut Compositor,
    document: &Document,
    view: &ViewParams,
) -> (Vec<u8>, RenderStats) {
    let stats = compositor.render(document, view, None).unwrap();
    assert!(stats.is_complete(), "{stats:?}");
    (compositor.read_back().unwrap(), stats)
}

/// The flattened document over the checkerboard, as the canvas shows it at 100 %.
fn expected(flat: &PixelBuf, profile: &WorkingProfile) -> Vec<u8> {
    let size = flat.size();
    let mut out = Vec::with_capacity(size.pixels() as usize * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g, b, a] = flat.pixel_f32(x, y);
            let rgb = if profile.is_srgb() { [r, g, b] } else { profile.to_srgb([r, g, b]) };
            let light = CHECKER[((x / 8 + y / 8) % 2) as usize];
            for value in rgb {
                let over = value.clamp(0.0, 1.0) * a + light * (1.0 - a);
                out.push((over * 255.0 + 0.5) as u8);
            }
            out.push(255);
        }
    }
    out
}

fn worst(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

fn random_raster(random: &mut Random, canvas: Size, depth: Depth) -> Layer {
    let size = Size::new(100 + random.below(canvas.width), 80 + random.below(canvas.height));
    let origin = (random.below(200) as i32 - 100, random.below(200) as i32 - 100);
    let picture = random_picture(random, size, 4, depth);
    Layer::raster("raster", TiledImage::from_buf(&picture), origin)
}

fn random_layer(random: &mut Random, canvas: Size, depth: Depth, nested: u32) -> Arc<Layer> {
    let mut layer = match random.below(6) {
        0 if nested < 2 => {
            let count = 1 + random.below(3);
            let children =
                (0..count).map(|_| random_layer(random, canvas, depth, nested + 1)).collect();
            Layer::new("group", LayerKind::Group(children))
        }
        1 => adjustment("brightness_contrast", &[("brightness", 20.0), ("contrast", -15.0)]),
        2 => adjustment("gaussian_blur", &[("sigma", 2.5)]),
        _ => random_raster(random, canvas, depth),
    };
    layer.props.blend = BlendMode::ALL[random.below(16) as usize];
    layer.props.opacity = 0.2 + 0.8 * random.unit();
    if random.below(2) == 0 {
        let size = Size::new(60 + random.below(canvas.width), 60 + random.below(canvas.height));
        let mut image = TiledImage::mask(size, 255 * random.below(2) as u8);
        let part = random_picture(random, Size::new(50, 40), 1, Depth::U8);
        image.write(&part, (random.below(30) as i32, random.below(30) as i32));
        let origin = (random.below(60) as i32 - 30, random.below(60) as i32 - 30);
        layer.mask = Some(LayerMask { image, origin, enabled: random.below(5) != 0 });
    }
    Arc::new(layer)
}

fn adjustment(op: &str, values: &[(&str, f64)]) -> Layer {
    let spec = ops::find(op).unwrap().spec();
    let mut params = Params::defaults(spec.params);
    for (key, value) in values {
        params.set(spec.params, key, Value::Float(*value)).unwrap();
    }
    Layer::new(op, LayerKind::Adjustment(Adjustment { op: op.into(), params, version: 1 }))
}

fn background(random: &mut Random, size: Size, depth: Depth) -> Document {
    let mut document = Document::new(size, depth, WorkingProfile::srgb());
    let picture = random_picture(random, size, 4, depth);
    document.layers.push(Arc::new(Layer::raster("back", TiledImage::from_buf(&picture), (0, 0))));
    document
}

fn check(compositor: &mut Compositor, document: &Document, what: &str) {
    document.check().unwrap();
    let (shown, _) = show(compositor, document, &actual_size(document.size));
    let flat = compose::flatten(document, document.size.rect());
    let worst = worst(&shown, &expected(&flat, &document.profile));
    assert!(worst <= 1, "{what}: differs by {worst}");
}

#[test]
fn every_blend_mode_equals_the_flattening_code() {
    let Some(mut compositor) = compositor() else { return };
    let mut random = Random(3);
    for depth in [Depth::U8, Depth::U16] {
        for mode in BlendMode::ALL {
            let mut document = background(&mut random, Size::new(140, 90), depth);
            let mut layer = random_raster(&mut random, Size::new(40, 30), depth);
            layer.props.blend = mode;
            layer.props.opacity = 0.3 + 0.7 * random.unit();
            document.layers.push(Arc::new(layer));
            compositor.reset();
            check(&mut compositor, &document, &format!("{mode:?} {depth:?}"));
        }
    }
    assert_eq!(gpu().unwrap().take_errors(), Vec::<String>::new());
}

#[test]
fn random_documents_equal_the_flattening_code() {
    let Some(mut compositor) = compositor() else { return };
    for seed in 0..16 {
        let mut random = Random(100 + seed);
        let depth = if seed % 2 == 0 { Depth::U8 } else { Depth::U16 };
        let size = Size::new(200 + random.below(200), 150 + random.below(150));
        let mut document = background(&mut random, size, depth);
        for _ in 0..1 + random.below(5) {
            document.layers.push(random_layer(&mut random, size, depth, 0));
        }
        compositor.reset();
        check(&mut compositor, &document, &format!("seed {seed}"));
    }
}

#[test]
fn the_comparison_notices_a_wrong_document() {
    let Some(mut compositor) = compositor() else { return };
    let mut document = background(&mut Random(4), Size::new(300, 200), Depth::U8);
    let (shown, _) = show(&mut compositor, &document, &actual_size(document.size));
    let mut layer = Layer::clone(&document.layers[0]);
    layer.props.opacity = 0.97;
    document.layers[0] = Arc::new(layer);
    let flat = compose::flatten(&document, document.size.rect());
    assert!(worst(&shown, &expected(&flat, &document.profile)) > 1);
}

#[test]
fn wide_gamut_is_converted_for_the_display() {
    let Some(mut compositor) = compositor() else { return };
    let mut document = background(&mut Random(6), Size::new(120, 70), Depth::U16);
    document.profile.transfer = Transfer::power(563.0 / 256.0);
    document.profile.to_linear_srgb =
        [[1.3984, -0.3984, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0430, 1.0430]];
    assert!(!document.profile.is_srgb());
    check(&mut compositor, &document, "Adobe RGB");
}

#[test]
fn a_changed_tile_is_the_only_one_uploaded() {
    let Some(mut compositor) = compositor() else { return };
    let mut document = background(&mut Random(8), Size::new(1000, 700), Depth::U8);
    let view = actual_size(document.size);
    let (_, first) = show(&mut compositor, &document, &view);
    assert_eq!((first.visible_tiles, first.composited_tiles), (12, 12));
    let (_, still) = show(&mut compositor, &document, &view);
    assert_eq!((still.composited_tiles, still.uploaded_bytes), (0, 0));

    let mut layer = Layer::clone(&document.layers[0]);
    if let LayerKind::Raster(raster) = &mut layer.kind {
        let dab = PixelBuf::filled(Size::new(20, 20), 4, Depth::U8, [255, 0, 0, 255]);
        raster.image.write(&dab, (600, 300));
    }
    document.layers[0] = Arc::new(layer);
    let (shown, stroke) = show(&mut compositor, &document, &view);
    assert_eq!((stroke.composited_tiles, stroke.uploaded_bytes), (1, 256 * 256 * 4));
    let flat = compose::flatten(&document, document.size.rect());
    assert!(worst(&shown, &expected(&flat, &document.profile)) <= 1);
}

/// A dab of a random colour somewhere on the picture's lowest layer.
fn dab(random: &mut Random, document: &mut Document) {
    let mut layer = Layer::clone(&document.layers[0]);
    if let LayerKind::Raster(raster) = &mut layer.kind {
        let Size { width, height } = raster.image.size();
        let color = [0; 4].map(|_| random.below(256) as u16);
        let dab = PixelBuf::filled(Size::new(40, 30), 4, Depth::U8, color);
        let place = (random.below(width - 40) as i32, random.below(height - 30) as i32);
        raster.image.write(&dab, place);
    }
    document.layers[0] = Arc::new(layer);
}

#[test]
fn dabs_leave_the_canvas_as_if_it_were_drawn_anew() {
    let Some(mut compositor) = compositor() else { return };
    let Some(mut fresh) = self::compositor() else { return };
    let random = &mut Random(81);
    for scale in [1.0, 0.5, 0.3, 0.22, 0.11] {
        let mut document = background(random, Size::new(2300, 1700), Depth::U8);
        // Filters that reach a little and, at the finer levels, far.
        let sigma = if scale > 0.25 { 30.0 } else { 3.0 };
        document.layers.push(Arc::new(adjustment("gaussian_blur", &[("sigma", sigma)])));
        document.layers.push(random_layer(random, document.size, Depth::U8, 1));
        let mut view = actual_size(Size::new(420, 300));
        (view.scale, view.offset) = (scale, (-20.25 * scale, 13.5));
        show(&mut compositor, &document, &view);
        for _ in 0..4 {
            dab(random, &mut document);
            let (shown, _) = show(&mut compositor, &document, &view);
            fresh.reset();
            let (anew, _) = show(&mut fresh, &document, &view);
            // A wide blur's coarse grid begins with the work rectangle.
            let worst = worst(&shown, &anew);
            assert!(worst <= 1, "at {scale}: differs by {worst}");
        }
    }
}

#[test]
fn a_dab_costs_what_it_touches() {
    let Some(mut compositor) = compositor() else { return };
    let random = &mut Random(82);
    for scale in [1.0, 0.25] {
        let mut document = background(random, Size::new(4000, 3000), Depth::U8);
        let mut view = actual_size(Size::new(1000, 750));
        view.scale = scale;
        let (_, first) = show(&mut compositor, &document, &view);
        assert_eq!(first.drawn_pixels, 1000 * 750);
        assert!(first.layer_pixels >= 1000 * 750);
        let (_, still) = show(&mut compositor, &document, &view);
        assert_eq!((still.layer_pixels, still.drawn_pixels), (0, 0));
        let mut seen = 0;
        for _ in 0..60 {
            dab(random, &mut document);
            let (_, stroke) = show(&mut compositor, &document, &view);
            // At most four squares of 64 pixels, and one layer.
            assert!(stroke.layer_pixels <= 2 * 128 * 128, "{scale}: {stroke:?}");
            assert!(stroke.drawn_pixels <= 140 * 140, "{scale}: {stroke:?}");
            seen += u64::from(stroke.drawn_pixels > 0);
        }
        assert!(seen >= 1, "{scale}");
        // Another place shows all of it again.
        view.offset = (3.0, 0.0);
        assert_eq!(show(&mut compositor, &document, &view).1.drawn_pixels, 1000 * 750);
    }
}

#[test]
fn panning_and_zooming_in_show_the_same_pixels_elsewhere() {
    let Some(mut compositor) = compositor() else { return };
    let document = background(&mut Random(9), Size::new(700, 600), Depth::U8);
    let flat = compose::flatten(&document, document.size.rect());

    let mut view = actual_size(Size::new(200, 150));
    view.offset = (-321.0, -123.0);
    let (shown, _) = show(&mut compositor, &document, &view);
    let part = expected_at(&flat, &view);
    assert!(worst(&shown, &part) <= 1, "pan: {}", worst(&shown, &part));

    view.scale = 4.0;
    view.offset = (-1283.0, -491.0);
    let (shown, _) = show(&mut compositor, &document, &view);
    let part = expected_at(&flat, &view);
    assert!(worst(&shown, &part) <= 1, "zoom: {}", worst(&shown, &part));

    // Far outside, only the surround shows.
    view.offset = (5000.0, 0.0);
    let (shown, stats) = show(&mut compositor, &document, &view);
    assert_eq!(stats.visible_tiles, 0);
    assert!(shown.chunks_exact(4).all(|p| p == [64, 64, 64, 255]));
}

/// Nearest sampling of the flattened picture through `view`.
fn expected_at(flat: &PixelBuf, view: &ViewParams) -> Vec<u8> {
    let mut out = Vec::new();
    for y in 0..view.size.height {
        for x in 0..view.size.width {
            let place = (x as f32 + 0.5 - view.offset.0, y as f32 + 0.5 - view.offset.1);
            let doc = ((place.0 / view.scale) as u32, (place.1 / view.scale) as u32);
            let [r, g, b, a] = flat.pixel_f32(doc.0, doc.1);
            let square = (place.0 / view.checker_px) as u32 + (place.1 / view.checker_px) as u32;
            let light = CHECKER[(square % 2) as usize];
            out.extend([r, g, b].map(|v| ((v * a + light * (1.0 - a)) * 255.0 + 0.5) as u8));
            out.push(255);
        }
    }
    out
}

#[test]
fn reduced_views_show_the_mean_of_the_pixels_beneath() {
    let Some(mut compositor) = compositor() else { return };
    let mut document = Document::new(Size::new(1600, 1200), Depth::U8, WorkingProfile::srgb());
    let mut picture = random_picture(&mut Random(10), document.size, 4, Depth::U8);
    for index in (3..picture.samples().len()).step_by(4) {
        picture.samples_mut().set_f32(index, 1.0);
    }
    let image = TiledImage::from_buf(&picture);
    document.layers.push(Arc::new(Layer::raster("back", image, (0, 0))));
    for (level, scale) in [(1, 0.5f32), (2, 0.25), (3, 0.125)] {
        let side = 1u32 << level;
        let mut view = actual_size(Size::new(1600 / side, 1200 / side));
        view.scale = scale;
        let (shown, stats) = show(&mut compositor, &document, &view);
        assert_eq!(stats.level, level);
        let mut want = Vec::new();
        for y in 0..view.size.height {
            for x in 0..view.size.width {
                let mut sum = [0.0f32; 3];
                for (dx, dy) in (0..side * side).map(|i| (i % side, i / side)) {
                    let pixel = picture.pixel_f32(x * side + dx, y * side + dy);
                    (0..3).for_each(|c| sum[c] += pixel[c]);
                }
                want.extend(sum.map(|v| (v / (side * side) as f32 * 255.0 + 0.5) as u8));
                want.push(255);
            }
        }
        assert!(worst(&shown, &want) <= 1, "level {level}: {}", worst(&shown, &want));
    }
}

#[test]
fn a_huge_document_costs_what_the_screen_shows_of_it() {
    let Some(mut compositor) = compositor() else { return };
    // One shared tile everywhere: 108 megapixels in 256 KiB.
    let size = Size::new(12_000, 9_000);
    let mut image = TiledImage::empty(size, 4, Depth::U8);
    let picture = random_picture(&mut Random(11), Size::new(256, 256), 4, Depth::U8);
    let tile = TiledImage::from_buf(&picture).tile(0, 0).cloned();
    let (columns, rows) = image.grid();
    for (column, row) in (0..rows).flat_map(|r| (0..columns).map(move |c| (c, r))) {
        image.set_tile(column, row, tile.clone());
    }
    let mut document = Document::new(size, Depth::U8, WorkingProfile::srgb());
    document.layers.push(Arc::new(Layer::raster("huge", image, (0, 0))));
    let mut view = actual_size(Size::new(640, 400));
    view.offset = (-4992.0, -4000.0);
    let (shown, stats) = show(&mut compositor, &document, &view);
    assert!(stats.visible_tiles <= 4 * 3, "{stats:?}");
    assert!(stats.uploaded_bytes <= 256 * 1024);
    let flat = compose::flatten(&document, IRect::new(4992, 4000, 5632, 4400));
    // 4992 and 4000 are even multiples of the pattern's side together.
    let want = expected(&flat, &document.profile);
    assert!(worst(&shown, &want) <= 1);

    // Under a tight budget the rest follows in later frames.
    compositor.reset();
    compositor.set_budget(FrameBudget { layer_pixels: 1, ..FrameBudget::UNLIMITED });
    let mut frames = 0;
    while !compositor.render(&document, &view, None).unwrap().is_complete() {
        frames += 1;
        assert!(frames < 20);
    }
    assert!(frames >= 1);
    assert!(worst(&compositor.read_back().unwrap(), &want) <= 1);
}

#[test]
fn a_preview_shows_what_applying_will_do() {
    let Some(mut compositor) = compositor() else { return };
    let mut random = Random(12);
    let mut document = background(&mut random, Size::new(300, 200), Depth::U8);
    document.selection =
        Some(TiledImage::from_buf(&random_picture(&mut random, document.size, 1, Depth::U8)));
    let op = ops::find("invert").unwrap();
    let layer = document.layers[0].id;
    let preview = Preview { layer, op, params: Params::default() };
    let view = actual_size(document.size);
    let stats = compositor.render(&document, &view, Some(&preview)).unwrap();
    assert!(stats.is_complete());
    let shown = compositor.read_back().unwrap();

    let pixels = document.layers[0].raster_content().unwrap().image.to_buf();
    let mask = document.selection.as_ref().map(TiledImage::to_buf);
    let context = ops::OpContext::full_size(document.profile.clone());
    let applied = ops::apply(op, &preview.params, &context, &pixels, mask.as_ref()).unwrap();
    assert!(worst(&shown, &expected(&applied, &document.profile)) <= 1);
}

#[test]
fn the_pool_of_tiles_grows_under_a_large_view() {
    let Some(mut compositor) = compositor() else { return };
    // Two layers of 72 tiles each: more than a pool begins with on any adapter.
    let size = Size::new(2300, 2000);
    let mut random = Random(77);
    let mut document = background(&mut random, size, Depth::U16);
    let above = random_picture(&mut random, size, 4, Depth::U16);
    document.layers.push(Arc::new(Layer::raster("above", TiledImage::from(above), (3, 5))));
    check(&mut compositor, &document, "a large view");
}
