//! Less processor time for training than for what the user does.

/// How far below the usual priority a run works, as `nice` counts it: a thread of the viewer gets about nine times its share.
#[cfg(target_os = "linux")]
const LOWER_BY: i32 = 10;

/// Lowers the priority of this thread and of every thread that it starts from now on.
///
/// Linux counts `nice` for each thread, and a new thread inherits it. Other systems count it for the process, so that the viewer
/// would be slowed down too; there the run keeps the usual priority.
pub(super) fn lower() {
    // Lowering is always allowed; were it not, the run would only be a worse neighbour.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(LOWER_BY);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_this_thread_and_its_children_are_lowered() {
        let priority = || rustix::process::getpriority_process(None).ok();
        let before = priority();
        let lowered = std::thread::spawn(move || {
            lower();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok();
            (priority(), pool.and_then(|pool| pool.install(priority)))
        });
        let expected = before.map(|nice| (nice + LOWER_BY).min(19));
        assert_eq!(lowered.join().ok(), Some((expected, expected)));
        assert_eq!(priority(), before);
    }
}
