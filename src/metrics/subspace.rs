//! The principal subspace of rows of numbers.

/// The number of iterations. The subspace need not be exact: what is measured in it and of the rest does not depend on
/// which orthonormal vectors span it.
const ITERATIONS: usize = 12;

/// Returns `count` orthonormal vectors that span nearly the subspace in which `rows`, which have a mean of 0, vary most:
/// subspace iteration from a fixed random start (Halko, Martinsson & Tropp, *Finding Structure with Randomness*, 2011). It
/// returns fewer if the rows have a lower rank or fewer columns.
///
/// # Panics
/// Panics if the rows have different lengths.
pub fn principal_subspace(rows: &[Vec<f64>], count: usize) -> Vec<Vec<f64>> {
    let columns = rows.first().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| row.len() == columns), "rows of one length");
    let mut random = fastrand::Rng::with_seed(0);
    let start = (0..count.min(columns)).map(|_| (0..columns).map(|_| random.f64() - 0.5).collect()).collect();
    let mut basis: Vec<Vec<f64>> = orthonormal(start);
    for _ in 0..ITERATIONS {
        let mut next = vec![vec![0.0; columns]; basis.len()];
        for row in rows {
            for (vector, next) in basis.iter().zip(&mut next) {
                let along = dot(row, vector);
                next.iter_mut().zip(row).for_each(|(next, value)| *next += along * value);
            }
        }
        basis = orthonormal(next);
    }
    basis
}

/// Returns the product of two vectors.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes vectors orthonormal (modified Gram-Schmidt, twice for accuracy). What depends on the others is left out.
fn orthonormal(vectors: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(vectors.len());
    for mut vector in vectors {
        let before = dot(&vector, &vector).sqrt();
        for _ in 0..2 {
            for other in &basis {
                let along = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        let length = dot(&vector, &vector).sqrt();
        if length > 1e-9 * before && length > 0.0 {
            vector.iter_mut().for_each(|value| *value /= length);
            basis.push(vector);
        }
    }
    basis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_in_which_the_rows_vary_most_are_spanned() {
        // Two strong directions, which are not axes, and weak noise.
        let mut random = fastrand::Rng::with_seed(4);
        let strong = [[0.6, 0.8, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.8, -0.6]];
        let rows: Vec<Vec<f64>> = (0..400)
            .map(|_| {
                let [a, b] = [10.0, 5.0].map(|width: f64| width * (random.f64() - 0.5));
                (0..5).map(|i| a * strong[0][i] + b * strong[1][i] + 0.01 * (random.f64() - 0.5)).collect()
            })
            .collect();
        let basis = principal_subspace(&rows, 2);
        for direction in strong {
            let within: f64 = basis.iter().map(|vector| dot(vector, &direction).powi(2)).sum();
            assert!((within - 1.0).abs() < 1e-4, "{within}");
        }
        for (index, a) in basis.iter().enumerate() {
            for (other, b) in basis.iter().enumerate() {
                let expected = if index == other { 1.0 } else { 0.0 };
                assert!((dot(a, b) - expected).abs() < 1e-12);
            }
        }
        assert_eq!(principal_subspace(&rows, 2), basis, "the same rows give the same");
    }

    #[test]
    fn there_are_no_more_directions_than_the_rows_have() {
        let rows = vec![vec![1.0, 2.0, 3.0], vec![-1.0, -2.0, -3.0]];
        assert_eq!(principal_subspace(&rows, 3).len(), 1);
        assert!(principal_subspace(&[], 3).is_empty());
        assert!(principal_subspace(&[vec![0.0; 4]], 2).is_empty());
    }
}
