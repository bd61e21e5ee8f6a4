//! The age and gender network of face-api.js: a small Xception (Chollet 2017).

use super::face_dense::separable;
use super::graph::{Conv, Graph, Value};

/// Guesses a face's age and gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceXception {
    /// Blocks between the ones that halve the sides.
    pub main_blocks: usize,
}

impl FaceXception {
    /// A face, RGB, `(x - mean) / 255`, `[3, 112, 112]`, to the age in years, `[1, 1, 1]`, and
    /// the logits of male and female, `[2, 1, 1]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let input = g.input(3);
        let mut x = g.conv(input, Conv::new("entry_flow.conv_in", 3, 32, 3).same(2));
        x = g.relu(x);
        x = reduction(&mut g, x, "entry_flow.reduction_block_0", 64, false);
        x = reduction(&mut g, x, "entry_flow.reduction_block_1", 128, true);
        g.name(x, "entry_flow");
        for block in 0..self.main_blocks {
            let mut more = x;
            for layer in 0..3 {
                more = g.relu(more);
                let name = format!("middle_flow.main_block_{block}.separable_conv{layer}");
                more = separable(&mut g, more, &name, 128, 1);
            }
            x = g.add(x, more);
        }
        g.name(x, "middle_flow");
        x = reduction(&mut g, x, "exit_flow.reduction_block", 256, true);
        x = separable(&mut g, x, "exit_flow.separable_conv", 512, 1);
        x = g.relu(x);
        g.name(x, "exit_flow");
        let mean = g.global_mean(x);
        for (name, channels, output) in [("fc.age", 1, "output"), ("fc.gender", 2, "output1")] {
            let head = g.conv(mean, Conv::linear(name, 512, channels));
            g.name(head, output);
            g.output(head);
        }
        g
    }
}

/// Two separable convolutions and a pool beside a plain convolution, which halve the sides.
fn reduction(g: &mut Graph, x: Value, name: &str, channels: usize, activated: bool) -> Value {
    let mut more = if activated { g.relu(x) } else { x };
    more = separable(g, more, &format!("{name}.separable_conv0"), channels, 1);
    more = g.relu(more);
    more = separable(g, more, &format!("{name}.separable_conv1"), channels, 1);
    // `SAME` padding of an even side.
    more = g.max_pool(more, 3, 2, [0, 1, 0, 1]);
    let from = g.channels(x);
    let own = Conv::new(&format!("{name}.expansion_conv"), from, channels, 1).same(2);
    let own = g.conv(x, own);
    g.add(more, own)
}
