//! Marquee, ellipse and lasso.

use ganvas::commands::selection::{self, Mode};
use ganvas::commands::shapes::Shape;
use ganvas::geom::{IRect, Point, Size};
use ganvas::params::Value;
use ganvas::pixels::{Depth, TiledImage};
use ganvas::tools::{Modifiers, Pointer, ToolEvent};

use super::{ALT, Bench, SHIFT};

const SIZE: Size = Size::new(300, 280);
const SPACE: Modifiers = Modifiers { shift: false, alt: false, command: false, space: true };
const BOTH: Modifiers = Modifiers { shift: true, alt: true, command: false, space: false };

/// The rectangle of pixels that are fully selected, all others not at all.
fn exact(bench: &Bench) -> Option<IRect> {
    let selection = bench.session.document().selection.as_ref()?;
    let mut rect = IRect::EMPTY;
    let mut count = 0;
    for y in 0..SIZE.height as i32 {
        for x in 0..SIZE.width as i32 {
            let value = selection.pixel(x, y)[0];
            assert!(value == 0 || value == 255, "{value} at {x},{y}");
            if value == 255 {
                rect = rect.union(IRect::new(x, y, x + 1, y + 1));
                count += 1;
            }
        }
    }
    assert_eq!(count, rect.size().pixels(), "the selection is no rectangle");
    Some(rect)
}

#[test]
fn a_box_selects_whole_pixels() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    bench.stroke(&[(250.4, 60.3), (100.0, 100.0), (20.6, 200.7)]);
    assert_eq!(exact(&bench), Some(IRect::new(21, 60, 250, 201)));
    assert_eq!(bench.steps(), 1);
    // Beyond the canvas it is cut.
    bench.stroke(&[(-50.0, -50.0), (30.0, 999.0)]);
    assert_eq!(exact(&bench), Some(IRect::new(0, 0, 30, 280)));
    // A click drops it, a second click has nothing to drop.
    bench.stroke(&[(9.0, 9.0)]);
    assert_eq!(exact(&bench), None);
    bench.stroke(&[(9.0, 9.0)]);
    assert_eq!(bench.steps(), 3);
}

#[test]
fn modifiers_choose_the_mode() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    bench.stroke(&[(10.0, 10.0), (100.0, 100.0)]);
    bench.stroke_with(&[(100.0, 10.0), (200.0, 100.0)], SHIFT);
    assert_eq!(exact(&bench), Some(IRect::new(10, 10, 200, 100)));
    bench.stroke_with(&[(10.0, 0.0), (50.0, 280.0)], ALT);
    assert_eq!(exact(&bench), Some(IRect::new(50, 10, 200, 100)));
    bench.stroke_with(&[(40.0, 30.0), (150.0, 300.0)], BOTH);
    assert_eq!(exact(&bench), Some(IRect::new(50, 30, 150, 100)));
    // Taking everything away leaves no selection at all.
    bench.stroke_with(&[(0.0, 0.0), (300.0, 280.0)], ALT);
    assert!(bench.session.document().selection.is_none());
    bench.set("mode", Value::Choice("Add".into()));
    bench.stroke(&[(10.0, 10.0), (20.0, 20.0)]);
    bench.stroke(&[(20.0, 10.0), (30.0, 20.0)]);
    assert_eq!(exact(&bench), Some(IRect::new(10, 10, 30, 20)));
}

#[test]
fn shift_makes_a_square_alt_draws_from_the_centre_space_moves() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    // With nothing to add to, Shift at the press already means a square.
    bench.stroke_with(&[(10.0, 10.0), (60.0, 30.0)], SHIFT);
    assert_eq!(exact(&bench), Some(IRect::new(10, 10, 60, 60)));
    // Pressed during the drag it shapes, though there is a selection.
    bench.send(ToolEvent::Press(Pointer::at(100.0, 100.0)));
    bench.send(ToolEvent::Drag(Pointer::at(110.0, 110.0)));
    bench.send(ToolEvent::Drag(Pointer::at(120.0, 130.0).with(ALT)));
    bench.send(ToolEvent::Release(Pointer::at(120.0, 130.0).with(ALT)));
    assert_eq!(exact(&bench), Some(IRect::new(80, 70, 120, 130)));
    bench.send(ToolEvent::Press(Pointer::at(0.0, 0.0)));
    bench.send(ToolEvent::Drag(Pointer::at(20.0, 30.0)));
    bench.send(ToolEvent::Drag(Pointer::at(120.0, 130.0).with(SPACE)));
    bench.send(ToolEvent::Release(Pointer::at(120.0, 130.0)));
    assert_eq!(exact(&bench), Some(IRect::new(100, 100, 120, 130)));
}

#[test]
fn esc_gives_up_the_box() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    bench.send(ToolEvent::Press(Pointer::at(10.0, 10.0)));
    bench.send(ToolEvent::Drag(Pointer::at(60.0, 60.0)));
    assert_eq!(bench.tool.overlay(&bench.context()).len(), 1);
    bench.send(ToolEvent::Cancel);
    assert!(bench.tool.overlay(&bench.context()).is_empty());
    bench.send(ToolEvent::Release(Pointer::at(60.0, 60.0)));
    assert_eq!(bench.steps(), 0);
}

/// Coverage of a pixel by counting a fine grid of points.
fn counted(inside: impl Fn(f32, f32) -> bool, x: i32, y: i32) -> f32 {
    const GRID: i32 = 32;
    let at = |base: i32, i: i32| base as f32 + (i as f32 + 0.5) / GRID as f32;
    let points = (0..GRID * GRID).filter(|i| inside(at(x, i % GRID), at(y, i / GRID)));
    points.count() as f32 / (GRID * GRID) as f32
}

fn worst(image: &TiledImage, inside: impl Fn(f32, f32) -> bool) -> f32 {
    let mut worst = 0.0f32;
    for y in 0..SIZE.height as i32 {
        for x in 0..SIZE.width as i32 {
            let want = counted(&inside, x, y) * 255.0;
            worst = worst.max((f32::from(image.pixel(x, y)[0]) - want).abs());
        }
    }
    worst
}

#[test]
fn ellipse_and_lasso_cover_edge_pixels_in_part() {
    let (mut bench, _) = Bench::on_grey("marquee_ellipse", SIZE, Depth::U8);
    bench.stroke(&[(20.0, 30.0), (270.0, 260.0)]);
    let image = bench.session.document().selection.clone().unwrap();
    let ellipse = |rx: f32| {
        move |x: f32, y: f32| ((x - 145.0) / rx).powi(2) + ((y - 145.0) / 115.0).powi(2) < 1.0
    };
    assert!(worst(&image, ellipse(125.0)) < 12.0, "{}", worst(&image, ellipse(125.0)));
    assert!(worst(&image, ellipse(123.0)) > 60.0, "the comparison must notice 2 pixels");

    let triangle = [(30.0, 20.0), (280.5, 90.25), (100.3, 270.0)];
    let mut bench = Bench::new("lasso", bench.session.document().clone());
    bench.stroke(&[triangle[0], triangle[1], triangle[2], triangle[2]]);
    let image = bench.session.document().selection.clone().unwrap();
    let inside = |x: f32, y: f32| {
        let side = |a: (f32, f32), b: (f32, f32)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0);
        let [a, b, c] = triangle;
        side(a, b) > 0.0 && side(b, c) > 0.0 && side(c, a) > 0.0
    };
    assert!(worst(&image, inside) < 12.0, "{}", worst(&image, inside));

    bench.set("antialias", Value::Bool(false));
    let step = selection::deselect(bench.session.document());
    bench.session.perform(&step.label, step.edits).unwrap();
    bench.stroke(&[triangle[0], triangle[1], triangle[2], triangle[2]]);
    let image = bench.session.document().selection.clone().unwrap();
    for (x, y) in (0..280).flat_map(|y| (0..300).map(move |x| (x, y))) {
        let want = inside(x as f32 + 0.5, y as f32 + 0.5);
        assert_eq!(image.pixel(x, y)[0], if want { 255 } else { 0 }, "{x},{y}");
    }
}

#[test]
fn a_figure_of_eight_is_filled_by_the_nonzero_rule() {
    // The same square twice around, and once back over half of it.
    let p = |x, y| Point::new(x, y);
    let twice = Shape::Polygon(vec![
        p(10.0, 10.0),
        p(50.0, 10.0),
        p(50.0, 50.0),
        p(10.0, 50.0),
        p(10.0, 10.0),
        p(50.0, 10.0),
        p(50.0, 50.0),
        p(10.0, 50.0),
    ]);
    let drawn = twice.rasterise(IRect::new(0, 0, 60, 60), true);
    assert_eq!(drawn.pixel_f32(30, 30)[0], 1.0, "even-odd would leave a hole");
    assert_eq!(drawn.pixel_f32(5, 30)[0], 0.0);
}

#[test]
fn feather_is_a_gaussian_of_that_deviation() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    bench.number("feather", 8.0);
    bench.stroke(&[(100.0, 0.0), (300.0, 280.0)]);
    // Across the straight edge at x = 100: the normal distribution's integral. At the canvas's
    // border the selection counts as going on.
    for (x, want) in [(99, 0.475), (108, 0.856), (92, 0.174), (115, 0.974), (299, 1.0)] {
        let have = f32::from(bench.selected(x, 140)) / 255.0;
        assert!((have - want).abs() < 0.01, "at {x}: {have} instead of {want}");
        assert_eq!(bench.selected(x, 0), bench.selected(x, 140));
    }
    let document = bench.session.document();
    let again = selection::feather(document, 5.0).unwrap();
    bench.session.perform(&again.label, again.edits).unwrap();
    // Variances add up: sqrt(8² + 5²) = 9.43; at 108.5 that is 0.901 deviations: 0.816.
    let have = f32::from(bench.selected(108, 140)) / 255.0;
    assert!((have - 0.816).abs() < 0.012, "{have}");
}

#[test]
fn selections_invert_and_follow_alpha() {
    let (mut bench, id) = Bench::on_grey("marquee_ellipse", SIZE, Depth::U16);
    bench.stroke(&[(20.0, 30.0), (270.0, 260.0)]);
    let first = bench.session.document().selection.clone().unwrap();
    for _ in 0..2 {
        let step = selection::invert(bench.session.document());
        bench.session.perform(&step.label, step.edits).unwrap();
    }
    let back = bench.session.document().selection.clone().unwrap();
    assert_eq!(back.to_buf(), first.to_buf());

    let document = bench.session.document();
    let step = selection::from_alpha(document, id, Mode::Replace).unwrap();
    bench.session.perform(&step.label, step.edits).unwrap();
    assert_eq!(exact(&bench), Some(SIZE.rect()));
    let step = selection::invert(bench.session.document());
    bench.session.perform(&step.label, step.edits).unwrap();
    assert!(bench.session.document().selection.is_none(), "the inverse of all is nothing");
}

#[test]
fn outlines_run_along_pixel_edges() {
    let (mut bench, _) = Bench::on_grey("marquee_rectangle", SIZE, Depth::U8);
    bench.stroke(&[(10.0, 20.0), (40.0, 60.0)]);
    bench.stroke_with(&[(20.0, 30.0), (30.0, 40.0)], ALT);
    let paths = selection::outline(bench.session.document().selection.as_ref().unwrap());
    let mut boxes: Vec<Vec<(i32, i32)>> = paths
        .iter()
        .map(|path| {
            let mut corners: Vec<_> = path.iter().map(|p| (p.x as i32, p.y as i32)).collect();
            corners.sort_unstable();
            corners
        })
        .collect();
    boxes.sort();
    let expected: [[(i32, i32); 4]; 2] =
        [[(10, 20), (10, 60), (40, 20), (40, 60)], [(20, 30), (20, 40), (30, 30), (30, 40)]];
    assert_eq!(boxes, expected.map(Vec::from));
}

#[test]
fn a_press_inside_drags_the_selection_and_not_the_pixels() {
    for tool in ["marquee_rectangle", "lasso"] {
        let (mut bench, id) = Bench::on_grey(tool, SIZE, Depth::U8);
        super::select(&mut bench.session, (20.0, 30.0), (60.0, 90.0));
        let pixels = bench.image(id);
        bench.stroke(&[(40.0, 50.0), (200.0, 200.0), (51.2, 45.4)]);
        assert_eq!(exact(&bench), Some(IRect::new(31, 25, 71, 85)), "{tool}");
        assert!(bench.image(id).same_tiles(&pixels));
        assert_eq!(bench.steps(), 2);
        bench.send(ToolEvent::Press(Pointer::at(40.0, 50.0)));
        bench.send(ToolEvent::Drag(Pointer::at(90.0, 90.0)));
        bench.send(ToolEvent::Cancel);
        assert_eq!(exact(&bench), Some(IRect::new(31, 25, 71, 85)));
        // A press outside draws anew, one with Alt takes away.
        bench.stroke_with(
            &[(40.0, 20.0), (40.0, 25.0), (40.0, 95.0), (90.0, 95.0), (90.0, 20.0)],
            ALT,
        );
        assert!(bench.selected(60, 50) == 0 || tool == "marquee_rectangle");
        // A click inside drops it.
        bench.stroke(&[(35.0, 50.0)]);
        assert!(bench.session.document().selection.is_none());
    }
}
