//! Pasting: nothing where nothing was edited, the right place where something was, and no bit
//! outside the mask.

use ganvas::color::{Transfer as Curve, WorkingProfile};
use ganvas::geom::{Point, Size};
use ganvas::latent::{Code, EditStack};
use ganvas::nets::Planes;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::portrait::{
    ColorMatch, CropTransform, Paste, Patch, Place, Recipe, SoftMask, Transfer, crop, fidelity_db,
};

use super::{photo, planes};

const SIDE: usize = 32;

fn transform() -> CropTransform {
    CropTransform::new([150.0, 140.0], 180.0, 0.15).unwrap()
}

/// An outline about the middle of the crop.
fn face() -> SoftMask {
    let corner = |step: usize| {
        let angle = step as f32 * std::f32::consts::TAU / 24.0;
        Point::new(150.0 + 50.0 * angle.cos(), 140.0 + 60.0 * angle.sin())
    };
    SoftMask::face((0..24).map(corner).collect())
}

/// Everywhere in the mask.
fn paste<'a>(
    (photo, profile): (&'a PixelBuf, &'a WorkingProfile),
    (crop, mask): (&'a CropTransform, &'a SoftMask),
    edited: &'a Planes,
    transfer: Transfer<'a>,
) -> Paste<'a> {
    Paste { photo, profile, crop, mask, limit: None, strength: 1.0, edited, transfer }
}

fn run(photo: &PixelBuf, mask: &SoftMask, edited: &Planes, transfer: Transfer<'_>) -> PixelBuf {
    let (profile, crop) = (WorkingProfile::srgb(), transform());
    let paste = paste((photo, &profile), (&crop, mask), edited, transfer);
    placed(photo, &paste.run().unwrap())
}

fn placed(photo: &PixelBuf, patch: &Patch) -> PixelBuf {
    let mut whole = photo.clone();
    whole.blit(&patch.pixels, patch.origin);
    whole
}

#[test]
fn an_unedited_reconstruction_is_the_photo_bit_for_bit() {
    let rough = planes(SIDE, |channel, u, v| 0.2 + 0.3 * u + 0.1 * v * channel as f32);
    for depth in [Depth::U8, Depth::U16] {
        let photo = photo(Size::new(300, 280), depth);
        for mask in [face(), SoftMask::whole()] {
            assert_eq!(run(&photo, &mask, &rough, Transfer::Residual(&rough)), photo);
        }
    }
}

#[test]
fn a_spot_lands_at_its_place_and_size() {
    let flat = planes(SIDE, |_, _, _| 0.5);
    let (at_u, at_v) = (0.6, 0.45);
    let spot = |u: f32, v: f32| (-((u - at_u).powi(2) + (v - at_v).powi(2)) / 0.005).exp();
    let edited =
        planes(SIDE, |channel, u, v| 0.5 + if channel == 0 { 0.3 * spot(u, v) } else { 0.0 });
    let photo = photo(Size::new(300, 280), Depth::U16);
    let after = run(&photo, &SoftMask::whole(), &edited, Transfer::Residual(&flat));
    let map = transform().unit_from_photo();
    let (mut largest, mut place) = (0.0, (0, 0));
    for y in 0..280 {
        for x in 0..300 {
            let (was, is) = (photo.pixel_f32(x, y), after.pixel_f32(x, y));
            assert_eq!(was[1..], is[1..], "only red was edited");
            let (u, v) = map.apply(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let want = 0.3 * spot(u as f32, v as f32);
            let clipped = is[0] >= 1.0;
            assert!(clipped || (is[0] - was[0] - want).abs() < 0.012, "{x} {y}: {want}");
            if is[0] - was[0] > largest {
                (largest, place) = (is[0] - was[0], (x, y));
            }
        }
    }
    let (x, y) = transform().photo_from_unit().apply(at_u.into(), at_v.into());
    let distance = (x - f64::from(place.0) - 0.5).hypot(y - f64::from(place.1) - 0.5);
    assert!(distance < 4.0 && largest > 0.28, "{place:?} {largest}");
}

#[test]
fn outside_the_mask_and_beyond_the_limit_every_bit_stays() {
    let before = planes(SIDE, |_, _, _| 0.2);
    let edited = planes(SIDE, |channel, u, _| 0.6 + 0.3 * u - 0.1 * channel as f32);
    let profile = WorkingProfile::srgb();
    for depth in [Depth::U8, Depth::U16] {
        let photo = photo(Size::new(300, 280), depth);
        let mut limit = PixelBuf::new(photo.size(), 1, Depth::U8);
        for y in 0..280 {
            for x in 0..160 {
                limit.set_pixel_f32(x, y, [1.0; 4]);
            }
        }
        let (crop, mask) = (transform(), face());
        let base = paste((&photo, &profile), (&crop, &mask), &edited, Transfer::Residual(&before));
        let whole = placed(&photo, &base.run().unwrap());
        let limited = placed(&photo, &Paste { limit: Some(&limit), ..base }.run().unwrap());
        let (mut changed, mut kept) = (0, 0);
        for y in 0..280 {
            for x in 0..300 {
                let far = (x as f32 - 150.0).hypot((y as f32 - 140.0) * 50.0 / 60.0) > 75.0;
                if far {
                    assert_eq!(photo.pixel_f32(x, y), whole.pixel_f32(x, y), "{x} {y}");
                    kept += 1;
                }
                changed += usize::from(photo.pixel_f32(x, y) != whole.pixel_f32(x, y));
                let want = if x < 160 { &whole } else { &photo };
                assert_eq!(limited.pixel_f32(x, y), want.pixel_f32(x, y), "{x} {y}");
            }
        }
        assert!(changed > 5000 && kept > 5000, "{changed} {kept}");
        let small = PixelBuf::new(Size::new(3, 3), 1, Depth::U8);
        assert!(Paste { limit: Some(&small), ..base }.run().is_err());
        assert!(Paste { edited: &Planes::default(), ..base }.run().is_err());
    }
}

#[test]
fn a_crop_over_the_edge_pastes_what_lies_inside() {
    let (before, edited) = (planes(SIDE, |_, _, _| 0.2), planes(SIDE, |_, _, _| 0.4));
    let photo = photo(Size::new(120, 110), Depth::U8);
    let crop = CropTransform::new([10.0, 20.0], 100.0, 0.3).unwrap();
    let (profile, mask) = (WorkingProfile::srgb(), SoftMask::whole());
    let transfer = Transfer::Residual(&before);
    let paste = paste((&photo, &profile), (&crop, &mask), &edited, transfer);
    let patch = paste.run().unwrap();
    assert_eq!(patch.origin, (0, 0));
    let difference = patch.pixels.pixel_f32(10, 20)[1] - photo.pixel_f32(10, 20)[1];
    assert!((difference - 0.2).abs() < 0.01, "{difference}");
}

#[test]
fn transparent_pixels_and_alpha_stay() {
    let (before, edited) = (planes(SIDE, |_, _, _| 0.2), planes(SIDE, |_, _, _| 0.4));
    let mut photo = photo(Size::new(300, 280), Depth::U8);
    photo.set_pixel_f32(150, 140, [0.3, 0.2, 0.1, 0.0]);
    photo.set_pixel_f32(151, 140, [0.3, 0.2, 0.1, 0.4]);
    let after = run(&photo, &SoftMask::whole(), &edited, Transfer::Residual(&before));
    assert_eq!(after.pixel_f32(150, 140), photo.pixel_f32(150, 140));
    assert_eq!(after.pixel_f32(151, 140)[3], photo.pixel_f32(151, 140)[3]);
    assert!((after.pixel_f32(151, 140)[0] - 0.5).abs() < 0.01);
}

#[test]
fn replacement_takes_the_generators_picture_in_the_photos_colours() {
    let photo = photo(Size::new(300, 280), Depth::U16);
    let target = crop(&photo, &WorkingProfile::srgb(), &transform(), SIDE as u32).unwrap();
    let weights = SoftMask::whole().of_crop(&transform(), SIDE);
    // The generator draws the photo paler and darker.
    let mut pale = target.clone();
    pale.data.iter_mut().for_each(|value| *value = 0.7 * *value + 0.05);
    let colors = ColorMatch::new(&pale, &target, &weights).unwrap();
    let matched = run(&photo, &SoftMask::whole(), &pale, Transfer::Replace(colors));
    let plain = run(&photo, &SoftMask::whole(), &pale, Transfer::Replace(ColorMatch::NONE));
    let middle = |picture: &PixelBuf| {
        let again = crop(picture, &WorkingProfile::srgb(), &transform(), SIDE as u32).unwrap();
        fidelity_db(&target, &again, &weights).unwrap()
    };
    assert!(middle(&matched) > 35.0, "{}", middle(&matched));
    assert!(middle(&plain) < 25.0, "{}", middle(&plain));
}

#[test]
fn a_generator_finer_than_the_photo_is_averaged() {
    let stripes =
        planes(128, |_, u, _| if ((u * 128.0) as usize).is_multiple_of(2) { 0.2 } else { 0.6 });
    let black = planes(128, |_, _, _| 0.0);
    let photo =
        PixelBuf::filled(Size::new(40, 40), 4, Depth::U16, [10_000, 10_000, 10_000, 65_535]);
    let crop = CropTransform::new([20.0, 20.0], 30.0, 0.0).unwrap();
    let (profile, mask) = (WorkingProfile::srgb(), SoftMask::whole());
    let transfer = Transfer::Residual(&black);
    let paste = paste((&photo, &profile), (&crop, &mask), &stripes, transfer);
    let after = placed(&photo, &paste.run().unwrap());
    for x in 12..28 {
        let change = after.pixel_f32(x, 20)[0] - photo.pixel_f32(x, 20)[0];
        assert!((change - 0.4).abs() < 0.07, "{x}: {change}");
    }
}

#[test]
fn a_wide_gamut_photo_changes_by_the_same_colours() {
    let p3 = WorkingProfile {
        name: "Display P3".into(),
        icc: None,
        transfer: Curve::SRGB,
        to_linear_srgb: [
            [1.2249, -0.2247, 0.0],
            [-0.0420, 1.0419, 0.0],
            [-0.0197, -0.0786, 1.0979],
        ],
    };
    let photo = photo(Size::new(300, 280), Depth::U16);
    let (before, edited) = (planes(SIDE, |_, _, _| 0.3), planes(SIDE, |_, _, _| 0.4));
    let (crop, mask) = (transform(), SoftMask::whole());
    let transfer = Transfer::Residual(&before);
    let paste = paste((&photo, &p3), (&crop, &mask), &edited, transfer);
    let after = placed(&photo, &paste.run().unwrap());
    let rgb = |picture: &PixelBuf| {
        let [r, g, b, _] = picture.pixel_f32(150, 140);
        p3.to_srgb([r, g, b])
    };
    for (is, was) in rgb(&after).into_iter().zip(rgb(&photo)) {
        assert!((is - was - 0.1).abs() < 1e-3, "{is} {was}");
    }
    let still = Paste { edited: &before, ..paste };
    assert_eq!(placed(&photo, &still.run().unwrap()), photo);
}

#[test]
fn fidelity_is_measured_inside_the_mask_only() {
    let a = planes(SIDE, |_, _, _| 0.5);
    let b = planes(SIDE, |_, u, _| if u < 0.5 { 0.6 } else { 0.5 });
    let left: Vec<f32> =
        (0..SIDE * SIDE).map(|at| f32::from(u8::from(at % SIDE < SIDE / 2))).collect();
    let right: Vec<f32> = left.iter().map(|weight| 1.0 - weight).collect();
    assert!((fidelity_db(&a, &b, &left).unwrap() - 20.0).abs() < 0.01);
    assert_eq!(fidelity_db(&a, &b, &right).unwrap(), f64::INFINITY);
    assert!(fidelity_db(&a, &b, &right[1..]).is_err());
    assert!(fidelity_db(&a, &planes(SIDE + 1, |_, _, _| 0.5), &right).is_err());
}

#[test]
fn a_recipe_survives_its_layer() {
    let code = Code::new(2, vec![0.25; 8], &"0a".repeat(32)).unwrap();
    let recipe = Recipe {
        version: 1,
        model: "portrait-64".into(),
        code,
        stack: EditStack::default(),
        place: Some(Place { crop: transform(), mask: face(), residual: true, fidelity_db: 27.5 }),
    };
    let json = recipe.to_json().unwrap();
    assert_eq!(Recipe::from_json(&json).unwrap().as_ref(), Some(&recipe));
    let drawn = Recipe { place: None, ..recipe };
    assert_eq!(Recipe::from_json(&drawn.to_json().unwrap()).unwrap(), Some(drawn));
    let mut later = json.clone();
    later["edit"]["version"] = 2.into();
    assert!(Recipe::from_json(&later).unwrap_err().to_string().contains("version 2"));
    let mut other = json.clone();
    other["edit"]["more"] = 1.into();
    assert!(Recipe::from_json(&other).is_err());
    let mut foreign = json.clone();
    foreign["tool"] = "Remove".into();
    assert_eq!(Recipe::from_json(&foreign).unwrap(), None);
    let mut broken = json;
    broken["edit"]["place"]["crop"]["side_px"] = 1e12.into();
    assert!(Recipe::from_json(&broken).is_err());
}
