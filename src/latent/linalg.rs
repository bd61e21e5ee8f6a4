//! Linear algebra on small dense matrices in `f64`, row by row.

use super::LatentError;

/// Eigenvalues, the largest first, and their eigenvectors of a symmetric matrix.
#[derive(Clone, Debug)]
pub struct Eigen {
    pub values: Vec<f64>,
    /// `[n, n]`: row `i` belongs to value `i`, has length 1, is orthogonal to the others, and its
    /// number of the largest magnitude is positive.
    pub vectors: Vec<f64>,
}

/// Most implicit steps for one eigenvalue; three are usual.
const MAX_STEPS: usize = 60;

/// The eigenvalues and eigenvectors of the symmetric `matrix` `[n, n]`: Householder's reduction to
/// three diagonals, then implicit steps with Wilkinson's shift (Golub and Van Loan, "Matrix
/// Computations", 8.3). Reads both triangles and takes them to be equal.
///
/// # Errors
/// Where the matrix is not finite or not `n` by `n`.
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> Result<Eigen, LatentError> {
    let Tridiagonal { mut diagonal, mut beside, reflections } = tridiagonal(matrix, n)?;
    let mut vectors = product(&reflections, n);
    diagonalise(&mut diagonal, &mut beside, &mut vectors, n)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]).then(i.cmp(&j)));
    let mut sorted = Vec::with_capacity(n * n);
    for &row in &order {
        let row = &vectors[row * n..(row + 1) * n];
        let largest =
            row.iter().fold(0.0, |top: f64, &v| if v.abs() > top.abs() { v } else { top });
        sorted.extend(row.iter().map(|value| value * largest.signum()));
    }
    Ok(Eigen { values: order.iter().map(|&i| diagonal[i]).collect(), vectors: sorted })
}

/// The eigenvalues alone, the largest first: several times faster.
///
/// # Errors
/// As [`symmetric_eigen`].
pub fn symmetric_eigenvalues(matrix: &[f64], n: usize) -> Result<Vec<f64>, LatentError> {
    let Tridiagonal { mut diagonal, mut beside, .. } = tridiagonal(matrix, n)?;
    // Vectors without numbers.
    diagonalise(&mut diagonal, &mut beside, &mut [], 0)?;
    diagonal.sort_by(|a, b| b.total_cmp(a));
    Ok(diagonal)
}

/// A symmetric matrix between reflections.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// The numbers beside it, on either side.
    beside: Vec<f64>,
    reflections: Vec<Vec<f64>>,
}

fn tridiagonal(matrix: &[f64], n: usize) -> Result<Tridiagonal, LatentError> {
    if matrix.len() != n * n || matrix.iter().any(|value| !value.is_finite()) {
        return Err(LatentError::Unsolvable("the matrix is not square and finite"));
    }
    let mut a = matrix.to_vec();
    let reflections = tridiagonalise(&mut a, n);
    Ok(Tridiagonal {
        diagonal: (0..n).map(|i| a[i * n + i]).collect(),
        beside: (1..n).map(|i| a[i * n + i - 1]).collect(),
        reflections,
    })
}

/// Leaves three diagonals in `a`; returns the reflections `I - v vᵀ`, one a step, `v` acting on
/// the places after the step's.
fn tridiagonalise(a: &mut [f64], n: usize) -> Vec<Vec<f64>> {
    let mut reflections = Vec::with_capacity(n.saturating_sub(2));
    for step in 0..n.saturating_sub(2) {
        let first = step + 1;
        // The column below the diagonal becomes a multiple of the first unit vector.
        let mut v: Vec<f64> = (first..n).map(|row| a[row * n + step]).collect();
        let below: f64 = v[1..].iter().map(|value| value * value).sum();
        if below == 0.0 {
            reflections.push(Vec::new());
            continue;
        }
        let target = -(v[0] * v[0] + below).sqrt().copysign(v[0]);
        v[0] -= target;
        // Scaled so that the reflection is I - v vᵀ.
        let scale = (2.0 / (v[0] * v[0] + below)).sqrt();
        v.iter_mut().for_each(|value| *value *= scale);
        let mut p: Vec<f64> =
            (first..n).map(|row| dot(&a[row * n + first..(row + 1) * n], &v)).collect();
        let half = dot(&p, &v) / 2.0;
        p.iter_mut().zip(&v).for_each(|(p, v)| *p -= half * v);
        for row in first..n {
            let (v_row, p_row) = (v[row - first], p[row - first]);
            let line = &mut a[row * n + first..(row + 1) * n];
            for ((value, v), p) in line.iter_mut().zip(&v).zip(&p) {
                *value -= v_row * p + p_row * v;
            }
        }
        a[first * n + step] = target;
        reflections.push(v);
    }
    reflections
}

/// The transposed product of the reflections, the first step's applied last.
fn product(reflections: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut q = vec![0.0; n * n];
    (0..n).for_each(|i| q[i * n + i] = 1.0);
    for (step, v) in reflections.iter().enumerate().rev() {
        let first = step + 1;
        // Rows before the step's are still those of the identity.
        for row in first..n {
            let line = &mut q[row * n + first..(row + 1) * n];
            if v.is_empty() {
                continue;
            }
            let along = dot(line, v);
            line.iter_mut().zip(v).for_each(|(value, v)| *value -= along * v);
        }
    }
    q
}

fn diagonalise(
    d: &mut [f64],
    e: &mut [f64],
    vectors: &mut [f64],
    n: usize,
) -> Result<(), LatentError> {
    let mut end = d.len().saturating_sub(1);
    let mut steps = 0;
    while end > 0 {
        let negligible = |at: usize, d: &[f64], e: &[f64]| {
            e[at].abs() <= f64::EPSILON * (d[at].abs() + d[at + 1].abs())
        };
        if negligible(end - 1, d, e) {
            e[end - 1] = 0.0;
            end -= 1;
            steps = 0;
            continue;
        }
        let start = (0..end).rev().find(|&at| negligible(at, d, e)).map_or(0, |at| at + 1);
        steps += 1;
        if steps > MAX_STEPS {
            return Err(LatentError::Unsolvable("the eigenvalues do not converge"));
        }
        implicit_step(start, end, d, e, vectors, n);
    }
    Ok(())
}

/// One step on the block `start..=end`: a shift, then rotations that chase the bulge out.
fn implicit_step(
    start: usize,
    end: usize,
    d: &mut [f64],
    e: &mut [f64],
    vectors: &mut [f64],
    n: usize,
) {
    let (delta, last) = ((d[end - 1] - d[end]) / 2.0, e[end - 1]);
    let shift = d[end] - last * last / (delta + delta.hypot(last).copysign(delta));
    let (mut x, mut bulge) = (d[start] - shift, e[start]);
    for k in start..end {
        let length = x.hypot(bulge);
        let (cos, sin) = if length > 0.0 { (x / length, bulge / length) } else { (1.0, 0.0) };
        if k > start {
            e[k - 1] = length;
        }
        let (a, b, c) = (d[k], e[k], d[k + 1]);
        d[k] = cos * cos * a + 2.0 * cos * sin * b + sin * sin * c;
        d[k + 1] = sin * sin * a - 2.0 * cos * sin * b + cos * cos * c;
        e[k] = (cos * cos - sin * sin) * b - cos * sin * (a - c);
        x = e[k];
        if k + 1 < end {
            bulge = sin * e[k + 1];
            e[k + 1] *= cos;
        }
        let (upper, lower) = vectors[k * n..(k + 2) * n].split_at_mut(n);
        for (p, q) in upper.iter_mut().zip(lower) {
            (*p, *q) = (cos * *p + sin * *q, cos * *q - sin * *p);
        }
    }
}

/// Solves `matrix x = b` for each of the `count` columns of `b` `[n, count]`, where `matrix`
/// `[n, n]` is symmetric and positive definite, by Cholesky's factors.
///
/// # Errors
/// Where it is not positive definite.
pub fn solve_positive(
    matrix: &[f64],
    n: usize,
    b: &[f64],
    count: usize,
) -> Result<Vec<f64>, LatentError> {
    let mut l = matrix.to_vec();
    for i in 0..n {
        for j in 0..=i {
            let (row_i, row_j) = (&l[i * n..i * n + j], &l[j * n..j * n + j]);
            let rest = l[i * n + j] - dot(row_i, row_j);
            l[i * n + j] = if i > j {
                rest / l[j * n + j]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return Err(LatentError::Unsolvable("the equations have no single solution"));
            };
        }
    }
    let mut x = b.to_vec();
    for column in 0..count {
        for i in 0..n {
            let known: f64 = (0..i).map(|j| l[i * n + j] * x[j * count + column]).sum();
            x[i * count + column] = (x[i * count + column] - known) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| l[j * n + i] * x[j * count + column]).sum();
            x[i * count + column] = (x[i * count + column] - known) / l[i * n + i];
        }
    }
    Ok(x)
}

/// The sum of products.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums, so that additions overlap.
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        (0..4).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::random::Normal;

    /// `numpy.linalg.eigh` of the matrix below, largest first.
    const NUMPY: [f64; 4] =
        [6.844621107234966, 2.2685314064312423, 1.0843644637732177, -2.197516977439427];

    #[test]
    fn eigenvalues_are_numpys() {
        let matrix =
            [4.0, 1.0, -2.0, 2.0, 1.0, 2.0, 0.0, 1.0, -2.0, 0.0, 3.0, -2.0, 2.0, 1.0, -2.0, -1.0];
        let eigen = symmetric_eigen(&matrix, 4).unwrap();
        for (have, want) in eigen.values.iter().zip(NUMPY) {
            assert!((have - want).abs() < 1e-13, "{have} {want}");
        }
    }

    #[test]
    fn vectors_are_orthonormal_and_fulfil_the_equation() {
        for n in [1, 2, 3, 5, 40, 97] {
            let numbers: Vec<f64> = Normal::new(n as u64).take(n * n).collect();
            let at = |i: usize, j: usize| numbers[i * n + j] + numbers[j * n + i];
            let matrix: Vec<f64> = (0..n * n).map(|k| at(k / n, k % n)).collect();
            let Eigen { values, vectors } = symmetric_eigen(&matrix, n).unwrap();
            for i in 0..n {
                let row = &vectors[i * n..(i + 1) * n];
                for j in 0..n {
                    let want = if i == j { 1.0 } else { 0.0 };
                    let have = dot(row, &vectors[j * n..(j + 1) * n]);
                    assert!((have - want).abs() < 1e-12, "{n}: {i} {j} {have}");
                    let image = dot(&matrix[j * n..(j + 1) * n], row);
                    assert!((image - values[i] * row[j]).abs() < 1e-11 * n as f64, "{n}: {i} {j}");
                }
            }
            assert!(values.is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn equal_and_vanishing_eigenvalues_are_no_trouble() {
        let identity: Vec<f64> = (0..36).map(|k| f64::from(k % 7 == 0)).collect();
        assert_eq!(symmetric_eigen(&identity, 6).unwrap().values, [1.0; 6]);
        // Rank one.
        let v = [1.0, 2.0, 0.0, -2.0];
        let matrix: Vec<f64> = (0..16).map(|k| v[k / 4] * v[k % 4]).collect();
        let eigen = symmetric_eigen(&matrix, 4).unwrap();
        assert!((eigen.values[0] - 9.0).abs() < 1e-12);
        assert!(eigen.values[1..].iter().all(|value| value.abs() < 1e-12));
        let alone = symmetric_eigenvalues(&matrix, 4).unwrap();
        assert!(alone.iter().zip(&eigen.values).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(symmetric_eigen(&[f64::NAN], 1).is_err());
        assert!(symmetric_eigen(&[1.0; 3], 2).is_err());
        assert!(symmetric_eigen(&[], 0).unwrap().values.is_empty());
    }

    #[test]
    fn equations_are_solved_and_singular_ones_refused() {
        let n = 30;
        let numbers: Vec<f64> = Normal::new(5).take(n * n).collect();
        let at = |i: usize, j: usize| {
            dot(&numbers[i * n..(i + 1) * n], &numbers[j * n..(j + 1) * n])
                + if i == j { 1.0 } else { 0.0 }
        };
        let matrix: Vec<f64> = (0..n * n).map(|k| at(k / n, k % n)).collect();
        let b: Vec<f64> = Normal::new(6).take(n * 2).collect();
        let x = solve_positive(&matrix, n, &b, 2).unwrap();
        for row in 0..n {
            for column in 0..2 {
                let have: f64 = (0..n).map(|k| matrix[row * n + k] * x[k * 2 + column]).sum();
                assert!((have - b[row * 2 + column]).abs() < 1e-10);
            }
        }
        assert!(solve_positive(&[1.0, 2.0, 2.0, 4.0], 2, &[1.0, 1.0], 1).is_err());
    }
}
