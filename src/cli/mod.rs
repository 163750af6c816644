//! The command line, with one module for each command.

mod ablate;
mod agreement;
mod arguments;
mod batch;
mod compare;
mod data;
mod describe;
mod device;
mod disagreement;
mod domain;
mod evaluate;
mod export;
mod failure;
mod figure;
mod import;
mod influence;
mod info;
mod model;
mod obedience;
mod phantoms;
mod pictures;
mod predict;
mod presence;
mod prompt;
mod proposals;
mod reading;
mod readout;
mod reference;
mod report;
mod robustness;
mod scores;
mod serve;
mod slices;
mod sweep;
mod temperature;
mod terminal;
mod threshold;
mod train;
mod uncertain;
mod verify;
mod vocabulary;
mod window;

use clap::{Parser, Subcommand, error::ErrorKind};

use arguments::{DeviceArguments, WindowArguments};
pub use failure::Failure;

const EXAMPLES: &str = "\
Examples:
  himix                                   open the window
  himix chest.png                         open the window with an image
  himix --model my-bundle chest.png       open the window with an image and a model
  himix predict --model my-bundle --image chest.png --prompt \"left lung\" --out result
  himix predict --help                    explain one command";

/// Text-guided lesion segmentation with HiMix: viewer and command line
#[derive(Debug, Parser)]
#[command(name = "himix", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: WindowArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Predict(predict::PredictArguments),
    Batch(batch::BatchArguments),
    Verify(verify::VerifyArguments),
    Import(import::ImportArguments),
    Export(export::ExportArguments),
    Evaluate(evaluate::EvaluateArguments),
    Compare(compare::CompareArguments),
    Train(train::TrainArguments),
    Ablate(ablate::AblateArguments),
    Phantoms(phantoms::PhantomArguments),
    Data(data::DataArguments),
    Agreement(agreement::AgreementArguments),
    Info(info::InfoArguments),
    Figure(figure::FigureArguments),
    Device(device::DeviceCommandArguments),
    Serve(serve::ServeArguments),
    Presence(presence::PresenceArguments),
    Domain(domain::DomainArguments),
    Prompt(prompt::PromptArguments),
    Influence(influence::InfluenceArguments),
    Robustness(robustness::RobustnessArguments),
    Refine(proposals::RefineArguments),
    Search(proposals::SearchArguments),
    Temperature(temperature::TemperatureArguments),
    Threshold(threshold::ThresholdArguments),
    Vocabulary(vocabulary::VocabularyArguments),
}

/// Returns the arguments of this process; `None` if help or the version was requested and has been printed.
pub fn parse() -> Result<Option<Arguments>, Failure> {
    match Arguments::try_parse() {
        Ok(arguments) => Ok(Some(arguments)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            terminal::print(&error.render().to_string())?;
            Ok(None)
        }
        Err(error) => Err(Failure::input(in_one_line(&error.render().to_string()))),
    }
}

/// Returns clap's error message on one line: its text up to the first empty line, without usage and hints.
fn in_one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).take_while(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    format!("{}; --help shows how", text.trim_start_matches("error: "))
}

/// Runs the command, or opens the window if no command was given.
pub fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    // This is the only place that determines where models come from.
    let open = himix::infer::local_models();
    let Some(command) = arguments.command else {
        if let Some(missing) =
            arguments.window.files.iter().find(|file| !himix::data::dicom::of_stack(file).0.exists())
        {
            let name = missing.display();
            return Err(Failure::input(format!(
                "{name}: there is no such file or command; --help lists the commands"
            )));
        }
        return window::open(arguments.window, arguments.device, open);
    };
    // A command reports on stderr; it writes a log only if the environment asks for one.
    if std::env::var_os(himix::logging::LEVEL).is_some()
        && let Some(folder) = himix::logging::folder()
    {
        himix::logging::start(&folder);
    }
    terminal::without_panic_text(|| match command {
        Command::Predict(arguments) => predict::run(&arguments, &open),
        Command::Batch(arguments) => batch::run(&arguments, &open),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments, &open),
        Command::Compare(arguments) => compare::run(&arguments, &open),
        Command::Train(arguments) => train::run(&arguments, &open),
        Command::Ablate(arguments) => ablate::run(&arguments, &open),
        Command::Phantoms(arguments) => phantoms::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::Agreement(arguments) => agreement::run(&arguments),
        Command::Info(arguments) => info::run(&arguments, &open),
        Command::Figure(arguments) => figure::run(&arguments, &open),
        Command::Device(arguments) => device::run(&arguments, &open),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Presence(arguments) => presence::run(&arguments, &open),
        Command::Domain(arguments) => domain::run(&arguments, &open),
        Command::Prompt(arguments) => prompt::run(&arguments),
        Command::Influence(arguments) => influence::run(&arguments, &open),
        Command::Robustness(arguments) => robustness::run(&arguments, &open),
        Command::Refine(arguments) => proposals::run_refine(&arguments, &open),
        Command::Search(arguments) => proposals::run_search(&arguments, &open),
        Command::Temperature(arguments) => temperature::run(&arguments, &open),
        Command::Threshold(arguments) => threshold::run(&arguments, &open),
        Command::Vocabulary(arguments) => vocabulary::run(&arguments),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
