//! Scores of masks (Dice, IoU, Cohen's kappa, Hausdorff distance), calibration of probabilities, agreement of several
//! masks, and the statistics of studies, on plain slices of values.

mod auroc;
mod bootstrap;
mod calibration;
mod confusion;
mod distance;
mod gaussian;
mod hausdorff;
mod hausdorff_volume;
mod kappa;
mod kmeans;
mod lesion_size;
mod logistic;
mod several;
mod spread;
mod subspace;
mod temperature;
mod wilcoxon;

pub use auroc::auroc;
pub use bootstrap::{Bootstrap, Interval, PairedCase};
pub use calibration::{CALIBRATION_BINS, CalibrationBin, Reliability, near_edge};
pub use confusion::Confusion;
pub use distance::squared_distances;
pub use gaussian::{Gaussian, mean_covariance};
pub use hausdorff::{hd95, hd95_of};
pub use hausdorff_volume::hd95_volume;
pub use kmeans::{kmeans, principal_components};
pub use lesion_size::{ByLesionSize, LESION_SIZES, LesionSizeGroup, WithoutLesion, by_lesion_size};
pub use logistic::{Logistic, LogisticCase};
pub use several::{UnequalMasks, foreground_share, pairwise_dice};
pub use spread::{Spread, mean_std};
pub use subspace::{dot, principal_subspace};
pub use temperature::LogitCounts;
pub use wilcoxon::{Wilcoxon, holm, wilcoxon};
