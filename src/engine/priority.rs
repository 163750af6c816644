//! Thread priorities: the window first, then predictions, then training.

/// The priority of predictions, in steps of `nice` below the default. A frame is then drawn promptly during a
/// prediction, and a prediction on an otherwise idle machine is not slower.
pub(super) const PREDICTION: i32 = 4;
/// The priority of jobs with many predictions, which must not slow down the one that follows typing.
pub(super) const LAB: i32 = 8;
/// The priority of a training run, in steps of `nice`. A thread that predicts gets about nine times as much time
/// as one that trains.
pub(super) const TRAINING: i32 = 14;

/// Lowers the priority of this thread, and of every thread that it starts from now on, by `steps` of `nice`.
///
/// Linux applies `nice` to each thread, and a new thread inherits it. Other systems apply it to the process, which
/// would also slow down the window; there, all threads keep the default priority.
pub(super) fn lower(steps: i32) {
    // Lowering is always permitted. If it failed, the thread would only compete more with the others.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(steps);
    #[cfg(not(target_os = "linux"))]
    let _ = steps;
}

/// Starts the threads that all predictions share, with their priority, before anything else starts them.
pub(super) fn share_threads() {
    // If they already exist, as in tests, they keep their priority.
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
