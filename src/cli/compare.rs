//! `himix compare`: several networks on the same cases, with tables and a figure of their masks.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use himix::analysis::comparison::{
    MOST_ROWS, NetworkSummary, NetworksReport, PairSummary, PublishedSet, chosen_figure, spread_cases,
    write_figure,
};
use himix::data::phantom::Kind;
use himix::data::{DataError, Dataset, OverlayColours, summary};
use himix::infer::comparison::{
    ComparedCase, Comparison, ComparisonSettings, ComparisonStep, Entrant, EntrantSource, compare,
};
use himix::infer::{ModelSource, OpenModel};
use himix::metrics::Bootstrap;
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, PairArguments, threshold};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix compare --data qata --split test --model HiMix=himix --model LViT=lvit --out compared
  himix compare --data qata --split test --model himix --predictions MedSAM=medsam --out compared --published qata
  himix compare --data qata --split test --model A=a --model B=b --out compared --figure covid_1.png,covid_7.png
  himix compare --phantoms 30 --seed 4 --model bundled --model other --out compared

The folder of --out receives table.md, table.tex and table.csv (the networks), pairs.csv (each pair of networks), differences.csv (every
image by every pair, sorted), scores.csv (every image by every network), figure.svg, figure.png and figure.csv, and in predictions/NAME the
probabilities of every model. A comparison that was ended, also with Ctrl-C, goes on where it was when the same command is given again.
A folder of predictions has a grey PNG of 8 or 16 bits for each image, by the name of the image; docs/compare.md describes it.";

/// Compare networks on the same cases: scores, paired differences, cost, and a figure of their masks
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArguments {
    /// Model, optionally with the name by which it stands in the tables: the folder of a bundle, a weights file, or "bundled"; may
    /// be repeated
    #[arg(long, value_name = "NAME=M")]
    model: Vec<String>,
    /// Folder of predictions of a network that need not be in this program, with its name; may be repeated
    #[arg(long, value_name = "NAME=DIR")]
    predictions: Vec<String>,
    /// Folder of the data set
    #[arg(long, value_name = "DIR", requires = "split", required_unless_present = "phantoms")]
    data: Option<PathBuf>,
    /// Split to compare on, for instance test, or "all" if the data set names no splits
    #[arg(long, value_name = "SPLIT", requires = "data")]
    split: Option<String>,
    /// Compare on this number of synthetic images instead of a data set
    #[arg(long, value_name = "N", conflicts_with = "data", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    phantoms: Option<u64>,
    /// Kind of the synthetic images: xray, ct or endoscopy; may be repeated [default: xray]
    #[arg(long, value_name = "KIND", requires = "phantoms")]
    kind: Vec<Kind>,
    /// Side of the synthetic images in pixels
    #[arg(long, value_name = "PIXELS", default_value = "224", value_parser = clap::value_parser!(u64).range(64..=1024))]
    side: u64,
    /// Seed of the synthetic images and of the resamples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground, for all networks
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    reading: PairArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// Folder for the results, created if necessary
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Cases of the figure, by their file names, separated by commas [default: the three on which the networks differ most]
    #[arg(long, value_name = "CASE,CASE", value_delimiter = ',')]
    figure: Vec<String>,
    /// Put the published scores of this data set beside those of the networks with the names that the paper uses, where the convention is
    /// the same: qata, mosmed or kvasir
    #[arg(long, value_name = "SET")]
    published: Option<PublishedSet>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Parts of the notes on a network without which its masks cannot be judged, so that the figure has them too.
const WITH_FIGURE: [&str; 4] = ["untrained", "reads no text", "another prompt", "place of the answer"];

/// The number of cases in a figure for which none were named.
const ROWS: usize = 3;

/// Runs the comparison with models that `open` opens.
pub fn run(arguments: &CompareArguments, open: &OpenModel) -> Result<(), Failure> {
    let entrants = entrants(arguments)?;
    let (cases, [data, split]) = cases(arguments)?;
    let rows = named_cases(&arguments.figure, &cases)?;
    let out = &arguments.out;
    // This is found out before a model is read.
    std::fs::create_dir_all(out).map_err(|error| {
        Failure::work(format!("{}: the folder cannot be created ({error}); choose another", out.display()))
    })?;
    let bar = terminal::bar(entrants.len() * cases.len(), "masks");
    let progress = |step: ComparisonStep<'_>| {
        bar.set_position(step.done as u64);
        ControlFlow::Continue(())
    };
    let settings = ComparisonSettings {
        threshold: arguments.threshold,
        data: [&data, &split],
        is_part: false,
        out: Some(out),
    };
    let opened =
        |source: &ModelSource| bar.suspend(|| model::open(open, source, arguments.device.choice()?, "masks"));
    let found: Option<Comparison> = compare::<Failure>(&entrants, &cases, settings, opened, progress)?;
    bar.finish_and_clear();
    let Some(comparison) = found else {
        return Err(Failure::work("the comparison was stopped; give the same command to go on"));
    };
    if comparison.known > 0 {
        let known = comparison.known;
        terminal::note(format!("{known} masks were already made and were read from {}", out.display()));
    }
    comparison.skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    for (name, reason) in &comparison.left_out {
        terminal::note(format!("{name} takes no part: {reason}"));
    }
    let bootstrap = Bootstrap { seed: arguments.seed, ..Bootstrap::default() };
    let report = NetworksReport::of(&comparison, bootstrap, arguments.threshold, arguments.published);
    let mut files = report.write(&comparison, out)?;
    let rows: Vec<usize> = match rows.is_empty() {
        true => spread_cases(&comparison, ROWS),
        // A case that cannot be read has no number any more.
        false => {
            rows.iter().filter_map(|name| comparison.cases.iter().position(|case| case.name == *name)).collect()
        }
    };
    let about = about(arguments, &comparison);
    files.extend(write_figure(&chosen_figure(&comparison, &rows, &OverlayColours::PAPER, &about)?, out)?);
    let count = comparison.cases.len();
    if arguments.json {
        let object = json!({
            "count": count,
            "data": data,
            "split": split,
            "threshold": (f64::from(arguments.threshold) * 1e6).round() / 1e6,
            "seed": arguments.seed,
            "networks": report.summaries.iter().map(network).collect::<Vec<_>>(),
            "pairs": report.pairs.iter().map(|pair| pair_of(&report, pair)).collect::<Vec<_>>(),
            "left_out": comparison.left_out.iter().map(|(name, reason)| json!({ "network": name, "reason": reason })).collect::<Vec<_>>(),
            "figure": rows.iter().map(|row| comparison.cases[*row].name.as_str()).collect::<Vec<_>>(),
            "notes": report.notes,
            "skipped": comparison.skipped,
            "files": files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        });
        return terminal::print(&format!("{object:#}"));
    }
    let mut text = format!("{data}, {split}: {count} images at threshold {}\n\n", arguments.threshold);
    text += &report.markdown();
    text.push('\n');
    files.iter().map(PathBuf::as_path).map(Path::display).for_each(|path| text += &format!("{path} written\n"));
    terminal::print(&text)
}

/// Reads NAME=PATH; without a name, it is that of the last part of the path.
fn named(text: &str) -> (String, PathBuf) {
    match text.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\']) => (name.trim().to_owned(), path.into()),
        _ => {
            let path = Path::new(text);
            let name = path.file_name().unwrap_or(path.as_os_str());
            (name.to_string_lossy().into_owned(), path.to_owned())
        }
    }
}

fn entrants(arguments: &CompareArguments) -> Result<Vec<Entrant>, Failure> {
    let models = arguments.model.iter().map(|text| {
        let (name, path) = named(text);
        Entrant { name, source: EntrantSource::Model(ModelSource::new(path)) }
    });
    let folders = arguments.predictions.iter().map(|text| {
        let (name, path) = named(text);
        Entrant { name, source: EntrantSource::Predictions(path) }
    });
    let entrants: Vec<Entrant> = models.chain(folders).collect();
    // A model that is not there is found out before the first of them has worked.
    for Entrant { source, .. } in &entrants {
        if let EntrantSource::Model(source @ ModelSource::Files(_)) = source
            && !source.path().exists()
        {
            return Err(DataError::Missing { path: source.path().to_owned() }.into());
        }
    }
    if entrants.is_empty() {
        return Err(Failure::input("there is nothing to compare; give --model or --predictions"));
    }
    Ok(entrants)
}

/// Returns the cases, with the name of the data set and its split.
fn cases(arguments: &CompareArguments) -> Result<(Vec<ComparedCase>, [String; 2]), Failure> {
    if let Some(count) = arguments.phantoms {
        let kinds = if arguments.kind.is_empty() { vec![Kind::Xray] } else { arguments.kind.clone() };
        let cases = ComparedCase::phantoms(&kinds, arguments.seed, count, arguments.side as usize);
        return Ok((cases, ["phantoms".to_owned(), format!("seed {}, side {}", arguments.seed, arguments.side)]));
    }
    let (Some(data), Some(split)) = (&arguments.data, &arguments.split) else {
        return Err(Failure::input("give --data with --split, or --phantoms"));
    };
    let mut dataset = Dataset::open(data, split)?;
    dataset.reading = arguments.reading.over(dataset.reading);
    summary(&dataset.findings).into_iter().for_each(terminal::note);
    let name = dataset.root.file_name().unwrap_or(dataset.root.as_os_str()).to_string_lossy().into_owned();
    let names = [name, dataset.split.clone()];
    Ok((ComparedCase::of_dataset(&dataset), names))
}

/// Returns the names of the cases of the figure. The extension of a name may be left out.
fn named_cases(wanted: &[String], cases: &[ComparedCase]) -> Result<Vec<String>, Failure> {
    if wanted.len() > MOST_ROWS {
        return Err(Failure::input(format!("the figure has at most {MOST_ROWS} cases; name fewer")));
    }
    let find = |name: &String| {
        let is_it = |case: &&ComparedCase| {
            case.name == name.trim() || Path::new(&case.name).file_stem().is_some_and(|stem| stem == name.trim())
        };
        let first = cases.first().map_or("", |case| case.name.as_str());
        cases.iter().find(is_it).map(|case| case.name.clone()).ok_or_else(|| {
            Failure::input(format!("there is no case {name}; name cases by their files, such as {first}"))
        })
    };
    wanted.iter().map(find).collect()
}

/// Returns what the caption of the figure says of the cases.
fn about(arguments: &CompareArguments, comparison: &Comparison) -> Vec<String> {
    let mut about = vec![format!("Threshold {}.", arguments.threshold)];
    if arguments.figure.is_empty() && comparison.cases.len() > ROWS && comparison.networks.len() > 1 {
        about.push("The cases are those on which the networks differ most, not typical ones.".to_owned());
    }
    if arguments.phantoms.is_some() {
        about.push(format!("Synthetic images of seed {}.", arguments.seed));
    }
    for network in &comparison.networks {
        about.extend(
            network
                .notes
                .iter()
                .filter(|note| WITH_FIGURE.iter().any(|part| note.contains(part)))
                .map(|note| format!("{}: {note}", network.name)),
        );
    }
    about
}

fn network(summary: &NetworkSummary) -> Value {
    let scored = |score: f64| (summary.images > 0).then_some(score);
    let finite = |score: f64| score.is_finite().then_some(score);
    let [dice, iou] = [0, 1].map(|which| {
        json!({
            "mean": finite(summary.per_image[which].mean),
            "std": finite(summary.per_image[which].std),
            "interval": summary.per_image_interval[which],
        })
    });
    json!({
        "network": summary.name,
        "images": summary.images,
        "pooled": {
            "dice": scored(summary.pooled.dice()),
            "dice_interval": summary.pooled_interval[0],
            "iou": scored(summary.pooled.iou()),
            "iou_interval": summary.pooled_interval[1],
        },
        "per_image": {
            "dice": dice,
            "iou": iou,
            "hd95_pixels": { "mean": finite(summary.hd95.mean), "std": finite(summary.hd95.std) },
            "hd95_undefined": summary.without_hd95,
        },
        "empty_masks": summary.empty,
        "parameters": summary.cost.parameters,
        "gflop": summary.cost.gflop,
        "milliseconds": summary.cost.milliseconds,
        "device": summary.cost.device,
        "notes": summary.notes,
    })
}

fn pair_of(report: &NetworksReport, pair: &PairSummary) -> Value {
    let [reference, network] = pair.networks.map(|number| report.summaries[number].name.as_str());
    let [better, worse] = pair.better_worse;
    json!({
        "reference": reference,
        "network": network,
        "pooled_dice": pair.pooled_dice,
        "dice_per_image": pair.dice_per_image,
        "images_better": better,
        "images_worse": worse,
        "wilcoxon": pair.wilcoxon,
        "p_holm": pair.p_holm,
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_stands_before_the_first_equals_sign() {
        let is =
            |text: &str, name: &str, path: &str| assert_eq!(named(text), (name.to_owned(), path.into()), "{text}");
        is("HiMix=runs/a=b", "HiMix", "runs/a=b");
        is("runs/a", "a", "runs/a");
        is("runs/a=b", "a=b", "runs/a=b");
        is("bundled", "bundled", "bundled");
    }
}
