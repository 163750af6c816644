//! A device that another process serves: the same numbers as on this computer's own, and words where the connection fails.
//!
//! `cargo test --release --features remote --test remote`

#![cfg(feature = "remote")]
// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod common;

// Not all of these helpers are needed here.
#[allow(dead_code)]
#[path = "data/fixtures.rs"]
mod files;
#[allow(dead_code)]
#[path = "cli/model.rs"]
mod model;
#[allow(dead_code)]
#[path = "cli/program.rs"]
mod program;

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Need, shared, skip};
use files::folder;
use model::{bundle, config, grey, put_picture};
use program::{Ran, himix, run_with};

const TOKEN: &str = "HIMIX_REMOTE_TOKEN";

/// `himix serve` on a free port of this computer. It ends with the test.
struct Server {
    child: Child,
    /// The device, as `--device` takes it.
    device: String,
    /// What is computed on.
    serves: String,
}

impl Server {
    fn start(device: &str, token: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_himix"))
            .args(["serve", "--listen", "127.0.0.1:0", "--device", device])
            .env(TOKEN, token)
            .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = lines.next().expect("a line").expect("text");
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let rest = line.strip_prefix("serving ").and_then(|rest| rest.strip_suffix(" until Ctrl+C"));
        let (serves, address) = rest.and_then(|rest| rest.rsplit_once(" at ")).unwrap_or_else(|| panic!("{line}"));
        Self { child, device: format!("remote:{address}"), serves: serves.to_owned() }
    }

    fn of_cpu() -> Self {
        let server = Self::start("cpu", "");
        assert!(server.serves.starts_with("CPU"), "{}", server.serves);
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn predict(bundle: &Path, image: &Path, device: &str, out: &Path) -> Ran {
    himix![
        "predict",
        "--model",
        bundle,
        "--image",
        image,
        "--prompt",
        "infection, left lung",
        "--device",
        device,
        "--out",
        out,
        "--json",
    ]
}

/// A prediction on both devices: the masks are equal, the probabilities to rounding.
fn assert_same_prediction(model: &Path, device: &str) {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 96, 64);
    let [here, there] = [("cpu", "here"), (device, "there")].map(|(device, name)| {
        let out = folder.path().join(name);
        let object = predict(model, &image, device, &out).json();
        (out, object["device"].as_str().expect("a name").to_owned())
    });
    assert!(here.1.starts_with("CPU") && there.1 == device, "{} and {}", here.1, there.1);
    let masks = [&here, &there].map(|(out, _)| grey(&out.join("mask.png")));
    let [mask, other] = masks;
    assert_eq!(mask, other);
    let of_16_bits = |path: PathBuf| image::open(path).expect("a picture").into_luma16().into_raw();
    for name in ["probability.png", "stage_7.png", "stage_14.png", "stage_28.png"] {
        let [here, there] = [&here, &there].map(|(out, _)| of_16_bits(out.join(name)));
        let apart = here.iter().zip(&there).map(|(here, there)| here.abs_diff(*there)).max();
        // A step of a picture with 8 bits.
        assert!(here.len() == there.len() && apart <= Some(257), "{name} differs by {apart:?} of 65535");
    }
}

fn verify(network: &Path, device: &str, tolerance: &str) -> Ran {
    himix![
        "verify",
        "--model",
        network.join("weights.safetensors"),
        "--config",
        network.join("config.json"),
        "--reference",
        network.join("activations.safetensors"),
        "--device",
        device,
        "--tolerance",
        tolerance,
    ]
}

#[test]
fn a_served_cpu_computes_what_the_own_computes() {
    let server = Server::of_cpu();
    assert_same_prediction(bundle(), &server.device);
    // The second client meets a server that has had one.
    let Some(golden) = shared("golden/mini") else { return };
    let text = verify(&golden, &server.device, "1e-4").done().out;
    assert!(text.contains("passed: 0 of") && text.contains(&format!("computed on {}", server.device)), "{text}");
    assert!(text.contains("logits, as predict computes"), "{text}");
}

#[test]
fn every_network_computes_on_a_served_cpu() {
    let Some(golden) = shared("golden/baselines") else { return };
    let server = Server::of_cpu();
    for entry in fs::read_dir(golden).expect("the networks").flatten() {
        let network = entry.path();
        if network.join("config.json").exists() && network.join("activations.safetensors").exists() {
            let text = verify(&network, &server.device, "1e-4").done().out;
            assert!(text.contains("logits, as predict computes"), "{}: {text}", network.display());
        }
    }
}

#[test]
#[ignore = "minutes on a software adapter; see docs/testing.md"]
fn a_served_gpu_computes_what_the_cpu_computes() {
    if himix::device::adapters().is_empty() {
        return skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let server = Server::start("gpu", "");
    assert!(!server.serves.starts_with("CPU"), "{}", server.serves);
    let Some(golden) = shared("golden/mini") else { return };
    let text = verify(&golden, &server.device, "1e-4").done().out;
    assert!(text.contains("passed: 0 of"), "{text}");
}

/// Settings for a run of so many epochs on synthetic images.
fn settings(folder: &Path, epochs: usize) -> PathBuf {
    let (architecture, settings) = (folder.join("architecture.json"), folder.join("run.toml"));
    fs::write(&architecture, config().to_string()).expect("a configuration");
    let text =
        format!("architecture = {architecture:?}\nphantoms = 12\nepochs = {epochs}\nbatch_size = 4\nlr = 1e-3\n");
    fs::write(&settings, text).expect("settings");
    settings
}

#[test]
fn a_run_is_trained_on_a_served_device() {
    let server = Server::of_cpu();
    let folder = folder();
    let settings = settings(folder.path(), 2);
    let losses = |name: &str, device: &str| -> Vec<f64> {
        let out = folder.path().join(name);
        himix!["train", "--out", &out, "--config", &settings, "--device", device].done();
        let table = fs::read_to_string(out.join("metrics.csv")).expect("a table");
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let column = reader.headers().expect("a header").iter().position(|name| name == "train_loss");
        let column = column.expect("the loss");
        reader.records().map(|row| row.expect("a row")[column].parse().expect("a number")).collect()
    };
    // The same start and order of cases; dropout draws its numbers in another way, so that the losses are alike only.
    let (here, there) = (losses("here", "cpu"), losses("there", &server.device));
    assert_eq!((here.len(), there.len()), (2, 2));
    assert!(here.iter().zip(&there).all(|(here, there)| (here / there - 1.0).abs() < 0.2), "{here:?} {there:?}");
    assert!(there.iter().all(|loss| loss.is_finite()), "{there:?}");
    assert!(folder.path().join("there/best/model.safetensors").exists(), "its weights came back");
}

#[test]
fn a_command_does_not_go_on_without_the_computer_that_it_names() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 96, 64);
    // A port that was just free.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let out = folder.path().join("out");
    predict(bundle(), &image, &format!("remote:{free}"), &out).failed(1, &[&free.to_string(), "himix serve"]);
    assert!(!out.join("mask.png").exists(), "nothing is computed");
    himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        &image,
        "--prompt",
        "x",
        "--out",
        &out,
        "--device",
        "remote:a b"
    ]
    .refused(&["a b", "remote:HOST:PORT"]);
}

#[test]
fn a_server_with_a_token_answers_those_who_know_it() {
    let server = Server::start("cpu", "swordfish");
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 96, 64);
    let with = |token: &str, out: &str| {
        let mut arguments: Vec<OsString> =
            ["predict", "--prompt", "x", "--device", &server.device].map(Into::into).to_vec();
        arguments.extend(["--model".into(), bundle().into(), "--image".into(), image.clone().into()]);
        arguments.extend(["--out".into(), folder.path().join(out).into()]);
        run_with(&[(TOKEN, token)], arguments)
    };
    for wrong in ["", "sword"] {
        with(wrong, "refused").failed(1, &["asks for a token", TOKEN]);
    }
    with("swordfish", "taken").done();
}

#[test]
fn a_lost_connection_is_named() {
    let mut server = Server::of_cpu();
    let folder = folder();
    let settings = settings(folder.path(), 1000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_himix"))
        .args(["train", "--device", &server.device, "--config"])
        .arg(&settings)
        .arg("--out")
        .arg(folder.path().join("run"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the run starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    // It is at work once it has said something of an epoch.
    let is_begun = lines.by_ref().any(|line| line.is_ok_and(|line| line.starts_with("epoch")));
    assert!(is_begun, "no epoch ended");
    server.child.kill().expect("it runs");
    let ran = child.wait_with_output().expect("the run ends");
    let err = String::from_utf8_lossy(&ran.stderr);
    let last = err.lines().last().unwrap_or_default();
    assert_eq!(ran.status.code(), Some(1), "{err}");
    assert!(last.contains("connection to himix serve was lost") && last.contains("--resume"), "{err}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    himix!["serve", "--device", "cpu", "--listen", &address].failed(1, &[&address, "--listen"]);
    himix!["serve", "--device", "cpu", "--listen", "gpu5"].refused(&["gpu5", "127.0.0.1"]);
    himix!["serve", "--device", "remote:gpu5"].refused(&["gpu5:7316", "device of this computer"]);
}
