//! Path-length regularisation: by hand, and beside PyTorch's second derivatives.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use ganvas::nets::graph::Graph;
use ganvas::nets::tensor::{Moving, OnDevice};
use ganvas::train::{path_centred, path_lengths};
use ganvas::zoo::open_network;

use super::{Fixture, list, relative};
use crate::sampled::recipe;

fn tensor(numbers: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(numbers, shape), &Device::flex())
}

#[test]
fn lengths_and_directions_are_as_computed_by_hand() {
    // Two codes of two rows with two numbers each.
    let rows = [[3.0, 4.0, 0.0, 1.0], [5.0, 0.0, 1.0, 0.0]];
    let rows = rows.map(|numbers| tensor(numbers.to_vec(), [2, 2, 1, 1]));
    let lengths = path_lengths(&rows).unwrap();
    // √((9 + 16 + 25) / 2) and √((1 + 1) / 2).
    let is = list(&lengths);
    assert!((is[0] - 5.0).abs() < 1e-5 && (is[1] - 1.0).abs() < 1e-6, "{is:?}");
    // 2·3/(2·2) = 1.5, times (5 - 2)/5 and (1 - 2)/1.
    let directions = path_centred(&rows, &lengths, 2.0, 3.0);
    let want = [[2.7, 3.6, 0.0, -1.5], [4.5, 0.0, -1.5, 0.0]];
    for (direction, want) in directions.into_iter().zip(want) {
        let is: Vec<f32> = direction.to_data().try_to_vec().unwrap();
        assert!(is.iter().zip(want).all(|(is, want)| (is - want).abs() < 1e-5), "{is:?}");
    }
}

#[test]
fn path_lengths_have_the_gradient_of_second_derivatives() {
    let fixture = Fixture::open("paths");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints");
    let device = Device::flex().autodiff();
    for case in ["stylegan2", "stylegan2-clamp"] {
        let file = folder.join(format!("tiny-{case}.safetensors"));
        let (checkpoint, detected) = open_network(&file).unwrap();
        let blueprint = detected.spec.blueprint().unwrap();
        let read = |name: &String| checkpoint.read_f32(&detected.names[name]).unwrap();
        let leaf = |name: String| {
            let numbers = read(&name);
            let len = numbers.len();
            let leaf = Tensor::<1>::from_data(TensorData::new(numbers, [len]), &Device::flex());
            let is_fixed = name.ends_with("resample_filter");
            let leaf = leaf.autodiff();
            (name, if is_fixed { leaf } else { leaf.require_grad() })
        };
        let leaves = |graph: &Graph| -> BTreeMap<String, Tensor<1>> {
            graph.params().into_keys().map(leaf).collect()
        };
        let (mapping, synthesis) = (blueprint.mapping.unwrap(), blueprint.synthesis);
        let mut params = leaves(&mapping);
        let mapping = OnDevice::of_params(mapping, &device, params.clone());
        let of_synthesis = leaves(&synthesis);
        let synthesis = OnDevice::of_params(synthesis, &device, of_synthesis.clone());
        params.extend(of_synthesis);

        let numbers = |what: &str, count: usize, factor: f64| -> Vec<f32> {
            let numbers = recipe(&format!("{case} {what}"), count).into_iter();
            numbers.map(|u| (u as f32) * factor as f32).collect()
        };
        let z = tensor(numbers("z", 3 * 8, 1.0), [3, 8, 1, 1]).autodiff();
        let shares = tensor(numbers("y", 3 * 3 * 256, 1.0 / 16.0), [3, 3, 16, 16]).autodiff();
        let noise = |(name, side): (&String, &[usize; 2])| {
            let repeated = checkpoint.read_f32(name).unwrap().repeat(3);
            tensor(repeated, [3, 1, side[0], side[1]]).autodiff()
        };
        let noises = blueprint.noise.iter().zip(&blueprint.space.noise).map(noise);
        let noises: Vec<Tensor<4>> = noises.collect();

        let row = mapping.run(vec![z], &|| false).swap_remove(0);
        let count = blueprint.space.rows();
        let leaf = || row.clone().inner().autodiff().require_grad();
        let codes: Vec<Tensor<4>> = (0..count).map(|_| leaf()).collect();
        let inputs = codes.iter().chain(&noises).cloned().collect();
        let picture = synthesis.run(inputs, &|| false).swap_remove(0);
        let found = (picture * shares.clone()).sum().backward();
        let slopes: Vec<_> = codes.iter().map(|x| x.grad(&found).unwrap().inner()).collect();
        let lengths = path_lengths(&slopes).unwrap();
        let apart = relative(&list(&lengths), &fixture.list(&format!("{case}/lengths")));
        assert!(apart < 1e-4, "{case}: lengths {apart}");

        let directions = path_centred(&slopes, &lengths, 0.4, 2.0).into_iter();
        let mut inputs: Vec<Moving> = directions
            .map(|way| Moving { value: row.clone(), change: Some(way.autodiff()) })
            .collect();
        inputs.extend(noises.into_iter().map(|value| Moving { value, change: None }));
        let change = synthesis.run_along(inputs).unwrap();
        let found = (change * shares).sum().backward();

        let want = fixture.list(&format!("{case}/slopes"));
        params.retain(|name, _| !name.ends_with("resample_filter"));
        assert_eq!(want.len(), 9 * params.len(), "{case}");
        let mut worst: f64 = 0.0;
        for (want, (name, leaf)) in want.chunks_exact(9).zip(&params) {
            let (samples, length) = (&want[..8], want[8]);
            let is = match leaf.grad(&found) {
                Some(slope) => list(&slope.inner()),
                None => vec![0.0; leaf.dims()[0]],
            };
            let is_length = is.iter().map(|x| x * x).sum::<f32>().sqrt();
            let sampled: Vec<f32> = (0..8).map(|at| is[at * is.len() / 8]).collect();
            if length == 0.0 {
                assert!(is_length < 1e-7, "{case} {name}: {is_length}");
                continue;
            }
            // Against the length of all, since single numbers may be near 0.
            let scale = (length / (is.len() as f32).sqrt()) * 8.0f32.sqrt();
            let gaps: Vec<f32> = sampled.iter().zip(samples).map(|(a, b)| a - b).collect();
            let gap = gaps.iter().map(|x| x * x).sum::<f32>().sqrt();
            let apart = f64::from((gap / scale).max((is_length - length).abs() / length));
            assert!(apart < 1e-3, "{case} {name}: {apart}");
            worst = worst.max(apart);
        }
        println!("{case}: {worst:.2e} from the second derivatives");
    }
}
