//! What networks and fills have made becomes part of a document.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::commands::results::{self, Made};
use ganvas::commands::{CommandError, Step, subject};
use ganvas::compose;
use ganvas::document::{Document, LayerKind, Metadata, Session};
use ganvas::geom::Size;
use ganvas::ops::Processor;
use ganvas::pixels::{Depth, PixelBuf};

const SIZE: Size = Size::new(40, 30);

/// Red on the left, blue on the right.
fn halves() -> PixelBuf {
    let mut picture = PixelBuf::filled(SIZE, 4, Depth::U8, [200, 20, 20, 255]);
    for (x, y) in (20..40).flat_map(|x| (0..30).map(move |y| (x, y))) {
        picture.set_pixel_f32(x, y, [0.1, 0.1, 0.8, 1.0]);
    }
    picture
}

fn session() -> Session {
    let profile = WorkingProfile::srgb();
    Session::new(Document::from_pixels(halves(), "halves", profile, Metadata::default()), 1 << 24)
}

/// The left half is the subject.
fn mask() -> PixelBuf {
    let mut mask = PixelBuf::new(SIZE, 1, Depth::U8);
    for (x, y) in (0..20).flat_map(|x| (0..30).map(move |y| (x, y))) {
        mask.set_pixel_f32(x, y, [1.0; 4]);
    }
    mask
}

fn perform(session: &mut Session, step: Result<Step, CommandError>) -> PixelBuf {
    let step = step.unwrap();
    session.perform(&step.label, step.edits).unwrap();
    assert_eq!(session.document().check(), Ok(()));
    shown(session)
}

fn shown(session: &Session) -> PixelBuf {
    compose::flatten(session.document(), session.document().size.rect())
}

#[test]
fn a_subject_is_selected_or_cut_out() {
    let mut session = session();
    let step = subject::select(session.document(), "Select", &mask());
    perform(&mut session, Ok(step));
    let selection = session.document().selection.as_ref().unwrap();
    assert_eq!(selection.to_buf(), mask());
    let layer = session.document().active.unwrap();
    let recipe = Arc::new(serde_json::json!({ "tool": "Select subject" }));
    let step = subject::cut_out(session.document(), layer, &mask(), &recipe);
    let cut = perform(&mut session, step);
    assert_eq!(cut.pixel_f32(5, 5), halves().pixel_f32(5, 5));
    assert_eq!(cut.pixel_f32(30, 5)[3], 0.0);
    session.undo().unwrap();
    assert_eq!(shown(&session), halves());
}

#[test]
fn the_blurred_background_has_nothing_of_the_subject() {
    let mut session = session();
    let document = session.document();
    let around = subject::blurred(document, &halves(), &mask(), 4.0, &Processor).unwrap();
    let (recipe, rest) = (Arc::default(), subject::inverted(document, &mask()));
    let made = Made { mask: Some(&rest), ..Made::plain(&around, &recipe) };
    let step = results::new_layer(document, &made);
    let blurred = perform(&mut session, Ok(step));
    for x in 0..40 {
        // The subject is sharp up to its edge; behind it the blue stays blue: no red runs in.
        let (now, before) = (blurred.pixel_f32(x, 15), halves().pixel_f32(x, 15));
        let away = now.iter().zip(before).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(away <= 1.5 / 255.0, "{x}: {now:?} {before:?}");
    }
}

#[test]
fn an_expanded_picture_leaves_what_was_there() {
    let mut session = session();
    let mut larger = PixelBuf::filled(Size::new(50, 36), 4, Depth::U8, [7, 8, 9, 255]);
    larger.blit(&halves(), (6, 2));
    let recipe = Arc::new(serde_json::json!({ "tool": "Expand" }));
    let made = Made::plain(&larger, &recipe);
    let step = results::expanded(session.document(), &made, (6, 2));
    let whole = perform(&mut session, step);
    assert_eq!(whole, larger);
    let layers = &session.document().layers;
    assert_eq!(layers.len(), 2);
    let LayerKind::Generated(border) = &layers[1].kind else { panic!("{:?}", layers[1]) };
    // The new layer holds the border alone: what lies below can still be edited.
    assert_eq!(border.raster.image.to_buf().pixel_f32(20, 20)[3], 0.0);
    session.undo().unwrap();
    assert_eq!(shown(&session), halves());
}

#[test]
fn a_layer_is_remade_in_its_place() {
    let mut session = session();
    let id = session.document().active.unwrap();
    let made = PixelBuf::filled(Size::new(8, 8), 4, Depth::U8, [1, 2, 3, 255]);
    let srgb = WorkingProfile::srgb();
    let raster = results::raster(session.document(), &made, &srgb, (3, 4)).unwrap();
    let kind = LayerKind::Raster(raster);
    let step = results::remade(session.document(), id, "again", kind);
    perform(&mut session, step);
    let layer = session.document().layer(id).unwrap();
    assert_eq!(&*layer.props.name, "again");
    assert_eq!(layer.raster_content().unwrap().origin, (3, 4));
    assert_eq!(session.document().active, Some(id));
}
