//! Finding directions: against NumPy's numbers, and where the answer is known.

use ganvas::latent::boundary::Labelled;
use ganvas::latent::random::{SplitMix64, normal_latent};
use ganvas::latent::{Moments, sefa};

use super::{assert_near, dot};

/// Six samples of three numbers.
const SAMPLES: [f32; 18] =
    [1.0, 2.0, 0.5, 2.0, 1.0, -1.0, 4.0, 3.0, 2.0, 0.0, -2.0, 1.0, 3.0, 5.0, -0.5, -1.0, 0.0, 3.0];

/// `numpy.linalg.eigh(numpy.cov(x.T))`, largest first, signs by the largest number.
#[test]
fn principal_components_are_numpys_however_the_samples_come() {
    for batch in [1, 2, 3, 6] {
        let mut moments = Moments::new(3);
        SAMPLES.chunks(3 * batch).for_each(|samples| moments.push(samples).unwrap());
        assert_eq!(moments.count(), 6);
        let pca = moments.pca(2).unwrap();
        assert_near(pca.mean(), &[1.5, 1.5, 0.8333333333333334], 1e-6);
        assert_near(pca.sigma(), &[2.966470038303139, 1.38114016719609], 1e-6);
        let rows: Vec<&[f32]> = pca.components().collect();
        assert_near(rows[0], &[0.5691552477401444, 0.7863444089540076, -0.2402598062028426], 1e-6);
        assert_near(
            rows[1],
            &[-0.030888810501572946, 0.3124471522203121, 0.9494328088154604],
            1e-6,
        );
        assert!((pca.sigma_along(rows[1]) - pca.sigma()[1]).abs() < 1e-6);
        assert_eq!(pca.sigma_along(&[0.0; 3]), 0.0);
    }
    let mut moments = Moments::new(3);
    assert!(moments.push(&SAMPLES[..4]).is_err());
    moments.push(&SAMPLES[..3]).unwrap();
    assert!(moments.pca(1).is_err());
}

/// `numpy.linalg.eigh(w.T @ w)` of the two matrices with their rows at length 1.
#[test]
fn closed_form_factors_are_numpys() {
    let a = [1.0, 2.0, 0.0, 0.0, 1.0, -1.0, 2.0, 2.0, 1.0];
    let b = [3.0, 0.0, 1.0, -1.0, 1.0, 1.0];
    let found = sefa(&[&a, &b], 3, 2).unwrap();
    assert_eq!(found.len(), 2);
    assert_near(&found[0], &[0.6405695528695299, 0.7598566823115951, 0.11085337289837302], 1e-6);
    assert_near(&found[1], &[0.7269997641210302, -0.6465833828338184, 0.231087152414716], 1e-6);
    assert_eq!(sefa(&[&a], 3, 9).unwrap().len(), 3);
    assert!(sefa(&[], 3, 2).is_err());
    assert!(sefa(&[&a[..4]], 3, 2).is_err());
}

/// `numpy.linalg.solve(C + 0.02 tr(C)/3 I, cov(x, y))`, at length 1.
#[test]
fn ridge_regression_is_numpys() {
    let labels = [1.0, 0.5, 3.0, -2.0, 2.0, -1.0];
    let labelled = Labelled::new(&SAMPLES, &labels).unwrap();
    let all: Vec<usize> = (0..6).collect();
    let boundary = labelled.ridge(&all, 0.02).unwrap();
    let want = [0.7855347486771304, 0.5412143928323161, 0.30003689708418396];
    assert_near(&boundary.normal, &want, 1e-6);
    assert_near(&[boundary.bias], &[-1.4300288013880649], 1e-6);
}

#[test]
fn the_widest_margin_is_found() {
    // Two pairs whose widest street is known: between (1, 0) and (-1, 0).
    let codes = [1.0, 0.0, 2.0, 3.0, -1.0, 0.0, -3.0, 1.0];
    let labelled = Labelled::new(&codes, &[1.0, 1.0, -1.0, -1.0]).unwrap();
    let boundary = labelled.support_vectors(&[0, 1, 2, 3], 1.0, 5).unwrap();
    assert_near(&boundary.normal, &[1.0, 0.0], 1e-4);
    assert!(boundary.bias.abs() < 1e-4);
    assert!((boundary.distance(&[4.0, 9.0]) - 4.0).abs() < 1e-3);
    assert_eq!(labelled.accuracy(&boundary, &[0, 1, 2, 3]), 1.0);
}

#[test]
fn a_hidden_direction_is_found_from_labels_and_holds_for_others() {
    const DIM: usize = 24;
    const COUNT: usize = 1200;
    let codes = normal_latent(1, COUNT * DIM, 1.0);
    let hidden = normal_latent(2, DIM, 1.0);
    let length = dot(&hidden, &hidden).sqrt();
    let noise = normal_latent(3, COUNT, 0.3);
    let labels: Vec<f32> = codes
        .chunks_exact(DIM)
        .zip(&noise)
        .map(|(code, noise)| (dot(code, &hidden) / length) as f32 + noise + 0.4)
        .collect();
    let labelled = Labelled::new(&codes, &labels).unwrap();
    let (learn, check) = labelled.split(0.25, 9);
    assert_eq!((learn.len(), check.len()), (900, 300));
    assert!(learn.iter().all(|index| !check.contains(index)));
    assert_eq!(labelled.split(0.25, 9), (learn.clone(), check.clone()));
    let ridge = labelled.ridge(&learn, 0.02).unwrap();
    let svm = labelled.support_vectors(&learn, 1.0, 4).unwrap();
    for boundary in [&ridge, &svm] {
        let cosine = dot(&boundary.normal, &hidden) / length;
        assert!(cosine > 0.97, "{cosine}");
        let accuracy = labelled.accuracy(boundary, &check);
        assert!(accuracy > 0.85 && accuracy < 1.0, "{accuracy}");
    }
    assert_eq!(svm, labelled.support_vectors(&learn, 1.0, 4).unwrap());
    // Labels by chance teach nothing that holds.
    let mut random = SplitMix64::new(8);
    let chance: Vec<f32> = (0..COUNT).map(|_| [1.0, -1.0][random.below(2)]).collect();
    let labelled = Labelled::new(&codes, &chance).unwrap();
    let boundary = labelled.ridge(&learn, 0.02).unwrap();
    let accuracy = labelled.accuracy(&boundary, &check);
    assert!((accuracy - 0.5).abs() < 0.1, "{accuracy}");
}

#[test]
fn labels_that_say_nothing_are_refused() {
    assert!(Labelled::new(&SAMPLES, &[1.0; 6]).is_err());
    assert!(Labelled::new(&SAMPLES[..17], &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).is_err());
    assert!(Labelled::new(&SAMPLES, &[1.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]).is_err());
    assert!(Labelled::new(&[], &[]).is_err());
    let labels = [1.0, 1.0, 1.0, -1.0, -1.0, -1.0];
    let labelled = Labelled::new(&SAMPLES, &labels).unwrap();
    assert!(labelled.support_vectors(&[0, 1, 2], 1.0, 1).is_err());
    assert!(labelled.ridge(&[], 0.02).is_err());
}
