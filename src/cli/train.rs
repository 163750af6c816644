//! `himix train`.

use clap::Args;

use super::Failure;

/// Train a model on a data set in the authors' layout
#[derive(Debug, Args)]
pub struct TrainArguments {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Trains.
pub fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let _ = &arguments.rest;
    Err(Failure::work("this build cannot train"))
}
