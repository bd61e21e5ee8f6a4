//! Generators in parts, through the real loader: codes, truncation, mixing and noise against
//! recorded pictures.

use std::collections::BTreeMap;
use std::path::Path;

use ganvas::checkpoint::{Checkpoint, CheckpointError};
use ganvas::infer::generator::{Generator, LatentNetwork, Part, parameters};
use ganvas::infer::worker::NetworkError;
use ganvas::latent::Noise;
use ganvas::nets::cpu::Processor;
use ganvas::nets::graph::{Graph, Resample};
use ganvas::nets::{Planes, StyleGan2, Synthesis};
use ganvas::zoo::{Spec, detect, open_network};

use crate::recorded::{root, tiny};

const TOLERANCE: f32 = 1e-4;

/// Recorded numbers by name.
pub fn record(name: &str) -> BTreeMap<String, Vec<f32>> {
    let file = root().join("tests/fixtures/nets").join(format!("{name}.safetensors"));
    let file = Checkpoint::open(&file).unwrap();
    let names: Vec<String> = file.tensors().map(|(name, _)| name.to_owned()).collect();
    names.into_iter().map(|name| (name.clone(), file.read_f32(&name).unwrap())).collect()
}

fn generator(weights: &Path) -> LatentNetwork<Processor> {
    let (checkpoint, detected) = open_network(weights).unwrap();
    let blueprint = detected.spec.blueprint().unwrap();
    LatentNetwork::on_processor(blueprint, parameters(checkpoint, detected)).unwrap()
}

#[track_caller]
pub fn assert_near(what: &str, have: &[f32], want: &[f32]) {
    assert_eq!(have.len(), want.len(), "{what}");
    let top = want.iter().fold(0.0f32, |top, x| top.max(x.abs()));
    let worst = have.iter().zip(want).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst <= TOLERANCE * top, "{what} differs by {:.1e}", worst / top);
}

/// What a truncation by 0.7 makes of rows.
fn truncated(w: &[f32], mean: &[f32]) -> Vec<f32> {
    w.iter().zip(mean).map(|(w, mean)| mean + 0.7 * (w - mean)).collect()
}

const CASES: [&str; 6] = [
    "tiny-stylegan2.safetensors",
    "tiny-stylegan2-classes.safetensors",
    "tiny-stylegan2-resnet.safetensors",
    "tiny-stylegan2-orig.safetensors",
    "tiny-stylegan2-clamp.safetensors",
    "tiny-stylegan2-rosinality.pt",
];

#[test]
fn pictures_of_codes_are_the_recorded_ones() {
    for case in CASES {
        let mut generator = generator(&tiny(case));
        let recorded = record(case.split_once('.').unwrap().0);
        let space = generator.space().clone();
        assert_eq!((space.rows(), space.side, space.has_w), (6, 16, true), "{case}");
        assert_eq!(space.row_sides, [4, 8, 8, 16, 16, 16]);
        let class = recorded.get("input1").map_or(&[][..], Vec::as_slice);
        let w = generator.map(&recorded["input"], class, &|| false).unwrap();
        assert_near(case, &w, &recorded["00.w"]);
        let mean = generator.mean().to_vec();
        for (image, w) in w.chunks_exact(space.w_dim).enumerate() {
            let near = truncated(w, &mean);
            let cut = [near.repeat(2), w.repeat(4)].concat();
            let other = &recorded["00.w"][(1 - image) * space.w_dim..][..space.w_dim];
            let mixed = [w.repeat(3), other.repeat(3)].concat();
            for (name, code, noise) in [
                ("near", near.repeat(6), Noise::Const),
                ("cut", cut, Noise::Const),
                ("silent", near.repeat(6), Noise::None),
                ("mixed", mixed, Noise::Const),
            ] {
                let picture = generator.synthesize(&code, noise, &|| false).unwrap();
                let want = &recorded[name][image * 768..][..768];
                assert_near(&format!("{case}: {name}"), &picture.data, want);
            }
        }
    }
}

#[test]
fn the_official_code_draws_the_same_layer_by_layer() {
    let weights = tiny("official-stylegan2.safetensors");
    let mut generator = generator(&weights);
    let recorded = record("official-stylegan2");
    let w = generator.map(&recorded["z"], &[], &|| false).unwrap();
    assert_near("w", &w, &recorded["w"]);
    let mean = generator.mean().to_vec();
    let rows: Vec<Vec<f32>> = w.chunks_exact(32).map(<[f32]>::to_vec).collect();
    let near: Vec<Vec<f32>> = rows.iter().map(|row| truncated(row, &mean)).collect();
    assert_near(
        "near",
        &near.iter().flat_map(|row| row.repeat(8)).collect::<Vec<_>>(),
        &recorded["near"],
    );
    for (name, code, noise) in [
        ("picture", rows[0].repeat(8), Noise::Const),
        ("picture_near", near[0].repeat(8), Noise::Const),
        ("picture_silent", near[0].repeat(8), Noise::None),
        ("picture_mixed", [rows[0].repeat(3), rows[1].repeat(5)].concat(), Noise::Const),
    ] {
        let picture = generator.synthesize(&code, noise, &|| false).unwrap();
        assert_near(name, &picture.data, &recorded[name]);
    }
    // Every recorded layer of the synthesis.
    let (checkpoint, detected) = open_network(&weights).unwrap();
    let mut source = |name: &str| -> Result<Vec<f32>, CheckpointError> {
        checkpoint.read_f32(&detected.names[name])
    };
    let graph = detected.spec.blueprint().unwrap().synthesis;
    let synthesis = Processor::unfused(graph, &mut source).unwrap();
    let row = Planes::vector(near[0].clone());
    let inputs = [vec![row; 8], generator.noise(Noise::Const)].concat();
    let mut layers = 0;
    let mut probe = |layer: &str, value: &Planes| {
        if let Some(want) = recorded.get(layer) {
            assert_near(layer, &value.data[..want.len()], want);
            layers += 1;
        }
    };
    synthesis.run_observed(&inputs, &|| false, &mut probe).unwrap();
    assert_eq!(layers, recorded.keys().filter(|name| name.starts_with("synthesis")).count());
    assert_eq!(layers, 10);
}

#[test]
fn noise_belongs_to_its_seed_and_mapping_many_is_mapping_each() {
    let mut generator = generator(&tiny("tiny-stylegan2.safetensors"));
    let code = generator.mean().repeat(6);
    let mut draw = |noise| generator.synthesize(&code, noise, &|| false).unwrap();
    let one = draw(Noise::Random(1));
    assert_eq!(one, draw(Noise::Random(1)));
    assert!(one != draw(Noise::Random(2)) && one != draw(Noise::Const));
    let noise = generator.noise(Noise::Random(1));
    assert_eq!(generator.draw(&code, &noise, &|| false).unwrap(), one);

    let z: Vec<f32> = (0..100 * 8).map(|at| (at as f32 * 0.37).sin()).collect();
    let all = generator.map(&z, &[], &|| false).unwrap();
    assert_eq!(all.len(), 100 * 10);
    for at in [0, 63, 64, 99] {
        let own = generator.map(&z[at * 8..][..8], &[], &|| false).unwrap();
        assert_near("a row", &own, &all[at * 10..][..10]);
    }
    let words = |result: Result<Planes, NetworkError>| result.unwrap_err().to_string();
    let refused = words(generator.draw(&code[1..], &noise, &|| false));
    assert!(refused.contains("59 numbers instead of 60"), "{refused}");
    let refused = words(generator.draw(&code, &noise[1..], &|| false));
    assert!(refused.contains("4 numbers instead of 5"), "{refused}");
    assert!(words(generator.draw(&code, &noise, &|| true)).contains("stopped"));
}

#[test]
fn layers_that_read_a_row_are_handed_out() {
    let weights = tiny("tiny-stylegan2-classes.safetensors");
    let generator = generator(&weights);
    let checkpoint = Checkpoint::open(&weights).unwrap();
    let styles = generator.styles();
    assert_eq!(styles.iter().map(|style| style.row).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let stored = |layer: &str| checkpoint.read_f32(&format!("{layer}.affine.weight")).unwrap();
    assert_eq!(styles[3].weight, stored("synthesis.b16.conv0"));
    assert_eq!((styles[5].channels, &styles[5].weight), (6, &stored("synthesis.b16.torgb")));

    // Without a mapping the latent is the one row; its first layer stores it the other way round.
    let mut dcgan = self::generator(&tiny("tiny-dcgan.pth"));
    let space = dcgan.space().clone();
    assert_eq!((space.rows(), space.has_w, space.noise.len()), (1, false, 0));
    let z: Vec<f32> = (0..space.z_dim).map(|at| at as f32).collect();
    assert_eq!(dcgan.map(&z, &[], &|| false).unwrap(), z);
    assert!(dcgan.mean().iter().all(|x| *x == 0.0));
    let stored = Checkpoint::open(&tiny("tiny-dcgan.pth")).unwrap();
    let stored = stored.read_f32("main.0.weight").unwrap();
    let style = &dcgan.styles()[0];
    assert_eq!(style.weight[2 * space.z_dim + 1], stored[style.channels + 2]);
}

#[test]
fn configurations_are_read_from_names_and_facts() {
    let specs = [
        (vec![512, 512, 512, 512, 512, 256, 128, 64, 32], 0, Synthesis::Skip, 8),
        (vec![16, 8], 10, Synthesis::Resnet, 2),
        (vec![4, 4, 4], 1, Synthesis::Orig, 4),
    ];
    for (channels, classes, synthesis, mapping_layers) in specs {
        let spec = Spec::StyleGan2(StyleGan2 {
            z_dim: 24,
            w_dim: 20,
            classes,
            mapping_layers,
            mapping_rate: 0.01,
            channels,
            synthesis,
            clamp: Some(256.0),
            has_mean: true,
        });
        let mut shapes = spec.tensors();
        let mut found = detect(&shapes).unwrap().spec;
        assert_eq!(found, spec);
        shapes.remove("synthesis.b8.conv1.noise_const");
        let error = detect(&shapes).unwrap_err().to_string();
        assert!(error.contains("lacks synthesis.b8.conv1.noise_const"), "{error}");
        let facts = serde_json::json!({"config": "{\"clamp\": null}"});
        found.configure(&serde_json::from_value(facts).unwrap());
        assert!(matches!(&found, Spec::StyleGan2(spec) if spec.clamp.is_none()));
        let facts = serde_json::json!({
            "synthesis_kwargs.conv_clamp": 64, "mapping_kwargs.lr_multiplier": 0.1
        });
        found.configure(&serde_json::from_value(facts).unwrap());
        assert!(matches!(&found, Spec::StyleGan2(spec)
            if spec.clamp == Some(64.0) && spec.mapping_rate == 0.1));
    }
}

#[test]
fn resampling_is_the_official_one() {
    let recorded = record("upfirdn2d");
    let x = Planes { channels: 2, height: 7, width: 9, data: recorded["x"].clone() };
    let plan = Resample::new("filter_1331", [4, 4]);
    let asymmetric = Resample::new("asym_filter_3x2", [3, 2]);
    let sum: f32 = recorded["asym_filter_3x2"].iter().sum();
    for (name, plan) in [
        ("upsample2d_x2", Resample { up: 2, pad: [2, 1, 2, 1], gain: 4.0, ..plan.clone() }),
        ("downsample2d_x2", Resample { down: 2, pad: [1; 4], ..plan.clone() }),
        ("filter2d", Resample { pad: [2, 1, 2, 1], ..plan.clone() }),
        ("up2_pad2111_gain4", Resample { up: 2, pad: [1, 1, 2, 1], gain: 4.0, ..plan }),
        ("asym_flip", Resample { pad: [1; 4], gain: sum, ..asymmetric }),
    ] {
        let mut g = Graph::new();
        let input = g.input(2);
        let result = g.resample(input, plan);
        g.output(result);
        let mut source = |name: &str| -> Result<Vec<f32>, std::convert::Infallible> {
            let mut filter = recorded[name].clone();
            if name.starts_with("asym") {
                filter.reverse();
            }
            Ok(filter)
        };
        let processor = Processor::new(g, &mut source).unwrap();
        let have = processor.run(std::slice::from_ref(&x), &|| false).unwrap();
        assert_near(name, &have[0].data, &recorded[name]);
    }
}

#[test]
fn a_code_can_be_walked_downhill() {
    let mut generator = generator(&tiny("tiny-stylegan2.safetensors"));
    let noise = generator.noise(Noise::Const);
    let goal: Vec<f32> = record("tiny-stylegan2")["near"][..768].to_vec();
    let mut loss = |picture: &Planes| {
        let off: Vec<f32> = picture.data.iter().zip(&goal).map(|(a, b)| a - b).collect();
        let sum: f64 = off.iter().map(|x| f64::from(*x).powi(2)).sum();
        (sum, Planes { data: off.iter().map(|x| 2.0 * x).collect(), ..*picture })
    };
    let mut code = generator.mean().repeat(6);
    let mut losses = Vec::new();
    for _ in 0..40 {
        let slopes =
            generator.gradient(Part::Picture, &code, &noise, &mut loss, &|| false).unwrap();
        let drawn = generator.draw(&code, &noise, &|| false).unwrap();
        assert_near("the picture", &slopes.drawn.data, &drawn.data);
        let sizes: Vec<_> = slopes.by_noise.iter().map(|x| [x.height, x.width]).collect();
        assert_eq!(sizes, generator.space().noise);
        let length = slopes.by_code.iter().map(|x| x * x).sum::<f32>().sqrt();
        code.iter_mut().zip(&slopes.by_code).for_each(|(x, slope)| *x -= 0.05 * slope / length);
        losses.push(slopes.loss);
    }
    assert!(losses[39] < 0.5 * losses[0], "{losses:?}");
    let stopped =
        generator.gradient(Part::Picture, &code, &noise, &mut loss, &|| true).unwrap_err();
    assert!(stopped.to_string().contains("stopped"));
}
