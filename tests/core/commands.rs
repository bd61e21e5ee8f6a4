//! Menu commands: what they change, and that they change nothing else.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::commands::masks::{self, NewMask};
use ganvas::commands::{CommandError, Step, adjust, geometry, layers, paint, selection};
use ganvas::compose;
use ganvas::document::{BlendMode, Document, Edit, Layer, LayerId, LayerKind, Session, Synthesis};
use ganvas::geom::{IRect, Size};
use ganvas::ops::{self, OpContext, Processor};
use ganvas::params::{Params, Value};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};

const SIZE: Size = Size::new(300, 270);

fn pattern(size: Size, depth: Depth) -> PixelBuf {
    let mut buf = PixelBuf::new(size, 4, depth);
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        let wave = |a: u32, b: u32| ((x * a + y * b) % 251) as f32 / 250.0;
        buf.set_pixel_f32(x, y, [wave(3, 1), wave(1, 5), wave(7, 2), 1.0]);
    }
    buf
}

/// A photo with a half-transparent, masked, moved layer on top, and a selection.
fn session(depth: Depth) -> Session {
    let mut document = Document::from_pixels(
        pattern(SIZE, depth),
        "photo",
        WorkingProfile::srgb(),
        Default::default(),
    );
    let top = pattern(Size::new(120, 90), depth);
    let mut top = Layer::raster("top", TiledImage::from_buf(&top), (-20, 60));
    top.props.opacity = 0.6;
    top.props.blend = BlendMode::Multiply;
    let mut mask = super::tools::mask(SIZE, 255);
    mask.image.write(&PixelBuf::filled(Size::new(25, 300), 1, Depth::U8, [90; 4]), (30, 0));
    top.mask = Some(mask);
    document.active = Some(top.id);
    document.layers.push(Arc::new(top));
    Session::new(document, 1 << 30)
}

fn perform(session: &mut Session, step: Result<Step, CommandError>) {
    let step = step.unwrap();
    session.perform(&step.label, step.edits).unwrap();
    assert_eq!(session.document().check(), Ok(()));
}

fn shown(session: &Session) -> PixelBuf {
    compose::flatten(session.document(), session.document().size.rect())
}

fn bottom(session: &Session) -> LayerId {
    session.document().layers[0].id
}

fn top(session: &Session) -> LayerId {
    session.document().layers.last().unwrap().id
}

fn params(op: &str, values: &[(&str, Value)]) -> Params {
    let specs = ops::find(op).unwrap().spec().params;
    let mut params = Params::defaults(specs);
    for (key, value) in values {
        params.set(specs, key, value.clone()).unwrap();
    }
    params
}

fn worst(a: &PixelBuf, b: &PixelBuf) -> u16 {
    assert_eq!(a.size(), b.size());
    let values = (0..a.samples().len()).map(|i| a.samples().get(i).abs_diff(b.samples().get(i)));
    values.max().unwrap_or(0)
}

#[test]
fn operations_act_inside_the_selection_and_nowhere_else() {
    let choices = [
        ("invert", params("invert", &[])),
        ("gaussian_blur", params("gaussian_blur", &[("sigma", Value::Float(6.0))])),
    ];
    for (name, params) in &choices {
        for depth in [Depth::U8, Depth::U16] {
            let op = ops::find(name).unwrap();
            let mut session = session(depth);
            let id = top(&session);
            super::tools::select(&mut session, (10.0, 70.0), (60.0, 140.0));
            let before = session.document().layer(id).unwrap().raster_content().unwrap().clone();
            let step = adjust::apply(session.document(), id, op, params, &Processor);
            perform(&mut session, step);
            let after = session.document().layer(id).unwrap().raster_content().unwrap().clone();
            let context = OpContext::full_size(WorkingProfile::srgb());
            let whole = ops::apply(op, params, &context, &before.image.to_buf(), None).unwrap();
            let selected = IRect::new(10, 70, 60, 140).translate(20, -60);
            assert_eq!(after.image.read(selected), whole.crop(selected), "{name}");
            let size = before.image.size();
            for (x, y) in
                (0..size.height as i32).flat_map(|y| (0..size.width as i32).map(move |x| (x, y)))
            {
                if !selected.contains(x, y) {
                    assert_eq!(
                        after.image.pixel(x, y),
                        before.image.pixel(x, y),
                        "{name} at {x},{y}"
                    );
                }
            }
            session.undo().unwrap();
            let back = &session.document().layer(id).unwrap().raster_content().unwrap().image;
            assert!(back.same_tiles(&before.image));
        }
    }
}

#[test]
fn an_adjustment_layer_shows_what_the_operation_does() {
    let op = ops::find("gaussian_blur").unwrap();
    let params = params("gaussian_blur", &[("sigma", Value::Float(4.0))]);
    let mut direct = session(Depth::U16);
    let step = layers::flatten(direct.document());
    perform(&mut direct, step);
    let mut layered = Session::new(direct.document().clone(), 1 << 30);
    super::tools::select(&mut direct, (10.0, 10.0), (200.0, 200.0));
    super::tools::select(&mut layered, (10.0, 10.0), (200.0, 200.0));
    let id = bottom(&direct);
    let step = adjust::apply(direct.document(), id, op, &params, &Processor);
    perform(&mut direct, step);
    let step = adjust::add_adjustment(layered.document(), Some(id), op, &params);
    perform(&mut layered, step);
    assert!(layered.document().selection.is_none(), "the selection became the mask");
    assert_eq!(layered.document().active, Some(top(&layered)));
    // Computed in blocks with halos, and at once.
    assert!(
        worst(&shown(&layered), &shown(&direct)) <= 2,
        "{}",
        worst(&shown(&layered), &shown(&direct))
    );
    let plain = layers::set_props(layered.document(), top(&layered), "Hide", |p| p.visible = false);
    perform(&mut layered, plain);
    assert!(worst(&shown(&layered), &shown(&direct)) > 500, "the comparison must notice no blur");
    let rotate = ops::find("flip").unwrap();
    let refused = adjust::add_adjustment(layered.document(), None, rotate, &Params::default());
    assert!(matches!(refused, Err(CommandError::NoAdjustment("flip"))));
}

#[test]
fn turning_and_flipping_move_bytes() {
    let cases = [
        ("rotate90", vec![("turns", Value::Int(1))]),
        ("rotate90", vec![("turns", Value::Int(2))]),
        ("rotate90", vec![("turns", Value::Int(3))]),
        ("flip", vec![("axis", Value::Choice("horizontal".into()))]),
        ("flip", vec![("axis", Value::Choice("vertical".into()))]),
        (
            "crop",
            vec![
                ("x", Value::Int(13)),
                ("y", Value::Int(40)),
                ("width", Value::Int(200)),
                ("height", Value::Int(111)),
            ],
        ),
        (
            "canvas_size",
            vec![
                ("width", Value::Int(411)),
                ("height", Value::Int(200)),
                ("anchor", Value::Choice("bottom-right".into())),
            ],
        ),
        ("canvas_size", vec![("width", Value::Int(151)), ("height", Value::Int(400))]),
    ];
    for (name, values) in cases {
        let op = ops::find(name).unwrap();
        let params = params(name, &values);
        let mut session = session(Depth::U16);
        super::tools::select(&mut session, (10.0, 70.0), (60.0, 140.0));
        let (picture, selected) =
            (shown(&session), session.document().selection.as_ref().unwrap().to_buf());
        let step = geometry::transform(session.document(), op, &params, &Processor);
        perform(&mut session, step);
        let context = OpContext::full_size(WorkingProfile::srgb());
        let want = ops::apply(op, &params, &context, &picture, None).unwrap();
        let have = shown(&session);
        // A larger canvas uncovers what a moved layer had beyond the border.
        let old = match name {
            "canvas_size" => {
                let (x, y) = ops::canvas_offset(params.choice("anchor"), SIZE, have.size());
                SIZE.rect().translate(x as i32, y as i32).intersect(have.size().rect())
            }
            _ => have.size().rect(),
        };
        assert_eq!(have.crop(old), want.crop(old), "{name} {values:?}");
        let want = ops::apply(op, &params, &context, &selected, None).unwrap();
        assert_eq!(session.document().selection.as_ref().unwrap().to_buf(), want, "{name}");
        assert_ne!(
            have.crop(old),
            picture.crop(IRect::from_origin_size((0, 0), SIZE).intersect(picture.size().rect()))
        );
    }
    // Four turns are none.
    let mut session = session(Depth::U8);
    let picture = shown(&session);
    for _ in 0..4 {
        let op = ops::find("rotate90").unwrap();
        let step = geometry::transform(
            session.document(),
            op,
            &params("rotate90", &[("turns", Value::Int(1))]),
            &Processor,
        );
        perform(&mut session, step);
    }
    assert_eq!(shown(&session), picture);
    let raster = session.document().layers[1].raster_content().unwrap();
    assert_eq!(raster.origin, (-20, 60), "what lies outside the canvas is kept");
}

#[test]
fn resampling_keeps_layers_aligned() {
    for (name, values) in [
        ("resize", vec![("width", Value::Int(180)), ("height", Value::Int(190))]),
        ("rotate", vec![("angle", Value::Float(17.0))]),
    ] {
        let op = ops::find(name).unwrap();
        let params = params(name, &values);
        // One picture in one layer, and the same picture as two halves.
        let photo = pattern(SIZE, Depth::U16);
        let half = |x0: i32, x1: i32| {
            let rect = IRect::new(x0, 0, x1, 270);
            Layer::raster("half", TiledImage::from_buf(&photo.crop(rect)), (x0, 0))
        };
        let mut document = Document::new(SIZE, Depth::U16, WorkingProfile::srgb());
        document.layers = vec![Arc::new(half(0, 140)), Arc::new(half(140, 300))];
        document.selection = Some(TiledImage::mask(SIZE, 255));
        let mut session = Session::new(document, 1 << 30);
        let step = geometry::transform(session.document(), op, &params, &Processor);
        perform(&mut session, step);
        let context = OpContext::full_size(WorkingProfile::srgb());
        let want = ops::apply(op, &params, &context, &photo, None).unwrap();
        let have = shown(&session);
        // Away from the seam, where both halves are soft, and from the rim.
        let spot = |f: f32| {
            let (w, h) = (have.size().width as f32, have.size().height as f32);
            IRect::from_origin_size(((w * f) as i32, (h * 0.5) as i32), Size::new(20, 20))
        };
        for spot in [spot(0.25), spot(0.7)] {
            assert!(worst(&have.crop(spot), &want.crop(spot)) <= 2, "{name}");
        }
        // The white selection stays white inside and takes no black rim.
        assert_eq!(session.document().selection.as_ref().unwrap().pixel(2, 2)[0], 255);
    }
}

#[test]
fn merging_and_flattening_keep_the_picture() {
    for depth in [Depth::U8, Depth::U16] {
        let mut session = session(depth);
        let before = shown(&session);
        let step = layers::merge_down(session.document(), top(&session));
        perform(&mut session, step);
        assert_eq!(session.document().layers.len(), 1);
        assert_eq!(&*session.document().layers[0].props.name, "photo");
        assert_eq!(shown(&session), before);
        assert_eq!(session.document().active, Some(bottom(&session)));
        session.undo().unwrap();
        let step = layers::merge_visible(session.document());
        perform(&mut session, step);
        assert_eq!(shown(&session), before);
        session.undo().unwrap();
        let step = layers::flatten(session.document());
        perform(&mut session, step);
        assert_eq!(shown(&session), before);
        let raster = session.document().layers[0].raster_content().unwrap();
        assert_eq!(raster.bounds(), SIZE.rect());
        let lowest = layers::merge_down(session.document(), bottom(&session));
        assert!(matches!(lowest, Err(CommandError::NothingBeneath(_))));
    }
}

#[test]
fn groups_are_made_and_dissolved() {
    let mut session = session(Depth::U16);
    let before = shown(&session);
    let ids: Vec<_> = session.document().layers.iter().map(|layer| layer.id).collect();
    let step = layers::group(session.document(), &ids);
    perform(&mut session, step);
    let group = session.document().active.unwrap();
    assert_eq!(session.document().layers.len(), 1);
    let children: Vec<_> =
        session.document().siblings(Some(group)).unwrap().iter().map(|l| l.id).collect();
    assert_eq!(children, ids);
    assert_eq!(shown(&session), before);
    // A member beside its own group does not leave it.
    let step = layers::group(session.document(), &[group, ids[0]]);
    perform(&mut session, step);
    assert_eq!(session.document().siblings(Some(group)).unwrap().len(), 2);
    session.undo().unwrap();
    let step = layers::ungroup(session.document(), group);
    perform(&mut session, step);
    let order: Vec<_> = session.document().layers.iter().map(|layer| layer.id).collect();
    assert_eq!(order, ids);
    assert_eq!(shown(&session), before);
    let refused = layers::ungroup(session.document(), ids[0]);
    assert!(matches!(refused, Err(CommandError::NotAGroup(_))));
}

#[test]
fn layers_are_added_copied_ordered_and_deleted() {
    let mut session = session(Depth::U8);
    let (below, above) = (bottom(&session), top(&session));
    session.set_active(Some(below));
    let step = layers::new_layer(session.document());
    perform(&mut session, Ok(step));
    let new = session.document().active.unwrap();
    assert_eq!(session.document().position(new), Some((None, 1)));
    let step = layers::duplicate(session.document(), above);
    perform(&mut session, step);
    let copy = session.document().active_layer().unwrap().clone();
    assert_eq!((&*copy.props.name, copy.props.blend), ("top copy", BlendMode::Multiply));
    let original = session.document().layer(above).unwrap().raster_content().unwrap().clone();
    assert!(copy.raster_content().unwrap().image.same_tiles(&original.image));
    let step = layers::reorder(session.document(), copy.id, -10);
    perform(&mut session, step);
    assert_eq!(session.document().position(copy.id), Some((None, 0)));
    let step = layers::delete(session.document(), copy.id);
    perform(&mut session, step);
    assert!(session.document().layer(copy.id).is_none());
    assert!(layers::delete(session.document(), copy.id).is_err());
}

#[test]
fn masks_are_added_applied_inverted_and_deleted() {
    let mut session = session(Depth::U16);
    let before = shown(&session);
    let id = top(&session);
    let step = masks::apply(session.document(), id);
    perform(&mut session, step);
    assert!(session.document().layer(id).unwrap().mask.is_none());
    // Alpha is quantised once more than when the mask was live.
    assert!(worst(&shown(&session), &before) <= 1);
    super::tools::select(&mut session, (10.0, 70.0), (60.0, 140.0));
    let step = masks::add(session.document(), id, NewMask::FromSelection);
    perform(&mut session, step);
    assert!(session.document().selection.is_none());
    let value = |session: &Session, x| {
        session.document().layer(id).unwrap().mask.as_ref().unwrap().image.pixel(x, 100)[0]
    };
    assert_eq!((value(&session, 20), value(&session, 90)), (255, 0));
    let step = masks::invert(session.document(), id);
    perform(&mut session, step);
    assert_eq!((value(&session, 20), value(&session, 90)), (0, 255));
    let step = selection::from_mask(session.document(), id, selection::Mode::Replace);
    perform(&mut session, step);
    assert_eq!(session.document().selection.as_ref().unwrap().pixel(90, 100)[0], 255);
    let step = masks::enable(session.document(), id, false);
    perform(&mut session, step);
    let off = shown(&session);
    let step = masks::delete(session.document(), id);
    perform(&mut session, step);
    assert_eq!(shown(&session), off);
    let refused = masks::delete(session.document(), id);
    assert!(matches!(refused, Err(CommandError::NoMask(_))));
}

#[test]
fn fill_clear_copy_and_paste_go_by_the_selection() {
    let mut session = session(Depth::U16);
    let id = top(&session);
    super::tools::select(&mut session, (90.0, 70.0), (160.0, 100.0));
    let before = session.document().layer(id).unwrap().raster_content().unwrap().clone();
    let at = |session: &Session, x: i32, y: i32| {
        let raster = session.document().layer(id).unwrap().raster_content().unwrap().clone();
        raster.image.pixel(x - raster.origin.0, y - raster.origin.1)
    };
    let was = |x: i32, y: i32| before.image.pixel(x + 20, y - 60);
    let step = paint::fill(session.document(), id, [1.0, 0.0, 0.5]);
    perform(&mut session, step);
    assert_eq!(at(&session, 95, 80), [65_535, 0, 32_768, 65_535]);
    assert_eq!(at(&session, 140, 80), [65_535, 0, 32_768, 65_535], "the layer grew");
    assert_eq!(at(&session, 89, 80), was(89, 80));
    let step = paint::clear(session.document(), id);
    perform(&mut session, step);
    assert_eq!((at(&session, 95, 80)[3], at(&session, 140, 80)[3]), (0, 0));
    assert_eq!(at(&session, 89, 80), was(89, 80));
    let step = paint::fill_mask(session.document(), id, 0.0);
    perform(&mut session, step);
    let mask = session.document().layer(id).unwrap().mask.clone().unwrap();
    assert_eq!((mask.image.pixel(95, 80)[0], mask.image.pixel(89, 80)[0]), (0, 255));

    let photo = bottom(&session);
    let (copied, origin) = paint::copy(session.document(), Some(photo)).unwrap();
    assert_eq!((copied.size(), origin), (Size::new(70, 30), (90, 70)));
    let pixels = pattern(SIZE, Depth::U16);
    assert_eq!(copied, pixels.crop(IRect::new(90, 70, 160, 100)));
    let (merged, _) = paint::copy(session.document(), None).unwrap();
    assert_eq!(merged, shown(&session).crop(IRect::new(90, 70, 160, 100)));
    let step = paint::layer_via_copy(session.document(), photo);
    perform(&mut session, step);
    let new = session.document().active_layer().unwrap().raster_content().unwrap().clone();
    assert_eq!((new.origin, new.image.to_buf()), ((90, 70), copied.clone()));
    let step = paint::paste(session.document(), &copied.to_depth(Depth::U8), None, Synthesis::None);
    perform(&mut session, Ok(step));
    let pasted = session.document().active_layer().unwrap().raster_content().unwrap().clone();
    assert_eq!((pasted.origin, pasted.image.depth()), ((115, 120), Depth::U16));
}

#[test]
fn locked_layers_refuse() {
    let mut session = session(Depth::U8);
    let id = top(&session);
    let step = layers::set_props(session.document(), id, "Lock", |props| props.locked = true);
    perform(&mut session, step);
    let document = session.document();
    let op = ops::find("invert").unwrap();
    let refused = [
        adjust::apply(document, id, op, &Params::default(), &Processor),
        layers::delete(document, id),
        layers::merge_down(document, id),
        masks::delete(document, id),
        masks::add(document, id, NewMask::HideAll),
        paint::fill(document, id, [0.0; 3]),
        paint::clear(document, id),
    ];
    for step in refused {
        assert!(matches!(step, Err(CommandError::Locked(_))), "{step:?}");
    }
    let group = Layer::new("group", LayerKind::Group(Vec::new()));
    let empty = group.id;
    let insert = Edit::Insert { layer: Arc::new(group), parent: None, index: 0 };
    session.perform("group", [insert]).unwrap();
    let step = paint::fill(session.document(), empty, [0.0; 3]);
    assert!(matches!(step, Err(CommandError::NoPixels(_))));
}
