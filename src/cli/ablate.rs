//! `himix ablate`: trains variants of HiMix, or several networks, with several seeds, scores them and compares them.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::analysis::ablation::{CASES, FinishedRun, Report, read_runs, score};
use himix::analysis::comparison::PublishedSet;
use himix::data::Dataset;
use himix::device::{self, DeviceChoice};
use himix::infer::{ModelSource, OpenModel};
use himix::model::Ablation;
use himix::train::{
    Cell, Event, LocalWorker, Plan, Queue, QueueEvent, QueueView, RunFolder, RunState, TrainConfig, Variant,
};

use super::train::{Report as RunReport, failure, line, merged};
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix ablate --data qata --out study --config assets/qata-small.toml --tables 1,2 --seeds 1,2,3
  himix ablate --data qata --out study --variants full,last-layer,no-filter --seeds 1 --set epochs=20
  himix ablate --data mosmed --out study --config assets/recipes/published-encoders.toml --set start=START \\
    --tables 1,2,3 --published mosmed
  himix ablate --data qata --out networks --config assets/qata-small.toml --seeds 1,2 \\
    --networks himix-small,guidedecoder-small,mmiunet-small,lvit-small,unet-small

Variants:
  Table 1    no-grouping, order-123, order-132, order-213, order-231, order-312, full
  Table 2    mean-pooling, interleaved, clustering, full, without-g1, without-g2, without-g3
  Table 3    full; every report has mean ± standard deviation over the images
  besides    last-layer, no-filter

The folder receives the queue (queue.json), a run folder for each variant and seed with the scores of every image
(cases.csv), and the report: report.md, report.csv, report.tex, figure.svg, figure.png and figure.csv. The same command again
goes on where the study was ended, tries again what failed, and writes the report anew. All variants are compared with full.

Networks:
  himix, guidedecoder, mmiunet, lvit, unet, transunet in their published sizes, with the end -small with about three million
  parameters, or a config.json. All have the same settings, apart from architecture, and are compared with the first.";

/// Train variants of HiMix, or several networks, with several seeds, score them and compare them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AblateArguments {
    /// Folder of a data set; may be repeated [default: those of the settings]
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Folder of the study
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// TOML file with the settings of every run, as for himix train
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Single setting, which takes precedence over the file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Tables of the supplementary material whose variants are trained: 1, 2 or 3
    #[arg(long, value_name = "N,…", value_delimiter = ',', required_unless_present_any = ["variants", "networks"])]
    tables: Vec<u32>,
    /// Variants by name, besides those of the tables
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    variants: Vec<String>,
    /// Networks in place of variants: names of architectures, or files; all are compared with the first
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["tables", "variants"])]
    networks: Vec<String>,
    /// Seeds, with each of which every variant or network is trained
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Split on which the runs are scored
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    split: String,
    /// Data set whose published scores stand beside those of the same convention: qata, mosmed or kvasir
    #[arg(long, value_name = "SET")]
    published: Option<PublishedSet>,
    /// Compute device: auto, cpu, gpu, gpu:N or remote:HOST; repeated for runs side by side [default: as in the settings; with auto,
    /// every graphics card]
    #[arg(long, value_name = "D")]
    device: Vec<DeviceChoice>,
}

/// Runs the study.
pub fn run(arguments: &AblateArguments, open: &OpenModel) -> Result<(), Failure> {
    // They would be replaced without a word.
    let is_of_runs = |setting: &&String| match setting.split('=').next().unwrap_or_default().trim() {
        "seed" | "ablation" | "out" => true,
        "architecture" => !arguments.networks.is_empty(),
        _ => false,
    };
    if let Some(setting) = arguments.set.iter().find(is_of_runs) {
        return Err(Failure::input(format!(
            "--set {setting}: every run of a study has its own; give seeds with --seeds, variants with --variants or networks with --networks, and the folder with --out"
        )));
    }
    let config = merged(arguments.config.as_deref(), &arguments.set, &arguments.data)?;
    let plan = Plan::new(
        variants(arguments).map_err(Failure::input)?,
        arguments.seeds.clone(),
        arguments.split.clone(),
        config.clone(),
    );
    plan.validate().map_err(Failure::input)?;
    plan.check_networks().map_err(failure)?;
    // A split that cannot be scored is found before hours are spent on training.
    for root in &plan.settings.data {
        Dataset::open(root, &arguments.split)?;
    }
    let queue = Queue::open(&arguments.out, plan).map_err(failure)?;
    let choices = choices(&arguments.device, &config)?;
    choices.iter().try_for_each(|choice| device::reach(*choice)).map_err(Failure::work)?;
    let devices: Vec<_> = choices.iter().map(|choice| device::open(*choice)).collect();
    devices.iter().filter_map(|device| device.notice.as_ref()).for_each(terminal::note);
    let split = &arguments.split;
    let score_run = |number: usize, run: &Cell| {
        let TrainConfig { out, data, mask_rule, .. } = &run.config;
        let bundle = ModelSource::new(RunFolder::new(out).best());
        let mut model = open(&bundle, choices[number]).map_err(|error| error.to_string())?;
        score(model.as_mut(), (data, split, *mask_rule), &out.join(CASES)).map_err(|error| error.to_string())
    };
    let removed = queue.view().count(RunState::Removed);
    if removed > 0 {
        terminal::note(format!("{removed} of the runs were taken out of the queue and are not done"));
    }
    let is_single = devices.len() == 1;
    let mut progress =
        Progress { queue: &queue, run: RunReport::new(config.epochs), epochs: config.epochs, is_single };
    let worker = LocalWorker { devices, scores: CASES, score: &score_run };
    queue.work(&worker, &mut |event| progress.say(event)).map_err(failure)?;
    finish(&queue.view(), &arguments.out, arguments.published)
}

/// The networks, or the variants of the tables and those that are named, each once.
fn variants(arguments: &AblateArguments) -> Result<Vec<Variant>, String> {
    if !arguments.networks.is_empty() {
        return Ok(Variant::networks(&arguments.networks.join(",")));
    }
    let tables = arguments.tables.iter().map(u32::to_string);
    let parts: Vec<String> = tables.chain(arguments.variants.iter().cloned()).collect();
    Ok(Ablation::list(&parts.join(","))?.into_iter().map(Variant::Ablation).collect())
}

/// The devices on which runs are trained side by side.
fn choices(asked: &[DeviceChoice], config: &TrainConfig) -> Result<Vec<DeviceChoice>, Failure> {
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    match config.device.parse().map_err(Failure::input)? {
        DeviceChoice::Auto => Ok(device::side_by_side()),
        choice => Ok(vec![choice]),
    }
}

/// Writes the report of the runs that are finished, and says what failed.
fn finish(view: &QueueView, out: &Path, published: Option<PublishedSet>) -> Result<(), Failure> {
    let finished = view.finished();
    let [done, failed] = [finished.len(), view.count(RunState::Failed)];
    if done > 0 {
        let run = |(variant, seed, folder): (&Variant, u64, RunFolder)| FinishedRun {
            variant: variant.name(),
            title: variant.title(),
            seed,
            folder: folder.path().to_owned(),
            model: folder.best(),
        };
        let runs = read_runs(finished.into_iter().map(run)).map_err(Failure::work)?;
        let report = Report::of(&runs, &view.plan.reference(), published);
        let files = report.write(out).map_err(Failure::work)?;
        let mut text = report.markdown();
        files.iter().for_each(|file| text += &format!("\n{} written", file.display()));
        terminal::print(&text)?;
    }
    match (done, failed) {
        (_, 0) => Ok(()),
        (0, _) => {
            Err(Failure::work("every run of the study failed; the reasons are in the notes and in queue.json"))
        }
        (done, failed) => Err(Failure::work(format!(
            "{failed} of {} runs failed; the reasons are in the notes and in queue.json; the same command tries them again",
            done + failed
        ))),
    }
}

/// Says how far the study is.
struct Progress<'a> {
    queue: &'a Queue,
    run: RunReport,
    epochs: usize,
    /// Whether one run is trained at a time, so that its steps can be shown.
    is_single: bool,
}

impl Progress<'_> {
    fn say(&mut self, event: QueueEvent) {
        let say = |text: String| drop(terminal::print(&text));
        match event {
            QueueEvent::Begun(name) => {
                self.run = RunReport::new(self.epochs);
                let view = self.queue.view();
                let ended = view.count(RunState::Finished) + view.count(RunState::Failed);
                let all = view.runs.len() - view.count(RunState::Removed);
                say(format!("{name}: {ended} of {all} runs are done"));
            }
            QueueEvent::Run(_, event) if self.is_single => self.run.say(event),
            QueueEvent::Run(name, Event::Epoch(epoch)) => say(format!("{name}: {}", line(&epoch, self.epochs))),
            QueueEvent::Run(name, Event::Warning(text)) => terminal::note(format!("{name}: {text}")),
            QueueEvent::Run(..) => {}
            QueueEvent::Scoring(name) => say(format!("{name}: scoring")),
            QueueEvent::Finished(name) => say(format!("{name}: finished")),
            QueueEvent::Failed(name, reason) => terminal::note(format!("{name}: {reason}")),
        }
    }
}
