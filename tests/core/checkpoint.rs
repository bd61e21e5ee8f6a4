//! Checkpoint containers: what is read, what is refused, and that nothing panics.

use std::fs;
use std::path::{Path, PathBuf};

use ganvas::checkpoint::{Checkpoint, CheckpointError, Dtype, Format};
use safetensors::tensor::{Dtype as Stored, TensorView, serialize};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(name)
}

fn open_bytes(folder: &Path, bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let path = folder.join("file");
    fs::write(&path, bytes).unwrap();
    Checkpoint::open(&path)
}

/// Opens and reads everything: what a hostile file would reach.
fn read_all(checkpoint: &Checkpoint) -> Result<usize, CheckpointError> {
    let names: Vec<String> = checkpoint.tensors().map(|(name, _)| name.to_owned()).collect();
    names.iter().map(|name| checkpoint.read_f32(name).map(|values| values.len())).sum()
}

#[test]
fn every_number_type_reads_as_floats() {
    let folder = tempfile::tempdir().unwrap();
    let f16: Vec<u8> =
        [1.5f32, -2.0].iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect();
    let bf16: Vec<u8> =
        [1.5f32, -2.0].iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
    let f32s: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let f64s: Vec<u8> = [1.5f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let ints: Vec<u8> = [7i64, -9].iter().flat_map(|v| v.to_le_bytes()).collect();
    let views = [
        ("half", Stored::F16, &f16),
        ("brain", Stored::BF16, &bf16),
        ("single", Stored::F32, &f32s),
        ("double", Stored::F64, &f64s),
        ("whole", Stored::I64, &ints),
    ]
    .map(|(name, dtype, bytes)| (name, TensorView::new(dtype, vec![2], bytes).unwrap()));
    let checkpoint = open_bytes(folder.path(), &serialize(views, None).unwrap()).unwrap();
    assert_eq!(checkpoint.format(), Format::Safetensors);
    for name in ["half", "brain", "single", "double"] {
        assert_eq!(checkpoint.read_f32(name).unwrap(), [1.5, -2.0], "{name}");
    }
    assert_eq!(checkpoint.read_f32("whole").unwrap(), [7.0, -9.0]);
    assert!(matches!(checkpoint.read_f32("none"), Err(CheckpointError::Missing { .. })));
}

#[test]
fn int8_is_multiplied_by_the_scale_of_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<u8> = [1i8, -2, 3, 127].iter().map(|v| *v as u8).collect();
    let scales: Vec<u8> = [0.5f32, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let build = |scales: &[u8], count: usize| {
        let views = [
            ("w", TensorView::new(Stored::I8, vec![2, 2], &values).unwrap()),
            ("w.scale", TensorView::new(Stored::F32, vec![count], scales).unwrap()),
        ];
        serialize(views, None).unwrap()
    };
    let checkpoint = open_bytes(folder.path(), &build(&scales, 2)).unwrap();
    assert_eq!(checkpoint.len(), 1, "the scale is part of its tensor");
    assert_eq!(checkpoint.tensors().next().unwrap().1.dtype, Dtype::I8);
    assert_eq!(checkpoint.read_f32("w").unwrap(), [0.5, -1.0, 6.0, 254.0]);
    let wrong = open_bytes(folder.path(), &build(&scales[..4], 1)).unwrap_err();
    assert!(wrong.to_string().contains("scale of 'w'"), "{wrong}");
}

#[test]
fn wrappers_and_prefixes_of_training_scripts_disappear() {
    let plain = Checkpoint::open(&fixture("RealESRGAN_x4plus.pth")).unwrap();
    assert_eq!(plain.format(), Format::PyTorch);
    let shapes = plain.shapes();
    assert_eq!(shapes["conv_first.weight"], [4, 3, 3, 3]);
    for file in ["data-parallel.pth", "legacy.pth", "ema-beside-raw.pth"] {
        let other = Checkpoint::open(&fixture(file)).unwrap();
        assert_eq!(other.shapes(), shapes, "{file}");
        for name in shapes.keys() {
            assert_eq!(other.read_f32(name).unwrap(), plain.read_f32(name).unwrap(), "{file}");
        }
    }
    // The raw weights beside the averaged ones are all zero in that file: not those were read.
    let first = plain.read_f32("conv_first.weight").unwrap();
    assert!(first.iter().any(|value| *value != 0.0));
}

/// Made by `torch.save({"w": …}, "<21 × a>.pth")`.
#[test]
fn an_archive_with_a_name_of_21_characters_opens() {
    let checkpoint = Checkpoint::open(&fixture("name-of-21.pth")).unwrap();
    assert_eq!(checkpoint.shapes()["w"], [2, 3]);
    assert_eq!(checkpoint.read_f32("w").unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn each_wrapper_key_is_stripped_and_what_lies_beside_it_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |value: f32| value.to_le_bytes().to_vec();
    let open = |names: &[&str]| {
        let values: Vec<Vec<u8>> = (0..names.len()).map(|n| bytes(n as f32)).collect();
        let views = names.iter().zip(&values);
        let views =
            views.map(|(name, v)| (*name, TensorView::new(Stored::F32, vec![1], v).unwrap()));
        open_bytes(folder.path(), &serialize(views, None).unwrap()).unwrap()
    };
    for key in [
        "params_ema",
        "g_ema",
        "params",
        "model_state",
        "model_state_dict",
        "netG_state_dict",
        "netG",
        "state_dict",
        "model",
        "module",
        "generator",
        "state_dict.params_ema",
        "model.module",
    ] {
        let checkpoint = open(&[&format!("{key}.conv.weight")]);
        assert_eq!(checkpoint.read_f32("conv.weight").unwrap(), [0.0], "{key}");
        assert_eq!(checkpoint.len(), 1, "{key}");
    }
    // Averaged weights win over raw ones, and the discriminator beside them goes.
    for (names, expected) in [
        (&["params.w", "params_ema.w"][..], 1.0),
        (&["d.w", "g.w", "g_ema.w"][..], 2.0),
        (&["optimizer.w", "state_dict.w"][..], 1.0),
        (&["netD.w", "netG.w", "optG.w"][..], 1.0),
        (&["discriminator.w", "generator.w"][..], 1.0),
    ] {
        let checkpoint = open(names);
        assert_eq!((checkpoint.len(), checkpoint.read_f32("w").unwrap()), (1, vec![expected]));
    }
    // Layers of a sequential network called `model` are no wrapper.
    assert_eq!(open(&["model.0.weight"]).shapes().keys().collect::<Vec<_>>(), ["model.0.weight"]);
    assert_eq!(open(&["module.w", "w"]).len(), 2, "only some names have the prefix");
    // A network may have a part that is called generator.
    assert_eq!(open(&["embeddings.w", "generator.w"]).len(), 2);
}

#[test]
fn a_number_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = [1.0f32, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = [("w", TensorView::new(Stored::F32, vec![2], &bytes).unwrap())];
    let checkpoint = open_bytes(folder.path(), &serialize(view, None).unwrap()).unwrap();
    assert!(checkpoint.read_f32("w").unwrap_err().to_string().contains("'w'"));
}

#[test]
fn every_prefix_of_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tiny-dcgan.pth", "tiny-x1-bf16.safetensors", "legacy.pth"] {
        let bytes = fs::read(fixture(name)).unwrap();
        assert!(open_bytes(folder.path(), &bytes).is_ok(), "{name} whole");
        // Every length near the structures, then in steps through the data.
        let lengths = (0..600).chain((600..bytes.len()).step_by(97)).filter(|n| *n < bytes.len());
        for length in lengths {
            let opened = open_bytes(folder.path(), &bytes[..length]);
            assert!(opened.is_err(), "{name} cut at {length}");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for name in ["tiny-dcgan.pth", "tiny-x1-bf16.safetensors", "legacy.pth"] {
        let bytes = fs::read(fixture(name)).unwrap();
        for _ in 0..300 {
            let mut bytes = bytes.clone();
            // Near the front or anywhere: headers are small, and they are what matters.
            let range = if random() % 2 == 0 { bytes.len().min(2000) } else { bytes.len() };
            for _ in 0..1 + random() % 3 {
                bytes[random() % range] = random() as u8;
            }
            if let Ok(checkpoint) = open_bytes(folder.path(), &bytes) {
                let _ = read_all(&checkpoint);
            }
        }
    }
}

fn safetensors_with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn absurd_claims_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let huge = r#"{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#;
    let empty = r#"{"w":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#;
    let rank = r#"{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#;
    let overlap = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#;
    let float8 = r#"{"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#;
    let cases: [(&str, Vec<u8>); 9] = [
        ("huge", safetensors_with_header(huge, 4)),
        ("rank", safetensors_with_header(rank, 4)),
        ("overlap", safetensors_with_header(overlap, 6)),
        ("float8", safetensors_with_header(float8, 4)),
        ("short of data", safetensors_with_header(huge, 0)),
        ("no tensors", safetensors_with_header("{}", 0)),
        ("header beyond the file", [&u64::to_le_bytes(1 << 20)[..], b"{}"].concat()),
        ("a header of gigabytes", [&u64::to_le_bytes(5 << 30)[..], b"{}"].concat()),
        ("text", b"not a checkpoint at all".to_vec()),
    ];
    for (what, bytes) in cases {
        let error = open_bytes(folder.path(), &bytes).expect_err(what).to_string();
        assert!(error.contains("checkpoint") && error.lines().count() == 1, "{what}: {error}");
    }
    // An empty tensor with an absurd side costs nothing and breaks nothing.
    if let Ok(checkpoint) = open_bytes(folder.path(), &safetensors_with_header(empty, 0)) {
        assert_eq!(read_all(&checkpoint).unwrap(), 0);
    }
    assert!(matches!(open_bytes(folder.path(), b""), Err(CheckpointError::UnknownFormat { .. })));
    assert!(matches!(Checkpoint::open(folder.path()), Err(CheckpointError::Io { .. })));
}

#[test]
fn a_pickle_that_would_run_a_command_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let command = format!("touch {}", marker.display());
    // `os.system(command)`, as an attacker writes it.
    let mut pickle = b"\x80\x02cposix\nsystem\nX".to_vec();
    pickle.extend((command.len() as u32).to_le_bytes());
    pickle.extend(command.as_bytes());
    pickle.extend(b"\x85R.");
    assert!(open_bytes(folder.path(), &pickle).is_err());
    assert!(!marker.exists());
}
