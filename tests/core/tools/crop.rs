//! The crop tool.

use std::sync::Arc;

use ganvas::compose;
use ganvas::document::{Edit, Layer};
use ganvas::geom::{IRect, Size};
use ganvas::params::Value;
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use ganvas::tools::{Cursor, Key, Modifiers, Pointer, Shape, ToolEvent};

use super::{Bench, mask, select};

const SIZE: Size = Size::new(400, 300);

/// The box as the overlay shows it.
fn frame(bench: &Bench) -> IRect {
    let shapes = bench.tool.overlay(&bench.context());
    let shade = shapes.iter().find_map(|shape| match shape {
        Shape::Shade { min, max } => Some((min, max)),
        _ => None,
    });
    let (min, max) = shade.unwrap();
    IRect::new(min.x as i32, min.y as i32, max.x as i32, max.y as i32)
}

/// A picture in which every pixel is different, with a second layer, a mask and a selection.
fn busy_picture(tool: &str) -> Bench {
    let (mut bench, id) = Bench::on_grey(tool, SIZE, Depth::U16);
    let mut raster = bench.layer(id).raster_content().unwrap().clone();
    let mut buf = PixelBuf::new(SIZE, 4, Depth::U16);
    for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
        buf.set_pixel_f32(x, y, [x as f32 / 400.0, y as f32 / 300.0, 0.5, 1.0]);
    }
    raster.image.write(&buf, (0, 0));
    let mut top =
        Layer::raster("top", TiledImage::from_buf(&buf.crop(IRect::new(0, 0, 90, 80))), (50, 40));
    top.props.opacity = 0.5;
    let mut hole = mask(Size::new(90, 80), 255);
    hole.origin = (50, 40);
    hole.image.write(&PixelBuf::new(Size::new(30, 30), 1, Depth::U8), (10, 10));
    top.mask = Some(hole);
    let edits = [
        Edit::SetRaster { id, raster, damage: SIZE.rect() },
        Edit::Insert { layer: Arc::new(top), parent: None, index: 1 },
    ];
    bench.session.perform("picture", edits).unwrap();
    select(&mut bench.session, (60.0, 50.0), (200.0, 210.0));
    bench
}

#[test]
fn enter_crops_exactly() {
    for delete in [false, true] {
        let mut bench = busy_picture("crop");
        bench.set("delete", Value::Bool(delete));
        let whole = compose::flatten(bench.session.document(), SIZE.rect());
        let before = bench.session.document().clone();
        bench.stroke(&[(70.2, 45.4), (300.0, 200.0), (331.0, 262.0)]);
        let rect = IRect::new(70, 45, 331, 262);
        assert_eq!(frame(&bench), rect);
        assert!(bench.tool.is_busy() && bench.steps() == 2);
        bench.send(ToolEvent::Confirm);
        let document = bench.session.document();
        assert_eq!(document.size, rect.size());
        assert_eq!(compose::flatten(document, document.size.rect()), whole.crop(rect));
        let selection = document.selection.as_ref().unwrap().to_buf();
        assert_eq!(selection, before.selection.as_ref().unwrap().to_buf().crop(rect));
        assert_eq!(bench.steps(), 3);
        assert!(!bench.tool.is_busy());
        let outside = compose::flatten(document, IRect::new(-20, 0, 0, 20)).has_transparency();
        assert_eq!(outside, delete, "hidden pixels stay unless deleted");
        bench.session.undo().unwrap();
        assert_eq!(compose::flatten(bench.session.document(), SIZE.rect()), whole);
    }
}

#[test]
fn esc_gives_up_step_by_step() {
    let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
    bench.stroke(&[(50.0, 50.0), (150.0, 150.0)]);
    let drawn = frame(&bench);
    bench.send(ToolEvent::Press(Pointer::at(150.0, 150.0)));
    bench.send(ToolEvent::Drag(Pointer::at(200.0, 250.0)));
    assert_eq!(frame(&bench), IRect::new(50, 50, 200, 250));
    bench.send(ToolEvent::Cancel);
    assert_eq!(frame(&bench), drawn, "the first Esc gives up the drag");
    bench.send(ToolEvent::Cancel);
    assert_eq!(frame(&bench), SIZE.rect(), "the second the box");
    bench.send(ToolEvent::Confirm);
    assert_eq!(bench.steps(), 0);
}

#[test]
fn grips_pull_sides_and_the_middle_moves() {
    let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
    bench.stroke(&[(100.0, 100.0), (200.0, 200.0)]);
    bench.stroke(&[(100.0, 150.0), (60.0, 10.0)]);
    assert_eq!(frame(&bench), IRect::new(60, 100, 200, 200), "a side keeps the others");
    bench.stroke(&[(200.0, 100.0), (220.0, 50.0)]);
    assert_eq!(frame(&bench), IRect::new(60, 50, 220, 200), "a corner takes two");
    bench.stroke(&[(120.0, 120.0), (1000.0, 130.0)]);
    assert_eq!(frame(&bench), IRect::new(240, 60, 400, 210), "moving stops at the border");
    bench.stroke(&[(240.0, 130.0), (900.0, 130.0)]);
    assert_eq!(frame(&bench).width(), 1, "a side cannot pass its opposite");
    // Grips keep their size on the screen.
    bench.zoom = 0.1;
    bench.send(ToolEvent::Cancel);
    bench.stroke(&[(100.0, 100.0), (300.0, 290.0)]);
    bench.send(ToolEvent::Hover(Pointer::at(60.0, 195.0)));
    assert_eq!(bench.tool.cursor(&bench.context()), Cursor::ResizeHorizontal);
    bench.zoom = 4.0;
    bench.send(ToolEvent::Hover(Pointer::at(60.0, 195.0)));
    assert_eq!(bench.tool.cursor(&bench.context()), Cursor::Crosshair);
}

#[test]
fn ratios_hold_whatever_is_pulled() {
    let ratios =
        [("1:1", 1.0), ("4:5", 0.8), ("3:2", 1.5), ("4:3", 4.0 / 3.0), ("16:9", 16.0 / 9.0)];
    for (name, ratio) in ratios {
        for swap in [false, true] {
            let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
            bench.set("ratio", Value::Choice(name.into()));
            bench.set("swap", Value::Bool(swap));
            let ratio = if swap { 1.0 / ratio } else { ratio };
            let check = |bench: &Bench, what: &str| {
                let rect = frame(bench);
                assert!(SIZE.rect().contains_rect(rect), "{rect:?}");
                // Half a pixel of rounding on either side.
                let off = (rect.width() as f32 - rect.height() as f32 * ratio).abs();
                assert!(off <= 0.5 + 0.5 * ratio + 1e-3, "{name} {swap} after {what}: {rect:?}");
            };
            check(&bench, "choosing it");
            bench.stroke(&[(90.0, 80.0), (210.0, 170.0)]);
            check(&bench, "a new box");
            let rect = frame(&bench);
            bench.stroke(&[(rect.x1 as f32, rect.y1 as f32), (380.0, 390.0)]);
            check(&bench, "a corner");
            let rect = frame(&bench);
            bench.stroke(&[(rect.x0 as f32, (rect.y0 + rect.y1) as f32 / 2.0), (-40.0, 100.0)]);
            check(&bench, "a side");
            let rect = frame(&bench);
            bench.stroke(&[((rect.x0 + rect.x1) as f32 / 2.0, rect.y0 as f32), (70.0, 20.0)]);
            check(&bench, "the top");
        }
    }
    let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
    bench.set("ratio", Value::Choice("Original".into()));
    assert_eq!(frame(&bench), SIZE.rect());
    bench.stroke(&[(20.0, 20.0), (220.0, 110.0)]);
    assert_eq!(frame(&bench).size(), Size::new(200, 150));
}

#[test]
fn keys_swap_the_ratio_and_cycle_the_guides() {
    let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
    bench.set("ratio", Value::Choice("16:9".into()));
    assert!(frame(&bench).width() > frame(&bench).height());
    let wide = bench.params.clone();
    bench.send(ToolEvent::Key(Key::X, Modifiers::default()));
    assert_ne!(bench.params, wide);
    assert!(frame(&bench).width() < frame(&bench).height());
    let lines = |bench: &Bench| {
        let shapes = bench.tool.overlay(&bench.context());
        shapes.iter().filter(|shape| matches!(shape, Shape::Line { .. })).count()
    };
    // Four sides, and two lines each way at the thirds.
    assert_eq!(lines(&bench), 4 + 4);
    bench.send(ToolEvent::Key(Key::O, Modifiers::default()));
    assert_eq!(lines(&bench), 4 + 14);
    bench.send(ToolEvent::Key(Key::O, Modifiers::default()));
    assert_eq!(lines(&bench), 4);
}

/// A point of the canvas as the picture, turned clockwise about the canvas's middle, has it.
fn in_picture((x, y): (i32, i32), angle_deg: f32) -> (f32, f32) {
    let (x, y) = (x as f32 - 200.0, y as f32 - 150.0);
    let (sin, cos) = angle_deg.to_radians().sin_cos();
    (200.0 + cos * x + sin * y, 150.0 - sin * x + cos * y)
}

fn inside_turned(rect: IRect, angle_deg: f32) -> bool {
    [(rect.x0, rect.y0), (rect.x1, rect.y0), (rect.x0, rect.y1), (rect.x1, rect.y1)]
        .into_iter()
        .map(|corner| in_picture(corner, angle_deg))
        .all(|(x, y)| (-1.0..=401.0).contains(&x) && (-1.0..=301.0).contains(&y))
}

#[test]
fn straightening_keeps_the_box_inside_the_picture() {
    for angle in [-15.0f32, 3.0, 40.0] {
        let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
        bench.number("angle", f64::from(angle));
        let turn = bench.tool.turn().unwrap();
        assert_eq!((turn.center.x, turn.center.y, turn.angle_deg), (200.0, 150.0, angle));
        let largest = frame(&bench);
        assert!(inside_turned(largest, angle), "{angle}: {largest:?}");
        let grown = largest.grow(4);
        assert!(!inside_turned(grown, angle), "{angle}: {largest:?} could be larger");
        // Pulling a corner far out stops at the picture's edge.
        bench.stroke(&[(largest.x1 as f32, largest.y1 as f32), (395.0, 295.0)]);
        assert!(inside_turned(frame(&bench), angle), "{angle}: {:?}", frame(&bench));
        bench.stroke(&[(200.0, 150.0), (320.0, 60.0)]);
        assert!(inside_turned(frame(&bench), angle), "{angle}: {:?}", frame(&bench));
        // Back at rest the box that was made is whole again.
        bench.send(ToolEvent::Cancel);
        assert!(bench.tool.turn().is_none() && bench.params.float("angle") == 0.0);
        assert_eq!(frame(&bench), SIZE.rect());
    }
}

#[test]
fn enter_straightens_and_crops_in_one_step() {
    let mut bench = busy_picture("crop");
    let before = bench.session.document().clone();
    let steps = bench.steps();
    bench.number("angle", 10.0);
    let rect = frame(&bench);
    bench.send(ToolEvent::Confirm);
    let document = bench.session.document();
    assert_eq!((document.size, bench.steps()), (rect.size(), steps + 1));
    assert!(bench.tool.turn().is_none());
    let result = compose::flatten(document, document.size.rect());
    assert!(!result.has_transparency(), "the box held a corner without picture");
    // Far from the second layer's edges the gradient says where a pixel came from.
    for (x, y) in [(20, 20), (200, 40), (60, 180), (190, 170)] {
        let source = in_picture((rect.x0 + x, rect.y0 + y), 10.0);
        let have = result.pixel_f32(x as u32, y as u32);
        if have[2] != 0.5 {
            continue;
        }
        let want = [source.0 / 400.0, source.1 / 300.0];
        assert!((have[0] - want[0]).abs() < 0.01 && (have[1] - want[1]).abs() < 0.01, "{x},{y}");
    }
    bench.session.undo();
    assert_eq!(bench.session.document().revision(), before.revision());
}

#[test]
fn a_custom_ratio_is_its_own_two_numbers() {
    let (mut bench, _) = Bench::on_grey("crop", SIZE, Depth::U8);
    assert!(!bench.tool.shows("ratio_width", &bench.params));
    bench.set("ratio", Value::Choice("Custom".into()));
    assert!(bench.tool.shows("ratio_width", &bench.params));
    bench.number("ratio_width", 3.0);
    bench.number("ratio_height", 1.0);
    assert_eq!(frame(&bench).size(), Size::new(400, 133));
}
