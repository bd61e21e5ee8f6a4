//! What is done at once is what it is one by one.

use std::convert::Infallible;

use crate::nets::Planes;
use crate::nets::cpu::fuse::Fusion;
use crate::nets::cpu::{Processor, Step};
use crate::nets::graph::{Act, Conv, Graph, Value};

fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// Steps of the fused graph that are blocks and those that are done by another, after comparing it
/// with the bare one.
fn fused(graph: &Graph, [height, width]: [usize; 2]) -> [usize; 2] {
    let mut source = |name: &str| -> Result<Vec<f32>, Infallible> {
        let count = graph.params()[name].iter().product();
        Ok(numbers(name.len() as u64 + u64::from(name.as_bytes()[0]), count))
    };
    let inputs: Vec<Planes> = graph
        .input_channels()
        .into_iter()
        .enumerate()
        .map(|(at, channels)| {
            let [height, width] = if at == 0 { [height, width] } else { [1, 1] };
            let data = numbers(at as u64 + 9, channels * height * width);
            Planes { channels, height, width, data }
        })
        .collect();
    let mut run = |fusion| {
        let Ok(network) = Processor::prepare(graph.clone(), &mut source, fusion);
        let out = network.run(&inputs, &|| false).unwrap();
        (network, out)
    };
    let ((network, have), (_, want)) = (run(Fusion::Full), run(Fusion::None));
    for (have, want) in have.iter().zip(&want) {
        assert_eq!([have.height, have.width], [want.height, want.width]);
        let top = want.data.iter().fold(0.0f32, |top, x| top.max(x.abs()));
        for (have, want) in have.data.iter().zip(&want.data) {
            assert!((have - want).abs() < 1e-5 * top, "{have} for {want}");
        }
    }
    let count = |of: fn(&&Step) -> bool| network.steps.iter().filter(of).count();
    [count(|step| matches!(step, Step::Block(..))), count(|step| matches!(step, Step::Fused(_)))]
}

/// Expands, goes through the depthwise convolution and comes back, as MobileNetV2 does.
fn bottleneck(g: &mut Graph, x: Value, inner: usize, depthwise: Conv, to: usize) -> Value {
    let from = g.channels(x);
    let mut y = g.conv(x, Conv::new("expand", from, inner, 1));
    y = g.act(y, Act::Relu6);
    y = g.conv(y, depthwise.depthwise());
    y = g.act(y, Act::Relu6);
    g.conv(y, Conv::new("project", inner, to, 1))
}

#[test]
fn a_bottleneck_is_its_convolutions() {
    // What fits a cache is expanded as a whole, what does not row by row.
    for (side, inner) in [([9, 14], 20), ([1, 3], 16), ([61, 90], 64)] {
        for depthwise in [
            Conv::new("middle", inner, inner, 3),
            Conv::new("middle", inner, inner, 3).stride(2),
            Conv::new("middle", inner, inner, 5).same(2),
            Conv::new("middle", inner, inner, 3).dilation(2),
        ] {
            let mut g = Graph::new();
            let x = g.input(12);
            let is_same = depthwise.stride == 1;
            let mut y = bottleneck(&mut g, x, inner, depthwise, 12);
            if is_same {
                y = g.add(x, y);
                y = g.relu(y);
            }
            g.output(y);
            let steps = if is_same { 6 } else { 4 };
            assert_eq!(fused(&g, side), [1, steps]);
        }
    }
}

#[test]
fn a_separable_convolution_reads_several_maps() {
    let mut g = Graph::new();
    let x = g.input(9);
    let more = g.conv(x, Conv::new("more", 9, 11, 3));
    let both = g.concat(&[x, more]);
    let y = g.conv(both, Conv::new("depthwise", 20, 20, 3).depthwise());
    let y = g.conv(y, Conv::new("pointwise", 20, 7, 1));
    g.output(y);
    assert_eq!(fused(&g, [33, 21]), [1, 1]);
}

#[test]
fn what_is_added_has_the_size_of_the_results() {
    // Zero channels are added to what there is, as BlazeFace does.
    let mut g = Graph::new();
    let x = g.input(10);
    let y = g.conv(x, Conv::new("depthwise", 10, 10, 3).depthwise());
    let y = g.conv(y, Conv::new("pointwise", 10, 13, 1));
    let wide = g.pad_channels(x, 3);
    let sum = g.add(wide, y);
    let y = g.relu(sum);
    g.output(y);
    assert_eq!(fused(&g, [12, 7]), [1, 4]);
    // A vector is none, whatever the picture it is added to.
    let mut g = Graph::new();
    let x = g.input(8);
    let style = g.input(8);
    let y = g.conv(x, Conv::new("conv", 8, 8, 3));
    let mean = g.global_mean(x);
    let y = g.add(y, mean);
    let z = g.conv(style, Conv::new("style", 8, 8, 1));
    let sum = g.add(z, x);
    let y = g.mul(y, sum);
    g.output(y);
    assert_eq!(fused(&g, [12, 7]), [0, 0]);
    // Nor does what it was added to have its size.
    let mut g = Graph::new();
    let x = g.input(8);
    let style = g.input(8);
    let mut y = x;
    for name in ["one", "two"] {
        y = g.conv(y, Conv::new(name, 8, 8, 3));
        y = g.act(y, Act::Tanh);
        let shift = g.conv(style, Conv::new("style", 8, 8, 1));
        y = g.add(y, shift);
    }
    g.output(y);
    assert_eq!(fused(&g, [12, 7]), [0, 0]);
    // Nor is what has other sides, though they are often the same.
    let mut g = Graph::new();
    let x = g.input(8);
    let up = g.max_pool(x, 2, 2, [0; 4]);
    let up = g.nearest(up, 2);
    let y = g.conv(x, Conv::new("conv", 8, 8, 3));
    let y = g.add(y, up);
    g.output(y);
    assert_eq!(fused(&g, [12, 8]), [0, 0]);
}
