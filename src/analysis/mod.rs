//! Maps, filters, refinement and figures, computed from an inspection with plain arithmetic on plain arrays;
//! measurements of labels, their export, and batches of images.

pub mod ablation;
pub mod agreement;
pub mod batch;
pub mod comparison;
pub mod export;
pub mod figure;
pub mod filter;
pub mod maps;
pub mod measurements;
pub mod number;
pub mod refinement;
pub mod robustness;
mod text_table;

/// Names a stage by its grid and by its number in the paper (figures 3 and 4); `index` counts from the coarsest of
/// `count` stages.
pub fn stage_name(grid: usize, index: usize, count: usize) -> String {
    format!("Stage {grid} (Layer {})", count.saturating_sub(index))
}
