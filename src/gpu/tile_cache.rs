//! Tiles on the adapter: a pool of equal slots in one storage buffer that grows to its budget,
//! least recently used first out.

use std::collections::HashMap;

use super::{GpuContext, GpuError};
use crate::pixels::Tile;

/// A pool begins with this part of its budget: most pictures never need more.
const FIRST_SHARE: u64 = 8;

/// A pool of tile slots. Slots used since the last [`TileCache::release`] are never replaced.
#[derive(Debug)]
pub(super) struct TileCache {
    buffer: wgpu::Buffer,
    slot_bytes: u64,
    /// Slots within the budget.
    most: usize,
    /// Which tile a slot holds and when it was last used.
    slots: Vec<Option<(u64, u64)>>,
    by_key: HashMap<u64, u32>,
    clock: u64,
    pinned_since: u64,
    uploaded_bytes: u64,
}

impl TileCache {
    /// A pool of at most about `budget_bytes`, within what one binding may hold.
    pub(super) fn new(
        context: &GpuContext,
        slot_bytes: u64,
        budget_bytes: u64,
    ) -> Result<Self, GpuError> {
        let limits = context.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let most = (budget_bytes.min(most) / slot_bytes).max(1);
        let count = (most / FIRST_SHARE).max(1);
        Ok(Self {
            buffer: allocate(context, count * slot_bytes)?,
            slot_bytes,
            most: most as usize,
            slots: vec![None; count as usize],
            by_key: HashMap::new(),
            clock: 1,
            pinned_since: 0,
            uploaded_bytes: 0,
        })
    }

    pub(super) const fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    pub(super) const fn slot_bytes(&self) -> u64 {
        self.slot_bytes
    }

    /// Bytes uploaded since [`TileCache::take_uploaded_bytes`].
    pub(super) const fn uploaded_bytes(&self) -> u64 {
        self.uploaded_bytes
    }

    /// Bytes uploaded since the last call.
    pub(super) fn take_uploaded_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.uploaded_bytes)
    }

    /// Lets every slot be replaced again: to be called once the commands that use them are
    /// submitted, for a later upload is ordered behind them.
    pub(super) const fn release(&mut self) {
        self.pinned_since = self.clock;
        self.clock += 1;
    }

    /// The slot that holds tile `key`, if it is there.
    pub(super) fn find(&mut self, key: u64) -> Option<u32> {
        let slot = *self.by_key.get(&key)?;
        self.clock += 1;
        self.slots[slot as usize] = Some((key, self.clock));
        Some(slot)
    }

    /// Uploads `tile` as `key`; `None` when every slot is in use.
    pub(super) fn insert(&mut self, context: &GpuContext, key: u64, tile: &Tile) -> Option<u32> {
        if self.by_key.len() == self.slots.len() && self.slots.len() < self.most {
            self.grow(context);
        }
        let slot = self.free_slot()?;
        if let Some((old, _)) = self.slots[slot as usize] {
            self.by_key.remove(&old);
        }
        self.clock += 1;
        self.slots[slot as usize] = Some((key, self.clock));
        self.by_key.insert(key, slot);
        let bytes = tile.samples().as_bytes();
        context.queue().write_buffer(&self.buffer, u64::from(slot) * self.slot_bytes, bytes);
        self.uploaded_bytes += bytes.len() as u64;
        Some(slot)
    }

    /// Doubles the pool; where memory does not allow it, slots are replaced as in a full one.
    fn grow(&mut self, context: &GpuContext) {
        let count = (2 * self.slots.len()).min(self.most);
        let Ok(larger) = allocate(context, count as u64 * self.slot_bytes) else {
            self.most = self.slots.len();
            return;
        };
        let mut encoder =
            context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.buffer, 0, &larger, 0, self.buffer.size());
        // At once: what is recorded so far reads the old pool, what follows the new one.
        context.queue().submit([encoder.finish()]);
        self.buffer = larger;
        self.slots.resize(count, None);
    }

    fn free_slot(&self) -> Option<u32> {
        let age = |slot: &Option<(u64, u64)>| slot.map_or(0, |(_, used)| used);
        let (index, slot) = self.slots.iter().enumerate().min_by_key(|(_, slot)| age(slot))?;
        (age(slot) <= self.pinned_since).then_some(index as u32)
    }
}

fn allocate(context: &GpuContext, bytes: u64) -> Result<wgpu::Buffer, GpuError> {
    context.scoped(|| {
        Ok(context.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("tile cache"),
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_DST
                | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        }))
    })
}
