//! Networks that read faces: their files, what searches make of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::infer::Device;
use ganvas::infer::aids::Aids;
use ganvas::infer::identity::Identity;
use ganvas::infer::invert::{Invert, Inverted};
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Event, ModelRef, Task};
use ganvas::latent::invert::{Options, Term};
use ganvas::nets::{Average, GradualStyleEncoder, IrSe, IrStage, IrTrunk, Planes, PortraitEncoder};
use ganvas::pixels::PixelBuf;
use ganvas::portrait::Template;
use ganvas::zoo::{
    Beside, Library, Manifest, Purpose, Shapes, Spec, detect, file_sha256, open_network,
};
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::inverting::{Store, failure, run};
use crate::readers::{self, gradual_style, ir_se, portrait, tiny_portrait};
use crate::recorded::{root, shipped};
use crate::sampled::{parameter, planes, recipe};

/// Fifty layers, as `model_ir_se50.pth` has them.
fn fifty_layers() -> IrTrunk {
    let stages = [(64, 3), (128, 4), (256, 14), (512, 3)];
    let stages = stages.map(|(width, units)| IrStage { width, units });
    IrTrunk { first: 64, stages: stages.to_vec() }
}

/// What the official files hold.
#[test]
fn the_published_files_are_recognised() {
    let identity = IrSe { trunk: fifty_layers(), side: 112, size: 512 };
    let found = detect(&ir_se(&identity)).unwrap();
    assert_eq!(found.spec, Spec::IrSe(identity));
    assert_eq!(found.spec.capability().purpose, Purpose::Identity);
    for average in [Average::None, Average::Row, Average::Rows] {
        let psp = GradualStyleEncoder { trunk: fifty_layers(), rows: 18, side: 256, average };
        let found = detect(&gradual_style(&psp)).unwrap();
        assert_eq!(found.spec, Spec::GradualStyleEncoder(psp));
        assert_eq!(found.spec.capability().purpose, Purpose::Encode);
    }
    let own = PortraitEncoder {
        widths: [48, 64, 128, 256, 192],
        heads: [16, 32, 64],
        hidden: 256,
        rows: 12,
        dim: 256,
    };
    let shapes = portrait(&own);
    let numbers: usize = shapes.values().map(|shape| shape.iter().product::<usize>()).sum();
    assert!((4.8e6..4.9e6).contains(&(numbers as f64)), "{numbers}");
    assert_eq!((own.side(), detect(&shapes).unwrap().spec), (128, Spec::PortraitEncoder(own)));
}

#[test]
fn what_is_missing_or_of_another_width_is_named() {
    let small = tiny_portrait(7);
    let cases: [(Shapes, &str, &str, Option<Vec<usize>>); 4] = [
        (portrait(&small), "portrait encoder", "trunk.s2.1.scale", None),
        (portrait(&small), "portrait encoder", "fc1.weight", Some(vec![9, 143])),
        (
            ir_se(&IrSe { trunk: fifty_layers(), side: 112, size: 512 }),
            "IR-SE descriptor",
            "body.7.res_layer.5.fc1.weight",
            None,
        ),
        (
            gradual_style(&GradualStyleEncoder {
                trunk: fifty_layers(),
                rows: 18,
                side: 256,
                average: Average::Rows,
            }),
            "pSp encoder",
            "encoder.styles.17.convs.10.bias",
            Some(vec![511]),
        ),
    ];
    for (mut shapes, architecture, name, shape) in cases {
        shapes.remove(name).unwrap();
        shapes.extend(shape.map(|shape| (name.to_owned(), shape)));
        let error = detect(&shapes).unwrap_err();
        assert_eq!(error.attempts[0].architecture, architecture, "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// The gradient of the likeness, by differences, for both ways in which faces lie.
#[test]
fn the_slope_of_likeness_is_that_of_its_number() {
    let [network, ..] = &readers::computed()[..] else { panic!() };
    let spec = network.spec.clone();
    let shapes = spec.tensors();
    for (template, side) in [(Template::Ffhq, 96), (Template::Portrait, 64)] {
        let mut source = |name: &str| Ok(parameter(name, &shapes[name]));
        let [target, picture] =
            ["target", "picture"].map(|name| planes(name, [3, side, side], |u| u));
        // The left quarter does not count.
        let weights: Vec<f32> =
            (0..side * side).map(|at| f32::from(at % side >= side / 4)).collect();
        let identity = Identity::new(&spec, &mut source).unwrap();
        let mut toward = identity.toward(target.clone(), weights, template);
        assert!(toward.measure(&target).0.abs() < 1e-6);
        let (loss, slope) = toward.measure(&picture);
        assert!(loss > 1e-3, "{loss}");
        let along: Vec<f64> = recipe("along", picture.data.len());
        let mut moved = |step: f64| {
            let pairs = picture.data.iter().zip(&along);
            let data = pairs.map(|(x, along)| x + (step * along) as f32).collect();
            toward.measure(&Planes { data, ..picture }).0
        };
        let measured = (moved(4e-3) - moved(-4e-3)) / 8e-3;
        let told: f64 = slope.data.iter().zip(&along).map(|(s, a)| f64::from(*s) * a).sum();
        let size = slope.data.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>().sqrt();
        println!("{template:?}: {measured} {told}, of {size}");
        assert!((measured - told).abs() < 0.03 * size, "{measured} {told} {size}");
        assert!(
            size > 1e-4
                && slope.data.chunks(side).all(|row| row[..side / 4] == vec![0.0; side / 4])
        );
    }
    let wrong = Spec::PortraitEncoder(tiny_portrait(7));
    let error = Identity::new(&wrong, &mut |_| Ok(Vec::new())).err().unwrap();
    assert!(error.contains("portrait encoder describes no faces"), "{error}");
}

/// An encoder that answers with one row whatever it sees.
fn write_constant(path: &Path, row: &[f32]) {
    let shapes = portrait(&tiny_portrait(row.len()));
    let stored: Vec<(&String, &Vec<usize>, Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let numbers = match name.as_str() {
                "w_avg" => row.to_vec(),
                "w_std" => vec![0.0; row.len()],
                _ => parameter(name, shape),
            };
            (name, shape, numbers.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, (*shape).clone(), bytes).unwrap())
    });
    fs::write(path, serialize(views, None).unwrap()).unwrap();
}

fn invert(library: &Library, image: &PixelBuf, aids: Aids) -> Result<Inverted, String> {
    let task = Invert {
        image: Arc::new(image.clone()),
        profile: WorkingProfile::srgb(),
        mask: None,
        aids,
        model: ModelRef::Id("portrait-64".into()),
        start: None,
        options: Options { steps: 1, picture_every: 0, ..Options::default() },
    };
    let store = ModelStore::new(library.clone(), Device::flex());
    let events = run(store, Task::Invert(task), None);
    match events.last() {
        Some(Event::Finished { output, .. }) => Ok(output.inverted.clone().unwrap()),
        _ => Err(failure(&events).to_owned()),
    }
}

/// The manifest of the shipped generator of faces, without its encoder.
fn bare_manifest() -> Manifest {
    let path = shipped("portrait-64").with_file_name("model.toml");
    let manifest = Manifest::parse(&fs::read_to_string(path).unwrap(), "portrait-64").unwrap();
    Manifest { encoder: None, ..manifest }
}

/// A library with that generator alone, and room for what is imported.
fn bare_library(folder: &Path) -> Library {
    let bundled = folder.join("bundled");
    let own = bundled.join("portrait-64");
    fs::create_dir_all(&own).unwrap();
    fs::copy(shipped("portrait-64"), own.join("weights.safetensors")).unwrap();
    fs::write(own.join("model.toml"), bare_manifest().to_toml().unwrap()).unwrap();
    Library::of(Some(bundled), Some(folder.join("own")))
}

#[test]
fn a_search_starts_where_an_encoder_says_and_sees_with_its_trunk() {
    let folder = tempfile::tempdir().unwrap();
    let (code, picture) = Store::new(&shipped("portrait-64")).seed(5, 0.8);
    let file = folder.path().join("reader.safetensors");
    write_constant(&file, &code.w()[..code.dim()]);
    let library = bare_library(folder.path());
    let model = ModelRef::Id("portrait-64".into());
    assert_eq!(Aids::installed(&library, &model), Aids::default());
    library.import(&file).unwrap();
    let aids = Aids::installed(&library, &model);
    let reader = Some(ModelRef::Id("reader".into()));
    assert_eq!((&aids.encoder, &aids.judge, &aids.identity), (&reader, &reader, &None));
    let plain = invert(&library, &picture, Aids::default()).unwrap();
    let helped = invert(&library, &picture, aids).unwrap();
    println!("{} dB, with an encoder {} dB", plain.fidelity_db, helped.fidelity_db);
    assert!(helped.fidelity_db > 40.0 && plain.fidelity_db < 30.0);
    assert_eq!((plain.perceptual, helped.identity), (None, None));
    assert!(helped.perceptual.unwrap() < 0.05);
    // What leads away from the picture is not followed.
    write_constant(&folder.path().join("wrong.safetensors"), &vec![9.0; code.dim()]);
    let wrong = Some(ModelRef::File(folder.path().join("wrong.safetensors")));
    let found = invert(&library, &picture, Aids { encoder: wrong, ..Aids::default() }).unwrap();
    assert_eq!(found.code.w(), plain.code.w());
    // For a generator with other codes it does not stand, and another network is none.
    let other = folder.path().join("other.safetensors");
    write_constant(&other, &[0.0; 7]);
    let refused = |encoder: ModelRef| {
        let aids = Aids { encoder: Some(encoder), ..Aids::default() };
        invert(&library, &picture, aids).unwrap_err()
    };
    assert!(refused(ModelRef::File(other)).contains("reads codes of 70 numbers"));
    assert!(refused(model).contains("reads no codes"));
}

#[test]
fn the_shipped_encoder_reads_faces_at_a_glance() {
    let library = Library::of(Some(root().join("models")), None);
    let aids = Aids::installed(&library, &ModelRef::Id("portrait-64".into()));
    let file = shipped("portrait-64").with_file_name("encoder.safetensors");
    assert_eq!(aids.encoder, Some(ModelRef::File(file)));
    let mut store = Store::new(&shipped("portrait-64"));
    for seed in 1..4 {
        let (_, picture) = store.seed(seed, 0.7);
        let [helped, plain] =
            [aids.clone(), Aids::default()].map(|aids| invert(&library, &picture, aids).unwrap());
        println!("{} dB, with the encoder {} dB", plain.fidelity_db, helped.fidelity_db);
        assert!(helped.fidelity_db > 24.0 && helped.fidelity_db > plain.fidelity_db + 4.0);
    }
}

#[test]
fn an_encoder_comes_with_its_generator() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own-portraits");
    fs::create_dir(&own).unwrap();
    let weights = shipped("portrait-64");
    fs::copy(&weights, own.join("weights.safetensors")).unwrap();
    let encoder: PathBuf = own.join("encoder.safetensors");
    let (_, detected) = open_network(&weights).unwrap();
    let dim = detected.spec.blueprint().unwrap().space.w_dim;
    write_constant(&encoder, &vec![0.5; dim]);
    let manifest = Manifest { id: "own-portraits".into(), ..bare_manifest() };
    let write = |sha256: String, file: &str| {
        let encoder = Some(Beside { file: file.into(), sha256 });
        let manifest = Manifest { encoder, ..manifest.clone() };
        fs::write(own.join("model.toml"), manifest.to_toml().unwrap()).unwrap();
    };
    let library = Library::of(Some(folder.path().to_path_buf()), None);
    let aids = || Aids::installed(&library, &ModelRef::Id("own-portraits".into()));
    write(file_sha256(&encoder).unwrap(), "encoder.safetensors");
    assert_eq!(aids().encoder, Some(ModelRef::File(encoder)));
    write("0".repeat(64), "encoder.safetensors");
    assert_eq!(aids().encoder, None);
    assert!(library.find("own-portraits").unwrap().encoder().is_err());
    write("0".repeat(64), "../encoder.safetensors");
    let fault = library.find("own-portraits").unwrap_err().to_string();
    assert!(fault.contains("encoder '../encoder.safetensors' is not a plain file name"), "{fault}");
}
