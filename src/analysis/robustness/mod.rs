//! What a study of robustness shows: statistics of every form of the prompts, the difference to structured prompts, the
//! worst cases, and tables of them.

mod report;
mod run;
mod summary;
mod tables;
mod worst;

pub use report::{CasesError, Report};
pub use run::{Outcome, Wanted, study};
pub use summary::{Difference, FormSummary, summaries};
pub use tables::{latex, markdown, notes, numbers};
pub use worst::{Loss, hardest, worst};

#[cfg(test)]
mod tests {
    use crate::data::subject_or_name;
    use crate::infer::robustness::{Form, FormScore, MadeForm};
    use crate::metrics::Confusion;

    pub fn counts([true_positive, false_positive, false_negative]: [u64; 3]) -> Confusion {
        let all = true_positive + false_positive + false_negative;
        Confusion {
            true_positive,
            false_positive,
            false_negative,
            true_negative: if all > 0 { 1000 - all } else { 0 },
        }
    }

    /// A score of a mask with these true positives, false positives and false negatives.
    pub fn score(image: &str, prompt: usize, form: Form, pixels: Option<[u64; 3]>) -> FormScore {
        let text = format!("{} of {image}", form.name());
        let made = pixels.map(|pixels| MadeForm {
            text,
            is_unchanged: form == Form::Structured,
            counts: counts(pixels),
            agreement: None,
        });
        FormScore { image: image.to_owned(), subject: subject_or_name(image).to_owned(), prompt, form, made }
    }
}
