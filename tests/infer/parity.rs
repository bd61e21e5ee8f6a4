//! Each network through the real loader against values computed by PyTorch with the same
//! weights (`tests/fixtures/nets/make.py`), layer by layer.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use ganvas::checkpoint::Checkpoint;
use ganvas::nets::map::Map;
use ganvas::nets::processor::{RrdbNetProcessor, SrvggProcessor};
use ganvas::nets::{DcganGenerator, RrdbNet, SrvggNetCompact, load, read_official};
use ganvas::zoo::{Detected, Spec, open_network};

/// Largest difference of a layer, relative to its largest value.
const TOLERANCE: f32 = 1e-4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(id: &str) -> PathBuf {
    root().join("models").join(id).join("weights.safetensors")
}

fn tiny(name: &str) -> PathBuf {
    root().join("tests/fixtures/checkpoints").join(name)
}

/// The recorded layers of one network, in the order of its forward pass.
struct Recorded {
    file: Checkpoint,
    /// Layer → name in the file and number of recorded channels.
    layers: Vec<(String, String, Vec<usize>)>,
    input: Vec<f32>,
    input_shape: [usize; 4],
    compared: usize,
    worst: (f32, String),
}

impl Recorded {
    fn open(name: &str) -> Self {
        let path = root().join("tests/fixtures/nets").join(format!("{name}.safetensors"));
        let file = Checkpoint::open(&path).unwrap();
        let numbered = |(stored, info): (&str, ganvas::checkpoint::TensorInfo)| {
            let (_, layer) = stored.split_once('.')?;
            Some((layer.to_owned(), stored.to_owned(), info.shape))
        };
        let layers = file.tensors().filter_map(numbered).collect();
        let input = file.read_f32("input").unwrap();
        let input_shape = file.shapes()["input"].as_slice().try_into().unwrap();
        Self { file, layers, input, input_shape, compared: 0, worst: (0.0, String::new()) }
    }

    /// Compares the first channels of `layer`, `[n, channels, h, w]`, where it was recorded.
    fn compare(&mut self, layer: &str, values: &[f32], shape: [usize; 4]) {
        let Some((_, stored, recorded)) = self.layers.iter().find(|(name, ..)| name == layer)
        else {
            return;
        };
        let want = self.file.read_f32(stored).unwrap();
        let [batch, channels, height, width] = shape;
        assert_eq!([recorded[0], recorded[2], recorded[3]], [batch, height, width], "{layer}");
        let area = height * width;
        let top = want.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        let mut worst = 0.0f32;
        for image in 0..batch {
            let have = &values[image * channels * area..][..recorded[1] * area];
            let want = &want[image * recorded[1] * area..][..recorded[1] * area];
            for (have, want) in have.iter().zip(want) {
                assert!(have.is_finite(), "{layer} is not finite");
                worst = worst.max((have - want).abs() / top);
            }
        }
        assert!(worst <= TOLERANCE, "the first layer that differs is {layer}: by {worst:.1e}");
        self.compared += 1;
        if worst > self.worst.0 {
            self.worst = (worst, layer.to_owned());
        }
    }

    fn finish(self, what: &str) {
        assert_eq!(self.compared, self.layers.len(), "{what}: layers that were not shown");
        println!("{what}: at most {:.1e} in {}", self.worst.0, self.worst.1);
    }
}

/// Runs the module, and the processor's own version where there is one.
fn check(weights: &Path, name: &str) {
    let (checkpoint, detected) = open_network(weights).unwrap();
    check_module(&checkpoint, &detected, name);
    check_processor(&checkpoint, &detected, name);
}

fn check_module(checkpoint: &Checkpoint, detected: &Detected, name: &str) {
    let device = Device::flex();
    let mut recorded = Recorded::open(name);
    let data = TensorData::new(recorded.input.clone(), recorded.input_shape);
    let input = Tensor::<4>::from_data(data, &device);
    let mut probe = |layer: &str, value: &Tensor<4>| {
        let values = value.clone().try_into_vec_as::<f32>().unwrap();
        recorded.compare(layer, &values, value.dims());
    };
    match &detected.spec {
        Spec::RrdbNet(spec) => {
            let net = RrdbNet::init(spec, &device);
            let net = load(net, RrdbNet::official, checkpoint, detected, &device).unwrap();
            net.forward_observed(input, &mut probe);
        }
        Spec::Srvgg(spec) => {
            let net = SrvggNetCompact::init(spec, &device);
            let net = load(net, SrvggNetCompact::official, checkpoint, detected, &device).unwrap();
            net.forward_observed(input, &mut probe);
        }
        Spec::Dcgan(spec) => {
            let net = DcganGenerator::init(spec, &device);
            let net = load(net, DcganGenerator::official, checkpoint, detected, &device).unwrap();
            net.forward_observed(input, &mut probe);
        }
    }
    recorded.finish(&format!("{name}, module"));
}

fn check_processor(checkpoint: &Checkpoint, detected: &Detected, name: &str) {
    let mut recorded = Recorded::open(name);
    let mut source = |name: &str| read_official(checkpoint, detected, name);
    let (input, [_, channels, height, width]) = (recorded.input.clone(), recorded.input_shape);
    let mut seen = |layer: &str, map: &Map, used: usize| {
        recorded.compare(layer, &map.to_planes(used), [1, used, map.height, map.width]);
    };
    let output = match &detected.spec {
        Spec::RrdbNet(spec) => {
            let net = RrdbNetProcessor::new(spec, &mut source).unwrap();
            net.forward(&input, height, width, &mut seen)
        }
        Spec::Srvgg(spec) => {
            let net = SrvggProcessor::new(spec, &mut source).unwrap();
            net.forward(&input, height, width, &mut seen)
        }
        Spec::Dcgan(_) => return,
    };
    let scale = detected.spec.capability().scale as usize;
    recorded.compare("output", &output, [1, channels, height * scale, width * scale]);
    // Convolutions that feed an activation are one step with it here.
    assert!(recorded.compared >= 4);
    println!("{name}, processor: at most {:.1e} in {}", recorded.worst.0, recorded.worst.1);
}

#[test]
fn the_photo_network_agrees() {
    check(&shipped("realesrgan-x4plus-int8"), "realesrgan-x4plus-int8");
}

#[test]
fn the_drawing_network_agrees() {
    check(&shipped("realesrgan-x4plus-anime"), "realesrgan-x4plus-anime");
}

#[test]
fn the_fast_network_agrees() {
    check(&shipped("realesr-animevideov3-x4"), "realesr-animevideov3-x4");
}

#[test]
fn the_face_generator_agrees() {
    check(&shipped("dcgan-digiface-64"), "dcgan-digiface-64");
}

#[test]
fn checkpoints_of_every_naming_and_container_agree() {
    for file in [
        "RealESRGAN_x4plus.pth",
        "data-parallel.pth",
        "ema-beside-raw.pth",
        "legacy.pth",
        "trunk-naming.pth",
        "old-naming.pth",
    ] {
        check(&tiny(file), "tiny-x4");
    }
    check(&tiny("tiny-x2.safetensors"), "tiny-x2");
    check(&tiny("tiny-x1-bf16.safetensors"), "tiny-x1-bf16");
    check(&tiny("tiny-srvgg.pth"), "tiny-srvgg");
    check(&tiny("tiny-dcgan.pth"), "tiny-dcgan");
}

#[test]
#[should_panic(expected = "the first layer that differs is body.0")]
fn a_wrong_network_is_named_by_its_first_wrong_layer() {
    // Weights of one network against the record of another: the oracle itself must fail, and at
    // the right place.
    let mut recorded = Recorded::open("tiny-x4");
    let (checkpoint, detected) = open_network(&tiny("RealESRGAN_x4plus.pth")).unwrap();
    let mut source = |name: &str| {
        let mut values = read_official(&checkpoint, &detected, name)?;
        if name == "body.0.rdb2.conv3.bias" {
            values[0] += 1.0;
        }
        Ok(values)
    };
    let Spec::RrdbNet(spec) = &detected.spec else { panic!("{:?}", detected.spec) };
    let net = RrdbNetProcessor::new(spec, &mut source).unwrap();
    let (input, [_, _, height, width]) = (recorded.input.clone(), recorded.input_shape);
    net.forward(&input, height, width, &mut |layer, map, used| {
        recorded.compare(layer, &map.to_planes(used), [1, used, map.height, map.width]);
    });
}
