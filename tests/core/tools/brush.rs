//! Brush and eraser.

use ganvas::document::{Edit, Layer, Raster};
use ganvas::geom::{IRect, Point, Size};
use ganvas::params::Value;
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use ganvas::tools::coverage::{Coverage, Dab};
use ganvas::tools::{PaintTarget, Pointer, ToolEvent};

use super::{ALT, Bench, SHIFT, mask, select};

const SIZE: Size = Size::new(600, 300);
const PATH: &[(f32, f32)] = &[(100.0, 150.0), (300.5, 160.25), (400.0, 40.0), (120.0, 150.0)];

#[test]
fn opacity_caps_a_stroke_and_strokes_add_up() {
    for depth in [Depth::U8, Depth::U16] {
        let (mut bench, id) = Bench::on_grey("brush", SIZE, depth);
        bench.number("opacity", 50.0);
        bench.number("hardness", 100.0);
        bench.number("flow", 30.0);
        // Back and forth many times: far more paint than the cap.
        let path: Vec<_> =
            (0..40).map(|i| (if i % 2 == 0 { 100.0 } else { 300.0 }, 150.0)).collect();
        bench.stroke(&path);
        let max = f32::from(depth.max());
        let (old, grey) = (depth.max() / 2, f32::from(depth.max() / 2));
        let half = |from: f32, to: f32| f32::midpoint(from, to);
        let near = |have: u16, want: f32| (f32::from(have) - want).abs() <= 1.0 + max * 1e-3;
        let once = bench.image(id).pixel(200, 150);
        assert!(near(once[0], half(grey, max)) && near(once[1], half(grey, 0.0)), "{once:?}");
        assert_eq!(once[3], depth.max());
        bench.stroke(&path);
        let twice = bench.image(id).pixel(200, 150);
        assert!(near(twice[0], half(half(grey, max), max)), "{twice:?}");
        assert_eq!(bench.image(id).pixel(200, 200), [old, old, old, depth.max()]);
        assert_eq!(bench.steps(), 2, "one stroke is one step");
    }
}

#[test]
fn flow_builds_up_within_a_stroke() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    bench.number("flow", 10.0);
    bench.send(ToolEvent::Press(Pointer::at(200.5, 150.5)));
    let first = bench.image(id).pixel(200, 150)[0];
    // 127 + 0.1 * 128 = 139.8
    assert!((138..=141).contains(&first), "{first}");
    bench.send(ToolEvent::Drag(Pointer::at(220.0, 150.5)));
    bench.send(ToolEvent::Release(Pointer::at(200.0, 150.5)));
    assert!(bench.image(id).pixel(200, 150)[0] > first + 10);
}

/// The imprint as documented, by an independent formula, at every pixel of one dab.
#[test]
fn a_dab_has_the_documented_profile() {
    for hardness in [0.0f32, 0.5, 1.0] {
        let radius_px = 20.0;
        let center = Point::new(150.3, 99.8);
        let dab = Dab { center, radius_px, hardness, opacity: 0.8, flow: 1.0 };
        let mut coverage = Coverage::new(SIZE);
        coverage.stamp(&[dab]);
        let profile = |distance: f32| {
            let (inner, outer) = ((20.0 * hardness).min(19.5), 20.5);
            let t = 1.0 - ((distance - inner) / (outer - inner)).clamp(0.0, 1.0);
            3.0 * t.powi(2) - 2.0 * t.powi(3)
        };
        let worst = |wrong: f32| {
            let mut worst = 0.0f32;
            let mut row = vec![0.0; SIZE.width as usize];
            for y in 0..SIZE.height as i32 {
                coverage.read_row(0, y, &mut row);
                for (x, have) in row.iter().enumerate() {
                    let at = Point::new(x as f32 + 0.5, y as f32 + 0.5);
                    worst = worst.max((have - 0.8 * profile(at.distance(center) * wrong)).abs());
                }
            }
            worst
        };
        assert!(worst(1.0) < 1e-4, "hardness {hardness}: {}", worst(1.0));
        assert!(worst(1.05) > 0.01, "the comparison must notice a wrong radius");
    }
}

#[test]
fn bytes_outside_the_selection_and_the_stroke_stay() {
    for (depth, erase) in [(Depth::U8, false), (Depth::U16, false), (Depth::U16, true)] {
        let tool = if erase { "eraser" } else { "brush" };
        let (mut bench, id) = Bench::on_grey(tool, SIZE, depth);
        select(&mut bench.session, (150.0, 100.0), (280.0, 200.0));
        let before = bench.image(id);
        bench.damage = IRect::EMPTY;
        bench.stroke(PATH);
        let after = bench.image(id);
        assert!(!after.same_tiles(&before));
        let selected = IRect::new(150, 100, 280, 200);
        for y in 0..SIZE.height as i32 {
            for x in 0..SIZE.width as i32 {
                if !selected.contains(x, y) || !bench.damage.contains(x, y) {
                    assert_eq!(after.pixel(x, y), before.pixel(x, y), "at {x},{y}");
                }
            }
        }
        // Where the stroke lies inside the selection it acted.
        assert_ne!(after.pixel(200, 155), before.pixel(200, 155));
        // Tiles without a touched pixel are the tiles from before.
        let right = |image: &TiledImage| image.tile(2, 0).map(|tile| tile.id());
        assert_eq!(right(&after), right(&before));
    }
}

#[test]
fn esc_restores_the_very_tiles() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    let before = bench.image(id);
    bench.send(ToolEvent::Press(Pointer::at(100.0, 100.0)));
    bench.send(ToolEvent::Drag(Pointer::at(300.0, 100.0)));
    assert!(bench.tool.is_busy() && !bench.image(id).same_tiles(&before));
    bench.send(ToolEvent::Cancel);
    assert!(bench.image(id).same_tiles(&before));
    assert_eq!(bench.steps(), 0);
    // The release that follows Esc does nothing.
    bench.send(ToolEvent::Release(Pointer::at(300.0, 100.0)));
    assert_eq!(bench.steps(), 0);
    bench.stroke(PATH);
    let painted = bench.image(id);
    bench.session.undo().unwrap();
    assert!(bench.image(id).same_tiles(&before));
    bench.session.redo().unwrap();
    assert!(bench.image(id).same_tiles(&painted));
}

/// The result must not depend on how the path is cut into events.
#[test]
fn strokes_do_not_depend_on_event_rate() {
    let paint = |cuts: usize| {
        let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U16);
        bench.number("flow", 40.0);
        let path: Vec<_> =
            (0..=cuts).map(|i| (50.0 + 400.0 * i as f32 / cuts as f32, 120.0)).collect();
        bench.stroke(&path);
        bench.image(id).to_buf()
    };
    let (coarse, fine) = (paint(1), paint(64));
    let distance = |a: &PixelBuf, b: &PixelBuf| {
        let values =
            (0..a.samples().len()).map(|i| a.samples().get(i).abs_diff(b.samples().get(i)));
        values.max().unwrap()
    };
    assert!(distance(&coarse, &fine) < 40, "{}", distance(&coarse, &fine));
}

#[test]
fn shift_click_paints_a_line_from_the_last_end() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    bench.stroke(&[(50.0, 50.0)]);
    bench.stroke_with(&[(450.0, 250.0)], SHIFT);
    assert_eq!(bench.image(id).pixel(250, 150)[0], 255, "the middle of the line");
    assert_eq!(bench.steps(), 2);
    // Without Shift only the click itself.
    bench.stroke(&[(50.0, 250.0)]);
    assert_eq!(bench.image(id).pixel(250, 260)[0], 127);
}

#[test]
fn pressure_sets_size_and_opacity() {
    let width = |pressure: f32, opacity: bool| {
        let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
        bench.set("pressure_opacity", Value::Bool(opacity));
        bench.set("pressure_size", Value::Bool(!opacity));
        let at = Pointer::at(200.5, 150.5).with_pressure(pressure);
        bench.send(ToolEvent::Press(at));
        bench.send(ToolEvent::Release(at));
        let image = bench.image(id);
        let reach = (0..SIZE.width as i32).filter(|&x| image.pixel(x, 150)[0] > 127).count();
        (reach, image.pixel(200, 150)[0])
    };
    let (full, _) = width(1.0, false);
    let (half, strong) = width(0.5, false);
    assert!(full.abs_diff(2 * half) <= 3, "{full} {half}");
    assert_eq!(strong, 255);
    let (reach, weak) = width(0.5, true);
    assert_eq!(reach, full);
    assert!((190..=192).contains(&weak), "{weak}");
}

#[test]
fn painting_beyond_a_small_layer_grows_it() {
    let (mut bench, _) = Bench::on_grey("brush", SIZE, Depth::U8);
    let image =
        TiledImage::from_buf(&PixelBuf::filled(Size::new(40, 40), 4, Depth::U8, [0, 0, 255, 255]));
    let small = Layer::raster("small", image, (280, 130));
    let id = small.id;
    let insert = Edit::Insert { layer: small.into(), parent: None, index: 1 };
    bench.session.perform("insert", [insert]).unwrap();
    bench.number("hardness", 100.0);
    bench.stroke(&[(100.0, 150.0), (300.0, 150.0)]);
    let layer = bench.layer(id);
    let raster = layer.raster_content().unwrap();
    assert!(raster.bounds().contains_rect(SIZE.rect()));
    let pixel = |x: i32, y: i32| raster.image.pixel(x - raster.origin.0, y - raster.origin.1);
    assert_eq!(pixel(150, 150), [255, 0, 0, 255], "paint outside the old extent");
    assert_eq!(pixel(300, 150), [255, 0, 0, 255], "and inside");
    assert_eq!(pixel(318, 168)[..], [0, 0, 255, 255], "old pixels keep their place");
    assert_eq!(pixel(10, 10), [0; 4]);
}

#[test]
fn the_mask_is_painted_and_the_pixels_are_not() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U16);
    bench.target = PaintTarget::Mask;
    bench.foreground = [0.0; 3];
    bench.stroke(PATH);
    assert_eq!(bench.notices, ["'photo' has no mask"]);
    let edit = Edit::SetMask { id, mask: Some(mask(SIZE, 255)), damage: SIZE.rect() };
    bench.session.perform("mask", [edit]).unwrap();
    let before = bench.image(id);
    bench.number("hardness", 100.0);
    bench.stroke(&[(100.0, 150.0), (300.0, 150.0)]);
    let value = |bench: &Bench, x| bench.layer(id).mask.as_ref().unwrap().image.pixel(x, 150)[0];
    assert_eq!((value(&bench, 200), value(&bench, 400)), (0, 255));
    assert!(bench.image(id).same_tiles(&before));

    let mut eraser = Bench::new("eraser", bench.session.document().clone());
    eraser.target = PaintTarget::Mask;
    eraser.stroke(&[(100.0, 150.0), (300.0, 150.0)]);
    assert_eq!(value(&eraser, 200), 255, "the eraser paints with the background's white");
}

#[test]
fn erasing_takes_alpha_and_keeps_colour() {
    let (mut bench, id) = Bench::on_grey("eraser", SIZE, Depth::U16);
    bench.number("opacity", 25.0);
    bench.number("hardness", 100.0);
    bench.stroke(&[(100.0, 150.0), (300.0, 150.0)]);
    let [r, _, _, a] = bench.image(id).pixel(200, 150);
    assert_eq!(r, 32_767);
    assert!(a.abs_diff(49_151) <= 2, "{a}");
}

#[test]
fn locked_hidden_and_empty_targets_say_why() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    let mut props = bench.layer(id).props.clone();
    props.locked = true;
    bench.session.perform("lock", [Edit::SetProps { id, props: props.clone() }]).unwrap();
    bench.stroke(PATH);
    props.locked = false;
    props.visible = false;
    bench.session.perform("hide", [Edit::SetProps { id, props }]).unwrap();
    bench.stroke(PATH);
    bench.session.perform("delete", [Edit::Remove(id)]).unwrap();
    bench.stroke(PATH);
    assert_eq!(
        bench.notices,
        ["'photo' is locked", "'photo' is hidden", "Choose a layer to paint on"]
    );
    assert_eq!(bench.steps(), 3);
}

#[test]
fn alt_picks_the_colour_beneath() {
    let (mut bench, _) = Bench::on_grey("brush", SIZE, Depth::U8);
    bench.stroke_with(&[(10.0, 10.0)], ALT);
    assert!((bench.foreground[0] - 127.0 / 255.0).abs() < 1e-6);
    assert_eq!(bench.steps(), 0);
}

/// Prints how long the parts of a stroke take on a large picture; the numbers are for the eye,
/// the assertion is on the work done.
#[test]
fn a_stroke_on_a_large_picture_touches_few_tiles() {
    let size = Size::new(6000, 4000);
    let (mut bench, id) = Bench::on_grey("brush", size, Depth::U8);
    for (width, path) in [(60.0f32, 12.0), (400.0, 40.0)] {
        bench.number("size", f64::from(width));
        let before = bench.image(id);
        let mut worst = std::time::Duration::ZERO;
        let mut total = std::time::Duration::ZERO;
        bench.send(ToolEvent::Press(Pointer::at(1000.0, 1000.0)));
        for i in 1..100 {
            let start = std::time::Instant::now();
            bench.send(ToolEvent::Drag(Pointer::at(
                1000.0 + path * i as f32,
                1000.0 + 3.0 * i as f32,
            )));
            worst = worst.max(start.elapsed());
            total += start.elapsed();
        }
        bench.send(ToolEvent::Release(Pointer::at(1000.0 + path * 99.0, 1297.0)));
        println!("brush {width} px at 24 MP: {:?} an event, worst {worst:?}", total / 99);
        let after = bench.image(id);
        let changed = after.tile_ids().zip(before.tile_ids()).filter(|(a, b)| a != b).count();
        let length = path * 99.0 + width;
        let touched = (length / 256.0 + 2.0) * ((297.0 + width) / 256.0 + 2.0);
        assert!((changed as f32) < touched, "{changed} tiles for {touched}");
    }
}

#[test]
fn a_stroke_on_a_generated_or_moved_layer_lands_under_the_pointer() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    let image = bench.image(id);
    let raster = Raster::new(image, (37, -21));
    let edit = Edit::SetRaster { id, raster, damage: SIZE.rect() };
    bench.session.perform("move", [edit]).unwrap();
    bench.number("size", 9.0);
    bench.stroke(&[(200.5, 100.5)]);
    let shown = ganvas::compose::sample(bench.session.document(), 200, 100);
    assert_eq!(shown, [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn smoothing_pulls_the_brush_on_a_string() {
    // A trembling hand: up and down by six pixels on its way to the right.
    let path: Vec<_> =
        (0..60).map(|i| (100.0 + 5.0 * i as f32, if i % 2 == 0 { 144.0 } else { 156.0 })).collect();
    let spread = |smoothing: f64| {
        let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
        bench.number("size", 4.0);
        bench.number("hardness", 100.0);
        bench.number("smoothing", smoothing);
        bench.stroke(&path);
        assert_eq!(bench.steps(), 1);
        let image = bench.image(id);
        let painted = |x: i32, y: i32| image.pixel(x, y)[0] > 140;
        let column: Vec<_> = (0..300).filter(|y| (250..262).any(|x| painted(x, *y))).collect();
        let end = (0..600).rev().find(|x| (0..300).any(|y| painted(*x, y))).unwrap();
        (column[column.len() - 1] - column[0], end)
    };
    let (trembling, far) = spread(0.0);
    let (steady, near) = spread(50.0);
    assert!(trembling >= 12 && steady <= 6, "{trembling} and {steady} pixels high");
    // 50 % is a string of 40 points, and the brush ends that far behind the pointer at (395, 156).
    assert!((395..=399).contains(&far), "{far}");
    assert!((355..=360).contains(&near), "{near}");
}

#[test]
fn smoothing_is_measured_on_the_screen_and_leaves_lines_alone() {
    let (mut bench, id) = Bench::on_grey("brush", SIZE, Depth::U8);
    bench.number("size", 4.0);
    bench.number("smoothing", 50.0);
    bench.zoom = 8.0;
    bench.stroke(&[(50.0, 50.0), (150.0, 50.0)]);
    // Forty points are five pixels at 800 %.
    let end = (0..600).rev().find(|x| bench.image(id).pixel(*x, 50)[0] > 140).unwrap();
    assert!((144..=147).contains(&end), "{end}");
    bench.stroke_with(&[(150.0, 200.0)], SHIFT);
    assert!(bench.image(id).pixel(150, 200)[0] > 200, "the line reaches the pointer");
    assert!(bench.image(id).pixel(147, 125)[0] > 200, "from where the brush was");
}
