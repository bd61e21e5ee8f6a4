//! Networks backwards: each operation against differences of its own results, StyleGAN2 against
//! what PyTorch's automatic differentiation says.

use std::collections::{BTreeMap, BTreeSet};

use ganvas::nets::Planes;
use ganvas::nets::cpu::gradient::{Differentiable, GradientError};
use ganvas::nets::graph::{Act, Conv, Edge, Graph, Grid, Layout, Op, Resample, Value};
use ganvas::zoo::open_network;

use crate::generators::{assert_near, record};
use crate::recorded::tiny;

struct Random(u64);

impl Random {
    /// In `-1..=1`.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// Equally far apart in random order: a small step cuts no bend and lets no maximum change.
    fn planes(&mut self, [channels, height, width]: [usize; 3]) -> Planes {
        let count = channels * height * width;
        let mut order: Vec<(u32, usize)> =
            (0..count).map(|at| (self.next().to_bits(), at)).collect();
        order.sort_unstable();
        let place = |(_, at)| (at as f32 + 0.5) / count as f32 * 2.0 - 1.0;
        let data =
            if count == 1 { vec![self.next()] } else { order.into_iter().map(place).collect() };
        Planes { channels, height, width, data }
    }
}

type Params = BTreeMap<String, Vec<f32>>;

fn build(graph: &Graph, params: &Params) -> Result<Differentiable, GradientError<String>> {
    let wanted: BTreeSet<String> = params.keys().cloned().collect();
    let mut source = |name: &str| params.get(name).cloned().ok_or_else(|| name.to_owned());
    Differentiable::new(graph.clone(), wanted, &mut source)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Compares with differences along random directions, one input or parameter at a time.
#[track_caller]
fn check(what: &str, sides: &[[usize; 3]], graph: impl Fn(&mut Graph, &[Value]) -> Value) {
    let mut g = Graph::new();
    let values: Vec<Value> = sides.iter().map(|side| g.input(side[0])).collect();
    let result = graph(&mut g, &values);
    g.output(result);
    let mut random = Random(what.len() as u64 * 7 + 3);
    let inputs: Vec<Planes> = sides.iter().map(|side| random.planes(*side)).collect();
    let mut params = Params::new();
    for (name, shape) in g.params() {
        let numbers = (0..shape.iter().product()).map(|_| random.next());
        // Variances and filters are positive.
        let is_positive = name.contains("_var") || name == "filter";
        let numbers = numbers.map(|x: f32| if is_positive { x.abs() + 0.3 } else { x });
        params.insert(name, numbers.collect());
    }
    let net = build(&g, &params).unwrap();
    let trace = net.run(&inputs, &|| false).unwrap();
    let weights = Planes {
        data: random.planes([1, 1, trace.outputs[0].data.len()]).data,
        ..trace.outputs[0].clone()
    };
    let gradients = net.backward(&trace, std::slice::from_ref(&weights), &|| false).unwrap();
    let loss = |net: &Differentiable, inputs: &[Planes]| {
        dot(&net.run(inputs, &|| false).unwrap().outputs[0].data, &weights.data)
    };
    const STEP: f32 = 4e-3;
    let moved = |x: &[f32], along: &[f32], by: f32| -> Vec<f32> {
        x.iter().zip(along).map(|(x, d)| x + by * d).collect()
    };
    let compare = |part: &str, slope: f64, plus: f64, minus: f64, scale: f64| {
        let found = (plus - minus) / f64::from(2.0 * STEP);
        assert!(
            (slope - found).abs() <= 3e-3 * scale,
            "{what}, {part}: {slope} instead of {found}"
        );
    };
    for at in 0..inputs.len() {
        for _ in 0..3 {
            let along = random.planes([1, 1, inputs[at].data.len()]).data;
            let [plus, minus] = [STEP, -STEP].map(|by| {
                let mut inputs = inputs.clone();
                inputs[at].data = moved(&inputs[at].data, &along, by);
                loss(&net, &inputs)
            });
            let own = &gradients.inputs[at].data;
            let scale = 1.0 + dot(own, own).sqrt();
            compare(&format!("input {at}"), dot(own, &along), plus, minus, scale);
        }
    }
    for (name, own) in &gradients.params {
        let along = random.planes([1, 1, own.len()]).data;
        let [plus, minus] = [STEP, -STEP].map(|by| {
            let mut params = params.clone();
            params.insert(name.clone(), moved(&params[name], &along, by));
            loss(&build(&g, &params).unwrap(), &inputs)
        });
        let scale = 1.0 + dot(own, own).sqrt();
        compare(name, dot(own, &along), plus, minus, scale);
    }
}

#[test]
fn convolutions_run_backwards() {
    let conv = |conv: Conv, side: [usize; 3]| {
        let what = format!("{conv:?}");
        check(&what, &[side], move |g, x| g.conv(x[0], conv.clone()));
    };
    conv(Conv::new("c", 16, 14, 3), [16, 9, 7]); // Winograd's
    conv(Conv::new("c", 3, 5, 3), [3, 6, 7]);
    conv(Conv::new("c", 3, 5, 1), [3, 4, 4]);
    conv(Conv::new("c", 3, 4, 3).stride(2), [3, 8, 7]);
    conv(Conv::new("c", 3, 4, 5).dilation(2).pad([3, 4, 5, 2]), [3, 9, 8]);
    conv(Conv::new("c", 3, 4, 2).pad([2, 2, 3, 2]).stride(3), [3, 7, 9]);
    conv(Conv::new("c", 2, 7, 4).pad([0; 4]), [2, 4, 4]);
    conv(Conv::linear("c", 9, 8), [9, 1, 1]);
    conv(Conv::linear("c", 9, 8).layout(Layout::InOut), [9, 1, 1]);
    conv(Conv::transposed("c", 5, 4, 4, 2).pad([1; 4]), [5, 3, 4]);
    conv(Conv::transposed("c", 5, 4, 3, 2), [5, 3, 4]);
    conv(Conv::transposed("c", 5, 4, 3, 2).layout(Layout::OutFirst), [5, 3, 4]);
    conv(Conv::transposed("c", 5, 4, 3, 2).pad([1; 4]).output_pad(1), [5, 3, 4]);
}

#[test]
fn everything_else_runs_backwards() {
    for act in [
        Act::Relu,
        Act::Relu6,
        Act::Leaky(0.2),
        Act::Sigmoid,
        Act::Tanh,
        Act::HardSwish,
        Act::HardSigmoid,
        Act::Elu,
        Act::Sine,
    ] {
        check(&format!("{act:?}"), &[[3, 5, 4]], |g, x| {
            let x = g.scale(x[0], 5.0, 0.15);
            let y = g.act(x, act);
            g.scale(y, 0.2, 0.0)
        });
    }
    let picture = [3, 6, 4];
    check("one over a root", &[picture], |g, x| {
        let x = g.scale(x[0], 1.0, 1.5);
        g.act(x, Act::Rsqrt)
    });
    check("a constant", &[[3, 1, 1]], |g, x| {
        let data = (0..18).map(|at| at as f32 / 9.0 - 1.0).collect();
        let fixed = g.constant(Planes { channels: 3, height: 3, width: 2, data });
        g.mul(fixed, x[0])
    });
    check("clamp", &[picture], |g, x| g.unary(x[0], Op::Clamp { low: -0.42, high: 0.61 }));
    check("pixel norm", &[[9, 3, 2]], |g, x| g.pixel_norm(x[0], 1e-2));
    check("group norm", &[[6, 4, 5]], |g, x| g.group_norm(x[0], "n", 3, 1e-3));
    check("group norm of one", &[[6, 3, 2]], |g, x| g.group_norm(x[0], "n", 1, 1e-3));
    check("prelu", &[picture], |g, x| g.prelu(x[0], "n"));
    check("batch norm", &[picture], |g, x| {
        let x = g.unary(x[0], Op::BatchNorm { name: "n".into(), eps: 1e-3 });
        g.conv(x, Conv::new("c", 3, 2, 1))
    });
    check("demodulation", &[[7, 1, 1]], |g, x| {
        let shifted = g.scale(x[0], 1.0, 1.5);
        g.demodulate(shifted, "c.weight", [5, 7, 3, 3], 1e-3)
    });
    for (up, down, pad) in [(2, 1, [2, 1, 2, 1]), (1, 2, [1; 4]), (1, 1, [2, 1, 0, 3])] {
        check(&format!("resample {up} {down}"), &[picture], |g, x| {
            let plan = Resample::new("filter", [4, 3]);
            g.resample(x[0], Resample { up, down, pad, gain: 1.7, ..plan })
        });
    }
    check("resample by a list, with a cut", &[picture], |g, x| {
        let plan = Resample::separable("filter", 5);
        g.resample(x[0], Resample { up: 2, down: 2, pad: [-1, 3, -2, -1], gain: 1.7, ..plan })
    });
    for other in [picture, [3, 1, 1], [1, 6, 4], [1, 1, 1]] {
        check(&format!("multiply {other:?}"), &[picture, other], |g, x| g.mul(x[0], x[1]));
        check(&format!("add {other:?}"), &[picture, other], |g, x| g.add(x[0], x[1]));
        check(&format!("subtract {other:?}"), &[picture, other], |g, x| g.sub(x[0], x[1]));
        check(&format!("weigh {other:?}"), &[picture, other], |g, x| g.add_scaled(x[0], 0.7, x[1]));
    }
    check("a square", &[picture], |g, x| g.mul(x[0], x[0]));
    check("parts", &[picture, [5, 6, 4]], |g, x| {
        let all = g.concat(&[x[0], x[1], x[0]]);
        let middle = g.slice(all, 2, 5);
        g.pad_channels(middle, 2)
    });
    for (side, stride, pad) in
        [(2, 2, [0; 4]), (3, 2, [0, 1, 0, 1]), (3, 1, [1; 4]), (2, 3, [0; 4])]
    {
        check(&format!("max pool {side} {stride}"), &[[3, 7, 5]], |g, x| {
            g.max_pool(x[0], side, stride, pad)
        });
    }
    check("mean pool", &[[3, 8, 8]], |g, x| g.avg_pool(x[0], 2, 2, [0; 4]));
    check("mean pool with edges", &[[3, 7, 5]], |g, x| g.avg_pool(x[0], 3, 2, [1; 4]));
    check("mean", &[picture], |g, x| g.global_mean(x[0]));
    check("repeat", &[picture], |g, x| g.nearest(x[0], 3));
    check("spread", &[[3, 1, 1], picture], |g, x| g.spread(x[0], x[1]));
    check("shuffle", &[[8, 3, 2]], |g, x| g.pixel_shuffle(x[0], 2));
    check("unshuffle", &[[2, 4, 6]], |g, x| g.pixel_unshuffle(x[0], 2));
    check("to space", &[[12, 3, 2]], |g, x| g.depth_to_space(x[0], 2));
    check("attention", &[[3, 4, 5], [3, 2, 3], [7, 2, 3]], |g, x| {
        let queries = g.scale(x[0], 2.0, 0.0);
        g.attention(queries, x[1], x[2])
    });
    // Its statistics are a parameter's choice: an input would move them.
    check("truncated norm", &[picture, [3, 1, 1], [3, 1, 1]], |g, x| {
        let truncation = g.scale(x[1], 0.0, 0.35);
        let truncation = g.slice(truncation, 1, 1);
        g.truncated_norm([x[0], truncation, x[1], x[2]], ("n", 5), 1e-3)
    });
    check("crop", &[picture], |g, x| g.unary(x[0], Op::Crop(1)));
    check("pad", &[picture], |g, x| g.pad(x[0], [1, 2, 0, 3], Edge::Zero));
    check("a parameter", &[picture], |g, x| {
        let p = g.param("p", &[3]);
        g.mul(x[0], p)
    });
}

#[test]
fn what_has_no_derivative_is_refused_unless_it_leads_nowhere() {
    let graph = |from_input: bool| {
        let mut g = Graph::new();
        let x = g.input(2);
        let fixed = g.param("p", &[2, 3, 3]);
        let enlarged = g.bilinear(if from_input { x } else { fixed }, 2, Grid::HalfPixel);
        let sum = g.add(enlarged, x);
        g.output(sum);
        g
    };
    let fixed = |g: &Graph| {
        let mut source = |_: &str| -> Result<Vec<f32>, String> { Ok(vec![0.5; 18]) };
        Differentiable::new(g.clone(), BTreeSet::new(), &mut source)
    };
    let refused = fixed(&graph(true)).err().unwrap().to_string();
    assert!(refused.contains("Bilinear") && refused.contains("no derivative"), "{refused}");
    assert!(fixed(&graph(false)).is_ok());
}

#[test]
fn stylegan2_has_the_gradients_that_pytorch_finds() {
    for case in ["stylegan2", "stylegan2-resnet", "stylegan2-clamp"] {
        let recorded = record(&format!("slopes-{case}"));
        let file = tiny(&format!("tiny-{case}.safetensors"));
        let (checkpoint, detected) = open_network(&file).unwrap();
        let blueprint = detected.spec.blueprint().unwrap();
        let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
        let params: BTreeSet<String> = blueprint
            .synthesis
            .params()
            .into_keys()
            .filter(|name| recorded.contains_key(&format!("by {name}")))
            .collect();
        assert_eq!(params.len(), 9, "{case}");
        let rows = recorded["code"].chunks_exact(10).map(|row| Planes::vector(row.to_vec()));
        let noise = |(name, [height, width]): (&String, &[usize; 2])| Planes {
            channels: 1,
            height: *height,
            width: *width,
            data: checkpoint.read_f32(name).unwrap(),
        };
        let noises = blueprint.noise.iter().zip(&blueprint.space.noise).map(noise);
        let inputs: Vec<Planes> = rows.chain(noises).collect();
        let net = Differentiable::new(blueprint.synthesis, params.clone(), &mut source).unwrap();
        let trace = net.run(&inputs, &|| false).unwrap();
        let weights = Planes { data: recorded["weights"].clone(), ..trace.outputs[0].clone() };
        let gradients = net.backward(&trace, &[weights], &|| false).unwrap();
        let (rows, noises) = gradients.inputs.split_at(6);
        let rows: Vec<f32> = rows.iter().flat_map(|row| row.data.clone()).collect();
        assert_near(&format!("{case}: code"), &rows, &recorded["by code"]);
        for (number, noise) in noises.iter().enumerate() {
            let name = format!("by noise {number}");
            assert_near(&format!("{case}: {name}"), &noise.data, &recorded[&name]);
        }
        for name in params {
            let want = &recorded[&format!("by {name}")];
            assert_near(&format!("{case}: {name}"), &gradients.params[&name], want);
        }
    }
}
