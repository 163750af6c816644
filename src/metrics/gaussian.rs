//! Means, covariances and Mahalanobis distances.

/// The share of the covariance that is replaced by its diagonal.
const SHRINKAGE: f64 = 0.1;
/// What is added to every variance, as a share of the mean variance.
const RIDGE: f64 = 1e-3;

/// Returns the mean of the rows and their regularised covariance: a tenth of it is replaced by its diagonal, and a
/// thousandth of the mean variance is added to every variance, so that it can be inverted with few rows. `None` without
/// rows, or if all rows are equal.
pub fn mean_covariance(rows: &[Vec<f64>]) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
    let (count, columns) = (rows.len() as f64, rows.first()?.len());
    if rows.iter().all(|row| row == &rows[0]) {
        return None;
    }
    let mut mean = vec![0.0; columns];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
    }
    let mut covariance = vec![vec![0.0; columns]; columns];
    for row in rows {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(value, mean)| value - mean).collect();
        for (a, line) in centred.iter().zip(&mut covariance) {
            line.iter_mut().zip(&centred).for_each(|(cell, b)| *cell += a * b / count);
        }
    }
    let ridge = RIDGE * (0..columns).map(|at| covariance[at][at]).sum::<f64>() / columns as f64;
    for (at, line) in covariance.iter_mut().enumerate() {
        for (other, cell) in line.iter_mut().enumerate() {
            *cell = if at == other { *cell + ridge } else { (1.0 - SHRINKAGE) * *cell };
        }
    }
    Some((mean, covariance))
}

/// A normal distribution, prepared for distances.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    /// The lower triangular Cholesky factor of the covariance.
    factor: Vec<Vec<f64>>,
}

impl Gaussian {
    /// Prepares a distribution; `None` if the sizes do not match, a number is not finite, or the covariance is not
    /// positive definite.
    pub fn new(mean: Vec<f64>, covariance: &[Vec<f64>]) -> Option<Self> {
        let size = mean.len();
        let is_square = covariance.len() == size && covariance.iter().all(|line| line.len() == size);
        if !is_square || mean.iter().chain(covariance.iter().flatten()).any(|value| !value.is_finite()) {
            return None;
        }
        let mut factor = vec![vec![0.0; size]; size];
        for row in 0..size {
            for column in 0..=row {
                let known: f64 = (0..column).map(|at| factor[row][at] * factor[column][at]).sum();
                let rest = covariance[row][column] - known;
                factor[row][column] = match row == column {
                    true if rest > 0.0 => rest.sqrt(),
                    true => return None,
                    false => rest / factor[column][column],
                };
            }
        }
        Some(Self { mean, factor })
    }

    /// Returns the Mahalanobis distance of a point, in standard deviations; `None` if it has another size.
    pub fn distance(&self, point: &[f64]) -> Option<f64> {
        if point.len() != self.mean.len() {
            return None;
        }
        let mut solved: Vec<f64> = Vec::with_capacity(point.len());
        for (row, line) in self.factor.iter().enumerate() {
            let known: f64 = line.iter().zip(&solved).map(|(factor, value)| factor * value).sum();
            solved.push((point[row] - self.mean[row] - known) / line[row]);
        }
        Some(solved.iter().map(|value| value * value).sum::<f64>().sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_that_of_the_inverse_covariance() {
        // The inverse of [[4, 1], [1, 2]] is [[2, −1], [−1, 4]] / 7.
        let gaussian =
            Gaussian::new(vec![1.0, -1.0], &[vec![4.0, 1.0], vec![1.0, 2.0]]).expect("positive definite");
        let (x, y) = (3.0 - 1.0, 2.0 + 1.0);
        let expected = ((2.0 * x * x - 2.0 * x * y + 4.0 * y * y) / 7.0_f64).sqrt();
        assert!((gaussian.distance(&[3.0, 2.0]).expect("a point") - expected).abs() < 1e-12);
        assert_eq!(gaussian.distance(&[1.0, -1.0]), Some(0.0));
        assert_eq!(gaussian.distance(&[1.0]), None);
        for broken in
            [vec![vec![1.0, 2.0], vec![2.0, 1.0]], vec![vec![1.0, 0.0]], vec![vec![f64::NAN, 0.0], vec![0.0, 1.0]]]
        {
            assert_eq!(Gaussian::new(vec![0.0, 0.0], &broken), None);
        }
    }

    #[test]
    fn the_covariance_is_regularised() {
        let rows = [[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]].map(|row| row.to_vec());
        let (mean, covariance) = mean_covariance(&rows).expect("rows");
        assert_eq!(mean, [3.0, 6.0]);
        // The variances are 8/3 and 32/3, the covariance 16/3, and the mean variance 20/3.
        let ridge = 1e-3 * 20.0 / 3.0;
        let expected = [[8.0 / 3.0 + ridge, 0.9 * 16.0 / 3.0], [0.9 * 16.0 / 3.0, 32.0 / 3.0 + ridge]];
        for (line, expected) in covariance.iter().zip(expected) {
            assert!(line.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12));
        }
        assert!(Gaussian::new(mean, &covariance).is_some(), "rows on a line can be inverted");
        assert_eq!(mean_covariance(&[]), None);
        assert_eq!(mean_covariance(&[vec![1.0], vec![1.0]]), None);
    }
}
