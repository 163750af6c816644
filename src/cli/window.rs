//! Opens the window for a command line without a command.

use std::path::{Path, PathBuf};

use himix::app::Start;
use himix::infer::{BUNDLED_NAME, ModelSource, OpenModel};

use super::Failure;
use super::arguments::{DeviceArguments, WindowArguments};

/// Opens the window with models opened by `open`, and returns when it is closed.
pub fn open(arguments: WindowArguments, device: DeviceArguments, open: OpenModel) -> Result<(), Failure> {
    let WindowArguments { files, prompt, model, config, vocab, against } = arguments;
    let part = |path: Option<PathBuf>| path.map(|path| absolute(&path));
    let source = |model: PathBuf| ModelSource::new(absolute(&model));
    let model = model.map(|model| ModelSource::with(absolute(&model), part(config), part(vocab)));
    let files = files.iter().map(|file| absolute(file)).collect();
    let DeviceArguments { device, precision } = device;
    let start =
        Start { files, prompt, model, against: against.map(source), device, precision, ..Start::default() };
    himix::app::run(open, start).map_err(|error| Failure::work(format!("{error:#}")))
}

/// Makes a path absolute, because it is saved and must be found from another folder. A name that is not a path (of
/// a model within the program) is unchanged.
fn absolute(path: &Path) -> PathBuf {
    if path.exists() && path != Path::new(BUNDLED_NAME) {
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    }
}
