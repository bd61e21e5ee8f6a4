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
