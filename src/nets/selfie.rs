//! MediaPipe's selfie segmentation, the general model: a small MobileNetV3 (Howard et al. 2019)
//! whose decoder weighs each skipped map by its channels' means.

use super::graph::{Act, Graph, Value};
use super::tape::Tape;

/// Finds people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfieSegmentation;

/// Inverted residuals on the smallest map: channels while expanded; a quarter of them decides
/// the weights of the channels.
const DEEP: [usize; 4] = [128, 128, 96, 96];

impl SelfieSegmentation {
    /// RGB in `0..=1`, `[3, h, w]`, made for 256×256, sides multiples of 16, to the probability
    /// of a person, `[1, h, w]`.
    pub fn graph(&self) -> Graph {
        let mut t = Tape::default();
        let input = t.input(3);
        let mut x = t.conv(input, 16, 3, 2);
        let half = t.act(x, Act::HardSwish);
        x = t.pointwise(half, 16);
        x = t.act(x, Act::Relu);
        x = t.depthwise(x, 3, 2);
        x = t.act(x, Act::Relu);
        x = t.excite(x, x, 8);
        let quarter = t.pointwise(x, 16);
        let eighth = expand(&mut t, quarter, 72, 24, 2);
        let more = expand(&mut t, eighth, 88, 24, 1);
        let eighth = t.add(more, eighth);
        x = excited(&mut t, eighth, 96, 2);
        for channels in DEEP {
            let more = excited(&mut t, x, channels, 1);
            x = t.add(more, x);
        }
        x = head(&mut t, x);
        x = decode(&mut t, x, eighth);
        x = decode(&mut t, x, quarter);
        x = decode(&mut t, x, half);
        x = t.double(x, 1);
        x = t.act(x, Act::Sigmoid);
        t.finish(&[x])
    }
}

/// To `inner` channels, a 3×3 kernel on each, down to `channels`.
fn expand(t: &mut Tape, x: Value, inner: usize, channels: usize, stride: usize) -> Value {
    let mut x = t.pointwise(x, inner);
    x = t.act(x, Act::Relu);
    x = t.depthwise(x, 3, stride);
    x = t.act(x, Act::Relu);
    t.pointwise(x, channels)
}

/// To `inner` channels, a 5×5 kernel on each, weighed, down to 32.
fn excited(t: &mut Tape, x: Value, inner: usize, stride: usize) -> Value {
    let mut x = t.pointwise(x, inner);
    x = t.act(x, Act::HardSwish);
    x = t.depthwise(x, 5, stride);
    x = t.act(x, Act::HardSwish);
    x = t.excite(x, x, inner / 4);
    t.pointwise(x, 32)
}

/// What each pixel holds, weighed by what the whole picture holds.
fn head(t: &mut Tape, x: Value) -> Value {
    let mean = t.mean(x);
    let mut here = t.pointwise(x, 128);
    let mut whole = t.pointwise(mean, 128);
    here = t.act(here, Act::Relu);
    whole = t.act(whole, Act::Sigmoid);
    t.mul(here, whole)
}

/// Twice as large, with what was `skipped` at that size.
fn decode(t: &mut Tape, x: Value, skipped: Value) -> Value {
    let channels = t.channels(skipped);
    let mut x = t.bilinear(x);
    x = t.pointwise(x, channels);
    let both = t.add(skipped, x);
    let weighed = t.excite(skipped, both, channels);
    x = t.add(weighed, x);
    x = t.pointwise(x, channels);
    x = t.act(x, Act::Relu);
    let mut more = t.depthwise(x, 3, 1);
    more = t.act(more, Act::Relu);
    t.add(x, more)
}
