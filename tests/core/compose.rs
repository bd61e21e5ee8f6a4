//! Compositing against the W3C formulas: hand-computed values, and random stacks against a
//! plain double-precision model that knows no tiles.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::compose;
use ganvas::document::{Adjustment, BlendMode, Document, Layer, LayerKind, LayerMask, Metadata};
use ganvas::geom::{IRect, Size};
use ganvas::ops;
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf, Samples, TiledImage};
use proptest::prelude::*;

fn assert_near(have: [f32; 3], want: [f32; 3], what: &str) {
    let worst = (0..3).map(|i| (have[i] - want[i]).abs()).fold(0.0, f32::max);
    assert!(worst < 2e-6, "{what}: {have:?} instead of {want:?}");
}

/// Values computed by hand from the recommendation's formulas.
#[test]
fn blend_modes_give_the_recommendations_values() {
    use BlendMode::*;
    let b = [0.2, 0.5, 0.5];
    let s = [0.75, 0.75, 0.25];
    let table: &[(BlendMode, [f32; 3])] = &[
        (Normal, [0.75, 0.75, 0.25]),
        (Multiply, [0.15, 0.375, 0.125]),
        (Screen, [0.8, 0.875, 0.625]),
        (Overlay, [0.3, 0.75, 0.25]),
        (Darken, [0.2, 0.5, 0.25]),
        (Lighten, [0.75, 0.75, 0.5]),
        (ColorDodge, [0.8, 1.0, 0.666_666_7]),
        (ColorBurn, [0.0, 0.333_333_3, 0.0]),
        (HardLight, [0.6, 0.75, 0.25]),
        (SoftLight, [0.324, 0.603_553_4, 0.375]),
        (Difference, [0.55, 0.25, 0.25]),
        (Exclusion, [0.65, 0.5, 0.5]),
    ];
    for (mode, want) in table {
        assert_near(compose::blend(*mode, b, s), *want, mode.label());
    }
    let (b, s) = ([0.9, 0.8, 0.95], [0.1, 0.9, 0.2]);
    let table: &[(BlendMode, [f32; 3])] = &[
        (Hue, [0.755_937_5, 0.905_937_5, 0.774_687_5]),
        (Saturation, [0.925_845_4, 0.777_536_2, 1.0]),
        (Color, [0.612_618_3, 1.0, 0.661_041]),
        (Luminosity, [0.6365, 0.5365, 0.6865]),
    ];
    for (mode, want) in table {
        assert_near(compose::blend(*mode, b, s), *want, mode.label());
    }
    // The table itself must be able to fail: no two modes may satisfy one row.
    let all = BlendMode::ALL.map(|mode| compose::blend(mode, [0.3, 0.6, 0.2], [0.7, 0.4, 0.35]));
    for (i, a) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|b| a != b), "two modes agree with mode {i}");
    }
}

#[test]
fn modes_hold_at_black_and_white() {
    for mode in BlendMode::ALL {
        for corner in 0..64u32 {
            let bit = |i: u32| ((corner >> i) & 1) as f32;
            let result = compose::blend(mode, [bit(0), bit(1), bit(2)], [bit(3), bit(4), bit(5)]);
            let inside = |v: &f32| (-1e-6..=1.0 + 1e-6).contains(v);
            assert!(result.iter().all(inside), "{mode:?} at {corner:06b}: {result:?}");
        }
    }
    assert_eq!(compose::blend(BlendMode::ColorDodge, [0.0; 3], [1.0; 3]), [0.0; 3]);
    assert_eq!(compose::blend(BlendMode::ColorBurn, [1.0; 3], [0.0; 3]), [1.0; 3]);
}

/// Section 5.1's example of simple alpha compositing, and both identities to the bit.
#[test]
fn source_over_follows_the_recommendation() {
    let backdrop = [0.25, 0.5, 1.0, 0.5];
    let source = [1.0, 0.0, 0.5, 0.25];
    let have = compose::composite(BlendMode::Normal, backdrop, source);
    // ao = 0.25 + 0.5 * 0.75 = 0.625; co = (0.25 cs + 0.75 * 0.5 cb) / 0.625
    let want = [0.55, 0.3, 0.8];
    assert_near([have[0], have[1], have[2]], want, "colour");
    assert!((have[3] - 0.625).abs() < 1e-6);
    for mode in BlendMode::ALL {
        assert_eq!(compose::composite(mode, backdrop, [0.1, 0.2, 0.3, 0.0]), backdrop);
        assert_eq!(compose::composite(mode, [0.1, 0.2, 0.3, 0.0], source), source);
    }
}

/// Seeded noise. Alpha is full or at least 1/255: what lies behind transparent pixels is kept
/// only where a layer lies alone.
fn noise(size: Size, depth: Depth, seed: u32, opaque: bool) -> PixelBuf {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u16
    };
    let sample = |i: u64, value: u16| match (i % 4 == 3, opaque) {
        (true, true) => u16::MAX,
        (true, false) => value.max(257),
        _ => value,
    };
    let samples: Vec<u16> = (0..size.pixels() * 4).map(|i| sample(i, next())).collect();
    let samples = match depth {
        Depth::U8 => Samples::U8(samples.iter().map(|v| (v >> 8) as u8).collect()),
        Depth::U16 => Samples::U16(samples),
    };
    PixelBuf::from_samples(size, 4, samples).unwrap()
}

fn document(size: Size, depth: Depth, layers: Vec<Layer>) -> Document {
    let mut document = Document::new(size, depth, WorkingProfile::srgb());
    document.layers = layers.into_iter().map(Arc::new).collect();
    document
}

fn layer(buf: &PixelBuf, origin: (i32, i32)) -> Layer {
    Layer::raster("layer", TiledImage::from_buf(buf), origin)
}

#[test]
fn a_lone_layer_and_opaque_tops_keep_their_bytes() {
    for depth in [Depth::U8, Depth::U16] {
        let size = Size::new(300, 270);
        let bottom = noise(size, depth, 1, false);
        let mut document =
            Document::from_pixels(&bottom, "photo", WorkingProfile::srgb(), Metadata::default());
        assert_eq!(compose::flatten(&document, size.rect()), bottom);
        let part = IRect::new(250, 13, 299, 262);
        assert_eq!(compose::flatten(&document, part), bottom.crop(part));

        let top = noise(size, depth, 2, true);
        document.layers.push(Arc::new(layer(&top, (0, 0))));
        assert_eq!(compose::flatten(&document, size.rect()), top);

        // A hidden top, one at opacity 0 and one behind a black mask leave no trace.
        let hide: [fn(&mut Layer); 3] = [
            |layer| layer.props.visible = false,
            |layer| layer.props.opacity = 0.0,
            |layer| {
                let image = TiledImage::mask(Size::new(8, 8), 0);
                layer.mask = Some(LayerMask { image, origin: (0, 0), enabled: true });
            },
        ];
        for hide in hide {
            let mut hidden = layer(&top, (0, 0));
            hide(&mut hidden);
            document.layers[1] = Arc::new(hidden);
            assert_eq!(compose::flatten(&document, size.rect()), bottom);
        }
    }
}

/// What one pixel of a stack is, in doubles and premultiplied colour: the recommendation read
/// from the other end than the program's straight-alpha code.
fn model(layers: &[Arc<Layer>], x: i32, y: i32) -> [f64; 4] {
    let mut acc = [0.0; 4];
    for layer in layers.iter().filter(|layer| layer.props.visible) {
        let mut source = match &layer.kind {
            LayerKind::Group(children) => model(children, x, y),
            _ => {
                let raster = layer.raster_content().unwrap();
                let at = (x - raster.origin.0, y - raster.origin.1);
                let max = f64::from(raster.image.depth().max());
                let [r, g, b, a] = if raster.bounds().contains(x, y) {
                    raster.image.pixel(at.0, at.1).map(|v| f64::from(v) / max)
                } else {
                    [0.0; 4]
                };
                [r * a, g * a, b * a, a]
            }
        };
        let mask = layer.mask.as_ref().filter(|mask| mask.enabled).map_or(1.0, |mask| {
            f64::from(mask.image.pixel(x - mask.origin.0, y - mask.origin.1)[0]) / 255.0
        });
        source = source.map(|v| v * mask * f64::from(layer.props.opacity));
        let straight = |c: [f64; 4]| {
            std::array::from_fn(|i| if c[3] > 0.0 { (c[i] / c[3]) as f32 } else { 0.0 })
        };
        let blended = compose::blend(layer.props.blend, straight(acc), straight(source));
        for i in 0..3 {
            acc[i] = source[i] * (1.0 - acc[3])
                + source[3] * acc[3] * f64::from(blended[i])
                + (1.0 - source[3]) * acc[i];
        }
        acc[3] = source[3] + acc[3] * (1.0 - source[3]);
    }
    acc
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let mask = proptest::option::of((0u8..=255, 0u32..1000, any::<bool>(), -30i32..30));
    (1u32..400, 1u32..120, -60i32..260, -60i32..40, any::<u32>(), 0usize..16, 0.0f32..=1.0, mask)
        .prop_map(|(width, height, x, y, seed, mode, opacity, mask)| {
            let size = Size::new(width, height);
            let mut layer = layer(&noise(size, Depth::U16, seed, seed % 3 == 0), (x, y));
            layer.props.blend = BlendMode::ALL[mode];
            layer.props.opacity = if opacity > 0.8 { 1.0 } else { opacity };
            layer.mask = mask.map(|(fill, seed, enabled, origin)| {
                let mut image = TiledImage::mask(Size::new(290, 60), fill);
                let noise = noise(Size::new(20, 60), Depth::U8, seed, false).into_samples();
                let part = PixelBuf::from_samples(Size::new(80, 60), 1, noise).unwrap();
                image.write(&part, (200, 0));
                LayerMask { image, origin: (origin, origin), enabled }
            });
            layer
        })
}

fn any_stack() -> impl Strategy<Value = Vec<Layer>> {
    let group = (any_layer(), proptest::collection::vec(any_layer(), 1..3)).prop_map(
        |(outer, children)| {
            let kind = LayerKind::Group(children.into_iter().map(Arc::new).collect());
            Layer { kind, ..outer }
        },
    );
    proptest::collection::vec(prop_oneof![3 => any_layer(), 1 => group], 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_stacks_agree_with_the_model(stack in any_stack()) {
        let document = document(Size::new(310, 70), Depth::U16, stack);
        let region = IRect::new(-5, 3, 300, 66);
        let have = compose::flatten(&document, region);
        for (x, y) in (0..region.height()).flat_map(|y| (0..region.width()).map(move |x| (x, y))) {
            let want = model(&document.layers, region.x0 + x as i32, region.y0 + y as i32);
            let have = have.pixel_f32(x, y).map(f64::from);
            prop_assert!((have[3] - want[3]).abs() < 3e-5, "alpha at {},{}: {} {}", x, y, have[3], want[3]);
            for i in 0..3 {
                // Compared where it is visible: premultiplied.
                let error = (have[i] * have[3] - want[i]).abs();
                prop_assert!(error < 6e-5, "at {},{}: {:?} {:?}", x, y, have, want);
            }
        }
    }
}

#[test]
fn the_model_notices_a_wrong_mode() {
    let size = Size::new(40, 40);
    let bottom = layer(&noise(size, Depth::U16, 5, true), (0, 0));
    let mut top = layer(&noise(size, Depth::U16, 6, true), (0, 0));
    top.props.blend = BlendMode::Multiply;
    let right = document(size, Depth::U16, vec![bottom.clone(), top.clone()]);
    top.props.blend = BlendMode::Darken;
    let wrong = compose::flatten(&document(size, Depth::U16, vec![bottom, top]), size.rect());
    let want = model(&right.layers, 7, 9);
    let have = wrong.pixel_f32(7, 9);
    assert!((0..3).any(|i| (f64::from(have[i]) - want[i]).abs() > 1e-3));
}

fn invert() -> Layer {
    let params = Params::defaults(ops::find("invert").unwrap().spec().params);
    let adjustment = Adjustment { op: "invert".into(), params, version: 1 };
    Layer::new("Invert", LayerKind::Adjustment(adjustment))
}

#[test]
fn an_adjustment_layer_equals_the_operation_where_it_acts() {
    for (depth, size) in [(Depth::U8, Size::new(300, 280)), (Depth::U16, Size::new(70, 50))] {
        let photo = noise(size, depth, 9, true);
        let op = ops::find("invert").unwrap();
        let context = ops::OpContext::full_size(WorkingProfile::srgb());
        let inverted = ops::apply(op, &Params::default(), &context, &photo, None).unwrap();
        let mut document = document(size, depth, vec![layer(&photo, (0, 0)), invert()]);
        assert_eq!(compose::flatten(&document, size.rect()), inverted);

        // Half masked: left of 20 the operation, right of it the photo's own bytes.
        let mut masked = invert();
        let mut image = TiledImage::mask(size, 0);
        image.write(&PixelBuf::filled(Size::new(20, size.height), 1, Depth::U8, [255; 4]), (0, 0));
        masked.mask = Some(LayerMask { image, origin: (0, 0), enabled: true });
        document.layers[1] = Arc::new(masked);
        let have = compose::flatten(&document, size.rect());
        let left = IRect::new(0, 0, 20, size.height as i32);
        let right = IRect::new(20, 0, size.width as i32, size.height as i32);
        assert_eq!(have.crop(left), inverted.crop(left));
        assert_eq!(have.crop(right), photo.crop(right));

        // Inside a group it acts on the group only.
        let small = noise(Size::new(30, 30), depth, 11, true);
        let children = vec![Arc::new(layer(&small, (5, 5))), Arc::new(invert())];
        let group = Layer::new("Group", LayerKind::Group(children));
        document.layers[1] = Arc::new(group);
        let have = compose::flatten(&document, size.rect());
        let inside = IRect::new(5, 5, 35, 35);
        let want = ops::apply(op, &Params::default(), &context, &small, None).unwrap();
        assert_eq!(have.crop(inside), want);
        let outside = IRect::new(35, 0, size.width as i32, size.height as i32);
        assert_eq!(have.crop(outside), photo.crop(outside));
    }
}

#[test]
fn thumbnails_and_samples_show_the_document() {
    let size = Size::new(1000, 500);
    let mut photo = PixelBuf::filled(size, 4, Depth::U8, [200, 100, 50, 255]);
    let half = PixelBuf::filled(Size::new(500, 500), 4, Depth::U8, [0, 0, 0, 255]);
    photo.blit(&half, (0, 0));
    let mut document = document(size, Depth::U8, vec![layer(&photo, (0, 0))]);
    let small = compose::thumbnail(&document, 64);
    assert_eq!(small.size(), Size::new(64, 32));
    assert_eq!(small.pixel_f32(3, 3)[0], 0.0);
    let right = small.pixel_f32(60, 20).map(|v| (v * 255.0).round() as u8);
    assert_eq!(right, [200, 100, 50, 255]);
    let mean = compose::sample_mean(&document, 500, 100, 5);
    assert!((mean[0] * 255.0 - 200.0 * 0.6).abs() < 0.01);
    assert_eq!(compose::sample(&document, 499, 0), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(compose::sample(&document, -1, 0), [0.0; 4]);

    let mut hidden = (*document.layers[0]).clone();
    hidden.props.visible = false;
    document.layers[0] = Arc::new(hidden);
    assert_eq!(compose::thumbnail(&document, 64).pixel_f32(60, 20), [0.0; 4]);
    let bare = compose::layer_thumbnail(&document, &document.layers[0], 64);
    assert_eq!(bare.pixel_f32(60, 20)[3], 1.0);
    let thin = PixelBuf::filled(Size::new(5000, 1), 4, Depth::U8, [255; 4]);
    let thin = Document::from_pixels(&thin, "t", WorkingProfile::srgb(), Metadata::default());
    assert_eq!(compose::thumbnail(&thin, 32).pixel_f32(31, 0), [1.0; 4]);
}
