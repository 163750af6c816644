//! Clusters of rows of numbers, and the principal components in which they are looked for.

use super::subspace::dot;

/// The number of random starts. The result with the smallest sum of squared distances is kept.
const STARTS: usize = 100;
/// The most iterations of a start. With few rows the assignment stops changing long before.
const ITERATIONS: usize = 300;
/// The most rounds of rotations. Ten are enough for a hundred rows.
const SWEEPS: usize = 60;

/// Returns the principal components of `rows`: for each row its coordinates along the `count` directions in which the rows
/// vary most, in the order of the variance. There are fewer coordinates if the rows have a lower rank. The sign of a
/// direction is arbitrary.
///
/// There are far fewer rows than columns, so that the eigenvectors of the rows' products are computed, by Jacobi's
/// rotations, and not those of the covariance.
///
/// # Panics
/// Panics if the rows have different lengths.
pub fn principal_components(rows: &[Vec<f64>], count: usize) -> Vec<Vec<f64>> {
    let columns = rows.first().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| row.len() == columns), "rows of one length");
    let mut mean = vec![0.0; columns];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / rows.len() as f64);
    }
    let centred: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().zip(&mean).map(|(value, mean)| value - mean).collect()).collect();
    let products = centred.iter().map(|a| centred.iter().map(|b| dot(a, b)).collect()).collect();
    let (values, vectors) = eigen(products);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let largest = order.first().map_or(0.0, |first| values[*first]);
    order.retain(|at| values[*at] > 1e-12 * largest);
    order.truncate(count);
    let coordinate = |row: usize| order.iter().map(|at| vectors[row][*at] * values[*at].sqrt()).collect();
    (0..rows.len()).map(coordinate).collect()
}

/// The eigenvalues of a symmetric matrix, and its eigenvectors as columns.
fn eigen(mut matrix: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = matrix.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|row| (0..size).map(|column| f64::from(u8::from(row == column))).collect()).collect();
    let scale: f64 = matrix.iter().flatten().map(|value| value * value).sum();
    for _ in 0..SWEEPS {
        let off: f64 =
            (0..size).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| matrix[a][b].powi(2)).sum();
        if off <= 1e-30 * scale {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                if matrix[p][q] != 0.0 {
                    rotate(&mut matrix, &mut vectors, p, q);
                }
            }
        }
    }
    ((0..size).map(|at| matrix[at][at]).collect(), vectors)
}

/// Makes the entry `(p, q)` of a symmetric matrix zero by a rotation, which is applied to the vectors as well.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |row: &mut [f64]| {
        let (a, b) = (row[p], row[q]);
        row[p] = c * a - s * b;
        row[q] = s * a + c * b;
    };
    matrix.iter_mut().for_each(|row| turn(row));
    let (above, below) = matrix.split_at_mut(q);
    for (upper, lower) in above[p].iter_mut().zip(&mut below[0]) {
        (*upper, *lower) = (c * *upper - s * *lower, s * *upper + c * *lower);
    }
    vectors.iter_mut().for_each(|row| turn(row));
}

/// Divides `rows` into `count` clusters with a small sum of squared distances to the means of the clusters (Lloyd's
/// algorithm from many starts chosen as in Arthur & Vassilvitskii, *k-means++*, 2007). Returns the number of the cluster of
/// each row, from 0 in the order in which they first occur. Equal rows and counts give equal clusters. `None` if there
/// are fewer different rows than clusters, no cluster is asked for, or a number is not finite.
///
/// # Panics
/// Panics if the rows have different lengths.
pub fn kmeans(rows: &[Vec<f64>], count: usize) -> Option<Vec<usize>> {
    let columns = rows.first().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| row.len() == columns), "rows of one length");
    if count == 0 || rows.iter().flatten().any(|value| !value.is_finite()) {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(0);
    let found = (0..STARTS).filter_map(|_| one_start(rows, count, &mut random));
    let (_, clusters) = found.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let mut names: Vec<usize> = Vec::new();
    let numbered = clusters.into_iter().map(|cluster| {
        names.iter().position(|name| *name == cluster).unwrap_or_else(|| {
            names.push(cluster);
            names.len() - 1
        })
    });
    Some(numbered.collect())
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The sum of squared distances and the clusters of one start; `None` if a cluster stays empty.
fn one_start(rows: &[Vec<f64>], count: usize, random: &mut fastrand::Rng) -> Option<(f64, Vec<usize>)> {
    let mut means = vec![rows.get(random.usize(..rows.len().max(1)))?.clone()];
    while means.len() < count {
        let nearest = |row: &Vec<f64>| means.iter().map(|mean| squared(row, mean)).fold(f64::INFINITY, f64::min);
        let distances: Vec<f64> = rows.iter().map(nearest).collect();
        let sum: f64 = distances.iter().sum();
        let mut rest = random.f64() * sum;
        let drawn = distances.iter().position(|distance| {
            rest -= distance;
            *distance > 0.0 && rest <= 0.0
        });
        // Rounding may leave a rest; the farthest row is always another one, unless all are means already.
        let farthest = || (0..rows.len()).max_by(|a, b| distances[*a].total_cmp(&distances[*b]));
        let next = drawn.or_else(farthest).filter(|at| distances[*at] > 0.0)?;
        means.push(rows[next].clone());
    }
    let nearest = |row: &Vec<f64>, means: &[Vec<f64>]| {
        let distances = means.iter().map(|mean| squared(row, mean)).enumerate();
        distances.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(at, _)| at)
    };
    let mut clusters: Vec<usize> = rows.iter().map(|row| nearest(row, &means)).collect();
    for _ in 0..ITERATIONS {
        for (number, mean) in means.iter_mut().enumerate() {
            let own: Vec<&Vec<f64>> = rows
                .iter()
                .zip(&clusters)
                .filter(|(_, cluster)| **cluster == number)
                .map(|(row, _)| row)
                .collect();
            if own.is_empty() {
                return None;
            }
            for (column, value) in mean.iter_mut().enumerate() {
                *value = own.iter().map(|row| row[column]).sum::<f64>() / own.len() as f64;
            }
        }
        let next: Vec<usize> = rows.iter().map(|row| nearest(row, &means)).collect();
        if next == clusters {
            break;
        }
        clusters = next;
    }
    let distance = rows.iter().zip(&clusters).map(|(row, cluster)| squared(row, &means[*cluster])).sum();
    Some((distance, clusters))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve rows of 40 columns that change slowly at first and then quickly, like the layers of an encoder.
    fn rows() -> Vec<Vec<f64>> {
        let value = |layer: usize, column: usize| {
            let (l, c) = (layer as f64, column as f64);
            (0.3 * c + 0.05 * l * l).sin() + 0.02 * l * (c % 7.0)
        };
        (1..=12).map(|layer| (0..40).map(|column| value(layer, column)).collect()).collect()
    }

    #[test]
    fn components_keep_distances_and_variances() {
        let rows = rows();
        // With all components, distances between rows are those of the rows themselves.
        let all = principal_components(&rows, 12);
        for a in 0..12 {
            for b in 0..12 {
                assert!((squared(&all[a], &all[b]) - squared(&rows[a], &rows[b])).abs() < 1e-9);
            }
        }
        // Columns are uncorrelated, centred and sorted by their variance.
        let column = |at: usize| all.iter().map(|row| row[at]).collect::<Vec<_>>();
        for a in 0..all[0].len() {
            assert!(column(a).iter().sum::<f64>().abs() < 1e-9);
            for b in 0..a {
                assert!(dot(&column(a), &column(b)).abs() < 1e-9);
                assert!(dot(&column(b), &column(b)) >= dot(&column(a), &column(a)) - 1e-9);
            }
        }
    }

    #[test]
    fn the_first_component_is_the_direction_of_the_power_method() {
        let rows = rows();
        let mean: Vec<f64> = (0..40).map(|c| rows.iter().map(|row| row[c]).sum::<f64>() / 12.0).collect();
        let centred: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().zip(&mean).map(|(a, b)| a - b).collect()).collect();
        let mut direction = vec![1.0; 40];
        for _ in 0..5000 {
            let along: Vec<f64> = centred.iter().map(|row| dot(row, &direction)).collect();
            let next: Vec<f64> =
                (0..40).map(|c| centred.iter().zip(&along).map(|(row, a)| row[c] * a).sum::<f64>()).collect();
            let length = dot(&next, &next).sqrt();
            direction = next.into_iter().map(|value| value / length).collect();
        }
        let found = principal_components(&rows, 1);
        let sign = (found[0][0] * dot(&centred[0], &direction)).signum();
        for (row, found) in centred.iter().zip(&found) {
            assert!((sign * found[0] - dot(row, &direction)).abs() < 1e-7);
        }
        // Two rows of rank one have a single coordinate, half their distance to either side.
        let two = principal_components(&[vec![1.0, 2.0], vec![3.0, 6.0]], 2);
        assert_eq!([two[0].len(), two[1].len()], [1, 1]);
        assert!((two[0][0].abs() - 5.0_f64.sqrt()).abs() < 1e-12 && (two[0][0] + two[1][0]).abs() < 1e-12);
    }

    /// The smallest sum of squared distances over all divisions of the rows.
    fn best_of_all(rows: &[Vec<f64>], count: usize) -> f64 {
        let mut best = f64::INFINITY;
        for code in 0..count.pow(rows.len() as u32) {
            let of = |at: usize| code / count.pow(at as u32) % count;
            let mut sum = 0.0;
            for cluster in 0..count {
                let own: Vec<&Vec<f64>> =
                    (0..rows.len()).filter(|at| of(*at) == cluster).map(|at| &rows[at]).collect();
                // The sum of squared distances to the mean is that of all pairs, divided by their number.
                let pairs: f64 = own.iter().flat_map(|a| own.iter().map(move |b| squared(a, b))).sum();
                sum += if own.is_empty() { 0.0 } else { pairs / (2 * own.len()) as f64 };
            }
            best = best.min(sum);
        }
        best
    }

    #[test]
    fn clusters_are_the_best_of_all_divisions() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..5 {
            let rows: Vec<Vec<f64>> = (0..8).map(|_| (0..2).map(|_| random.f64()).collect()).collect();
            let clusters = kmeans(&rows, 3).expect("three clusters");
            let mut sum = 0.0;
            for number in 0..3 {
                let own: Vec<&Vec<f64>> =
                    rows.iter().zip(&clusters).filter(|(_, c)| **c == number).map(|(row, _)| row).collect();
                let mean: Vec<f64> =
                    (0..2).map(|c| own.iter().map(|row| row[c]).sum::<f64>() / own.len() as f64).collect();
                sum += own.iter().map(|row| squared(row, &mean)).sum::<f64>();
            }
            assert!((sum - best_of_all(&rows, 3)).abs() < 1e-12);
            assert_eq!(kmeans(&rows, 3), Some(clusters), "a second time the same");
        }
    }

    #[test]
    fn clusters_need_as_many_different_rows() {
        let rows = [vec![1.0], vec![1.0], vec![2.0]];
        assert_eq!(kmeans(&rows, 2), Some(vec![0, 0, 1]));
        assert_eq!(kmeans(&rows, 3), None);
        assert_eq!(kmeans(&[], 1), None);
        assert_eq!(kmeans(&rows, 0), None);
        assert_eq!(kmeans(&[vec![f64::NAN], vec![0.0]], 1), None);
    }
}
