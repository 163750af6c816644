//! Tables of a study for reading: as Markdown, and as LaTeX for a manuscript.

use super::number::signed;
use crate::metrics::{Interval, Spread};

/// Formats a mean and a standard deviation; a dash without values.
pub fn mean_sd(Spread { mean, std, .. }: &Spread) -> String {
    if mean.is_finite() { format!("{mean:.3} ± {std:.3}") } else { "–".to_owned() }
}

/// Formats a difference with its interval.
pub fn difference(interval: &Interval) -> String {
    format!("{} [{}, {}]", signed(interval.estimate, 3), signed(interval.low, 3), signed(interval.high, 3))
}

/// Returns a table and its notes as Markdown. The first column is aligned to the left, the others to the right.
pub fn markdown(heads: &[&str], rows: &[impl AsRef<[String]>], notes: &[String]) -> String {
    let mut text = format!("| {} |\n", heads.join(" | "));
    text += &format!("|---|{}\n", "---:|".repeat(heads.len().saturating_sub(1)));
    rows.iter().for_each(|row| text += &format!("| {} |\n", row.as_ref().join(" | ")));
    notes.iter().for_each(|note| text += &format!("\n{note}\n"));
    text
}

/// Returns a table as a LaTeX `tabular` that needs no package, with its notes as comments.
pub fn latex(heads: &[&str], rows: &[impl AsRef<[String]>], notes: &[String]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.map(escaped).collect();
        format!("{} \\\\\n", cells.join(" & "))
    };
    let mut text = String::new();
    notes.iter().for_each(|note| text += &format!("% {note}\n"));
    text += &format!("\\begin{{tabular}}{{l{}}}\n\\hline\n", "r".repeat(heads.len().saturating_sub(1)));
    text += &line(&mut heads.iter().copied());
    text += "\\hline\n";
    rows.iter().for_each(|row| text += &line(&mut row.as_ref().iter().map(String::as_str)));
    text + "\\hline\n\\end{tabular}\n"
}

fn escaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for letter in cell.chars() {
        match letter {
            '%' | '&' | '_' | '#' | '$' | '{' | '}' => text.extend(['\\', letter]),
            '\\' => text += "\\textbackslash{}",
            '~' => text += "\\textasciitilde{}",
            '^' => text += "\\textasciicircum{}",
            '±' => text += "$\\pm$",
            '−' => text += "$-$",
            '+' => text += "$+$",
            '<' => text += "$<$",
            '>' => text += "$>$",
            '–' => text += "--",
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_latex_are_characters_and_no_commands() {
        let rows = [[r"a\b~c^d_e".to_owned(), "< 0.001 ± 1 > 0".to_owned()]];
        let text = latex(&["%", "&"], &rows, &["all".to_owned()]);
        let expected = r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d\_e & $<$ 0.001 $\pm$ 1 $>$ 0 \\";
        assert_eq!(text.lines().nth(5), Some(expected), "{text}");
        assert_eq!(text.lines().nth(3), Some(r"\% & \& \\"), "{text}");
    }
}
