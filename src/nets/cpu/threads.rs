//! The threads on which networks run.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

/// How long a thread that has nothing to do looks for the next step's work before it sleeps: to
/// wake it takes as long as many a step.
const PATIENCE: Duration = Duration::from_micros(500);

/// Runs `work` on threads that no other network uses meanwhile: a preview is not to wait for a
/// long run, nor a stroke of the brush, which uses the program's threads, for a convolution.
/// Handing those each step from outside would take as long as a small step.
pub fn share<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    static IDLE: Mutex<Vec<ThreadPool>> = Mutex::new(Vec::new());
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);

    if is_network_thread() {
        return work();
    }
    let build = || ThreadPoolBuilder::new().thread_name(|at| format!("{NAME} {at}")).build().ok();
    let kept = idle().pop();
    let Some(threads) = kept.or_else(build) else { return work() };
    let result = if rayon::current_thread_index().is_some() {
        // A worker of other threads takes up whatever else waits there while it waits itself, and
        // its caller may hold a lock that this needs as well: it is to sleep instead.
        std::thread::scope(|scope| scope.spawn(|| threads.install(|| awake(work))).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    } else {
        threads.install(|| awake(work))
    };
    idle().push(threads);
    result
}

const NAME: &str = "network";

fn is_network_thread() -> bool {
    rayon::current_thread_index().is_some()
        && std::thread::current().name().is_some_and(|name| name.starts_with(NAME))
}

/// Runs `work` while the other threads of this pool stay awake between its steps.
fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let (caller, ended) = (rayon::current_thread_index(), AtomicBool::new(false));
    rayon::scope(|scope| {
        scope.spawn_broadcast(|_, thread| {
            let mut worked = Instant::now();
            while Some(thread.index()) != caller
                && !ended.load(Ordering::Relaxed)
                && worked.elapsed() < PATIENCE
            {
                match rayon::yield_now() {
                    Some(Yield::Executed) => worked = Instant::now(),
                    _ => spin_loop(),
                }
            }
        });
        let result = work();
        ended.store(true, Ordering::Relaxed);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use rayon::prelude::*;

    use crate::nets::Planes;
    use crate::nets::cpu::Processor;
    use crate::nets::graph::{Conv, Graph};

    #[test]
    fn a_lock_around_a_network_does_not_stop_those_who_share_the_work() {
        let mut g = Graph::new();
        let x = g.input(16);
        let y = g.conv(x, Conv::new("c", 16, 16, 3));
        g.output(y);
        let mut source = |name: &str| -> Result<Vec<f32>, Infallible> {
            Ok(vec![0.1; if name.ends_with("bias") { 16 } else { 16 * 16 * 9 }])
        };
        let Ok(network) = Processor::new(g, &mut source);
        let (side, channels) = (64, 16);
        let picture =
            Planes { channels, height: side, width: side, data: vec![0.5; channels * side * side] };
        let (done, waiting) = channel();
        std::thread::spawn(move || {
            let shared = Mutex::new(network);
            let sums: Vec<f32> = (0..64)
                .into_par_iter()
                .map(|_| {
                    let network = shared.lock().unwrap();
                    let Ok(out) = network.run(std::slice::from_ref(&picture), &|| false) else {
                        return 0.0;
                    };
                    out[0].data[0]
                })
                .collect();
            done.send(sums).unwrap();
        });
        let sums = waiting.recv_timeout(Duration::from_secs(60)).expect("nobody waits for himself");
        assert_eq!(sums.len(), 64);
        assert!(sums.iter().all(|sum| (*sum - sums[0]).abs() < 1e-6 && *sum > 1.0));
    }
}
