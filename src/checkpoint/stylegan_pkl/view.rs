//! A tensor's elements gathered from its storage, row by row.

use crate::checkpoint::Fault;
use crate::checkpoint::file::SharedFile;

use super::value::{Span, Tensor};

/// The part of the file that a tensor's elements lie in, and how they lie there.
pub(super) struct View {
    span: Span,
    /// Sizes and strides, the innermost axis last. Strides count bytes.
    axes: Vec<(usize, usize)>,
    element_bytes: usize,
}

impl View {
    /// None where an element would lie outside of the storage.
    pub(super) fn new(tensor: &Tensor) -> Option<Self> {
        let Tensor { storage, offset, shape, strides } = tensor;
        let size = storage.dtype.bytes();
        let at = u64::try_from(offset.checked_mul(size)?).ok()?;
        let mut axes = Vec::new();
        // From the first byte of the first element to the last byte of the last one.
        let mut length = if shape.contains(&0) { 0 } else { size };
        for (&side, &stride) in shape.iter().zip(strides) {
            let stride = stride.checked_mul(size)?;
            if length > 0 {
                length = length.checked_add((side - 1).checked_mul(stride)?)?;
            }
            axes.push((side, stride));
        }
        let length = length as u64;
        (at.checked_add(length)? <= storage.data.length).then_some(())?;
        let span = Span { at: storage.data.at + at, length };
        Some(Self { span, axes, element_bytes: size })
    }

    pub(super) fn read(&self, file: &SharedFile) -> Result<Vec<u8>, Fault> {
        let stored = file.read(self.span.at, self.span.length as usize)?;
        if self.is_contiguous() || stored.is_empty() {
            return Ok(stored);
        }
        let elements: usize = self.axes.iter().map(|(side, _)| side).product();
        let mut gathered = Vec::with_capacity(elements * self.element_bytes);
        let mut place = vec![0; self.axes.len()];
        for _ in 0..elements {
            let at: usize = place.iter().zip(&self.axes).map(|(i, (_, stride))| i * stride).sum();
            gathered.extend(&stored[at..at + self.element_bytes]);
            // One step on, carrying like the wheels of a counter.
            for (index, (side, _)) in place.iter_mut().zip(&self.axes).rev() {
                *index += 1;
                if *index < *side {
                    break;
                }
                *index = 0;
            }
        }
        Ok(gathered)
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = self.element_bytes;
        self.axes.iter().rev().all(|&(side, stride)| {
            let fits = side == 1 || stride == expected;
            expected *= side;
            fits
        })
    }
}
