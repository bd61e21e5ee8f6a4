//! StyleGAN pickles: what they hold, and what they are refused for.
//!
//! The files are written by the tests (`writer`) and, for `tiny-stylegan2.pkl`, by Python and
//! PyTorch themselves.

mod hostile;
mod official;
mod writer;

use std::fs;

use ganvas::checkpoint::{Checkpoint, CheckpointError, Dtype, Format, Network};

use self::writer::{Part, Pickle, Tensor, module, snapshot};
use crate::checkpoint::fixture;

fn open(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.pkl");
    fs::write(&path, bytes).unwrap();
    Checkpoint::open(&path)
}

/// Opens and reads everything: what a hostile file would reach.
fn read_all(bytes: &[u8]) -> Result<usize, CheckpointError> {
    let checkpoint = open(bytes)?;
    let names: Vec<String> = checkpoint.tensors().map(|(name, _)| name.to_owned()).collect();
    names.iter().map(|name| checkpoint.read_f32(name).map(|values| values.len())).sum()
}

/// Why a file is refused, on one line.
fn refusal(bytes: &[u8]) -> String {
    let words = read_all(bytes).expect_err("refused").to_string();
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

fn two_by_three() -> Tensor {
    Tensor::floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3], &[3, 1])
}

#[test]
fn the_file_that_python_wrote_has_the_official_names_and_every_value() {
    let path = fixture("tiny-stylegan2.pkl");
    let generator = Checkpoint::open(&path).unwrap();
    assert_eq!(generator.format(), Format::StyleganPickle);
    let shapes = generator.shapes();
    assert_eq!(shapes.len(), 49);
    assert_eq!(shapes["mapping.fc0.weight"], [8, 8]);
    assert_eq!(shapes["mapping.w_avg"], [8]);
    assert_eq!(shapes["synthesis.b4.const"], [4, 4, 4]);
    assert_eq!(shapes["synthesis.b8.conv1.weight"], [4, 4, 3, 3]);
    assert_eq!(shapes["synthesis.b8.conv1.noise_strength"], [0usize; 0]);
    assert_eq!(shapes["synthesis.b8.torgb.affine.bias"], [4]);
    // Weights of `b8.conv1` lie with their channels last; the values count row by row.
    for (n, name) in shapes.keys().enumerate() {
        let values = generator.read_f32(name).unwrap();
        for (i, value) in values.iter().enumerate() {
            assert_eq!(*value, n as f32 + i as f32 / 1024.0, "{name}[{i}]");
        }
    }
    let facts = generator.metadata();
    assert_eq!(facts["class_name"], "Generator");
    assert_eq!(facts["z_dim"], 8);
    assert_eq!(facts["img_resolution"], 8);
    assert_eq!(facts["synthesis_kwargs.channel_max"], 4);
    assert_eq!(facts["mapping_kwargs.num_layers"], 8);
    assert_eq!(facts["num_ws"], 4, "a plain attribute");

    let discriminator = Checkpoint::open_network(&path, Network::Discriminator).unwrap();
    let names: Vec<String> = discriminator.shapes().into_keys().collect();
    assert_eq!(names, ["fc.bias", "fc.weight", "out.bias", "out.weight"], "no unsaved buffer");
    assert_eq!(discriminator.metadata()["class_name"], "Discriminator");
}

#[test]
fn modules_nest_and_tensors_of_each_kind_read() {
    let weight = two_by_three();
    let transposed = Tensor::floats(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], &[2, 3], &[1, 2]);
    let inner_part = Tensor { offset: 2, shape: vec![2], strides: vec![3], ..two_by_three() };
    let repeated = Tensor::floats(&[7.0], &[2, 2], &[0, 0]);
    let half = [0.5f32, -2.0].map(half::f16::from_f32);
    let half = Tensor {
        kind: "HalfStorage",
        data: half.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ..Tensor::floats(&[0.5, -2.0], &[2], &[1])
    };
    let steps = Tensor {
        kind: "LongStorage",
        data: 1234i64.to_le_bytes().to_vec(),
        ..Tensor::floats(&[0.0], &[], &[])
    };
    let nothing = |p: Pickle| p.raw(b"N");
    let norm_buffers: &[(&str, Part)] = &[
        ("num_batches_tracked", &|p| steps.put(p)),
        ("half", &|p| half.put(p)),
        ("unsaved", &|p| half.put(p)),
    ];
    // Python 3.7 writes a set as a call.
    let unsaved = |p: Pickle| p.global("builtins", "set").raw(b"](").text("unsaved").raw(b"e\x85R");
    let gain = |p: Pickle| {
        let kind = p.global("numpy.core.multiarray", "scalar").global("numpy", "dtype");
        let kind = kind.text("f8").raw(b"K\0K\x01\x87R");
        let kind = kind.raw(b"(").int(3).text("<").raw(b"NNN").int(-1).int(-1).raw(b"K\0tb");
        kind.bytes(&0.25f64.to_le_bytes()).raw(b"\x86R")
    };
    let norm =
        |p| module(p, "Norm", &[], norm_buffers, &[], &[("_non_persistent_buffers_set", &unsaved)]);
    let conv_parameters: &[(&str, Part)] = &[
        ("weight", &|p| weight.put_parameter(p)),
        ("transposed", &|p| transposed.put_parameter(p)),
        ("part", &|p| inner_part.put_parameter(p)),
        ("repeated", &|p| repeated.put_parameter(p)),
        ("bias", &nothing),
    ];
    let conv =
        |p| module(p, "Conv", conv_parameters, &[], &[("norm", &norm), ("none", &nothing)], &[]);
    let kwargs = |p: Pickle| {
        let inner = |p: Pickle| {
            p.global("dnnlib.util", "EasyDict").raw(b")\x81(").text("conv_clamp").int(256).raw(b"u")
        };
        p.dict(&[("z_dim", &|p| p.int(512)), ("synthesis_kwargs", &inner)])
    };
    let generator = |p| {
        let more: &[(&str, Part)] =
            &[("gain", &gain), ("rate", &|p| p.float(0.5)), ("_init_kwargs", &kwargs)];
        module(p, "Generator", &[], &[], &[("conv", &conv)], more)
    };
    let checkpoint =
        open(&snapshot(&[("training_set_kwargs", &nothing), ("G", &generator)])).unwrap();
    let read = |name: &str| checkpoint.read_f32(name).unwrap();
    assert_eq!(read("conv.weight"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(read("conv.transposed"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(read("conv.part"), [3.0, 6.0]);
    assert_eq!(read("conv.repeated"), [7.0; 4]);
    assert_eq!(read("conv.norm.half"), [0.5, -2.0]);
    assert_eq!(read("conv.norm.num_batches_tracked"), [1234.0]);
    assert_eq!(checkpoint.len(), 6, "no bias, no unsaved buffer");
    let types: Vec<Dtype> = checkpoint.tensors().map(|(_, info)| info.dtype).collect();
    assert_eq!(types.iter().filter(|dtype| **dtype == Dtype::I64).count(), 1);
    let facts = checkpoint.metadata();
    assert_eq!(facts["synthesis_kwargs.conv_clamp"], 256);
    assert_eq!(
        (&facts["z_dim"], &facts["gain"], &facts["rate"]),
        (&512.into(), &0.25.into(), &0.5.into())
    );
}

#[test]
fn tensors_may_share_a_storage() {
    let tensor = two_by_three();
    let second = Tensor { offset: 4, shape: vec![2], strides: vec![1], ..two_by_three() };
    let parameters: &[(&str, Part)] = &[
        ("first", &|p| tensor.put_with(p, |p| tensor.put_storage(p).raw(b"q\x07"))),
        ("second", &|p| second.put_with(p, |p| p.raw(b"h\x07"))),
    ];
    let network = |p| module(p, "Generator", parameters, &[], &[], &[]);
    let checkpoint = open(&snapshot(&[("G_ema", &network)])).unwrap();
    assert_eq!(checkpoint.read_f32("first").unwrap().len(), 6);
    assert_eq!(checkpoint.read_f32("second").unwrap(), [5.0, 6.0]);
}

#[test]
fn the_averaged_generator_comes_first() {
    let network = |value: f32| {
        let tensor = Tensor::floats(&[value], &[1], &[1]);
        move |p| module(p, "Generator", &[("w", &|p| tensor.put_parameter(p))], &[], &[], &[])
    };
    let (raw, averaged, nothing) = (network(1.0), network(2.0), |p: Pickle| p.raw(b"N"));
    let read = |bytes: &[u8]| open(bytes).unwrap().read_f32("w").unwrap();
    assert_eq!(read(&snapshot(&[("G", &raw), ("G_ema", &averaged)])), [2.0]);
    assert_eq!(read(&snapshot(&[("G", &raw), ("G_ema", &nothing)])), [1.0]);
    assert!(refusal(&snapshot(&[("D", &raw)])).contains("no network G_ema or G"));
    assert!(refusal(&snapshot(&[])).contains("no network"));
}
