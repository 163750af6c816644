//! `himix ablate`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Ran, himix, run};
use crate::train::{Bench, column};

/// A bench whose text encoder has enough layers to be grouped.
fn bench() -> Bench {
    let bench = Bench::new();
    let mut config = crate::model::config();
    config["text"]["num_hidden_layers"] = 6.into();
    fs::write(bench.path("architecture.json"), config.to_string()).expect("a configuration");
    bench
}

/// The arguments of a study of one variant of two epochs into `out`, with more arguments.
fn arguments(bench: &Bench, out: &str, more: &[&str]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["ablate", "--device", "cpu", "--data"].map(Into::into).to_vec();
    arguments.extend([bench.path("").into(), "--out".into(), bench.path(out).into()]);
    arguments.extend(["--config".into(), bench.path("run.toml").into(), "--set".into(), "epochs=2".into()]);
    if !more.contains(&"--split") {
        arguments.extend(["--split".into(), "val".into()]);
    }
    arguments.extend(more.iter().map(Into::into));
    arguments
}

fn ablate(bench: &Bench, out: &str, more: &[&str]) -> Ran {
    run(arguments(bench, out, more))
}

fn queue(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("queue.json")).expect("a queue")).expect("JSON")
}

fn states(folder: &Path) -> Vec<String> {
    let queue = queue(folder);
    let runs = queue["runs"].as_array().expect("runs");
    runs.iter().map(|run| run["state"].as_str().expect("a state").to_owned()).collect()
}

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("best/model.safetensors")).expect("weights")
}

const VARIANTS: &str = "full,no-grouping,clustering,without-g1,last-layer,no-filter";

#[test]
fn a_study_from_variants_to_a_report() {
    let bench = bench();
    let more = ["--variants", VARIANTS, "--seeds", "1,2"];
    let said = ablate(&bench, "study", &more).done();
    let study = bench.path("study");
    assert_eq!(states(&study), ["finished"; 12], "{}", said.err);
    for name in ["report.md", "report.csv", "report.tex", "figure.svg", "figure.png", "figure.csv"] {
        assert!(study.join(name).exists(), "{name}");
    }
    assert!(said.err.contains("text encoder with random weights"), "{}", said.err);

    // The scores are those of `himix evaluate` with the weights that were kept.
    let run = study.join("ablation=full,seed=2");
    let cases = fs::read_to_string(run.join("cases.csv")).expect("scores");
    let scored = himix![
        "evaluate",
        "--model",
        run.join("best"),
        "--data",
        bench.path(""),
        "--split",
        "val",
        "--device",
        "cpu",
        "--csv",
        bench.path("evaluated.csv")
    ];
    scored.done();
    let evaluated = fs::read_to_string(bench.path("evaluated.csv")).expect("a table");
    for name in ["image", "true_positive", "false_positive", "false_negative", "dice_per_image"] {
        assert_eq!(column(&cases, name), column(&evaluated, name), "{name}");
    }
    assert_eq!(column(&cases, "image").len(), 4);

    // Each architecture is its variant's, and clustering has written down its groups.
    let fusion = |variant: &str| -> (Value, Value) {
        let path = study.join(format!("ablation={variant},seed=1/best/config.json"));
        let config: Value = serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON");
        (config["fusion"].clone(), config["decoder"]["spectrum_filter"].clone())
    };
    assert_eq!(fusion("no-grouping").0["grouping"], "none");
    assert_eq!(fusion("last-layer").0["grouping"], "last_layer");
    assert_eq!(fusion("without-g1").0["removed"], serde_json::json!([1]));
    assert_eq!([fusion("no-filter").1, fusion("full").1], [Value::from(false), Value::from(true)]);
    let groups = fusion("clustering").0["grouping"]["explicit"].clone();
    let mut layers: Vec<u64> = groups
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group.as_array().expect("a group").iter().filter_map(Value::as_u64))
        .collect();
    layers.sort_unstable();
    assert_eq!(layers, [1, 2, 3, 4, 5, 6], "{groups}");

    // The report has a row for each variant, and differences to the full model.
    let report = fs::read_to_string(study.join("report.csv")).expect("a report");
    assert_eq!(column(&report, "variant").join(","), VARIANTS);
    assert!(column(&report, "seeds").iter().all(|seeds| seeds == "1 2"));
    let differences = column(&report, "dice_pooled_difference");
    assert!(differences[0].is_empty() && differences[1..].iter().all(|cell| cell.parse::<f64>().is_ok()));
    let pooled = |name: &str| -> u64 {
        column(&cases, name).iter().map(|cell| cell.parse::<u64>().expect("a number")).sum()
    };
    let (tp, fp, fn_) = (pooled("true_positive"), pooled("false_positive"), pooled("false_negative"));
    let dice = 2.0 * tp as f64 / (2 * tp + fp + fn_) as f64;
    let figure = fs::read_to_string(study.join("figure.csv")).expect("a table");
    let of_seed = figure.lines().find(|line| line.starts_with("full,2,dice_pooled,")).expect("the run");
    let drawn: f64 = of_seed.rsplit(',').next().expect("a cell").parse().expect("a number");
    assert!((drawn - dice).abs() < 1e-12, "{drawn} {dice}");
    assert!(
        fs::read_to_string(study.join("report.md"))
            .expect("a report")
            .contains("Holm's correction over 5 variants")
    );

    // The same command trains nothing anew, and adds what was published where it is asked for.
    let before = weights(&run);
    let published = ["--variants", VARIANTS, "--seeds", "1,2", "--published", "mosmed"];
    let said = ablate(&bench, "study", &published).done().out;
    assert!(!said.contains("epoch"), "{said}");
    assert!(said.contains("Published: MosMedData+") && said.contains("0.7944"), "{said}");
    assert_eq!(weights(&run), before);
    // What is gone is made again: scores by the weights that are there, a whole run by training.
    fs::remove_file(run.join("cases.csv")).expect("removed");
    fs::remove_dir_all(study.join("ablation=last-layer,seed=2")).expect("removed");
    let said = ablate(&bench, "study", &more).done().out;
    assert_eq!(said.matches(": scoring").count(), 2, "{said}");
    assert_eq!(fs::read_to_string(run.join("cases.csv")).expect("scores"), cases);
    assert_eq!((weights(&run), states(&study)), (before, vec!["finished".to_owned(); 12]));
    // Another study does not get into its folder.
    ablate(&bench, "study", &["--variants", VARIANTS, "--seeds", "1"])
        .failed(2, &["has other seeds than this one"]);
    ablate(&bench, "study", &["--variants", VARIANTS, "--seeds", "1,2", "--set", "lr=1e-4"])
        .failed(2, &["has another lr than this one"]);
}

#[test]
fn networks_are_compared_with_the_first_of_them() {
    let bench = bench();
    let unet = serde_json::json!({ "network": "unet", "base_channels": 4, "image_size": 64 });
    fs::write(bench.path("shallow.json"), unet.to_string()).expect("a configuration");
    let [whole, shallow] = ["architecture.json", "shallow.json"].map(|name| bench.path(name));
    let networks = format!("{},{}", whole.display(), shallow.display());
    let more = ["--networks", &networks, "--seeds", "1,2", "--published", "qata"];
    let said = ablate(&bench, "study", &more).done();
    let study = bench.path("study");
    assert_eq!(states(&study), ["finished"; 4], "{}", said.err);
    let report = fs::read_to_string(study.join("report.csv")).expect("a report");
    assert_eq!(column(&report, "variant"), ["architecture", "shallow"]);
    let differences = column(&report, "dice_pooled_difference");
    assert!(differences[0].is_empty() && differences[1].parse::<f64>().is_ok(), "{report}");

    // The size is that of the weights, and every run had the same settings.
    let run = |name: &str, seed: u64| study.join(format!("architecture={name},seed={seed}"));
    let weights = crate::model::read_tensors(&run("shallow", 1).join("best/model.safetensors"));
    let count = |is_counted: &dyn Fn(&str) -> bool| -> usize {
        let counted = weights.iter().filter(|(key, _)| is_counted(key));
        counted.map(|(_, tensor)| tensor.1.iter().product::<usize>()).sum()
    };
    let least = count(&|key| key.ends_with("weight") || key.ends_with("bias"));
    let parameters: usize = column(&report, "parameters")[1].parse().expect("a number");
    assert!((least..=count(&|_| true)).contains(&parameters), "{parameters} {least}");
    assert!(column(&report, "gflop").iter().all(|gflop| gflop.parse::<f64>().is_ok_and(|gflop| gflop > 0.0)));
    let settings = |name: &str, seed: u64| {
        let text = fs::read_to_string(run(name, seed).join("config.toml")).expect("settings");
        let is_common =
            |line: &&str| !["architecture = ", "out = ", "seed = "].iter().any(|key| line.starts_with(key));
        text.lines().filter(is_common).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(settings("architecture", 1), settings("shallow", 2));

    // Runs that `himix train` has made with these settings are scored and not trained again.
    fs::create_dir_all(bench.path("own")).expect("a folder");
    let out = "own/architecture=shallow,seed=1";
    let architecture = format!("architecture={}", shallow.display());
    bench.train(out, &["--set", "epochs=2", "--set", &architecture, "--set", "seed=1"]).done();
    let said = ablate(&bench, "own", &["--networks", &networks, "--seeds", "1"]).done();
    assert_eq!(states(&bench.path("own")), ["finished"; 2], "{}", said.err);
    let trained = fs::read(bench.path(out).join("best/model.safetensors")).expect("weights");
    assert_eq!(trained, fs::read(run("shallow", 1).join("best/model.safetensors")).expect("weights"));
}

#[test]
fn a_study_that_was_killed_reaches_the_same_weights() {
    let bench = bench();
    let more = ["--variants", "full,clustering", "--seeds", "3", "--set", "checkpoint_minutes=1e-9"];
    let begin = std::time::Instant::now();
    ablate(&bench, "unbroken", &more).done();
    let whole = begin.elapsed();
    let runs = ["ablation=full,seed=3", "ablation=clustering,seed=3"];
    let reached = |out: &str| {
        runs.map(|run| {
            let folder = bench.path(out).join(run);
            (weights(&folder), fs::read_to_string(folder.join("cases.csv")).expect("scores"))
        })
    };
    let mut random = fastrand::Rng::with_seed(5);
    for attempt in 0..4 {
        let out = format!("broken{attempt}");
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_himix"))
            .args(arguments(&bench, &out, &more))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(whole.mul_f64(random.f64()));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        ablate(&bench, &out, &more).done();
        assert_eq!(states(&bench.path(&out)), ["finished"; 2]);
        assert_eq!(reached(&out), reached("unbroken"), "attempt {attempt}");
    }
}

#[test]
fn a_run_that_fails_does_not_end_the_others() {
    let bench = bench();
    let study = bench.path("study");
    fs::create_dir_all(&study).expect("a folder");
    // A file stands where the folder of a run belongs.
    let place = study.join("ablation=last-layer,seed=1");
    fs::write(&place, "in the way").expect("written");
    let more = ["--variants", "last-layer,full"];
    let ran = ablate(&bench, "study", &more);
    ran.failed(1, &["1 of 2 runs failed; the reasons are in the notes and in queue.json"]);
    assert_eq!(states(&study), ["failed", "finished"]);
    assert!(queue(&study)["runs"][0]["error"].as_str().is_some_and(|text| text.contains("ablation=last-layer")));
    assert!(study.join("report.md").exists(), "the report has what is finished");
    fs::remove_file(&place).expect("removed");
    ablate(&bench, "study", &more).done();
    assert_eq!(states(&study), ["finished", "finished"]);
}

#[test]
fn what_cannot_be_a_study_is_said() {
    let bench = bench();
    let refused = |more: &[&str], parts: &[&str]| ablate(&bench, "study", more).failed(2, parts);
    refused(&["--variants", "fulll"], &["there is no variant 'fulll'", "no-grouping"]);
    refused(&["--tables", "4"], &["there is no table 4"]);
    refused(&["--variants", "full", "--seeds", "1,1"], &["the seed 1 is named twice"]);
    refused(&["--variants", "full", "--published", "brats"], &["brats", "qata, mosmed or kvasir"]);
    refused(&[], &["--tables"]);
    for key in ["seed=4", "ablation=full"] {
        refused(&["--variants", "full", "--set", key], &["--set", "--seeds", "--variants"]);
    }
    refused(&["--variants", "full", "--split", "tset"], &["tset"]);
    // What the network has not is said once, and not by every run.
    let other = ["--variants", "full,last-layer", "--set", "architecture=unet-small"];
    refused(&other, &["the network unet has no variant full", "--networks"]);
    refused(&["--variants", "full", "--networks", "unet-small"], &["--networks", "cannot be used with"]);
    refused(&["--networks", "himix-small", "--set", "architecture=unet"], &["--set architecture", "--networks"]);
    refused(&["--networks", "himix-small,himix-small"], &["himix-small is named twice"]);
    refused(&["--networks", "himix-small,medsam-small"], &["medsam-small", "takes a box", "--box-from-truth"]);
    refused(&["--networks", "himix-small,unett"], &["unett", "unet-small"]);
    assert!(!bench.path("study").join("queue.json").exists(), "nothing was begun");
    // A run of another kind.
    bench.train("run", &["--set", "epochs=1"]).done();
    ablate(&bench, "run", &["--variants", "full"]).failed(2, &["there is a training run in this folder"]);
    fs::create_dir_all(bench.path("study")).expect("a folder");
    fs::write(bench.path("study/queue.json"), "{}").expect("written");
    refused(&["--variants", "full"], &["queue.json: the queue is damaged"]);
}

#[test]
fn a_variant_of_another_bundle_begins_with_its_weights() {
    let bench = bench();
    bench.train("first", &["--set", "epochs=1"]).done();
    let start = format!("start={}", bench.path("first/best").display());
    // With a rate of almost nothing, the text encoder and the vision encoder stay what they were.
    let still = ["--set", &start, "--set", "epochs=1", "--set", "lr=1e-12", "--set", "min_lr=0"];
    let train = |out: &str, variant: &str| {
        let setting = format!("ablation={variant}");
        bench.train(out, &[&still[..], &["--set", &setting]].concat()).done();
        crate::model::read_tensors(&bench.path(out).join("best/model.safetensors"))
    };
    let first = crate::model::read_tensors(&bench.path("first/best/model.safetensors"));
    let key = "text_encoder.model.bert.embeddings.word_embeddings.weight";
    let grouped = train("grouped", "no-grouping");
    assert_eq!(grouped[key].2, first[key].2, "a frozen encoder keeps its weights");
    assert_eq!(grouped["attention_weights"].1, [3, 6], "every stage mixes all layers");
    assert_eq!(first["attention_weights"].1, [3, 2]);
    assert!(!train("mean", "mean-pooling").contains_key("attention_weights"));
    bench.train("other", &["--set", "ablation=wide"]).failed(2, &["ablation=wide", "no-grouping"]);
}
