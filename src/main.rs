use std::path::Path;
use himix::model::weights::{ModelSource, bundle, save};
fn main() {
    let out = std::env::args().last().unwrap();
    let l = bundle::locate(&ModelSource::new("rule")).unwrap();
    save::export(Path::new(&out), &l.config, l.weights.as_ref()).unwrap();
}
