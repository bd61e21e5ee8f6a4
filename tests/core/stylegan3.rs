//! StyleGAN3: what files are recognised, codes to pictures and back down the slope.

use std::collections::BTreeSet;

use ganvas::infer::generator::{Generator, LatentNetwork, Part, parameters};
use ganvas::latent::Noise;
use ganvas::nets::cpu::gradient::Differentiable;
use ganvas::nets::{Mapping, Planes, Stage, StyleGan3};
use ganvas::zoo::{Purpose, Range, Spec, detect};

use crate::generators::assert_near;
use crate::published::{computed, stylegan3};
use crate::sampled::{Computed, planes};

fn tiny() -> Vec<Computed> {
    let all = computed();
    all.into_iter().filter(|network| matches!(network.spec, Spec::StyleGan3(_))).collect()
}

/// What `stylegan3-t-ffhq-1024x1024.pkl` and its rotation twin hold.
fn published(radial: usize) -> StyleGan3 {
    let sides = [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024, 1024];
    let widths = [512, 512, 512, 512, 512, 512, 512, 323, 203, 128, 81, 51, 32, 32, 3];
    let (kernel, wider) = if radial > 0 { (1, 2) } else { (3, 1) };
    let stage = |(side, width): (usize, usize)| Stage {
        side,
        channels: if width == 3 { 3 } else { width * wider },
    };
    StyleGan3 {
        mapping: Mapping { z_dim: 512, w_dim: 512, classes: 0, layers: 2, rate: 0.01 },
        stages: sides.into_iter().zip(widths).map(stage).collect(),
        margin: 10,
        kernel,
        taps: 6,
        radial,
        cutoff: 2.0,
        clamp: Some(256.0),
        output_scale: 0.25,
    }
}

#[test]
fn published_files_are_recognised() {
    for radial in [0, 12] {
        let network = published(radial);
        let shapes = stylegan3(&network);
        let mut found = detect(&shapes).unwrap().spec;
        assert_eq!(found, Spec::StyleGan3(network));
        let capability = found.capability();
        assert_eq!((capability.purpose, capability.range), (Purpose::Generate, Range::Signed));
        let space = found.blueprint().unwrap().space;
        assert_eq!((space.rows(), space.side, space.noise.len()), (16, 1024, 0));
        assert_eq!(space.row_sides[..6], [16, 16, 16, 32, 32, 64]);
        let mut less = shapes.clone();
        less.remove("synthesis.L3_52_512.magnitude_ema");
        less.remove("synthesis.L3_52_1024.magnitude_ema");
        let error = detect(&less).unwrap_err();
        assert_eq!(error.attempts[0].architecture, "StyleGAN3 generator");
        assert_eq!(error.attempts[0].missing.len(), 1);
        let facts = serde_json::json!({
            "conv_clamp": null, "output_scale": 0.5, "mapping_kwargs.lr_multiplier": 0.1
        });
        found.configure(&serde_json::from_value(facts).unwrap());
        assert!(matches!(&found, Spec::StyleGan3(spec) if spec.clamp.is_none()
            && spec.output_scale == 0.5 && spec.mapping.rate == 0.1 && spec.cutoff == 2.0));
    }
}

#[test]
fn names_that_promise_too_much_are_refused() {
    let whole = stylegan3(&published(0));
    for (name, other) in [
        ("synthesis.L0_36_512", "synthesis.L0_65556_512"),
        ("synthesis.L14_1024_3", "synthesis.L14_99999_3"),
        ("synthesis.L13_1024_32", "synthesis.L13_1024_0"),
        ("synthesis.L2_52_512", "synthesis.L2_50_512"),
    ] {
        let renamed =
            |(key, shape): (&String, &Vec<usize>)| (key.replace(name, other), shape.clone());
        let error = detect(&whole.iter().map(renamed).collect()).unwrap_err();
        let attempt = error.attempts.iter().find(|a| a.architecture == "StyleGAN3 generator");
        assert!(!attempt.unwrap().missing.is_empty(), "{other}");
    }
}

#[test]
fn codes_have_the_pictures_and_slopes_that_pytorch_finds() {
    let networks = tiny();
    assert_eq!(networks.len(), 2);
    for network in networks {
        let (checkpoint, detected, _folder) = network.open();
        let blueprint = detected.spec.blueprint().unwrap();
        let (rows, w_dim) = (blueprint.space.rows(), blueprint.space.w_dim);
        let code = planes("code", [rows, w_dim, 1], |u| u).data;
        let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
        let inputs: Vec<Planes> =
            code.chunks_exact(w_dim).map(|row| Planes::vector(row.to_vec())).collect();
        let net = Differentiable::new(blueprint.synthesis, BTreeSet::new(), &mut source).unwrap();
        let trace = net.run(&inputs, &|| false).unwrap();
        let (recorded, name) = (network.recorded(), format!("code-{}", network.name));
        recorded.compare(&format!("{name}.output"), &trace.outputs[0]);
        let side = blueprint.space.side;
        let slope = planes("slope", [3, side, side], |u| u);
        let gradients = net.backward(&trace, &[slope], &|| false).unwrap();
        let all = gradients.inputs.into_iter().flat_map(|row| row.data).collect();
        recorded.compare(&format!("{name}.slopes"), &Planes::vector(all));
    }
}

#[test]
fn latent_tools_find_what_they_need() {
    for network in tiny() {
        let (checkpoint, detected, _folder) = network.open();
        let stored = checkpoint.read_f32(&detected.names["synthesis.input.affine.weight"]).unwrap();
        let average = checkpoint.read_f32(&detected.names["mapping.w_avg"]).unwrap();
        let blueprint = detected.spec.blueprint().unwrap();
        let mut generator =
            LatentNetwork::on_processor(blueprint, parameters(checkpoint, detected)).unwrap();
        assert_eq!(generator.mean(), average);
        let styles = generator.styles();
        assert_eq!(styles.iter().map(|style| style.row).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!((styles[0].channels, &styles[0].weight), (4, &stored));
        let class = generator.space().one_hot(1);
        let w = generator.map(&network.inputs[0].data, &class, &|| false).unwrap();
        let code = w.repeat(6);
        let picture = generator.synthesize(&code, Noise::Random(3), &|| false).unwrap();
        network.compare_output(&picture);
        let mut loss = |picture: &Planes| (0.0, Planes { data: picture.data.clone(), ..*picture });
        let slopes = generator.gradient(Part::Picture, &code, &[], &mut loss, &|| false).unwrap();
        assert_near("the picture", &slopes.drawn.data, &picture.data);
        assert_eq!(generator.feature_sides(), [16, 32]);
        let part = Part::Features { side: 16 };
        let partial = generator.gradient(part, &code, &[], &mut loss, &|| false).unwrap();
        assert_eq!((partial.drawn.height, partial.drawn.width), (16, 16));
        assert!(partial.by_code[..14].iter().any(|x| *x != 0.0));
        assert!(slopes.by_noise.is_empty() && slopes.by_code.iter().all(|x| x.is_finite()));
        assert!(slopes.by_code.chunks_exact(7).all(|row| row.iter().any(|x| *x != 0.0)));
    }
}
