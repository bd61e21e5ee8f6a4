//! Ways between codes.

use ganvas::latent::{Code, Curve, Path, Walk, lerp, slerp};

use super::{assert_near, bits, code, dot};

#[test]
fn a_great_circle_is_numpys_and_keeps_the_length() {
    // `numpy`: sin((1-t)Ω)/sin Ω p/|p| + sin(tΩ)/sin Ω q/|q|, times the mixed length.
    let want = [0.35447472535792635, 2.019294802282978, 2.8055020132232538];
    assert_near(&slerp(&[1.0, 2.0, 2.0], &[-2.0, 1.0, 4.0], 0.3), &want, 1e-6);
    let unit = |seed: u64| -> Vec<f32> {
        let v = ganvas::latent::random::normal_latent(seed, 64, 1.0);
        let length = dot(&v, &v).sqrt() as f32;
        v.iter().map(|value| value / length).collect()
    };
    for seed in 0..20 {
        let (a, b) = (unit(seed), unit(seed + 100));
        let mut before = a.clone();
        for step in 0..=10 {
            let at = slerp(&a, &b, step as f32 / 10.0);
            assert!((dot(&at, &at).sqrt() - 1.0).abs() < 1e-6);
            let turned = dot(&at, &before).clamp(-1.0, 1.0).acos();
            let whole = dot(&a, &b).acos();
            assert!(step == 0 || (turned - whole / 10.0).abs() < 1e-3, "{turned} {whole}");
            before = at;
        }
    }
}

#[test]
fn ends_are_exact_and_degenerate_ways_straight() {
    let (a, b) = (vec![0.1, -0.7, 3.3], vec![1.1, 0.3, -0.2]);
    for way in [lerp, slerp] {
        assert_eq!(bits(&way(&a, &b, 0.0)), bits(&a));
        assert_eq!(bits(&way(&a, &b, 1.0)), bits(&b));
    }
    assert_eq!(slerp(&[1.0, 0.0], &[-1.0, 0.0], 0.25), [0.5, 0.0]);
    assert_eq!(slerp(&[0.0, 0.0], &[2.0, 0.0], 0.5), [1.0, 0.0]);
    assert_eq!(slerp(&[1.0, 1.0], &[2.0, 2.0], 0.5), [1.5, 1.5]);
}

#[test]
fn a_path_passes_its_codes_and_has_no_jumps() {
    let keys: Vec<Code> = (0..4).map(|seed| code(seed, 3, 5)).collect();
    for curve in [Curve::Linear, Curve::Spherical, Curve::Smooth] {
        for closed in [false, true] {
            let path = Path::new(&keys, curve, closed).unwrap();
            let legs = path.legs();
            assert_eq!(legs, if closed { 4 } else { 3 });
            for (index, key) in keys.iter().enumerate() {
                let at = path.at(index as f64 / legs as f64).unwrap();
                let near = at.w().iter().zip(key.w()).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(near, "{curve:?} {closed} {index}");
            }
            let frames: Vec<Code> = path.frames(301).map(Result::unwrap).collect();
            let farthest = frames.windows(2).map(|pair| distance(&pair[0], &pair[1]));
            assert!(farthest.fold(0.0, f64::max) < 0.15, "{curve:?} {closed}");
            if closed {
                assert!(distance(&frames[300], &frames[0]) < 0.15);
                assert_eq!(path.at(1.25).unwrap(), path.at(0.25).unwrap());
            } else {
                assert_eq!(frames[300], keys[3]);
                assert_eq!(path.at(7.0).unwrap(), keys[3]);
            }
        }
    }
}

#[test]
fn a_smooth_path_has_no_corner_and_a_straight_one_has() {
    let keys: Vec<Code> = (0..5).map(|seed| code(seed, 1, 6)).collect();
    let bend = |curve: Curve| {
        let path = Path::new(&keys, curve, true).unwrap();
        let at = |t: f64| path.at(t).unwrap();
        let h = 1e-3;
        let (before, here, after) = (at(0.4 - h), at(0.4), at(0.4 + h));
        let turn = (0..6).map(|i| {
            (f64::from(after.w()[i]) - 2.0 * f64::from(here.w()[i]) + f64::from(before.w()[i]))
                .powi(2)
        });
        turn.sum::<f64>().sqrt() / h
    };
    assert!(bend(Curve::Smooth) < 0.5, "{}", bend(Curve::Smooth));
    assert!(bend(Curve::Linear) > 5.0, "{}", bend(Curve::Linear));
}

#[test]
fn paths_of_one_code_or_of_two_networks() {
    let one = [code(1, 2, 3)];
    for closed in [false, true] {
        assert_eq!(Path::new(&one, Curve::Smooth, closed).unwrap().at(0.3).unwrap(), one[0]);
    }
    assert!(Path::new(&[], Curve::Linear, false).is_err());
    assert!(Path::new(&[code(1, 2, 3), code(2, 3, 3)], Curve::Linear, false).is_err());
}

#[test]
fn a_walk_is_smooth_periodic_and_everywhere_normal() {
    let walk = Walk::new(5, 20_000, 4);
    for t in [0.0, 0.13, 0.5, 0.77] {
        let z = walk.at(t);
        let variance = dot(&z, &z) / 2e4;
        assert!((variance - 1.0).abs() < 0.03, "{t}: {variance}");
        let mean = z.iter().sum::<f32>() / 2e4;
        assert!(mean.abs() < 0.03);
        let near = walk.at(t + 1e-3);
        assert!((dot(&z, &near) / 2e4 - variance).abs() < 1e-3);
        let around = walk.at(t + 1.0);
        assert!(z.iter().zip(&around).all(|(a, b)| (a - b).abs() < 1e-4));
    }
    let far = dot(&walk.at(0.0), &walk.at(0.4)) / 2e4;
    assert!(far.abs() < 0.35, "{far}");
    assert_eq!(Walk::new(5, 30, 3).at(0.2), Walk::new(5, 30, 3).at(0.2));
    assert_ne!(Walk::new(6, 30, 3).at(0.2), Walk::new(5, 30, 3).at(0.2));
}

fn distance(a: &Code, b: &Code) -> f64 {
    let squares = a.w().iter().zip(b.w()).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>().sqrt()
}
