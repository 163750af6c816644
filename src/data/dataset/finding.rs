//! The problems of a data set, and their messages.

use std::collections::BTreeMap;

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The table names an image that does not exist.
    MissingImage,
    /// An image has no mask.
    MissingMask,
    /// A mask has no image.
    MissingPartner,
    /// An image has a second row without another prompt.
    DuplicateRow,
    /// Two files have the same content.
    DuplicateImage,
    /// A pair is not named in the table, so that it has no prompt.
    #[serde(rename = "no_sentence")]
    NoPrompt,
    /// The prompt is empty.
    #[serde(rename = "empty_sentence")]
    EmptyPrompt,
    /// Image and mask have different sizes.
    SizeMismatch,
    /// A file is not a readable image.
    Unreadable,
    /// A mask has no foreground.
    EmptyMask,
    /// A mask is foreground everywhere.
    FullMask,
    /// No mask of the split has foreground.
    AllEmpty,
    /// An image has several masks.
    SeveralMasks,
    /// An image has several prompts.
    SeveralPrompts,
    /// The table has a fault but could be read.
    Table,
}

impl Problem {
    /// Describes the problem in words, in the singular or the plural for `count` cases.
    pub fn words(self, count: usize) -> &'static str {
        let (one, many) = match self {
            Self::MissingImage => ("row without its image", "rows without their image"),
            Self::MissingMask => ("image without a mask", "images without a mask"),
            Self::MissingPartner => ("mask without an image", "masks without an image"),
            Self::DuplicateRow => ("second row for an image", "second rows for an image"),
            Self::DuplicateImage => ("image with the content of another", "images with the content of another"),
            Self::NoPrompt => ("pair that the table does not name", "pairs that the table does not name"),
            Self::EmptyPrompt => ("empty prompt", "empty prompts"),
            Self::SizeMismatch => {
                ("mask of another size than its image", "masks of another size than their image")
            }
            Self::Unreadable => ("file that cannot be read", "files that cannot be read"),
            Self::EmptyMask => ("mask without foreground", "masks without foreground"),
            Self::FullMask => ("mask that is foreground everywhere", "masks that are foreground everywhere"),
            Self::AllEmpty => ("split without any foreground", "splits without any foreground"),
            Self::SeveralMasks => ("image with several masks", "images with several masks"),
            Self::SeveralPrompts => ("image with several prompts", "images with several prompts"),
            Self::Table => ("note on the table", "notes on the table"),
        };
        if count == 1 { one } else { many }
    }

    /// Returns whether such cases are left out of training and evaluation.
    pub fn is_left_out(self) -> bool {
        use Problem::{
            AllEmpty, DuplicateImage, EmptyMask, EmptyPrompt, FullMask, SeveralMasks, SeveralPrompts, Table,
        };
        !matches!(
            self,
            EmptyPrompt | EmptyMask | FullMask | AllEmpty | SeveralMasks | SeveralPrompts | DuplicateImage | Table
        )
    }
}

/// One problem of a data set.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The kind of problem.
    pub problem: Problem,
    /// The file that has the problem, with details if they help.
    pub what: String,
}

impl Finding {
    pub(super) fn new(problem: Problem, what: impl Into<String>) -> Self {
        Self { problem, what: what.into() }
    }
}

/// Returns one line for each kind of problem: the number of cases, the problem and the first three names.
pub fn summary(findings: &[Finding]) -> Vec<String> {
    let mut kinds: BTreeMap<Problem, Vec<&str>> = BTreeMap::new();
    findings.iter().for_each(|finding| kinds.entry(finding.problem).or_default().push(&finding.what));
    let line = |(problem, names): (Problem, Vec<&str>)| {
        let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 3 { ", …" } else { "" };
        match problem {
            Problem::Table => shown + more,
            Problem::AllEmpty => format!("no mask of split {shown}{more} has foreground"),
            _ => {
                let left_out = if problem.is_left_out() { ", left out" } else { "" };
                format!("{} {}{left_out} ({shown}{more})", names.len(), problem.words(names.len()))
            }
        }
    };
    kinds.into_iter().map(line).collect()
}
