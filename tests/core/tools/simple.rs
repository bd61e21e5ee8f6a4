//! Move, eyedropper, hand and zoom.

use ganvas::document::Edit;
use ganvas::geom::{IRect, Point, Size};
use ganvas::params::Value;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::tools::{Cursor, Key, Modifiers, Pointer, ToolCommand, ToolEvent};

use super::{ALT, Bench, SHIFT, mask, select};

const SIZE: Size = Size::new(120, 100);

#[test]
fn moving_takes_the_mask_along_and_shift_keeps_an_axis() {
    let (mut bench, id) = Bench::on_grey("move", SIZE, Depth::U8);
    let edit = Edit::SetMask { id, mask: Some(mask(SIZE, 200)), damage: SIZE.rect() };
    bench.session.perform("mask", [edit]).unwrap();
    let tiles = bench.image(id);
    bench.stroke(&[(10.0, 10.0), (30.0, 20.0), (37.4, 25.6)]);
    let origins = |bench: &Bench| {
        let layer = bench.layer(id);
        (layer.raster_content().unwrap().origin, layer.mask.as_ref().unwrap().origin)
    };
    assert_eq!(origins(&bench), ((27, 16), (27, 16)));
    assert!(bench.image(id).same_tiles(&tiles), "moving copies no pixel");
    bench.stroke_with(&[(0.0, 0.0), (3.0, -20.0)], SHIFT);
    assert_eq!(origins(&bench).0, (27, -4));
    assert_eq!(bench.steps(), 3);
    // There and back again is no step.
    bench.stroke(&[(0.0, 0.0), (30.0, 0.0), (0.0, 0.0)]);
    bench.stroke(&[(5.0, 5.0)]);
    assert_eq!((bench.steps(), bench.session.in_progress()), (3, None));
}

#[test]
fn arrow_keys_nudge_and_esc_puts_back() {
    let (mut bench, id) = Bench::on_grey("move", SIZE, Depth::U8);
    let origin = |bench: &Bench| bench.layer(id).raster_content().unwrap().origin;
    bench.send(ToolEvent::Key(Key::Left, Modifiers::default()));
    bench.send(ToolEvent::Key(Key::Down, SHIFT));
    assert_eq!((origin(&bench), bench.steps()), ((-1, 10), 2));
    bench.send(ToolEvent::Press(Pointer::at(0.0, 0.0)));
    bench.send(ToolEvent::Drag(Pointer::at(50.0, 50.0)));
    assert_eq!(origin(&bench), (49, 60));
    bench.send(ToolEvent::Cancel);
    assert_eq!((origin(&bench), bench.steps()), ((-1, 10), 2));

    let mut props = bench.layer(id).props.clone();
    props.locked = true;
    bench.session.perform("lock", [Edit::SetProps { id, props }]).unwrap();
    bench.stroke(&[(0.0, 0.0), (9.0, 9.0)]);
    assert_eq!(bench.notices, ["'photo' is locked"]);
    assert_eq!(bench.tool.cursor(&bench.context()), Cursor::Forbidden);
}

#[test]
fn selected_pixels_move_alone_and_come_back() {
    let (mut bench, id) = Bench::on_grey("move", SIZE, Depth::U16);
    let mut raster = bench.layer(id).raster_content().unwrap().clone();
    let red = [65_535, 9, 77, 65_535];
    raster.image.write(&PixelBuf::filled(Size::new(8, 6), 4, Depth::U16, red), (12, 20));
    bench.session.perform("dot", [Edit::SetRaster { id, raster, damage: SIZE.rect() }]).unwrap();
    select(&mut bench.session, (10.0, 20.0), (30.0, 40.0));
    let before = bench.image(id);
    let steps = bench.steps();
    bench.stroke(&[(15.0, 15.0), (100.0, 90.0), (55.0, 20.0)]);
    let after = bench.image(id);
    let (from, to) = (IRect::new(10, 20, 30, 40), IRect::new(50, 25, 70, 45));
    assert_eq!(after.read(to), before.read(from), "the pixels arrive as they were");
    for (x, y) in (0..100).flat_map(|y| (0..120).map(move |x| (x, y))) {
        if from.contains(x, y) {
            assert_eq!(after.pixel(x, y)[3], 0, "a hole is left at {x},{y}");
        } else if !to.contains(x, y) {
            assert_eq!(after.pixel(x, y), before.pixel(x, y), "{x},{y}");
        }
        assert_eq!(bench.selected(x, y) == 255, to.contains(x, y), "the selection goes along");
    }
    assert_eq!(bench.steps(), steps + 1);
    bench.session.undo().unwrap();
    assert!(bench.image(id).same_tiles(&before));
    // Half way and back is no step; Esc leaves no trace.
    bench.stroke(&[(15.0, 15.0), (60.0, 60.0), (15.0, 15.0)]);
    bench.send(ToolEvent::Press(Pointer::at(15.0, 15.0)));
    bench.send(ToolEvent::Drag(Pointer::at(45.0, 15.0)));
    bench.send(ToolEvent::Cancel);
    assert!(bench.image(id).same_tiles(&before));
    assert_eq!(bench.steps(), steps);
    assert_eq!(bench.selected(15, 25), 255);
}

#[test]
fn the_eyedropper_reads_what_is_shown() {
    let (mut bench, id) = Bench::on_grey("eyedropper", SIZE, Depth::U8);
    let mut raster = bench.layer(id).raster_content().unwrap().clone();
    raster
        .image
        .write(&PixelBuf::filled(Size::new(1, 1), 4, Depth::U8, [255, 0, 51, 255]), (50, 50));
    bench.session.perform("dot", [Edit::SetRaster { id, raster, damage: SIZE.rect() }]).unwrap();
    bench.stroke(&[(50.9, 50.1)]);
    assert_eq!(bench.foreground.map(|v| (v * 255.0).round() as u8), [255, 0, 51]);
    bench.stroke_with(&[(51.0, 50.0)], ALT);
    assert!((bench.background[0] - 127.0 / 255.0).abs() < 1e-6);
    bench.set("sample", Value::Choice("3x3".into()));
    bench.stroke(&[(50.0, 50.0)]);
    let want = (255.0 + 8.0 * 127.0) / 9.0 / 255.0;
    assert!((bench.foreground[0] - want).abs() < 1e-5, "{}", bench.foreground[0]);
    bench.stroke(&[(-5.0, 50.0)]);
    assert!((bench.foreground[0] - want).abs() < 1e-5, "nothing is picked outside");
}

#[test]
fn the_hand_keeps_its_point_under_the_pointer() {
    let (mut bench, _) = Bench::on_grey("hand", SIZE, Depth::U8);
    bench.send(ToolEvent::Press(Pointer::at(10.0, 10.0)));
    assert_eq!(bench.tool.cursor(&bench.context()), Cursor::Grabbing);
    bench.send(ToolEvent::Drag(Pointer::at(14.0, 7.0)));
    bench.send(ToolEvent::Release(Pointer::at(10.0, 10.0)));
    assert!(matches!(bench.views[..], [ToolCommand::Pan { dx: 4.0, dy: -3.0 }]));
}

#[test]
fn zoom_clicks_step_and_drags_scrub_about_the_start() {
    let (mut bench, _) = Bench::on_grey("zoom", SIZE, Depth::U8);
    bench.stroke(&[(10.0, 20.0)]);
    bench.stroke_with(&[(30.0, 40.0)], ALT);
    let about = |x, y| Point::new(x, y);
    let step = |command: &ToolCommand, at: Point, by: i32| matches!(command, ToolCommand::ZoomStep { about, steps } if *about == at && *steps == by);
    assert!(step(&bench.views[0], about(10.0, 20.0), 1));
    assert!(step(&bench.views[1], about(30.0, 40.0), -1));
    bench.views.clear();
    // The window zooms as asked, so that later drags come in with the new zoom.
    bench.send(ToolEvent::Press(Pointer::at(50.0, 50.0)));
    let mut product = 1.0;
    for way in [30.0, 60.0, 120.0] {
        bench.zoom = product;
        bench.send(ToolEvent::Drag(Pointer::at(50.0 + way / product, 50.0)));
        let Some(ToolCommand::ZoomBy { factor, about }) = bench.views.pop() else { panic!() };
        assert_eq!(about, Point::new(50.0, 50.0));
        product *= factor;
    }
    assert!((product - 2.0).abs() < 1e-3, "120 points double the zoom: {product}");
    bench.send(ToolEvent::Release(Pointer::at(90.0, 50.0)));
    assert!(bench.views.is_empty(), "a drag is no click");
}
