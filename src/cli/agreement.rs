//! `himix agreement`: how far the masks of two readers agree.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::analysis::agreement::{self, Agreement, CaseAgreement, Mean};
use himix::data::cases::{CaseStore, MaskPairs, pairs_of_folders};
use himix::data::{LabelChoice, Limit, MaskReading, Orientation, write};
use serde_json::{Value, json};

use super::arguments::MaskRuleName;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix agreement masks-of-anna masks-of-bob --out agreement.csv
  himix agreement qata --readers anna bob
  himix agreement qata                     the only two readers of the folder

Of two folders, masks belong together whose paths below their folders are the same, apart from the extension and the mark of a
mask: mask_a.png, a_mask.png and a.nii.gz do. A single folder is one of data, in whose himix-cases the window keeps the masks of
readers.

Dice and HD95 are the same whichever reader is the reference; HD95 of a stack is in 3D. Cohen's kappa counts all pixels, so that it
depends on how much of an image is background.";

/// Compare the masks of two readers: Dice, Cohen's kappa and HD95 by case and in total
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AgreementArguments {
    /// Folder of masks of the first reader, or folder of data with masks of several readers
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Folder of masks of the second reader
    #[arg(value_name = "B", conflicts_with = "readers")]
    second: Option<PathBuf>,
    /// Names of two readers of the folder of data
    #[arg(long, value_name = "NAME", num_args = 2)]
    readers: Option<Vec<String>>,
    /// Labels of the masks that are foreground, for instance 1,3; "all" means all except background
    #[arg(long, value_name = "N,N", default_value = "all", allow_hyphen_values = true)]
    labels: LabelChoice,
    /// Rule for the foreground of a mask file
    #[arg(long, value_name = "RULE", default_value = "found")]
    mask_rule: MaskRuleName,
    /// Table with one row for each case (CSV)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &AgreementArguments) -> Result<(), Failure> {
    let pairs = pairs(&arguments.first, arguments.second.as_deref(), arguments.readers.as_deref())?;
    let reading = MaskReading {
        rule: arguments.mask_rule.rule(),
        orientation: Orientation::default(),
        limit: Limit::default(),
    };
    let bar = terminal::bar(pairs.pairs.len(), "cases");
    let found = agreement::compare(pairs, &arguments.labels, &reading, &|done, _| {
        bar.set_position(done as u64);
        true
    })?;
    bar.finish_and_clear();
    found.notes.iter().for_each(terminal::note);
    for (case, reason) in &found.failed {
        terminal::note(format!("{case} is left out: {reason}"));
    }
    if found.cases.is_empty() {
        let [a, b] = &found.readers;
        return Err(Failure::input(format!(
            "{a} and {b} have no case in common that can be compared; cases have the same file names"
        )));
    }
    if let Some(path) = &arguments.out {
        write::file(path, |out| found.write_table(out))?;
    }
    match arguments.json {
        true => terminal::print(&format!("{:#}", object(&found))),
        false => terminal::print(&text(&found)),
    }
}

fn pairs(first: &Path, second: Option<&Path>, readers: Option<&[String]>) -> Result<MaskPairs, Failure> {
    if let Some(second) = second {
        return Ok(pairs_of_folders([first, second])?);
    }
    let readers = match readers {
        Some([a, b]) => Some([a.as_str(), b.as_str()]),
        _ => None,
    };
    let store = CaseStore::of(first, himix::app::settings_folder().as_deref());
    Ok(store.pairs(readers)?)
}

fn text(found: &Agreement) -> String {
    let longest = found.cases.iter().map(|case| case.case.chars().count()).max().unwrap_or(0).clamp(4, 60);
    let mut text = format!("{} (reference) and {}\n\n", found.readers[0], found.readers[1]);
    text += &format!("{:<longest$}    Dice   kappa        HD95\n", "case");
    for CaseAgreement { case, counts, hd95, unit, .. } in &found.cases {
        let kappa = counts.kappa().map_or_else(|| "     –".into(), |kappa| format!("{kappa:6.3}"));
        let hd95 = hd95.map_or_else(|| "       –".into(), |distance| format!("{distance:8.2} {unit}"));
        text += &format!("{case:<longest$}  {:6.3}  {kappa}  {hd95}\n", counts.dice());
    }
    let (pooled, dice) = (found.pooled(), found.dice());
    let of_cases = |count: usize| if count == 1 { "1 case".to_owned() } else { format!("{count} cases") };
    text += &format!("\n{}\n", of_cases(found.cases.len()));
    text += &format!("per image   Dice   {:6.3} ± {:5.3}\n", dice.mean, dice.std);
    let mean = |name: &str, Mean { spread, undefined }: Mean, digits: usize, unit: &str| {
        if spread.mean.is_nan() {
            return String::new();
        }
        let rest = match undefined {
            0 => String::new(),
            count => format!("   (without {}, where it is not defined)", of_cases(count)),
        };
        format!("per image   {name:<6} {:6.digits$} ± {:5.digits$}{unit}{rest}\n", spread.mean, spread.std)
    };
    text += &mean("kappa", found.kappa(), 3, "");
    match found.hd95() {
        Some((distance, unit)) => text += &mean("HD95", distance, 2, &format!(" {unit}")),
        None => {
            text += "per image   HD95   no mean, because some masks have a pixel spacing and others have none\n"
        }
    }
    text += &format!("pooled      Dice   {:6.3}\n", pooled.dice());
    text += &pooled.kappa().map_or_else(String::new, |kappa| format!("pooled      kappa  {kappa:6.3}\n"));
    for (names, reader) in found.alone.iter().zip(&found.readers) {
        if !names.is_empty() {
            let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            let more = if names.len() > 3 { ", …" } else { "" };
            text += &format!("only {reader} has {}: {shown}{more}\n", of_cases(names.len()));
        }
    }
    text
}

fn object(found: &Agreement) -> Value {
    let case = |case: &CaseAgreement| {
        json!({
            "case": case.case,
            "masks": case.masks,
            "dice": case.counts.dice(),
            "kappa": case.counts.kappa(),
            "hd95": case.hd95,
            "hd95_unit": case.unit,
            "both": case.counts.true_positive,
            "only_first": case.counts.false_negative,
            "only_second": case.counts.false_positive,
            "neither": case.counts.true_negative,
        })
    };
    let (pooled, kappa) = (found.pooled(), found.kappa());
    let hd95 = found
        .hd95()
        .map(|(mean, unit)| json!({ "unit": unit, "spread": mean.spread, "undefined": mean.undefined }));
    json!({
        "readers": found.readers,
        "per_image": { "dice": found.dice(), "kappa": kappa.spread, "kappa_undefined": kappa.undefined, "hd95": hd95 },
        "pooled": { "dice": pooled.dice(), "kappa": pooled.kappa() },
        "cases": found.cases.iter().map(case).collect::<Vec<_>>(),
        "only_first": found.alone[0],
        "only_second": found.alone[1],
        "failed": found.failed.iter().map(|(case, reason)| json!({ "case": case, "reason": reason })).collect::<Vec<_>>(),
    })
}
