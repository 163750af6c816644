use himix::train::*;
use std::sync::atomic::AtomicBool;
fn main() {
    himix::memory::keep_between_tensors(); let a: Vec<String> = std::env::args().collect();
    if a[1] == "export" {
        use himix::model::weights::{ModelSource, bundle, save};
        let l = bundle::locate(&ModelSource::new("rule")).unwrap();
        save::export(std::path::Path::new(a.last().unwrap()), &l.config, l.weights.as_ref()).unwrap();
        return;
    }
    let c = TrainConfig { data: a[1].clone().into(), out: a[2].clone().into(), architecture: Some("assets/small.json".into()), batch_size: 16, epochs: a[3].parse().unwrap(), limit: a[4].parse().unwrap(), cosine_epochs: a[3].parse().unwrap(), learning_rate: a[5].parse().unwrap(), ..Default::default() };
    let t = std::time::Instant::now();
    run(&c, &himix::device::cpu(), &AtomicBool::new(false), &mut |e| match e { Event::Step{step,..} => { if step % 10 == 0 { eprintln!("{:.1} step {step}", t.elapsed().as_secs_f64()) } }, e => println!("{e:?}") }).unwrap();
}
