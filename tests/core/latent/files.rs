//! Code and direction files: exact round trips, and hostile ones.

use std::collections::HashMap;

use ganvas::latent::random::{SplitMix64, normal_latent};
use ganvas::latent::{
    Code, Direction, DirectionSet, LatentError, MAX_CODE_FILE_BYTES, Noise, Pca, Rows, Unit,
};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{MODEL, code, direction};

fn full_code() -> Code {
    let mut code = code(1, 6, 8).with_z(normal_latent(2, 8, 1.0)).unwrap();
    code.class = Some(207);
    code.noise = Noise::Random(u64::MAX);
    code
}

fn set() -> DirectionSet {
    let mut set = DirectionSet::new(8);
    let mut smile = direction("smile", 3, 8);
    (smile.rows, smile.unit, smile.range) = (Rows::new(2, 5), Unit::Sigma, 2.5);
    smile.provenance.model = Some(MODEL.into());
    smile.provenance.details = "twelve thumbs".into();
    set.add(smile).unwrap();
    let whole = normal_latent(4, 6 * 8, 1.0);
    set.add(Direction::new("whole", 8, whole, Default::default()).unwrap()).unwrap();
    set.set_pca(Pca::new(vec![0.5; 8], normal_latent(5, 16, 1.0), vec![2.0, 1.0]).unwrap())
        .unwrap();
    set
}

#[test]
fn a_code_survives_its_file_and_json() {
    for code in [code(1, 6, 8), full_code()] {
        let bytes = code.to_file().unwrap();
        assert_eq!(Code::from_file(&bytes).unwrap(), code);
        assert_eq!(code.to_file().unwrap(), bytes, "the same code, the same bytes");
        let json = serde_json::to_value(&code).unwrap();
        assert_eq!(serde_json::from_value::<Code>(json).unwrap(), code);
    }
    // 12 rows of 256 numbers, as a layer's recipe holds them.
    let text = serde_json::to_string(&self::code(1, 12, 256)).unwrap();
    assert!(text.len() < 17_000, "{}", text.len());
}

#[test]
fn others_can_read_a_code_file() {
    let bytes = full_code().to_file().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("w").unwrap().shape(), [6, 8]);
    assert_eq!(file.tensor("z").unwrap().shape(), [8]);
    assert_eq!(file.tensor("w").unwrap().dtype(), Dtype::F32);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let about = &header.metadata().as_ref().unwrap()["ganvas"];
    let about: serde_json::Value = serde_json::from_str(about).unwrap();
    assert_eq!(about["model_sha256"], MODEL);
}

#[test]
fn a_set_survives_its_file() {
    let set = set();
    let bytes = set.to_file().unwrap();
    assert!(DirectionSet::looks_like(&bytes[..100]));
    assert_eq!(DirectionSet::from_file(&bytes).unwrap(), set);
    assert_eq!(set.to_file().unwrap(), bytes);
    assert!(DirectionSet::from_file(&full_code().to_file().unwrap()).is_err());
    assert!(Code::from_file(&bytes).is_err());
}

#[test]
fn a_set_has_each_name_once_and_one_w() {
    let mut set = set();
    assert!(matches!(set.add(direction("whole", 9, 8)), Err(LatentError::Twice(_))));
    assert!(set.add(direction("narrow", 9, 7)).is_err());
    assert!(set.set_pca(Pca::new(vec![0.0; 7], Vec::new(), Vec::new()).unwrap()).is_err());
    assert!(matches!(set.get("age"), Err(LatentError::Unknown(_))));
    assert_eq!(set.remove("whole").unwrap().name(), "whole");
    assert!(set.remove("whole").is_none());
    for name in ["", " a", "a,b", "a=b", "a\nb", &"x".repeat(81)] {
        assert!(Direction::new(name, 2, vec![1.0; 2], Default::default()).is_err(), "{name}");
    }
    assert!(Direction::new("zero", 2, vec![0.0; 2], Default::default()).is_err());
    assert!(Direction::new("odd", 2, vec![1.0; 3], Default::default()).is_err());
    assert!(Direction::new("wild", 1, vec![f32::INFINITY], Default::default()).is_err());
}

#[test]
fn no_prefix_and_no_flipped_byte_panics() {
    let mut random = SplitMix64::new(3);
    for bytes in [full_code().to_file().unwrap(), set().to_file().unwrap()] {
        for end in 0..bytes.len() {
            assert!(Code::from_file(&bytes[..end]).is_err());
            assert!(DirectionSet::from_file(&bytes[..end]).is_err());
        }
        let mut read = 0;
        for _ in 0..4000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] = random.bits() as u8;
            }
            if let Ok(code) = Code::from_file(&bytes) {
                assert!(code.w().iter().all(|value| value.is_finite()));
                read += 1;
            }
            read += usize::from(DirectionSet::from_file(&bytes).is_ok());
        }
        assert!(read > 0, "a changed number is still a number");
    }
}

/// A code file by another hand.
fn forged(w: &[f32], shape: &[usize], about: &str, dtype: Dtype, extra: Option<&str>) -> Vec<u8> {
    let bytes: Vec<u8> = w.iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = || TensorView::new(dtype, shape.to_vec(), &bytes).unwrap();
    let names = ["w"].into_iter().chain(extra);
    let metadata = HashMap::from([("ganvas".to_owned(), about.to_owned())]);
    serialize(names.map(|name| (name, view())), Some(metadata)).unwrap()
}

#[test]
fn forged_code_files_are_refused_with_a_reason() {
    let about = format!("{{\"model_sha256\":\"{MODEL}\"}}");
    let w = [0.5f32; 12];
    let good = forged(&w, &[3, 4], &about, Dtype::F32, None);
    assert_eq!(Code::from_file(&good).unwrap().rows(), 3);
    let reason = |bytes: &[u8]| Code::from_file(bytes).unwrap_err().to_string();
    let cases: [(Vec<u8>, &str); 9] = [
        (forged(&w, &[12], &about, Dtype::F32, None), "shape"),
        (forged(&w, &[3, 4], &about, Dtype::F32, Some("x")), "unknown tensor 'x'"),
        (forged(&w, &[3, 4], &about, Dtype::I32, None), "I32"),
        (forged(&w, &[3, 4], "{}", Dtype::F32, None), "model_sha256"),
        (forged(&w, &[3, 4], "[", Dtype::F32, None), "latent code"),
        (forged(&w, &[3, 4], "{\"model_sha256\":\"ab\"}", Dtype::F32, None), "SHA-256"),
        (forged(&[f32::NAN; 12], &[3, 4], &about, Dtype::F32, None), "finite"),
        (forged(&[], &[0, 4], &about, Dtype::F32, None), "out of bounds"),
        (forged(&[0.0; 130], &[65, 2], &about, Dtype::F32, None), "out of bounds"),
    ];
    for (bytes, want) in &cases {
        assert!(reason(bytes).contains(want), "{} lacks {want}", reason(bytes));
    }
    assert!(reason(&vec![0; MAX_CODE_FILE_BYTES + 1]).contains("more than one may have"));
    // A header that promises more than the machine has.
    let mut huge = good;
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(Code::from_file(&huge).is_err());
}
