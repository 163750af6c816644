//! The scores of an ablation study: of every image in every run, and their report.

mod cases;
mod published;
mod report;
mod summary;

pub use cases::{CASES, CaseScore, FinishedRun, RunScores, ScoreError, read_cases, read_runs, score};
pub use report::Report;
pub use summary::{Difference, VariantSummary, summaries};
