//! Directions in the files of others.

use std::path::{Path, PathBuf};

use ganvas::checkpoint::{Checkpoint, Format};
use ganvas::latent::{DirectionSet, LatentError, Rows, Unit, import};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{MODEL, assert_near};

fn write(folder: &Path, tensors: &[(&str, &[usize], Vec<f32>)]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| {
            (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
        })
        .collect::<Vec<_>>();
    let path = folder.join("file.safetensors");
    std::fs::write(&path, serialize(views, None).unwrap()).unwrap();
    path
}

fn open(path: &Path, rows: usize, dim: usize) -> Result<DirectionSet, LatentError> {
    import(&Checkpoint::open(path).unwrap(), "mine", (rows, dim), Some(MODEL), None)
}

fn names(set: &DirectionSet) -> Vec<&str> {
    set.directions().iter().map(|direction| direction.name()).collect()
}

#[test]
fn the_trainers_directions_come_with_layers_sigma_and_spread() {
    let folder = tempfile::tempdir().unwrap();
    let range = |from: u32, count: u32| (from..from + count).map(|v| v as f32).collect();
    let path = write(
        folder.path(),
        &[
            ("attr.gender", &[4], range(1, 4)),
            ("attr.smile", &[4], range(5, 4)),
            ("pca", &[2, 4], range(1, 8)),
            ("sefa", &[2, 4], range(9, 8)),
            ("pca_sigma", &[2], range(1, 2)),
            ("pca_vectors", &[2, 4], range(0, 8)),
            ("w_avg", &[4], range(0, 4)),
            ("w_mean", &[4], range(3, 4)),
            ("w_std", &[4], range(1, 4)),
        ],
    );
    let notes = r#"{"attributes": {"smile": {"text": "smiling (+) / serious (-)", "w_length": 2.0,
        "suggested_layers": [4, 8]}}, "format": "portrait-directions-v1"}"#;
    let file = Checkpoint::open(&path).unwrap();
    let set = import(&file, "file", (12, 4), Some(MODEL), Some(notes)).unwrap();
    assert_eq!(names(&set), ["masculine", "smile", "pca 1", "pca 2", "sefa 1", "sefa 2"]);
    let smile = set.get("smile").unwrap();
    assert_eq!((smile.rows, smile.unit), (Rows::new(4, 8), Unit::Sigma));
    assert_eq!(smile.vector(), [5.0, 6.0, 7.0, 8.0]);
    assert_eq!(smile.provenance.details, "smiling (+) / serious (-)");
    assert_eq!(smile.provenance.model.as_deref(), Some(MODEL));
    assert_eq!(set.get("masculine").unwrap().rows, Rows::ALL);
    assert_eq!(set.get("sefa 2").unwrap().vector(), [13.0, 14.0, 15.0, 16.0]);
    let pca = set.pca().unwrap();
    assert_near(pca.mean(), &[3.0, 4.0, 5.0, 6.0], 0.0);
    assert_near(pca.sigma(), &[1.0, 2.0], 0.0);
    assert!(import(&file, "file", (12, 4), None, Some("{")).is_err());
    assert!(import(&file, "file", (12, 5), None, None).is_err());
}

#[test]
fn a_pytorch_file_of_boundaries_is_read() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/directions/boundaries.pt");
    let set = open(&path, 3, 8).unwrap();
    assert_eq!(names(&set), ["age", "smile"]);
    let smile = set.get("smile").unwrap();
    assert_near(smile.vector(), &[-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5], 0.0);
    assert_eq!((smile.unit, smile.provenance.method.as_str()), (Unit::Vector, "import"));
    assert_eq!(smile.provenance.details, "boundaries.pt");
    assert_eq!(set.get("age").unwrap().vector(), [0.5; 24]);
    // For two rows, three vectors are three directions.
    assert_eq!(names(&open(&path, 2, 8).unwrap()), ["age 1", "age 2", "age 3", "smile"]);
}

#[test]
fn shapes_tell_one_direction_from_several() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &'static str, shape: &'static [usize]| {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|value| value as f32 + 1.0).collect();
        open(&write(folder.path(), &[(name, shape, values)]), 3, 4)
    };
    assert_eq!(names(&read("a", &[4]).unwrap()), ["mine"]);
    assert_eq!(names(&read("a", &[1, 4]).unwrap()), ["mine"]);
    assert_eq!(read("a", &[3, 4]).unwrap().get("mine").unwrap().vector().len(), 12);
    assert_eq!(names(&read("a", &[2, 4]).unwrap()), ["mine 1", "mine 2"]);
    assert_eq!(names(&read("a", &[2, 1, 4]).unwrap()), ["mine 1", "mine 2"]);
    let whole = read("a", &[2, 3, 4]).unwrap();
    assert_eq!(whole.get("mine 2").unwrap().vector()[0], 13.0);
    // Closed-form factors stand in columns.
    let factors = read("eigvec", &[4, 2]).unwrap();
    assert_eq!(factors.get("mine 2").unwrap().vector(), [2.0, 4.0, 6.0, 8.0]);
    for shape in [&[5][..], &[4, 5], &[2, 2, 4], &[]] {
        let shape: &'static [usize] = Box::leak(shape.to_vec().into_boxed_slice());
        let error = read("a", shape).unwrap_err().to_string();
        assert!(error.contains("codes have 3×4"), "{error}");
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/directions").join(name)
}

/// What `numpy.save` wrote: `arange(24).reshape(2, 3, 4) / 8 - 1` and parts of it.
#[test]
fn numpys_arrays_are_read_in_every_layout() {
    let array = Checkpoint::open(&fixture("columns-first-f8.npy")).unwrap();
    assert_eq!(
        (array.format(), array.shapes()["array"].as_slice()),
        (Format::NumPy, &[2, 3, 4][..])
    );
    let want: Vec<f32> = (0..24).map(|v| v as f32 / 8.0 - 1.0).collect();
    assert_eq!(array.read_f32("array").unwrap(), want);
    let array = Checkpoint::open(&fixture("big-endian-f4.npy")).unwrap();
    assert_eq!(array.shapes()["array"], [2, 4]);
    assert_eq!(array.read_f32("array").unwrap(), [&want[..4], &want[12..16]].concat());
    let array = Checkpoint::open(&fixture("version-2-f4.npy")).unwrap();
    assert_eq!(array.shapes()["array"], [1, 4]);
    assert_eq!(array.read_f32("array").unwrap(), want[..4]);
    assert_eq!(names(&open(&fixture("version-2-f4.npy"), 3, 4).unwrap()), ["mine"]);
}

#[test]
fn arrays_of_objects_and_damaged_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let open = |header: &str, data: usize| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes().chain(std::iter::repeat_n(0, data)));
        std::fs::write(&path, bytes).unwrap();
        Checkpoint::open(&path)
    };
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }    \n";
    assert_eq!(open(good, 8).unwrap().read_f32("array").unwrap(), [0.0; 2]);
    assert!(open("{'shape':(2,),'fortran_order':True,\"descr\":'>f8'}", 16).is_ok());
    let cases = [
        (good.replace("<f4", "|O"), 8, "'|O'"),
        (good.replace("<f4", "<i8"), 16, "'<i8'"),
        (good.to_owned(), 7, "no array"),
        (good.to_owned(), 12, "no array"),
        (good.replace("1, 2", "-1, 2"), 8, "description"),
        (good.replace("1, 2", "99999999999, 99999999999"), 8, "no array"),
        (good.replace("'shape': (1, 2), ", ""), 8, "description"),
        (good.replace("}", "'descr': '<f4'}"), 8, "description"),
        (good.replace("}", "'more': 1}"), 8, "description"),
        (good.replace("False", "0"), 8, "description"),
        (good.replace(", 'shape'", " 'shape'"), 8, "description"),
        ("{".repeat(3000), 8, "description"),
        ("x".repeat(5000), 8, "5000 bytes"),
    ];
    for (header, data, want) in cases {
        let error = open(&header, data).unwrap_err().to_string();
        assert!(error.contains(want), "{header}: {error}");
    }
    let bytes = std::fs::read(fixture("columns-first-f8.npy")).unwrap();
    for end in 0..bytes.len() {
        std::fs::write(&path, &bytes[..end]).unwrap();
        assert!(Checkpoint::open(&path).is_err());
    }
}
