//! The `himix` program: parses its arguments and runs the requested command.

mod cli;

use std::process::ExitCode;

use cli::Failure;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("himix: {failure}");
            ExitCode::from(failure.status)
        }
    }
}

fn run() -> Result<(), Failure> {
    himix::memory::keep_between_tensors();
    match cli::parse()? {
        Some(arguments) => cli::dispatch(arguments),
        None => Ok(()),
    }
}
