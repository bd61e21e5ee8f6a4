//! Work off the UI thread: one named thread a job, results and progress through one bounded
//! channel, a chip in the window for each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Wakes the window after a message.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Messages that may wait for the window; a worker that is faster waits for it.
const MESSAGE_SLOTS: usize = 256;
/// Jobs that run at the same time; more would only slow each other down.
const MAX_JOBS: usize = 8;
/// A job shorter than this shows no chip: it would only flicker.
const CHIP_DELAY: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

/// A running job as the window shows it.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub name: String,
    pub stage: String,
    /// `0..=1`; absent where nobody can say.
    pub fraction: Option<f32>,
    /// As the job itself estimates; else judged by the pace so far.
    pub eta_seconds: Option<f32>,
    /// Seconds in all, as said before it began.
    expected: Option<f32>,
    started: Instant,
    cancel: Arc<AtomicBool>,
}

impl Job {
    /// Whether it has run long enough to be worth a chip.
    pub fn shows(&self) -> bool {
        self.started.elapsed() >= CHIP_DELAY
    }

    pub fn is_cancelling(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Seconds left, as far as can be said.
    pub fn seconds_left(&self) -> Option<f32> {
        if let Some(seconds) = self.eta_seconds {
            return Some(seconds);
        }
        let so_far = self.started.elapsed().as_secs_f32();
        if let Some(fraction) = self.fraction.filter(|fraction| *fraction > 0.05) {
            return Some(so_far * (1.0 - fraction) / fraction);
        }
        self.expected.map(|seconds| seconds - so_far).filter(|left| *left > 0.0)
    }
}

/// What a job holds to report and to ask whether it shall stop.
#[derive(Clone)]
pub struct Reporter<T> {
    id: JobId,
    cancel: Arc<AtomicBool>,
    messages: Sender<Message<T>>,
    wake: Wake,
}

impl<T> Reporter<T> {
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub fn stage(&self, stage: &str, fraction: Option<f32>) {
        self.send(Message::Progress { id: self.id, stage: stage.into(), fraction });
    }

    fn send(&self, message: Message<T>) {
        // The window may be gone; then nobody waits for the result either.
        let _ = self.messages.send(message);
        (self.wake)();
    }
}

enum Message<T> {
    Progress { id: JobId, stage: String, fraction: Option<f32> },
    Done { id: JobId, result: Result<T, String> },
}

/// A finished job.
pub struct Finished<T> {
    pub name: String,
    pub cancelled: bool,
    pub result: Result<T, String>,
}

/// The running jobs.
pub struct Jobs<T> {
    running: Vec<Job>,
    next: u64,
    sender: Sender<Message<T>>,
    messages: Receiver<Message<T>>,
    wake: Wake,
}

impl<T: Send + 'static> Jobs<T> {
    pub fn new(wake: Wake) -> Self {
        let (sender, messages) = bounded(MESSAGE_SLOTS);
        Self { running: Vec::new(), next: 1, sender, messages, wake }
    }

    /// These jobs for another window, which must look for their ends itself: they wake the one
    /// that they were started from.
    pub fn take(&mut self) -> Self {
        let fresh = Self::new(Arc::clone(&self.wake));
        std::mem::replace(self, fresh)
    }

    pub fn running(&self) -> &[Job] {
        &self.running
    }

    /// Runs `work` on its own thread. An error is one sentence for the user; an empty one says
    /// that nothing was to be done. Answers why it cannot start.
    pub fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&Reporter<T>) -> Result<T, String> + Send + 'static,
    ) -> Result<JobId, String> {
        if self.running.len() >= MAX_JOBS {
            return Err("too many jobs are running; wait for one to finish".into());
        }
        let (messages, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let job = self.add(name, None);
        let (id, cancel) = (job.id, Arc::clone(&job.cancel));
        let reporter = Reporter { id, cancel, messages, wake };
        let spawned = std::thread::Builder::new().name(name.to_lowercase()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&reporter)));
            let result = result.unwrap_or_else(|_| Err("stopped by a defect; see the log".into()));
            reporter.send(Message::Done { id, result });
        });
        if let Err(err) = spawned {
            self.running.retain(|job| job.id != id);
            return Err(format!("cannot start a thread: {err}"));
        }
        Ok(id)
    }

    /// Lists a job that runs elsewhere, such as on the inference thread, and takes `expected`
    /// seconds as far as can be said.
    pub fn adopt(&mut self, name: &str, expected: Option<f32>) -> JobId {
        self.add(name, expected).id
    }

    fn add(&mut self, name: &str, expected: Option<f32>) -> &Job {
        let id = JobId(self.next);
        self.next += 1;
        let job = Job {
            id,
            name: name.into(),
            stage: String::new(),
            fraction: None,
            eta_seconds: None,
            expected,
            started: Instant::now(),
            cancel: Arc::default(),
        };
        let index = self.running.len();
        self.running.push(job);
        &self.running[index]
    }

    /// Reports on an adopted job.
    pub fn report(&mut self, id: JobId, stage: &str, fraction: Option<f32>, eta: Option<f32>) {
        if let Some(job) = self.running.iter_mut().find(|job| job.id == id) {
            job.stage = stage.into();
            job.fraction = fraction;
            job.eta_seconds = eta;
        }
    }

    /// Takes an adopted job off the list.
    pub fn remove(&mut self, id: JobId) {
        self.running.retain(|job| job.id != id);
    }

    /// Asks a job to stop.
    pub fn cancel(&mut self, id: JobId) {
        if let Some(job) = self.running.iter().find(|job| job.id == id) {
            job.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// What has finished since the last call.
    pub fn drain(&mut self) -> Vec<Finished<T>> {
        let mut finished = Vec::new();
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::Progress { id, stage, fraction } => {
                    self.report(id, &stage, fraction, None)
                }
                Message::Done { id, result } => {
                    let Some(index) = self.running.iter().position(|job| job.id == id) else {
                        continue;
                    };
                    let job = self.running.remove(index);
                    let cancelled = job.is_cancelling();
                    finished.push(Finished { name: job.name, cancelled, result });
                }
            }
        }
        finished
    }
}

/// A thread that answers the latest question only: thumbnails, histograms, canvas pictures.
pub struct Latest<Q, A> {
    questions: Sender<Q>,
    answers: Receiver<A>,
    /// Asked while the thread was busy.
    waiting: Option<Q>,
}

impl<Q: Send + 'static, A: Send + 'static> Latest<Q, A> {
    /// `None` where no thread can be started; then nothing is ever answered.
    pub fn spawn(
        name: &str,
        wake: Wake,
        answer: impl Fn(Q) -> A + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let (questions, inbox) = bounded::<Q>(1);
        let (outbox, answers) = bounded(4);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            while let Ok(question) = inbox.recv() {
                let given = catch_unwind(AssertUnwindSafe(|| answer(question)));
                if let Ok(given) = given
                    && outbox.send(given).is_err()
                {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { questions, answers, waiting: None })
    }

    /// Asks; a question that still waits is forgotten.
    pub fn ask(&mut self, question: Q) {
        self.waiting = Some(question);
        self.pump();
    }

    /// The next answer, if there is one.
    pub fn answer(&mut self) -> Option<A> {
        let answer = self.answers.try_recv().ok();
        self.pump();
        answer
    }

    fn pump(&mut self) {
        if let Some(question) = self.waiting.take()
            && let Err(err) = self.questions.try_send(question)
        {
            self.waiting = Some(err.into_inner());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for<T: Send + 'static>(jobs: &mut Jobs<T>) -> Finished<T> {
        for _ in 0..500 {
            if let Some(finished) = jobs.drain().pop() {
                return finished;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the job never ended");
    }

    #[test]
    fn a_panic_is_a_failed_job_and_nothing_more() {
        let mut jobs: Jobs<u32> = Jobs::new(Arc::new(|| {}));
        jobs.spawn("Breaks", |_| panic!("on purpose")).unwrap();
        assert!(wait_for(&mut jobs).result.is_err());
        jobs.spawn("Works", |_| Ok(7)).unwrap();
        assert_eq!(wait_for(&mut jobs).result, Ok(7));
        assert!(jobs.running().is_empty());
    }

    #[test]
    fn a_cancelled_job_sees_it() {
        let mut jobs: Jobs<u32> = Jobs::new(Arc::new(|| {}));
        let id = jobs.spawn("Long", |reporter| {
            while !reporter.is_cancelled() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(String::new())
        });
        jobs.cancel(id.unwrap());
        assert!(wait_for(&mut jobs).cancelled);
    }

    #[test]
    fn before_the_first_tile_the_estimate_counts() {
        let mut jobs: Jobs<u32> = Jobs::new(Arc::new(|| {}));
        let id = jobs.adopt("Long", Some(60.0));
        let left = |jobs: &Jobs<u32>| jobs.running()[0].seconds_left();
        assert!(left(&jobs).is_some_and(|left| (50.0..=60.0).contains(&left)));
        jobs.report(id, "Tile", Some(0.1), Some(7.0));
        assert_eq!(left(&jobs), Some(7.0));
        jobs.remove(id);
        jobs.adopt("Unknown", None);
        assert_eq!(left(&jobs), None);
    }

    #[test]
    fn only_the_latest_question_waits() {
        let mut latest = Latest::spawn("answers", Arc::new(|| {}), |question: u32| {
            std::thread::sleep(Duration::from_millis(20));
            question
        })
        .unwrap();
        (0..50).for_each(|question| latest.ask(question));
        let mut given = Vec::new();
        for _ in 0..500 {
            given.extend(latest.answer());
            if given.last() == Some(&49) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(given.last(), Some(&49));
        assert!(given.len() < 5, "{given:?}");
    }
}
