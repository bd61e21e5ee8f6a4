//! BigGAN-deep as its published package saves and draws it, through the real loader.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use ganvas::checkpoint::{Checkpoint, CheckpointError};
use ganvas::infer::generator::{Generator, LatentNetwork, Part, parameters};
use ganvas::latent::Noise;
use ganvas::nets::cpu::Processor;
use ganvas::nets::{BigGanBlock, BigGanDeep, Planes};
use ganvas::zoo::{Shapes, Spec, detect, open_network};

use crate::checkpoint::fixture;
use crate::generators::{assert_near, record};
use crate::recorded::tiny;

const FILE: &str = "tiny-biggan-deep.safetensors";

fn generator() -> LatentNetwork<Processor> {
    let (checkpoint, detected) = open_network(&tiny(FILE)).unwrap();
    let blueprint = detected.spec.blueprint().unwrap();
    LatentNetwork::on_processor(blueprint, parameters(checkpoint, detected)).unwrap()
}

fn block(doubles: bool, from: usize, to: usize) -> BigGanBlock {
    BigGanBlock { doubles, from, to }
}

#[test]
fn truncation_chooses_the_statistics_and_leaves_the_class() {
    let recorded = record("truncated-biggan-deep");
    let mut generator = generator();
    let space = generator.space().clone();
    assert_eq!(space.row_sides, [4, 4, 8, 16, 16, 32, 64]);
    assert_eq!((space.z_dim, space.w_dim, space.classes, space.side), (4, 9, 3, 64));
    let full = generator.map(&recorded["z"], &recorded["class"], &|| false).unwrap();
    assert_eq!((&full[..4], full[8]), (&recorded["z"][..], 1.0));
    let (checkpoint, detected) = open_network(&tiny(FILE)).unwrap();
    let mut source = |name: &str| -> Result<Vec<f32>, CheckpointError> {
        checkpoint.read_f32(&detected.names[name])
    };
    let graph = detected.spec.blueprint().unwrap().synthesis;
    let unfused = Processor::unfused(graph, &mut source).unwrap();
    for truncation in [0.4, 0.45] {
        let code: Vec<f32> = full.repeat(7);
        let center = space.center(&code, generator.mean());
        let code: Vec<f32> = code
            .iter()
            .zip(&center)
            .map(|(w, center)| center + truncation * (w - center))
            .collect();
        // The mean of the latents is that of so many only; the recorded picture has none.
        let latent = |at: usize, w: f32| if at % 9 < 4 { full[at % 9] * truncation } else { w };
        let code: Vec<f32> = code.iter().enumerate().map(|(at, w)| latent(at, *w)).collect();
        assert_eq!((&code[4..8], code[8]), (&full[4..8], truncation));
        let picture = generator.synthesize(&code, Noise::Const, &|| false).unwrap();
        let mut compared = 0;
        let mut compare = |layer: &str, have: &Planes| {
            if let Some(want) = recorded.get(&format!("{truncation} {layer}")) {
                assert_near(layer, &have.data[..want.len()], want);
                compared += 1;
            }
        };
        compare("output", &picture);
        let rows: Vec<Planes> =
            code.chunks_exact(9).map(|row| Planes::vector(row.to_vec())).collect();
        unfused.run_observed(&rows, &|| false, &mut compare).unwrap();
        assert_eq!(compared, 4, "{truncation}");
    }
}

#[test]
fn a_code_walks_downhill_and_its_truncation_stays() {
    let recorded = record("truncated-biggan-deep");
    let mut generator = generator();
    let goal: Vec<f32> = recorded["0.4 output"].clone();
    let mut loss = |picture: &Planes| {
        let off: Vec<f32> = picture.data.iter().zip(&goal).map(|(a, b)| a - b).collect();
        let sum: f64 = off.iter().map(|x| f64::from(*x).powi(2)).sum();
        let mut data: Vec<f32> = off.iter().map(|x| 2.0 * x).collect();
        data.resize(picture.data.len(), 0.0);
        (sum, Planes { data, ..*picture })
    };
    let mut code = generator.mean().repeat(7);
    let mut losses = Vec::new();
    for _ in 0..30 {
        let slopes = generator.gradient(Part::Picture, &code, &[], &mut loss, &|| false).unwrap();
        assert!(slopes.by_code.chunks_exact(9).all(|row| row[8] == 0.0));
        let length = slopes.by_code.iter().map(|x| x * x).sum::<f32>().sqrt();
        code.iter_mut().zip(&slopes.by_code).for_each(|(x, slope)| *x -= 0.1 * slope / length);
        losses.push(slopes.loss);
    }
    assert!(losses[29] < 0.7 * losses[0], "{losses:?}");
}

#[test]
fn layers_that_read_a_row_are_as_wide_as_it() {
    let generator = generator();
    let styles = generator.styles();
    assert_eq!(styles.len(), 1 + 6 * 8);
    let checkpoint = Checkpoint::open(&tiny(FILE)).unwrap();
    let stored = checkpoint.read_f32("generator.layers.4.bn_2.offset.weight").unwrap();
    // Layer 3 is the attention: layer 4 is the fourth block.
    let style = &styles[1 + 3 * 8 + 2 * 2 + 1];
    assert_eq!((style.row, style.channels), (4, 4));
    for (row, stored) in style.weight.chunks_exact(9).zip(stored.chunks_exact(8)) {
        assert_eq!((&row[..8], row[8]), (stored, 0.0));
    }
}

#[test]
fn spectral_norms_are_divided_out() {
    let file = Checkpoint::open(&tiny(FILE)).unwrap();
    assert!(file.tensors().all(|(name, _)| !name.contains("weight_")));
    let bytes = fs::read(tiny(FILE)).unwrap();
    let raw = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let read = |leaf: &str| -> Vec<f64> {
        let tensor = raw.tensor(&format!("generator.layers.1.conv_1.{leaf}")).unwrap();
        let number = |four: &[u8]| f64::from(f32::from_le_bytes(four.try_into().unwrap()));
        tensor.data().chunks_exact(4).map(number).collect()
    };
    let (weight, u, v) = (read("weight_orig"), read("weight_u"), read("weight_v"));
    let norm: f64 =
        weight.iter().enumerate().map(|(at, w)| u[at / v.len()] * w * v[at % v.len()]).sum();
    let have = file.read_f32("generator.layers.1.conv_1.weight").unwrap();
    assert!(norm > 0.1 && (norm - 1.0).abs() > 0.01, "{norm}");
    for (have, stored) in have.iter().zip(&weight) {
        assert!((f64::from(*have) - stored / norm).abs() <= 1e-6 * stored.abs() + 1e-12);
    }
}

/// A file of these tensors that are all zero and take no room on the disk.
fn hollow(shapes: &Shapes) -> (tempfile::TempDir, Checkpoint) {
    let mut at = 0;
    let mut header = serde_json::Map::new();
    for (name, shape) in shapes {
        let end = at + 4 * shape.iter().product::<usize>();
        let about = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [at, end]});
        header.insert(name.clone(), about);
        at = end;
    }
    let header = serde_json::to_vec(&header).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hollow.safetensors");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(&header).unwrap();
    file.set_len((8 + header.len() + at) as u64).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    (folder, checkpoint)
}

#[test]
fn the_published_sizes_are_recognised() {
    let text = fs::read_to_string(fixture("names-and-shapes.json")).unwrap();
    let lists: BTreeMap<String, Shapes> = serde_json::from_str(&text).unwrap();
    let (_folder, stored) = hollow(&lists["biggan-deep-256"]);
    let found = detect(&stored.shapes()).unwrap();
    let Spec::BigGanDeep(spec) = &found.spec else { panic!("{:?}", found.spec) };
    let channels = [16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1].map(|factor| factor * 128);
    let blocks = channels.windows(2).enumerate();
    let blocks = blocks.map(|(at, pair)| block(at % 2 == 1, pair[0], pair[1])).collect();
    assert_eq!((spec.z_dim, spec.class_dim, spec.classes), (128, 128, 1000));
    assert_eq!((&spec.blocks, spec.attention, spec.statistics), (&blocks, Some(8), 51));
    assert_eq!(spec.side(), 256);
    // At 512 there are two more blocks; at 128 two less.
    for (side, channels) in [
        (512, &[16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1, 1, 1][..]),
        (128, &[16, 16, 16, 16, 8, 8, 4, 4, 2, 2, 1]),
    ] {
        let blocks = channels.windows(2).enumerate();
        let blocks = blocks.map(|(at, pair)| block(at % 2 == 1, pair[0] * 128, pair[1] * 128));
        let want = BigGanDeep { blocks: blocks.collect(), ..spec.clone() };
        assert_eq!(want.side(), side);
        let want = Spec::BigGanDeep(want);
        assert_eq!(detect(&want.tensors()).unwrap().spec, want);
    }
    let mut shapes = found.spec.tensors();
    shapes.remove("generator.layers.8.snconv1x1_phi.weight");
    let error = detect(&shapes).unwrap_err().to_string();
    assert!(error.contains("lacks generator.layers.8.snconv1x1_phi.weight"), "{error}");
    let mut shapes = found.spec.tensors();
    shapes.insert("generator.layers.5.gamma".into(), vec![1]);
    assert!(detect(&shapes).is_err());
    for (name, shape) in [
        ("generator.layers.0.conv_3.weight", vec![3, 512, 1, 1]),
        ("generator.gen_z.weight", vec![32_768, 128]),
        ("embeddings.weight", vec![usize::MAX, 1000]),
    ] {
        let mut shapes = found.spec.tensors();
        shapes.insert(name.into(), shape);
        assert!(detect(&shapes).is_err(), "{name}");
    }
}
