//! Processor time: first what the user sees move, then predictions, then training.

/// How far below the usual priority predictions are made, as `nice` counts it. A frame is ready soon after it was asked for while
/// a prediction goes on; alone on the machine, a prediction is as fast as before.
pub(super) const PREDICTION: i32 = 4;
/// The same of a training run: a thread that predicts gets about nine times the share of one that trains.
pub(super) const TRAINING: i32 = 14;

/// Lowers the priority of this thread, and of every thread that it starts from now on, by `steps` of `nice`.
///
/// Linux counts `nice` for each thread, and a new thread inherits it. Other systems count it for the process, so that the window
/// would be slowed down too; there all keep the usual priority.
pub(super) fn lower(steps: i32) {
    // Lowering is always allowed; were it not, the thread would only be a worse neighbour.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(steps);
    #[cfg(not(target_os = "linux"))]
    let _ = steps;
}

/// Starts the threads that all predictions share, at their priority, before anything else does.
pub(super) fn share_threads() {
    // Where they are there already, as in tests, they stay as they are.
    let _ = rayon::ThreadPoolBuilder::new().start_handler(|_| lower(PREDICTION)).build_global();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_this_thread_and_its_children_are_lowered() {
        let priority = || rustix::process::getpriority_process(None).ok();
        let before = priority();
        let lowered = std::thread::spawn(move || {
            lower(TRAINING);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok();
            (priority(), pool.and_then(|pool| pool.install(priority)))
        });
        let expected = before.map(|nice| (nice + TRAINING).min(19));
        assert_eq!(lowered.join().ok(), Some((expected, expected)));
        assert_eq!(priority(), before);
    }
}
