//! A document being worked on: transactions, undo and the saved mark.

use std::sync::Arc;

use super::{Document, Edit, EditError, History, LayerId};
use crate::geom::IRect;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error("an edit needs a transaction")]
    NoTransaction,
    #[error("'{0}' is still in progress")]
    Busy(Arc<str>),
}

#[derive(Clone, Debug)]
struct Transaction {
    label: Arc<str>,
    before: Document,
    damage: IRect,
}

/// The current document, its history and at most one open transaction.
///
/// Undo and redo are refused while a transaction is open, so that a drag in progress can always
/// be aborted to exactly what it started from.
#[derive(Clone, Debug)]
pub struct Session {
    document: Document,
    history: History,
    transaction: Option<Transaction>,
    saved_revision: Option<u64>,
    last_revision: u64,
}

impl Session {
    /// `budget_bytes` bounds what history alone may keep alive.
    pub fn new(document: Document, budget_bytes: usize) -> Self {
        let revision = document.revision();
        Self {
            document,
            history: History::new(budget_bytes),
            transaction: None,
            saved_revision: Some(revision),
            last_revision: revision,
        }
    }

    pub const fn document(&self) -> &Document {
        &self.document
    }

    pub const fn history(&self) -> &History {
        &self.history
    }

    /// The label of the open transaction.
    pub fn in_progress(&self) -> Option<&Arc<str>> {
        self.transaction.as_ref().map(|transaction| &transaction.label)
    }

    /// The document as it was when the open transaction began.
    pub fn before(&self) -> Option<&Document> {
        self.transaction.as_ref().map(|transaction| &transaction.before)
    }

    /// Opens a transaction: one future undo step called `label`.
    pub fn begin(&mut self, label: &str) -> Result<(), SessionError> {
        if let Some(transaction) = &self.transaction {
            return Err(SessionError::Busy(transaction.label.clone()));
        }
        self.transaction = Some(Transaction {
            label: label.into(),
            before: self.document.clone(),
            damage: IRect::EMPTY,
        });
        Ok(())
    }

    /// Applies an edit inside the open transaction and answers its damage in document pixels.
    pub fn edit(&mut self, edit: Edit) -> Result<IRect, SessionError> {
        let transaction = self.transaction.as_mut().ok_or(SessionError::NoTransaction)?;
        let damage = self.document.apply(edit, self.last_revision + 1)?;
        self.last_revision += 1;
        transaction.damage = transaction.damage.union(damage);
        Ok(damage)
    }

    /// Closes the transaction. Without an edit no undo step is left. Answers whether one was.
    pub fn commit(&mut self) -> bool {
        let Some(transaction) = self.transaction.take() else { return false };
        if transaction.before.revision() == self.document.revision() {
            return false;
        }
        let Transaction { label, before, damage } = transaction;
        self.history.push(label, damage, before, &self.document);
        true
    }

    /// Drops the transaction and everything it did; answers what must be redrawn.
    pub fn abort(&mut self) -> IRect {
        let Some(transaction) = self.transaction.take() else { return IRect::EMPTY };
        self.document = transaction.before;
        transaction.damage
    }

    /// One undo step of several edits; on an error nothing is changed.
    pub fn perform(
        &mut self,
        label: &str,
        edits: impl IntoIterator<Item = Edit>,
    ) -> Result<IRect, SessionError> {
        self.begin(label)?;
        let mut damage = IRect::EMPTY;
        for edit in edits {
            match self.edit(edit) {
                Ok(part) => damage = damage.union(part),
                Err(error) => {
                    self.abort();
                    return Err(error);
                }
            }
        }
        self.commit();
        Ok(damage)
    }

    /// Makes a layer active; neither an undo step nor a change worth saving.
    pub fn set_active(&mut self, id: Option<LayerId>) {
        self.document.set_active(id);
    }

    /// Undoes one step; `None` when there is none or a transaction is open.
    pub fn undo(&mut self) -> Option<(Arc<str>, IRect)> {
        if self.transaction.is_some() {
            return None;
        }
        self.history.undo(&mut self.document)
    }

    /// Redoes one step; `None` when there is none or a transaction is open.
    pub fn redo(&mut self) -> Option<(Arc<str>, IRect)> {
        if self.transaction.is_some() {
            return None;
        }
        self.history.redo(&mut self.document)
    }

    /// Goes to the state after the first `steps` steps of past and future together.
    pub fn jump(&mut self, steps: usize) -> IRect {
        let mut damage = IRect::EMPTY;
        while self.history.past().len() > steps {
            let Some((_, part)) = self.undo() else { break };
            damage = damage.union(part);
        }
        while self.history.past().len() < steps {
            let Some((_, part)) = self.redo() else { break };
            damage = damage.union(part);
        }
        damage
    }

    /// The content of this revision is on the disk; the document may have moved on since.
    pub const fn mark_saved(&mut self, revision: u64) {
        self.saved_revision = Some(revision);
    }

    /// Whether the document differs from what was last saved or opened.
    pub fn is_modified(&self) -> bool {
        self.saved_revision != Some(self.document.revision())
    }
}
