//! Undo history: kept documents that share their tiles.

use std::collections::HashSet;
use std::sync::Arc;

use super::Document;
use crate::geom::IRect;

/// One step: its name and the document on its other side.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub label: Arc<str>,
    /// Where the two documents differ, in document pixels.
    pub damage: IRect,
    /// Bytes that only this entry keeps alive, estimated when it was made.
    pub bytes: usize,
    document: Document,
}

/// Past and future documents. The budget drops the oldest steps, but never the last
/// [`History::MIN_STEPS`].
#[derive(Clone, Debug)]
pub struct History {
    past: Vec<HistoryEntry>,
    future: Vec<HistoryEntry>,
    budget_bytes: usize,
}

impl History {
    /// Steps kept whatever they cost.
    pub const MIN_STEPS: usize = 5;

    pub const fn new(budget_bytes: usize) -> Self {
        Self { past: Vec::new(), future: Vec::new(), budget_bytes }
    }

    /// Steps that can be undone, oldest first.
    pub fn past(&self) -> &[HistoryEntry] {
        &self.past
    }

    /// Steps that can be redone, next first.
    pub fn future(&self) -> impl ExactSizeIterator<Item = &HistoryEntry> {
        self.future.iter().rev()
    }

    /// Estimated bytes kept alive by the past alone.
    pub fn bytes(&self) -> usize {
        self.past.iter().map(|entry| entry.bytes).sum()
    }

    pub(super) fn push(
        &mut self,
        label: Arc<str>,
        damage: IRect,
        before: Document,
        now: &Document,
    ) {
        self.future.clear();
        let bytes = bytes_only_in(&before, now);
        self.past.push(HistoryEntry { label, damage, bytes, document: before });
        let mut total = self.bytes();
        while total > self.budget_bytes && self.past.len() > Self::MIN_STEPS {
            total -= self.past.remove(0).bytes;
        }
    }

    /// Swaps the current document with the newest past one.
    pub(super) fn undo(&mut self, current: &mut Document) -> Option<(Arc<str>, IRect)> {
        let mut entry = self.past.pop()?;
        std::mem::swap(current, &mut entry.document);
        let step = (entry.label.clone(), entry.damage);
        self.future.push(entry);
        Some(step)
    }

    /// Swaps the current document with the next future one.
    pub(super) fn redo(&mut self, current: &mut Document) -> Option<(Arc<str>, IRect)> {
        let mut entry = self.future.pop()?;
        std::mem::swap(current, &mut entry.document);
        let step = (entry.label.clone(), entry.damage);
        self.past.push(entry);
        Some(step)
    }
}

fn bytes_only_in(before: &Document, now: &Document) -> usize {
    let mut kept = HashSet::new();
    now.for_each_image(&mut |image| kept.extend(image.tile_ids()));
    let mut bytes = 0;
    before.for_each_image(&mut |image| {
        let tile = crate::pixels::TILE as usize * crate::pixels::TILE as usize;
        let tile_bytes = tile * image.channels() * image.depth().bytes();
        bytes += image.tile_ids().filter(|id| kept.insert(*id)).count() * tile_bytes;
    });
    let mut files = HashSet::new();
    now.walk(&mut |layer, _| files.extend(layer.attachment().map(|file| file.as_ptr())));
    before.walk(&mut |layer, _| {
        let gone = layer.attachment().filter(|file| files.insert(file.as_ptr()));
        bytes += gone.map_or(0, |file| file.len());
    });
    bytes
}
