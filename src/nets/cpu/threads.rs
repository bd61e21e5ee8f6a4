//! The threads on which networks run.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Runs `work` on one of the threads that networks share. They are others than those of the
/// program, so that a stroke of the brush need not wait for a convolution; and handing them each
/// step from outside would take as long as a small step.
pub fn share<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    static THREADS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
        ThreadPoolBuilder::new().thread_name(|at| format!("network {at}")).build().ok()
    });
    match &*THREADS {
        Some(threads) if threads.current_thread_index().is_some() => work(),
        // A worker of other threads takes up whatever else waits there while it waits itself, and
        // its caller may hold a lock that this needs as well: it is to sleep instead.
        Some(threads) if rayon::current_thread_index().is_some() => {
            let ended = std::thread::scope(|scope| scope.spawn(|| threads.install(work)).join());
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }
        Some(threads) => threads.install(work),
        None => work(),
    }
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
