//! Names and shapes of networks that read faces, as their published classes have them.

use ganvas::nets::{Average, GradualStyleEncoder, IrSe, IrStage, IrTrunk, PortraitEncoder};
use ganvas::zoo::{Shapes, Spec};

use crate::published::conv;
use crate::sampled::{Computed, planes};

/// One of each kind, with computed weights.
pub fn computed() -> Vec<Computed> {
    let stages = [(16, 2), (32, 1), (48, 2), (64, 1)];
    let stages = stages.map(|(width, units)| IrStage { width, units }).to_vec();
    let trunk = || IrTrunk { first: 16, stages: stages.clone() };
    let identity = IrSe { trunk: trunk(), side: 32, size: 24 };
    let gradual = GradualStyleEncoder { trunk: trunk(), rows: 9, side: 32, average: Average::Rows };
    let portrait = tiny_portrait(7);
    let face = |side: usize| vec![planes("face", [3, side, side], |u| u)];
    let kinds = [
        ("identity", ir_se(&identity), Spec::IrSe(identity), 32),
        ("gradual", gradual_style(&gradual), Spec::GradualStyleEncoder(gradual), 32),
        ("portrait", self::portrait(&portrait), Spec::PortraitEncoder(portrait), 64),
    ];
    kinds
        .into_iter()
        .map(|(name, shapes, spec, side)| Computed::new("encoders", name, spec, shapes, face(side)))
        .collect()
}

/// For a generator of 64 pixels with rows of `dim` numbers.
pub const fn tiny_portrait(dim: usize) -> PortraitEncoder {
    PortraitEncoder { widths: [6, 8, 10, 12, 14], heads: [2, 3, 4], hidden: 9, rows: 10, dim }
}

fn norm(shapes: &mut Shapes, name: &str, width: usize) {
    for leaf in ["weight", "bias", "running_mean", "running_var"] {
        shapes.insert(format!("{name}.{leaf}"), vec![width]);
    }
    shapes.insert(format!("{name}.num_batches_tracked"), vec![]);
}

fn linear(shapes: &mut Shapes, name: &str, to: usize, from: usize) {
    shapes.insert(format!("{name}.weight"), vec![to, from]);
    shapes.insert(format!("{name}.bias"), vec![to]);
}

fn trunk(trunk: &IrTrunk, root: &str) -> Shapes {
    let mut shapes = Shapes::new();
    let plain = |shapes: &mut Shapes, name: String, to: usize, from: usize, side: usize| {
        shapes.insert(format!("{name}.weight"), vec![to, from, side, side]);
    };
    plain(&mut shapes, format!("{root}input_layer.0"), trunk.first, 3, 3);
    norm(&mut shapes, &format!("{root}input_layer.1"), trunk.first);
    shapes.insert(format!("{root}input_layer.2.weight"), vec![trunk.first]);
    let (mut from, mut at) = (trunk.first, 0);
    for IrStage { width, units } in &trunk.stages {
        for _ in 0..*units {
            let name = format!("{root}body.{at}");
            if from != *width {
                plain(&mut shapes, format!("{name}.shortcut_layer.0"), *width, from, 1);
                norm(&mut shapes, &format!("{name}.shortcut_layer.1"), *width);
            }
            norm(&mut shapes, &format!("{name}.res_layer.0"), from);
            plain(&mut shapes, format!("{name}.res_layer.1"), *width, from, 3);
            shapes.insert(format!("{name}.res_layer.2.weight"), vec![*width]);
            plain(&mut shapes, format!("{name}.res_layer.3"), *width, *width, 3);
            norm(&mut shapes, &format!("{name}.res_layer.4"), *width);
            plain(&mut shapes, format!("{name}.res_layer.5.fc1"), width / 16, *width, 1);
            plain(&mut shapes, format!("{name}.res_layer.5.fc2"), *width, width / 16, 1);
            (from, at) = (*width, at + 1);
        }
    }
    shapes
}

/// A descriptor of faces.
pub fn ir_se(network: &IrSe) -> Shapes {
    let mut shapes = trunk(&network.trunk, "");
    let last = network.trunk.stages[network.trunk.stages.len() - 1].width;
    let side = network.side >> network.trunk.stages.len();
    norm(&mut shapes, "output_layer.0", last);
    linear(&mut shapes, "output_layer.3", network.size, last * side * side);
    norm(&mut shapes, "output_layer.4", network.size);
    shapes
}

/// pSp's encoder and e4e's, with a tensor of the generator that lies in the same file.
pub fn gradual_style(network: &GradualStyleEncoder) -> Shapes {
    let mut shapes = trunk(&network.trunk, "encoder.");
    let dim = network.dim();
    let [.., fine, middle, _] = network.trunk.stages[..] else { panic!("too few stages") };
    for row in 0..network.rows {
        for layer in 0..network.halvings(row) {
            conv(&mut shapes, &format!("encoder.styles.{row}.convs.{}", 2 * layer), dim, dim, 3);
        }
        linear(&mut shapes, &format!("encoder.styles.{row}.linear"), dim, dim);
    }
    conv(&mut shapes, "encoder.latlayer1", dim, middle.width, 1);
    conv(&mut shapes, "encoder.latlayer2", dim, fine.width, 1);
    shapes.insert("decoder.input.input".into(), vec![1, dim, 4, 4]);
    match network.average {
        Average::None => {}
        Average::Row => drop(shapes.insert("latent_avg".into(), vec![dim])),
        Average::Rows => drop(shapes.insert("latent_avg".into(), vec![network.rows, dim])),
    }
    shapes
}

/// The encoder of our own generators.
pub fn portrait(network: &PortraitEncoder) -> Shapes {
    let (widths, heads) = (network.widths, network.heads);
    let mut shapes = Shapes::from([
        ("w_avg".to_owned(), vec![network.dim]),
        ("w_std".to_owned(), vec![network.dim]),
    ]);
    conv(&mut shapes, "trunk.stem", widths[0], 3, 3);
    for stage in 1..5 {
        for block in 0..if stage < 4 { 2 } else { 1 } {
            let from = if block == 0 { widths[stage - 1] } else { widths[stage] };
            let (name, to) = (format!("trunk.s{stage}.{block}"), widths[stage]);
            conv(&mut shapes, &format!("{name}.conv1"), to, from, 3);
            conv(&mut shapes, &format!("{name}.conv2"), to, to, 3);
            if from != to {
                shapes.insert(format!("{name}.skip.weight"), vec![to, from, 1, 1]);
            }
            shapes.insert(format!("{name}.scale"), vec![]);
        }
    }
    for (at, head) in heads.into_iter().enumerate() {
        conv(&mut shapes, &format!("trunk.read{}", at + 2), head, widths[at + 2], 1);
    }
    linear(&mut shapes, "fc1", network.hidden, heads.iter().sum::<usize>() * 16);
    linear(&mut shapes, "fc2", network.rows * network.dim, network.hidden);
    shapes
}
