//! MediaPipe's face mesh: 468 points of a face in a crop (Kartynnik et al. 2019).

use super::graph::{Graph, Value};
use super::tape::Tape;

/// Finds the points of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceMesh;

impl FaceMesh {
    /// Points that are found.
    pub const POINTS: usize = 468;

    /// RGB in `0..=1`, `[3, 192, 192]`, to x, y and z of each point in pixels of the crop,
    /// `[3 · 468, 1, 1]`, and the logit that there is a face, `[1, 1, 1]`.
    pub fn graph(&self) -> Graph {
        let mut t = Tape::default();
        let input = t.input(3);
        let mut x = t.conv(input, 16, 3, 2);
        x = t.prelu(x);
        x = unit(&mut t, x);
        x = unit(&mut t, x);
        for channels in [32, 64, 128] {
            x = halved(&mut t, x, channels);
            x = unit(&mut t, x);
            x = unit(&mut t, x);
        }
        let trunk = {
            let mut x = halved_late(&mut t, x);
            x = unit(&mut t, x);
            unit(&mut t, x)
        };
        // The points' branch is one unit longer; after that the official numbers alternate
        // between the two.
        x = halved_late(&mut t, trunk);
        x = unit(&mut t, x);
        let depthwise = [t.depthwise(trunk, 3, 2), t.depthwise(x, 3, 1)];
        let pointwise = depthwise.map(|x| t.pointwise(x, 128));
        let own = [t.max_pool(trunk), x];
        let both = both(&mut t, own, pointwise);
        let narrow = both.map(|x| t.pointwise(x, 32));
        let narrow = narrow.map(|x| t.prelu(x));
        let depthwise = narrow.map(|x| t.depthwise(x, 3, 1));
        let pointwise = depthwise.map(|x| t.pointwise(x, 32));
        let [presence, points] = self::both(&mut t, narrow, pointwise);
        let presence = t.gather(presence, 1, 3);
        let points = t.gather(points, 3 * Self::POINTS, 3);
        t.finish(&[points, presence])
    }
}

/// The ends of two units side by side.
fn both(t: &mut Tape, own: [Value; 2], more: [Value; 2]) -> [Value; 2] {
    let sums = [t.add(own[0], more[0]), t.add(own[1], more[1])];
    sums.map(|x| t.prelu(x))
}

/// A residual unit.
fn unit(t: &mut Tape, x: Value) -> Value {
    let channels = t.channels(x);
    let mut more = t.depthwise(x, 3, 1);
    more = t.pointwise(more, channels);
    let sum = t.add(x, more);
    t.prelu(sum)
}

/// A unit that halves the sides and widens.
fn halved(t: &mut Tape, x: Value, channels: usize) -> Value {
    let mut more = t.depthwise(x, 3, 2);
    let mut own = t.max_pool(x);
    more = t.pointwise(more, channels);
    own = t.widen(own, channels);
    let sum = t.add(own, more);
    t.prelu(sum)
}

/// A unit that halves the sides only; here the official numbers count the pool last.
fn halved_late(t: &mut Tape, x: Value) -> Value {
    let channels = t.channels(x);
    let mut more = t.depthwise(x, 3, 2);
    more = t.pointwise(more, channels);
    let own = t.max_pool(x);
    let sum = t.add(own, more);
    t.prelu(sum)
}
