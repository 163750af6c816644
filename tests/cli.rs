//! Tests the program as its users call it: every command from start to exit status, on a model small enough to be
//! made here.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod common;
mod formats;

#[path = "cli/ablate.rs"]
mod ablate;
#[path = "cli/agreement.rs"]
mod agreement;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/batch.rs"]
mod batch;
#[path = "cli/boxes.rs"]
mod boxes;
#[path = "cli/compare.rs"]
mod compare;
#[path = "cli/data.rs"]
mod data;
#[path = "cli/describe.rs"]
mod describe;
#[path = "cli/device.rs"]
mod device;
#[path = "cli/domain.rs"]
mod domain;
#[path = "cli/evaluate.rs"]
mod evaluate;
#[path = "cli/exports.rs"]
mod exports;
#[path = "cli/figure.rs"]
mod figure;
// This helper was made for the tests of images; not all of it is needed here.
#[allow(dead_code)]
#[path = "data/fixtures.rs"]
mod files;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/influence.rs"]
mod influence;
#[path = "cli/info.rs"]
mod info;
#[path = "cli/log.rs"]
mod log;
#[path = "cli/masks.rs"]
mod masks;
#[path = "cli/model.rs"]
mod model;
#[path = "cli/moved.rs"]
mod moved;
#[path = "cli/old.rs"]
mod old;
#[path = "cli/pairs.rs"]
mod pairs;
#[path = "cli/phantoms.rs"]
mod phantoms;
#[path = "cli/predict.rs"]
mod predict;
#[path = "cli/presence.rs"]
mod presence;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/prompt.rs"]
mod prompt;
#[path = "cli/prompt_objects.rs"]
mod prompt_objects;
#[path = "cli/proposals.rs"]
mod proposals;
#[path = "cli/robustness.rs"]
mod robustness;
#[path = "cli/scans.rs"]
mod scans;
#[path = "cli/temperature.rs"]
mod temperature;
#[path = "cli/threshold.rs"]
mod threshold;
#[path = "cli/train.rs"]
mod train;
#[path = "cli/train_more.rs"]
mod train_more;
#[path = "cli/verify.rs"]
mod verify;
#[path = "cli/vocabulary.rs"]
mod vocabulary;
#[path = "cli/without_text.rs"]
mod without_text;
