//! What outlives a window: a lost graphics device ends the window, not the work in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::clipboard::Copied;
use super::jobs::Jobs;
use super::state::{Model, Outcome, Tab};

/// The place where a window leaves its work and the next one finds it. Clones are one desk.
#[derive(Clone, Default)]
pub struct Desk {
    work: Rc<RefCell<Option<Work>>>,
    /// Whoever learns that the device is gone says it here.
    pub loss: Loss,
}

/// Open documents with their histories, and the jobs on their way to them.
struct Work {
    tabs: Vec<Tab>,
    active: usize,
    next_tab: u64,
    jobs: Jobs<Outcome>,
    clipboard: Option<Copied>,
    colors: [[f32; 3]; 2],
    /// Requests that went with the device.
    broken_off: usize,
}

impl Desk {
    /// Takes the work out of a window that ends.
    pub fn leave(&self, model: &mut Model) {
        // A drag that a defect broke off is not to be asked again.
        if !std::thread::panicking() {
            model.leave_drag();
        }
        // What is only looked at is asked for again by itself.
        let running = model.ai.running.drain().filter_map(|(_, running)| running.job);
        let running: Vec<_> = running.collect();
        let broken_off = running.len();
        running.into_iter().for_each(|job| model.jobs.remove(job));
        *self.work.borrow_mut() = Some(Work {
            tabs: std::mem::take(&mut model.tabs),
            active: model.active,
            next_tab: model.next_tab,
            jobs: model.jobs.take(),
            clipboard: model.clipboard.own.take(),
            colors: [model.foreground, model.background],
            broken_off,
        });
    }

    /// Puts the work, if some was left, into a new window.
    pub fn resume(&self, model: &mut Model) {
        let Some(work) = self.work.borrow_mut().take() else { return };
        model.tabs = work.tabs;
        for tab in &mut model.tabs {
            tab.session.abort();
        }
        model.active = work.active;
        model.next_tab = work.next_tab;
        model.jobs = work.jobs;
        model.clipboard.own = work.clipboard;
        [model.foreground, model.background] = work.colors;
        if work.broken_off > 0 {
            model.notices.warn("What a network was computing is lost with the graphics adapter");
        }
    }
}

/// Whether and why the window's device is gone. Reported from any thread.
#[derive(Clone, Debug, Default)]
pub struct Loss(Arc<Mutex<Option<String>>>);

impl Loss {
    /// The first reason stays.
    pub fn report(&self, reason: impl Into<String>) {
        let mut loss = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loss.get_or_insert_with(|| reason.into());
    }

    pub fn is_reported(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The reason, once.
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
