//! Vectors made independent of others.

/// A vector keeps its meaning only if this much of its length is left without the others.
const MIN_REST: f64 = 0.25;

/// Vectors of length 1, orthogonal to each other, that span the same as `vectors`; those that add
/// nothing new are left out. Modified Gram-Schmidt, twice.
pub fn orthonormal_basis(vectors: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for vector in vectors {
        let mut rest: Vec<f64> = vector.iter().map(|value| f64::from(*value)).collect();
        let before = length(&rest);
        // The second time takes away what rounding left of the first.
        for _ in 0..2 {
            remove(&mut rest, &basis);
        }
        let after = length(&rest);
        if after > 1e-6 * before {
            rest.iter_mut().for_each(|value| *value /= after);
            basis.push(rest);
        }
    }
    basis
}

/// `vector` without what lies along `others`, at its own length: conditional manipulation (Shen et
/// al. 2020, InterFaceGAN). `None` where little would be left, so that its meaning were lost.
pub fn without(vector: &[f32], others: &[Vec<f32>]) -> Option<Vec<f32>> {
    let mut rest: Vec<f64> = vector.iter().map(|value| f64::from(*value)).collect();
    let before = length(&rest);
    remove(&mut rest, &orthonormal_basis(others));
    let after = length(&rest);
    (after > MIN_REST * before)
        .then(|| rest.iter().map(|value| (value * before / after) as f32).collect())
}

fn remove(vector: &mut [f64], basis: &[Vec<f64>]) {
    for unit in basis {
        let along = super::linalg::dot(vector, unit);
        vector.iter_mut().zip(unit).for_each(|(value, unit)| *value -= along * unit);
    }
}

fn length(vector: &[f64]) -> f64 {
    super::linalg::dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::linalg::dot;
    use crate::latent::random::normal_latent;

    #[test]
    fn a_basis_is_orthonormal_and_leaves_out_what_is_not_new() {
        let mut vectors: Vec<_> = (0..6).map(|seed| normal_latent(seed, 20, 1.0)).collect();
        vectors.insert(3, vectors[0].iter().zip(&vectors[1]).map(|(a, b)| 2.0 * a - b).collect());
        vectors.push(vec![0.0; 20]);
        let basis = orthonormal_basis(&vectors);
        assert_eq!(basis.len(), 6);
        for (i, a) in basis.iter().enumerate() {
            for (j, b) in basis.iter().enumerate() {
                let want = if i == j { 1.0 } else { 0.0 };
                assert!((dot(a, b) - want).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_left_is_orthogonal_and_as_long() {
        let vector = normal_latent(1, 50, 3.0);
        let others: Vec<_> = (2..5).map(|seed| normal_latent(seed, 50, 1.0)).collect();
        let rest = without(&vector, &others).unwrap();
        let wide = |v: &[f32]| -> Vec<f64> { v.iter().map(|value| f64::from(*value)).collect() };
        for other in &others {
            assert!(dot(&wide(&rest), &wide(other)).abs() < 1e-4);
        }
        assert!((length(&wide(&rest)) - length(&wide(&vector))).abs() < 1e-4);
        assert_eq!(without(&vector, &[]).unwrap(), vector);
        assert!(without(&vector, std::slice::from_ref(&vector)).is_none());
    }
}
