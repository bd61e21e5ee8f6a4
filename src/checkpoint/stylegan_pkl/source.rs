//! The bytes of a pickle, read forwards through a small window.

use crate::checkpoint::file::SharedFile;
use crate::checkpoint::{Fault, MAX_TENSORS};

use super::value::Span;

/// Bytes fetched at once: many streams are a few hundred bytes.
const WINDOW_BYTES: u64 = 4096;

/// A part of a file and a place in it. Long byte strings are passed over without being read.
pub(super) struct Source {
    file: SharedFile,
    at: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
    streams: usize,
}

impl Source {
    pub(super) fn new(file: SharedFile, span: Span) -> Self {
        let end = span.at.saturating_add(span.length);
        Self { file, at: span.at, end, window: Vec::new(), window_at: span.at, streams: 0 }
    }

    /// A source of its own for a span that this one has passed. Their number is bounded, since
    /// a file may name one span many times.
    pub(super) fn within(&mut self, span: Span) -> Result<Self, Fault> {
        self.streams += 1;
        if self.streams > MAX_TENSORS {
            return Err(Fault::Refused(format!("more than {MAX_TENSORS} storages")));
        }
        Ok(Self::new(self.file.clone(), span))
    }

    pub(super) const fn left(&self) -> u64 {
        self.end - self.at
    }

    /// The bytes of a span that this source has passed; the caller bounds its length.
    pub(super) fn bytes(&self, span: Span) -> Result<Vec<u8>, Fault> {
        self.file.read(span.at, span.length as usize)
    }

    /// Passes over `length` bytes, which must be there.
    pub(super) fn skip(&mut self, length: u64) -> Result<Span, Fault> {
        if length > self.left() {
            return Err(Fault::Damaged("it ends inside a value".into()));
        }
        let span = Span { at: self.at, length };
        self.at += length;
        Ok(span)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        const { assert!(N as u64 <= WINDOW_BYTES) };
        let at = self.skip(N as u64)?.at;
        let fetched =
            at >= self.window_at && at + N as u64 <= self.window_at + self.window.len() as u64;
        if !fetched {
            let length = (self.end - at).min(WINDOW_BYTES) as usize;
            self.window = self.file.read(at, length)?;
            self.window_at = at;
        }
        let from = (at - self.window_at) as usize;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.window[from..from + N]);
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    /// The bytes before the next line feed, which is passed too.
    pub(super) fn line(&mut self, most: usize) -> Result<String, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return text(line),
                _ if line.len() == most => {
                    return Err(Fault::Refused(format!("a name of more than {most} bytes")));
                }
                byte => line.push(byte),
            }
        }
    }
}

pub(super) fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| Fault::Damaged("a text in it is not UTF-8".into()))
}
