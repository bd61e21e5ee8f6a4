//! Edits of codes: nothing at zero, exact where they act, and no trace when taken back.

use ganvas::latent::{
    Code, Direction, Edit, EditStack, LatentError, Mix, Pca, Provenance, Rows, Truncation, Unit,
    mix, vary, vary_z,
};
use proptest::prelude::*;

use super::{MODEL, bits, code, direction, dot};

#[test]
fn a_stack_at_zero_is_the_code_bit_for_bit() {
    let base = code(1, 6, 8).with_z(vec![0.5; 4]).unwrap();
    let mut stack = EditStack {
        mixes: vec![Mix { style: code(2, 6, 8), rows: Rows::ALL, amount: 0.0, on: true }],
        truncation: Some(Truncation { psi: 1.0, cutoff: None }),
        edits: vec![Edit::new(direction("a", 3, 8), 0.0), Edit::new(direction("b", 4, 8), 2.0)],
        independent: true,
    };
    stack.edits[1].on = false;
    assert_eq!(stack.apply(&base, None).unwrap(), base);
    assert_eq!(EditStack::default().apply(&base, None).unwrap(), base);
    // Forward and back: the base was never touched.
    stack.edits[0].strength = 1.7;
    assert_ne!(stack.apply(&base, None).unwrap().w(), base.w());
    stack.edits[0].strength = 0.0;
    assert_eq!(bits(stack.apply(&base, None).unwrap().w()), bits(base.w()));
}

#[test]
fn an_edit_acts_on_its_rows_alone() {
    let base = code(1, 6, 8);
    let smile = direction("smile", 3, 8);
    let mut edit = Edit::new(smile.clone(), 1.5);
    edit.direction.rows = Rows::new(2, 4);
    let applied = |edit: &Edit| {
        EditStack { edits: vec![edit.clone()], ..EditStack::default() }.apply(&base, None).unwrap()
    };
    let check = |edited: &Code, rows: std::ops::Range<usize>| {
        for (row, (have, was)) in edited.each_row().zip(base.each_row()).enumerate() {
            for ((have, was), step) in have.iter().zip(was).zip(smile.vector()) {
                let want = if rows.contains(&row) { was + 1.5 * step } else { *was };
                assert_eq!(*have, want, "row {row}");
            }
        }
    };
    check(&applied(&edit), 2..4);
    edit.rows = Some(Rows::new(5, 9));
    check(&applied(&edit), 5..6);
    // What was edited was not mapped from the old numbers.
    assert!(applied(&edit).z().is_none());
}

#[test]
fn a_direction_of_a_whole_code_adds_row_by_row() {
    let base = code(1, 3, 4);
    let vector: Vec<f32> = (0..12).map(|v| v as f32).collect();
    let whole = Direction::new("whole", 4, vector.clone(), Provenance::default()).unwrap();
    let stack = EditStack { edits: vec![Edit::new(whole, -2.0)], ..EditStack::default() };
    let edited = stack.apply(&base, None).unwrap();
    for ((have, was), step) in edited.w().iter().zip(base.w()).zip(&vector) {
        assert_eq!(*have, was - 2.0 * step);
    }
    let other = code(1, 6, 4);
    assert!(matches!(stack.apply(&other, None), Err(LatentError::Length { .. })));
}

#[test]
fn independent_edits_leave_what_the_others_stand_for() {
    let base = Code::in_w(&[0.0; 16], 4, MODEL).unwrap();
    let (smile, age) = (direction("smile", 3, 16), direction("age", 4, 16));
    assert!(dot(smile.vector(), age.vector()).abs() > 0.1);
    let edits = vec![Edit::new(smile.clone(), 2.0), Edit::new(age.clone(), 0.0)];
    let stack = EditStack { edits, independent: true, ..EditStack::default() };
    let moved = stack.apply(&base, None).unwrap();
    let row = moved.each_row().next().unwrap();
    assert!(dot(row, age.vector()).abs() < 1e-4);
    assert!((dot(row, row).sqrt() - 2.0 * dot(smile.vector(), smile.vector()).sqrt()).abs() < 1e-4);
    // Directions on other rows are independent already.
    let mut apart = stack;
    apart.edits[0].rows = Some(Rows::new(0, 2));
    apart.edits[1].rows = Some(Rows::new(2, 4));
    let moved = apart.apply(&base, None).unwrap();
    assert_eq!(moved.w()[0], 2.0 * smile.vector()[0]);
}

#[test]
fn truncation_goes_to_the_mean_above_the_cutoff() {
    let base = code(1, 4, 3);
    let mean = [1.0, -2.0, 0.5];
    let half = base.truncated(&mean, 0.5, Some(2)).unwrap();
    for (row, (have, was)) in half.each_row().zip(base.each_row()).enumerate() {
        for ((have, was), mean) in have.iter().zip(was).zip(mean) {
            assert_eq!(*have, if row < 2 { mean + 0.5 * (was - mean) } else { *was });
        }
    }
    let none = base.truncated(&mean, 0.0, None).unwrap();
    assert!(none.each_row().all(|row| row == mean));
    let stack = EditStack {
        truncation: Some(Truncation { psi: 0.5, cutoff: Some(2) }),
        ..EditStack::default()
    };
    assert_eq!(stack.apply(&base, Some(&mean)).unwrap(), half);
    assert!(stack.apply(&base, None).is_err());
    assert!(base.truncated(&mean[..2], 0.5, None).is_err());
}

#[test]
fn mixing_takes_rows_and_only_of_the_same_network() {
    let (base, style) = (code(1, 6, 4), code(2, 6, 4));
    let mixed = mix(&base, &style, Rows::new(3, 9), 1.0).unwrap();
    assert_eq!(mixed.w()[..12], base.w()[..12]);
    assert_eq!(mixed.w()[12..], style.w()[12..]);
    let half = mix(&base, &style, Rows::new(0, 1), 0.5).unwrap();
    assert!((half.w()[0] - (base.w()[0] + style.w()[0]) / 2.0).abs() < 1e-6);
    let foreign = Code::new(6, style.w().to_vec(), &"0".repeat(64)).unwrap();
    assert!(mix(&base, &foreign, Rows::ALL, 1.0).is_err());
}

#[test]
fn variations_have_their_strength_and_their_seed() {
    let base = code(1, 3, 4);
    let pca = Pca::new(vec![0.0; 4], vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], vec![2.0, 0.5])
        .unwrap();
    assert_eq!(bits(vary(&base, &pca, 7, 0.0).unwrap().w()), bits(base.w()));
    assert_eq!(vary(&base, &pca, 7, 0.3).unwrap(), vary(&base, &pca, 7, 0.3).unwrap());
    assert_ne!(vary(&base, &pca, 8, 0.3).unwrap(), vary(&base, &pca, 7, 0.3).unwrap());
    let mut squares = [0.0; 4];
    for seed in 0..4000 {
        let varied = vary(&base, &pca, seed, 0.5).unwrap();
        for (row, (have, was)) in varied.each_row().zip(base.each_row()).enumerate() {
            for (at, (have, was)) in have.iter().zip(was).enumerate() {
                let step = f64::from(have - was);
                let first = f64::from(varied.w()[at] - base.w()[at]);
                assert!((step - first).abs() < 1e-5, "row {row} moves as the first");
                squares[at] += step * step / 12_000.0;
            }
        }
    }
    assert!((squares[0].sqrt() - 1.0).abs() < 0.05, "{squares:?}");
    assert!((squares[1].sqrt() - 0.25).abs() < 0.02 && squares[2] == 0.0 && squares[3] == 0.0);
    assert!(vary(&code(1, 3, 5), &pca, 7, 0.3).is_err());
    // Random numbers stay as probable.
    let z = ganvas::latent::random::normal_latent(1, 20_000, 1.0);
    assert_eq!(vary_z(&z, 2, 0.0), z);
    for strength in [0.2, 0.7, 1.0] {
        let varied = vary_z(&z, 2, strength);
        assert!((dot(&varied, &varied) / 2e4 - 1.0).abs() < 0.04, "{strength}");
        let kept = dot(&varied, &z) / dot(&z, &z);
        assert!((kept - (1.0 - f64::from(strength).powi(2)).sqrt()).abs() < 0.02, "{kept}");
    }
}

#[test]
fn a_direction_is_measured_in_deviations() {
    let pca = Pca::new(vec![0.0; 2], vec![1.0, 0.0, 0.0, 1.0], vec![3.0, 4.0]).unwrap();
    let along = Direction::new("a", 2, vec![0.1, 0.1], Provenance::default()).unwrap();
    let along = along.in_sigma(&pca).unwrap();
    // The deviation along (1, 1)/√2 is √((9 + 16)/2).
    let want = (12.5f64).sqrt();
    assert!((dot(along.vector(), along.vector()).sqrt() - want).abs() < 1e-6);
    assert_eq!(along.unit, Unit::Sigma);
    let flat = Pca::new(vec![0.0; 2], vec![1.0, 0.0], vec![3.0]).unwrap();
    let across = Direction::new("b", 2, vec![0.0, 1.0], Provenance::default()).unwrap();
    assert!(across.in_sigma(&flat).is_err());
}

proptest! {
    /// Whatever the order of switching: the result depends on what is on and nothing else.
    #[test]
    fn the_order_of_plain_edits_hardly_matters(
        strengths in prop::collection::vec(-3.0f32..3.0, 1..6),
        rows in 1usize..5,
    ) {
        let base = code(1, rows, 7);
        let edits: Vec<Edit> = strengths
            .iter()
            .zip(10u64..)
            .map(|(strength, seed)| Edit::new(direction(&format!("d{seed}"), seed, 7), *strength))
            .collect();
        let mut stack = EditStack { edits, ..EditStack::default() };
        let forward = stack.apply(&base, None).unwrap();
        prop_assert_eq!(&forward, &stack.apply(&base, None).unwrap());
        stack.edits.reverse();
        let backward = stack.apply(&base, None).unwrap();
        for (a, b) in forward.w().iter().zip(backward.w()) {
            prop_assert!((a - b).abs() < 1e-4);
        }
        let text = serde_json::to_string(&stack).unwrap();
        prop_assert_eq!(serde_json::from_str::<EditStack>(&text).unwrap(), stack);
    }
}
