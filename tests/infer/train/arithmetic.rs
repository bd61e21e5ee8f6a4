//! Losses, penalties, optimiser, normalisation and augmentation.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use ganvas::checkpoint::Checkpoint;
use ganvas::nets::tensor::OnDevice;
use ganvas::train::{
    Adam, Arch, Augmentation, Config, Controller, Discriminator, Loss, Penalty, Randomness,
    Spectral, Weights, augment, one_centred, zero_centred,
};

use ganvas::zoo::open_network;

use super::{Fixture, list, relative};

fn vector(values: &[f32]) -> Tensor<1> {
    Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
}

fn tiny(arch: Arch, penalty: Penalty) -> Config {
    let mut config = Config { channel_base: 64, channel_max: 8, ..Config::new(arch, 16) };
    config.penalty = penalty;
    config
}

#[test]
fn losses_are_as_computed_by_hand() {
    let (real, fake) = (vector(&[1.0, -2.0]), vector(&[0.5, -1.0]));
    let wanted = [
        // softplus(-1), softplus(2) and softplus(0.5), softplus(-1); softplus(-0.5), softplus(1).
        (Loss::NonSaturating, 1.863_764, 0.893_669),
        (Loss::LeastSquares, 2.5625, 1.0625),
        (Loss::Hinge, 2.25, 0.25),
        (Loss::Wasserstein, 0.25, 0.25),
    ];
    for (loss, judge, generator) in wanted {
        let of_judge = list(&loss.of_discriminator(real.clone(), fake.clone()))[0];
        let of_generator = list(&loss.of_generator(fake.clone()))[0];
        assert!((of_judge - judge).abs() < 1e-5, "{loss:?} {of_judge}");
        assert!((of_generator - generator).abs() < 1e-5, "{loss:?} {of_generator}");
        assert_eq!(loss.name().parse(), Ok(loss));
    }
    let far = Loss::NonSaturating.of_generator(vector(&[-200.0, 200.0]));
    assert!((list(&far)[0] - 100.0).abs() < 1e-3);
}

/// Gradient of the penalty with direction `u` by every learnt parameter, beside stored ones.
fn check_penalty(
    fixture: &Fixture,
    judge: &mut Discriminator,
    group: &str,
    direction: impl Fn(&Tensor<4>) -> Tensor<4>,
) {
    let pictures = fixture.pictures("x");
    let logits = list(&judge.judge(pictures.clone()));
    let apart = relative(&logits, &fixture.list("logits"));
    assert!(apart < 1e-5, "logits {apart}");
    let leaf = pictures.clone().inner().autodiff().require_grad();
    let found = judge.judge(leaf.clone()).sum().backward();
    let slopes = leaf.grad(&found).unwrap().inner().autodiff();
    let leaves = judge.weights.tracked();
    judge.load(&leaves);
    let loss = judge.change_along(pictures, direction(&slopes)).unwrap();
    let slopes = judge.weights.slopes(&leaves, &loss.backward());
    let (mut all, mut wanted) = (Vec::new(), Vec::new());
    for (name, want) in fixture.group(group) {
        let is = slopes.get(&name).map_or_else(|| vec![0.0; want.len()], list);
        let length = want.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > 1e-3 {
            let apart = relative(&is, &want);
            assert!(apart < 1e-3, "{group} {name}: {apart}");
        }
        all.extend(is);
        wanted.extend(want);
    }
    let apart = relative(&all, &wanted);
    println!("{group}: {apart:.2e} from the second derivatives");
    assert!(apart < 1e-3, "{group}: {apart}");
}

#[test]
fn r1_has_the_gradient_of_second_derivatives() {
    let fixture = Fixture::open("stylegan2-judge");
    let config = tiny(Arch::StyleGan2, Penalty::None);
    let mut judge = fixture.judge(&config);
    // The fixture's penalty is 5 ‖v‖² on average, γ/2 = 5.
    check_penalty(&fixture, &mut judge, "r1", |slopes| zero_centred(slopes, 10.0));
}

#[test]
fn wgan_gp_has_the_gradient_of_second_derivatives() {
    let fixture = Fixture::open("dcgan-critic");
    let config = tiny(Arch::Dcgan, Penalty::Between { lambda: 10.0 });
    let mut judge = fixture.judge(&config);
    check_penalty(&fixture, &mut judge, "gp", |slopes| one_centred(slopes, 10.0));
}

#[test]
fn three_steps_of_a_judge_are_pytorchs() {
    let fixture = Fixture::open("dcgan-steps");
    let mut judge = fixture.judge(&tiny(Arch::Dcgan, Penalty::None));
    let mut adam = Adam::new(2e-3, [0.5, 0.999]);
    for step in 0..3 {
        let leaves = judge.weights.tracked();
        judge.load(&leaves);
        let real = judge.judge(fixture.pictures("real"));
        let fake = judge.judge(fixture.pictures("fake"));
        let loss = Loss::NonSaturating.of_discriminator(real, fake);
        let want = fixture.list(&format!("loss{step}"))[0];
        assert!((list(&loss)[0] - want).abs() < 1e-4, "{step}: {loss} {want}");
        let slopes = judge.weights.slopes(&leaves, &loss.backward());
        adam.step(&mut judge.weights, &slopes);
    }
    for (name, want) in fixture.group("after") {
        let is = judge.weights.read(&name).unwrap();
        let moved = relative(&want, &fixture.group("p")[&name]);
        let apart = relative(&is, &want);
        assert!(apart < 0.01 * moved, "{name}: {apart} of {moved}");
    }
}

#[test]
fn spectral_norms_become_one() {
    let shapes = [("a.weight".to_owned(), vec![2, 2]), ("a.bias".to_owned(), vec![2])].into();
    let learnt = ["a.weight".to_owned()].into();
    let weights = Weights::new(shapes, learnt, &Device::flex(), |name, _| {
        if name == "a.bias" { vec![7.0, 8.0] } else { vec![3.0, 0.0, 0.0, 1.0] }
    });
    let mut spectral = Spectral::default();
    let mut params = weights.constant();
    for _ in 0..30 {
        params = weights.constant();
        spectral.apply(&weights.shapes, &mut params, Randomness(1));
    }
    let is = list(&params["a.weight"]);
    for (is, want) in is.iter().zip([1.0, 0.0, 0.0, 1.0 / 3.0]) {
        assert!((is - want).abs() < 1e-5, "{is} {want}");
    }
    assert_eq!(list(&params["a.bias"]), [7.0, 8.0]);
}

#[test]
fn augmentations_move_and_colour_and_pass_gradients_on() {
    let numbers: Vec<f32> = (0..2 * 3 * 16).map(|at| at as f32 / 48.0 - 1.0).collect();
    let data = TensorData::new(numbers.clone(), [2, 3, 4, 4]);
    let pictures = Tensor::<4>::from_data(data, &Device::flex()).autodiff().require_grad();
    let mirror = Augmentation { warp: [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], ..Augmentation::NONE };
    let halved = Augmentation {
        color: Augmentation::NONE.color.map(|row| row.map(|x| x * 0.5)),
        ..Augmentation::NONE
    };
    let same = augment(pictures.clone(), &[Augmentation::NONE, Augmentation::NONE]);
    assert_eq!(same.to_data().try_to_vec::<f32>().unwrap(), numbers);
    let out = augment(pictures.clone(), &[mirror, halved]);
    let is: Vec<f32> = out.to_data().try_to_vec().unwrap();
    for at in 0..48 {
        let (row, column) = (at / 4, at % 4);
        assert!((is[at] - numbers[row * 4 + 3 - column]).abs() < 1e-5, "{at}");
        assert!((is[48 + at] - numbers[48 + at] * 0.5).abs() < 1e-5, "{at}");
    }
    let slopes = pictures.grad(&out.sum().backward()).unwrap();
    let slopes: Vec<f32> = slopes.to_data().try_to_vec().unwrap();
    assert!(slopes[..48].iter().all(|x| (x - 1.0).abs() < 1e-5));
    assert!(slopes[48..].iter().all(|x| (x - 0.5).abs() < 1e-5));
}

#[test]
fn the_controller_follows_the_judge() {
    let mut controller = Controller::default();
    for _ in 0..40 {
        controller.observe(&[1.0; 10], 0.6, 1.0);
    }
    assert_eq!(controller.r_t, 1.0);
    assert!((controller.probability - 0.4).abs() < 1e-9);
    for _ in 0..20 {
        controller.observe(&[1.0, -1.0], 0.6, 1.0);
    }
    assert_eq!(controller.r_t, 0.0);
    assert!((controller.probability - 0.36).abs() < 1e-9);
}

#[test]
fn a_generator_has_the_gradients_that_pytorch_finds() {
    let nets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for case in ["stylegan2", "stylegan2-resnet", "stylegan2-clamp"] {
        let recorded = nets.join(format!("nets/slopes-{case}.safetensors"));
        let recorded = Checkpoint::open(&recorded).unwrap();
        let read = |name: &str| recorded.read_f32(name).unwrap();
        let file = nets.join(format!("checkpoints/tiny-{case}.safetensors"));
        let (checkpoint, detected) = open_network(&file).unwrap();
        let blueprint = detected.spec.blueprint().unwrap();
        let (device, graph) = (Device::flex(), blueprint.synthesis);
        let wanted: Vec<String> = graph
            .params()
            .into_keys()
            .filter(|name| recorded.shapes().contains_key(&format!("by {name}")))
            .collect();
        assert_eq!(wanted.len(), 9, "{case}");
        let leaf = |name: String| {
            let values = checkpoint.read_f32(&detected.names[&name]).unwrap();
            let value = vector(&values).autodiff();
            let value = if wanted.contains(&name) { value.require_grad() } else { value };
            (name, value)
        };
        let params: BTreeMap<String, Tensor<1>> = graph.params().into_keys().map(leaf).collect();
        let network = OnDevice::of_params(graph, &device.autodiff(), params.clone());
        let code = read("code");
        // The same code twice, so that gradients add up over a batch.
        let twice = |numbers: &[f32], shape: [usize; 3]| {
            let data = TensorData::new(numbers.repeat(2), [2, shape[0], shape[1], shape[2]]);
            Tensor::<4>::from_data(data, &Device::flex()).autodiff()
        };
        let rows = code.chunks_exact(10).map(|row| twice(row, [10, 1, 1]));
        let noise = |(name, [height, width]): (&String, &[usize; 2])| {
            twice(&checkpoint.read_f32(name).unwrap(), [1, *height, *width])
        };
        let noises = blueprint.noise.iter().zip(&blueprint.space.noise).map(noise);
        let picture = network.run(rows.chain(noises).collect(), &|| false).swap_remove(0);
        let [_, channels, height, width] = picture.dims();
        let weights = twice(&read("weights"), [channels, height, width]);
        let found = (picture * weights).sum().backward();
        for name in wanted {
            let is = list(&params[&name].grad(&found).unwrap().inner());
            let want: Vec<f32> = read(&format!("by {name}")).iter().map(|x| x * 2.0).collect();
            let apart = relative(&is, &want);
            assert!(apart < 1e-4, "{case} {name}: {apart}");
        }
    }
}
