//! BlazeFace, short range (Bazarevsky et al. 2019; MediaPipe's model).

use super::graph::{Act, Graph, Value};
use super::tape::Tape;

/// Finds faces within about two metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlazeFace;

/// Channels after each block and its stride.
const BLOCKS: [(usize, usize); 16] = [
    (24, 1),
    (28, 1),
    (32, 2),
    (36, 1),
    (42, 1),
    (48, 2),
    (56, 1),
    (64, 1),
    (72, 1),
    (80, 1),
    (88, 1),
    (96, 2),
    (96, 1),
    (96, 1),
    (96, 1),
    (96, 1),
];
/// Blocks before the finer of the two maps that are read.
const FINE_BLOCKS: usize = 11;

impl BlazeFace {
    /// RGB in `-1..=1`, `[3, h, w]`, made for 128×128, sides multiples of 16. Results: for the
    /// map at an eighth of the sides and that at a sixteenth the logits of the anchors, `[2, h/8,
    /// w/8]` and `[6, h/16, w/16]`, then 16 numbers an anchor for each, `[32, …]` and `[96, …]`.
    pub fn graph(&self) -> Graph {
        let mut t = Tape::default();
        let input = t.input(3);
        let mut x = t.conv(input, 24, 5, 2);
        x = t.act(x, Act::Relu);
        let mut fine = x;
        for (index, (channels, stride)) in BLOCKS.into_iter().enumerate() {
            x = block(&mut t, x, channels, stride);
            if index + 1 == FINE_BLOCKS {
                fine = x;
            }
        }
        let heads = [(fine, 2), (x, 6), (fine, 32), (x, 96)];
        let outputs = heads.map(|(map, channels)| t.pointwise(map, channels));
        t.finish(&outputs)
    }
}

fn block(t: &mut Tape, x: Value, channels: usize, stride: usize) -> Value {
    let mut more = t.depthwise(x, 3, stride);
    let mut own = x;
    // The numbers of the operations count the pool before the convolution.
    if stride > 1 {
        own = t.max_pool(own);
    }
    more = t.pointwise(more, channels);
    own = t.widen(own, channels);
    let sum = t.add(own, more);
    t.act(sum, Act::Relu)
}
