//! Memory of maps that are done with, for the next ones. What comes fresh from the system is mapped
//! in page by page, which takes longer than many a kernel.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter ones the allocator keeps at hand itself: numbers.
const LEAST: usize = 1 << 15;
/// Most numbers kept: 64 MiB.
const MOST: usize = 1 << 24;

#[derive(Debug)]
struct Spare {
    /// How many [`Keep`]s there are; without any nothing is kept.
    users: usize,
    buffers: Vec<Vec<f32>>,
    /// Numbers that all of them have room for.
    room: usize,
}

static SPARE: Mutex<Spare> = Mutex::new(Spare { users: 0, buffers: Vec::new(), room: 0 });

/// A panic elsewhere leaves nothing half-done here.
fn spare() -> MutexGuard<'static, Spare> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While one lives, memory is kept: a network has one.
pub struct Keep(());

impl Keep {
    pub fn begin() -> Self {
        spare().users += 1;
        Self(())
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        let mut spare = spare();
        spare.users -= 1;
        if spare.users == 0 {
            spare.room = 0;
            let buffers = std::mem::take(&mut spare.buffers);
            // Giving memory back takes a while.
            drop(spare);
            drop(buffers);
        }
    }
}

impl Spare {
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = |(_, buffer): &(usize, &Vec<f32>)| (len..=2 * len).contains(&buffer.capacity());
        let buffers = self.buffers.iter().enumerate().filter(fits);
        let (best, _) = buffers.min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.buffers.swap_remove(best);
        self.room -= buffer.capacity();
        Some(buffer)
    }

    fn give(&mut self, buffer: Vec<f32>) {
        if self.users > 0 && self.room + buffer.capacity() <= MOST {
            self.room += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

/// Numbers that are given back when they go out of use.
pub struct Lent(Vec<f32>);

impl Lent {
    /// As [`take`].
    pub fn new(len: usize) -> Self {
        Self(take(len))
    }
}

impl Deref for Lent {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

/// `len` numbers, finite and otherwise unspecified.
pub fn take(len: usize) -> Vec<f32> {
    let kept = if len >= LEAST { spare().take(len) } else { None };
    match kept {
        Some(mut buffer) => {
            buffer.resize(len, 0.0);
            buffer
        }
        None => vec![0.0; len],
    }
}

/// Keeps `buffer` for [`take`], or frees it.
pub fn give(buffer: Vec<f32>) {
    if buffer.capacity() >= LEAST {
        spare().give(buffer);
    }
}

thread_local! {
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Two runs of so many numbers, finite and otherwise unspecified, that stay with this thread.
pub fn scratch<R>(lens: [usize; 2], work: impl FnOnce([&mut [f32]; 2]) -> R) -> R {
    // A step within a step would find the cell taken.
    let mut own = SCRATCH.with(|kept| std::mem::take(&mut *kept.borrow_mut()));
    for (own, len) in own.iter_mut().zip(lens) {
        if own.len() < len {
            *own = vec![0.0; len];
        }
    }
    let [a, b] = &mut own;
    let result = work([&mut a[..lens[0]], &mut b[..lens[1]]]);
    SCRATCH.with(|kept| *kept.borrow_mut() = own);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_while_somebody_wants_it() {
        let mut spare = Spare { users: 0, buffers: Vec::new(), room: 0 };
        spare.give(vec![1.0; 300]);
        assert_eq!(spare.take(300), None);
        spare.users = 1;
        spare.give(vec![1.0; 300]);
        spare.give(vec![2.0; 500]);
        assert_eq!(spare.room, 800);
        // The smallest that is large enough, and none that is far too large.
        assert_eq!(spare.take(501), None);
        assert_eq!(spare.take(149), None);
        assert_eq!(spare.take(280), Some(vec![1.0; 300]));
        assert_eq!(spare.take(280), Some(vec![2.0; 500]));
        assert_eq!((spare.take(280), spare.room), (None, 0));
    }

    #[test]
    fn no_more_is_kept_than_told() {
        let mut spare = Spare { users: 1, buffers: Vec::new(), room: MOST - 10 };
        spare.give(vec![0.0; 11]);
        assert!(spare.buffers.is_empty());
        spare.give(vec![0.0; 10]);
        assert_eq!(spare.room, MOST);
    }
}
