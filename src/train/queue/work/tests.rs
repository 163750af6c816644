use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::model::Ablation;
use crate::train::TrainConfig;
use crate::train::queue::{Plan, Variant};

fn plan() -> Plan {
    let settings = TrainConfig { data: vec!["/data".into()], ..TrainConfig::default() };
    let variants = [Ablation::Full, Ablation::LastLayer, Ablation::NoFilter].map(Variant::Ablation);
    Plan::new(variants.to_vec(), vec![1, 2], "test".into(), settings)
}

/// What is done before a run.
type Before = Box<dyn Fn(&Cell) + Sync + Send>;

/// A worker that trains nothing.
#[derive(Default)]
struct Fake {
    devices: usize,
    /// The runs that were trained, with their devices.
    trained: Mutex<Vec<(usize, String)>>,
    scored: AtomicUsize,
    /// Fails in runs whose name contains this.
    fails: Option<&'static str>,
    /// The scores of runs whose name contains this are gone.
    lost: Option<&'static str>,
    /// Done before each run.
    before: Option<Before>,
    /// Runs wait for a stop or a command that ends a pause.
    is_stopped: bool,
}

impl Worker for Fake {
    fn devices(&self) -> usize {
        self.devices.max(1)
    }

    fn train(
        &self,
        device: usize,
        run: &Cell,
        control: &Control,
        report: &mut dyn FnMut(Event),
    ) -> Result<bool, WorkFault> {
        self.trained.lock().expect("a list").push((device, run.name.clone()));
        if let Some(before) = &self.before {
            before(run);
        }
        if self.devices > 1 {
            thread::sleep(Duration::from_millis(20));
        }
        report(Event::Checkpoint);
        if self.fails.is_some_and(|part| run.name.contains(part)) {
            return Err(WorkFault::from("it failed".to_owned()));
        }
        Ok(!self.is_stopped && control.command() != RunControl::Stop)
    }

    fn score(&self, _: usize, _: &Cell) -> Result<(), WorkFault> {
        self.scored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn has_scores(&self, run: &Cell) -> bool {
        !self.lost.is_some_and(|part| run.name.contains(part))
    }
}

impl Fake {
    fn names(&self) -> Vec<String> {
        self.trained.lock().expect("a list").iter().map(|(_, name)| name.clone()).collect()
    }
}

fn states(queue: &Queue) -> Vec<RunState> {
    queue.view().runs.into_iter().map(|(run, _)| run.state).collect()
}

#[test]
fn runs_are_done_in_order_and_a_failure_does_not_end_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Queue::open(folder.path(), plan()).expect("a queue");
    let worker = Fake { fails: Some("last-layer"), ..Fake::default() };
    let mut events = Vec::new();
    queue.work(&worker, &mut |event| events.push(event)).expect("done");
    assert_eq!(worker.names().len(), 6);
    assert_eq!(worker.names()[..2], ["ablation=full,seed=1", "ablation=last-layer,seed=1"]);
    assert_eq!(worker.scored.load(Ordering::Relaxed), 4);
    let (f, x) = (RunState::Finished, RunState::Failed);
    assert_eq!(states(&queue), [f, x, f, f, x, f]);
    assert_eq!(queue.view().runs[1].0.error.as_deref(), Some("it failed"));
    let failed = QueueEvent::Failed("ablation=last-layer,seed=1".into(), "it failed".into());
    assert!(events.contains(&failed));
    // Those that failed are tried again, and only those.
    drop(queue);
    let queue = Queue::open(folder.path(), plan()).expect("the same queue");
    let worker = Fake::default();
    queue.work(&worker, &mut |_| ()).expect("done");
    assert_eq!(worker.names(), ["ablation=last-layer,seed=1", "ablation=last-layer,seed=2"]);
    assert_eq!(states(&queue), [f; 6]);
    assert_eq!(super::super::unfinished(folder.path()), None);
    // So are those whose scores are gone.
    let worker = Fake { lost: Some("no-filter,seed=2"), ..Fake::default() };
    queue.work(&worker, &mut |_| ()).expect("done");
    assert_eq!(
        (worker.names(), worker.scored.load(Ordering::Relaxed)),
        (vec!["ablation=no-filter,seed=2".into()], 1)
    );
    assert_eq!(states(&queue), [f; 6]);
}

#[test]
fn a_queue_is_reordered_and_runs_are_taken_out_and_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Queue::open(folder.path(), plan()).expect("a queue");
    queue.shift("ablation=no-filter,seed=1", -9).expect("written");
    queue.shift("ablation=full,seed=1", 1).expect("written");
    queue.remove("ablation=full,seed=2").expect("written");
    queue.remove("ablation=no-filter,seed=2").expect("written");
    queue.restore("ablation=no-filter,seed=2").expect("written");
    drop(queue);
    // The order is that of the file.
    let queue = Queue::reopen(folder.path()).expect("the queue");
    let worker = Fake::default();
    queue.work(&worker, &mut |_| ()).expect("done");
    assert_eq!(
        worker.names(),
        [
            "ablation=no-filter,seed=1",
            "ablation=last-layer,seed=1",
            "ablation=full,seed=1",
            "ablation=last-layer,seed=2",
            "ablation=no-filter,seed=2",
        ]
    );
    assert!(states(&queue).contains(&RunState::Removed));
}

#[test]
fn a_stop_leaves_the_rest_waiting_and_a_pause_begins_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Queue::open(folder.path(), plan()).expect("a queue");
    let hand = queue.clone();
    let worker = Fake { before: Some(Box::new(move |_| hand.ask(RunControl::Stop))), ..Fake::default() };
    queue.work(&worker, &mut |_| ()).expect("stopped");
    assert_eq!(worker.names(), ["ablation=full,seed=1"]);
    assert_eq!(states(&queue), [RunState::Waiting; 6]);
    assert_eq!(super::super::unfinished(folder.path()), Some([0, 6]));
    drop(worker);
    drop(queue);

    let queue = Queue::reopen(folder.path()).expect("the queue");
    let hand = queue.clone();
    let worker = Fake { before: Some(Box::new(move |_| hand.ask(RunControl::Pause))), ..Fake::default() };
    let hand = queue.clone();
    thread::scope(|scope| {
        let work = scope.spawn(|| queue.work(&worker, &mut |_| ()));
        while !states(&hand).contains(&RunState::Finished) {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(30));
        assert_eq!(worker.names().len(), 1, "nothing begins in a pause");
        hand.ask(RunControl::Stop);
        assert!(work.join().expect("no panic").is_ok());
    });
}

#[test]
fn several_devices_work_side_by_side_and_each_run_is_done_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Queue::open(folder.path(), plan()).expect("a queue");
    let worker = Fake { devices: 3, ..Fake::default() };
    let mut finished = 0;
    queue
        .work(&worker, &mut |event| finished += usize::from(matches!(event, QueueEvent::Finished(_))))
        .expect("done");
    let mut names = worker.names();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), finished), (6, 6));
    let devices: std::collections::HashSet<usize> =
        worker.trained.lock().expect("a list").iter().map(|(device, _)| *device).collect();
    assert_eq!(devices.len(), 3);
}

#[test]
fn a_folder_that_vanished_or_holds_something_else_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study");
    let queue = Queue::open(&path, plan()).expect("a queue");
    let error = Queue::open(&path, plan()).expect_err("locked").to_string();
    assert!(error.contains("another program is working on this queue"), "{error}");
    let gone = path.clone();
    let worker = Fake {
        before: Some(Box::new(move |_| std::fs::remove_dir_all(&gone).expect("removed"))),
        ..Fake::default()
    };
    let error = queue.work(&worker, &mut |_| ()).expect_err("it is gone").to_string();
    assert!(error.contains("the folder of the queue is gone") && error.contains("study"), "{error}");
    assert_eq!(worker.names().len(), 1);
    assert!(!path.exists(), "nothing is made anew");
    drop(queue);
    let error = Queue::reopen(&path).expect_err("gone").to_string();
    assert!(error.contains("is gone"), "{error}");

    let queue = Queue::open(&path, plan()).expect("a queue");
    drop(queue);
    let other = Plan { seeds: vec![7], ..plan() };
    let error = Queue::open(&path, other).expect_err("another queue").to_string();
    assert!(error.contains("the queue in this folder has other seeds"), "{error}");
    std::fs::write(path.join(FILE), "{").expect("written");
    let error = Queue::open(&path, plan()).expect_err("damaged").to_string();
    assert!(error.contains("queue.json: the queue is damaged"), "{error}");
    let run = folder.path().join("run");
    std::fs::create_dir_all(&run).expect("a folder");
    std::fs::write(run.join("config.toml"), "epochs = 3\n").expect("written");
    let error = Queue::open(Path::new(&run), plan()).expect_err("a run").to_string();
    assert!(error.contains("there is a training run in this folder"), "{error}");
}
