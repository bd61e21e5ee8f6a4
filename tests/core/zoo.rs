//! Detection from names and shapes, manifests and the library.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ganvas::checkpoint::Checkpoint;
use ganvas::nets::cpu::Processor;
use ganvas::nets::{
    AlexNet, Backbone, Dcgan, DeepLab, DeepLabPlus, DnCnn, FfdNet, Fire, Inception, Lama, Migan,
    Mobile, MobileBlock, MobileV2, MultiStyle, Norm, Planes, PlusBackbone, Resnet, ResnetGenerator,
    RrdbNet, SqueezeNet, Srvgg, StyleGan2, StylePredictor, StyleTransformer, Synthesis, Unet,
    UnetGenerator, Vgg, ZeroDce, ZeroDceVariant,
};
use ganvas::zoo::{
    Library, LibraryError, Manifest, Shapes, Spec, detect, file_sha256, open_network,
};
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::checkpoint::fixture;

fn lists() -> BTreeMap<String, Shapes> {
    let text = fs::read_to_string(fixture("names-and-shapes.json")).unwrap();
    let lists: BTreeMap<String, Shapes> = serde_json::from_str(&text).unwrap();
    assert!(lists.len() >= 23);
    lists
}

fn esrgan(blocks: usize, unshuffle: usize) -> Spec {
    Spec::RrdbNet(RrdbNet {
        channels: 3,
        features: 64,
        growth: 32,
        blocks,
        doublings: 2,
        unshuffle,
    })
}

/// MobileNetV3-large as published: channels while expanded, squeezed and after each block.
fn mobile_large() -> Mobile {
    let blocks = [
        (16, 0, 16),
        (64, 0, 24),
        (72, 0, 24),
        (72, 24, 40),
        (120, 32, 40),
        (120, 32, 40),
        (240, 0, 80),
        (200, 0, 80),
        (184, 0, 80),
        (184, 0, 80),
        (480, 120, 112),
        (672, 168, 112),
        (672, 168, 160),
        (960, 240, 160),
        (960, 240, 160),
    ];
    let block = |(expanded, squeezed, out)| MobileBlock { expanded, squeezed, out };
    Mobile { first: 16, blocks: blocks.map(block).to_vec(), last: 960 }
}

/// What each list of names and shapes is; every other one is no network that is known.
fn known(name: &str) -> Option<Spec> {
    let srvgg =
        |layers| Spec::Srvgg(Srvgg { channels: 3, features: 64, layers, shuffle: 4, scale: 4 });
    Some(match name {
        "RealESRGAN_x4plus" | "ESRGAN-RRDB_trunk" | "ESRGAN-old-arch" => esrgan(23, 1),
        "LaMa-big-generator" => {
            Spec::Lama(Lama { features: 64, downs: 3, blocks: 18, global: 384 })
        }
        "torchvision-deeplabv3_mobilenet_v3_large" => Spec::DeepLab(DeepLab {
            backbone: Backbone::Mobile(mobile_large()),
            features: 256,
            classes: 21,
        }),
        "torchvision-deeplabv3_resnet50" => Spec::DeepLab(DeepLab {
            backbone: Backbone::Resnet(Resnet { first: 64, width: 64, blocks: [3, 4, 6, 3] }),
            features: 256,
            classes: 21,
        }),
        "unet-milesial-bilinear" | "unet-milesial-transposed" => Spec::Unet(Unet {
            channels: 3,
            features: 64,
            classes: 2,
            bilinear: name.ends_with("bilinear"),
            biased: false,
        }),
        "RealESRGAN_x2plus" => esrgan(23, 2),
        "RealESRGAN_x4plus_anime_6B" => esrgan(6, 1),
        "realesr-animevideov3" => srvgg(16),
        "realesr-general-x4v3" => srvgg(32),
        "DCGAN-pytorch-tutorial-generator" => {
            Spec::Dcgan(Dcgan { latent: 100, channels: vec![512, 256, 128, 64, 3] })
        }
        "CycleGAN-resnet_9blocks" => Spec::ResnetGenerator(ResnetGenerator {
            channels_in: 3,
            channels_out: 3,
            features: 64,
            blocks: 9,
            norm: Norm { is_affine: false, is_biased: true },
            has_dropout: false,
        }),
        "stylegan2-ada-ffhq1024-G" => Spec::StyleGan2(stylegan2_ffhq()),
        // Whose mean lies beside this list.
        "stylegan2-rosinality-1024" => {
            Spec::StyleGan2(StyleGan2 { clamp: None, has_mean: false, ..stylegan2_ffhq() })
        }
        "inception-v3-fid-2015" => Spec::Inception(Inception { sixteen: 16, classes: 1008 }),
        "torchvision-inception_v3" => Spec::Inception(Inception { sixteen: 16, classes: 1000 }),
        "torchvision-alexnet" => Spec::AlexNet(AlexNet { widths: [64, 192, 384, 256, 256] }),
        "torchvision-squeezenet1_1" => Spec::SqueezeNet(squeeze_net()),
        "torchvision-vgg16" => Spec::Vgg(vgg([2, 2, 3, 3, 3])),
        "torchvision-vgg19" => Spec::Vgg(vgg([2, 2, 4, 4, 4])),
        _ => return None,
    })
}

/// Configuration F at 1024 pixels.
fn stylegan2_ffhq() -> StyleGan2 {
    StyleGan2 {
        z_dim: 512,
        w_dim: 512,
        classes: 0,
        mapping_layers: 8,
        mapping_rate: 0.01,
        channels: vec![512, 512, 512, 512, 512, 256, 128, 64, 32],
        synthesis: Synthesis::Skip,
        clamp: Some(256.0),
        has_mean: true,
    }
}

fn squeeze_net() -> SqueezeNet {
    let fire = |(squeezed, wide)| Fire { squeezed, one: wide, three: wide };
    let widths =
        [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)];
    SqueezeNet { first: 64, fires: widths.map(fire) }
}

fn vgg(layers: [usize; 5]) -> Vgg {
    let widths = [64, 128, 256, 512, 512];
    Vgg {
        blocks: layers.into_iter().zip(widths).map(|(count, width)| vec![width; count]).collect(),
    }
}

#[test]
fn each_list_is_recognised_as_its_architecture_and_no_other() {
    let tried = detect(&Shapes::new()).unwrap_err().attempts.len();
    assert!(tried >= 25);
    let mut recognised = 0;
    for (name, shapes) in lists() {
        match (detect(&shapes), known(&name)) {
            (Ok(found), Some(want)) => {
                assert_eq!(found.spec, want, "{name}");
                assert_eq!(found.names.len(), want.tensors().len(), "{name}");
                recognised += 1;
            }
            (Err(error), None) => assert_eq!(error.attempts.len(), tried, "{name}"),
            (found, want) => panic!("{name}: {found:?} instead of {want:?}"),
        }
    }
    assert_eq!(recognised, 22);
}

#[test]
fn hyperparameters_are_read_from_shapes() {
    let mut specs = Vec::new();
    for (features, growth, blocks, doublings, unshuffle) in
        [(16, 8, 1, 0, 1), (24, 4, 3, 1, 1), (8, 2, 2, 3, 1), (4, 2, 1, 2, 4), (4, 2, 12, 2, 2)]
    {
        let channels = 3;
        specs.push(Spec::RrdbNet(RrdbNet {
            channels,
            features,
            growth,
            blocks,
            doublings,
            unshuffle,
        }));
    }
    for (features, layers, scale) in [(4, 1, 2), (64, 32, 4), (24, 8, 1), (16, 3, 3)] {
        specs.push(Spec::Srvgg(Srvgg { channels: 3, features, layers, shuffle: scale, scale }));
    }
    for channels in [vec![8, 3], vec![64, 32, 16, 3], vec![512, 256, 128, 64, 32, 3]] {
        specs.push(Spec::Dcgan(Dcgan { latent: 20, channels }));
    }
    for (features, downs, blocks, global) in [(4, 3, 2, 24), (8, 2, 1, 16), (6, 1, 0, 0)] {
        specs.push(Spec::Lama(Lama { features, downs, blocks, global }));
    }
    for (bilinear, biased, classes) in [(true, false, 1), (false, true, 5)] {
        let (channels, features) = (4, 6);
        specs.push(Spec::Unet(Unet { channels, features, classes, bilinear, biased }));
    }
    // ResNet-101 behind the head for another number of classes.
    let resnet = Resnet { first: 64, width: 64, blocks: [3, 4, 23, 3] };
    let backbone = Backbone::Resnet(resnet);
    specs.push(Spec::DeepLab(DeepLab { backbone, features: 256, classes: 2 }));
    let resnet = Resnet { first: 64, width: 64, blocks: [3, 4, 6, 3] };
    let blocks = (1..=17).map(|n| [if n == 1 { 32 } else { 40 + n }, 8 + n]).collect();
    for backbone in
        [PlusBackbone::Resnet(resnet), PlusBackbone::Mobile(MobileV2 { first: 32, blocks })]
    {
        let network = DeepLabPlus { backbone, features: 256, fine: 48, classes: 21 };
        specs.push(Spec::DeepLabPlus(network));
    }
    for channels in [vec![4, 3], vec![512, 512, 512, 512, 256, 128, 64]] {
        specs.push(Spec::Migan(Migan { channels }));
    }
    for (channels, layers) in [(1, 15), (3, 12), (3, 2)] {
        specs.push(Spec::FfdNet(FfdNet { channels, features: 8, layers }));
        for (is_normed, is_biased) in [(false, true), (true, true), (true, false)] {
            let layers = layers + 1;
            let spec = DnCnn { channels, features: 8, layers, is_normed, is_biased };
            specs.push(Spec::DnCnn(spec));
        }
    }
    for variant in [ZeroDceVariant::Official, ZeroDceVariant::Neuro] {
        specs.push(Spec::ZeroDce(ZeroDce { features: 8, curves: 4, variant }));
    }
    let (contract, expand) = ([4, 6, 8], [5, 3]);
    specs.push(Spec::MultiStyle(MultiStyle { styles: 9, contract, blocks: 3, expand }));
    specs.push(Spec::StylePredictor(StylePredictor { numbers: 10 }));
    let painter = StyleTransformer { numbers: 10, contract, blocks: 2, expand };
    specs.push(Spec::StyleTransformer(painter));
    for (is_affine, is_biased) in [(false, true), (true, true), (true, false)] {
        let norm = Norm { is_affine, is_biased };
        for (blocks, has_dropout) in [(1, false), (6, true), (9, false), (9, true)] {
            specs.push(Spec::ResnetGenerator(ResnetGenerator {
                channels_in: 1,
                channels_out: 3,
                features: 8,
                blocks,
                norm,
                has_dropout,
            }));
        }
        for widths in [vec![8, 16], vec![4, 8, 16, 16, 16, 16, 16], vec![8; 8]] {
            let (channels_in, channels_out) = (3, 2);
            specs.push(Spec::UnetGenerator(UnetGenerator {
                channels_in,
                channels_out,
                widths,
                norm,
            }));
        }
    }
    specs.push(Spec::Vgg(Vgg { blocks: vec![vec![4], vec![6, 8], vec![7, 7, 7]] }));
    specs.push(Spec::Inception(Inception { sixteen: 2, classes: 7 }));
    specs.push(Spec::AlexNet(AlexNet { widths: [3, 5, 7, 4, 6] }));
    for spec in specs {
        assert_eq!(detect(&spec.tensors()).map(|found| found.spec), Ok(spec));
    }
}

#[test]
fn a_missing_tensor_is_named_with_the_nearest_name() {
    let mut shapes = esrgan(6, 1).tensors();
    let shape = shapes.remove("body.3.rdb2.conv1.bias").unwrap();
    let error = detect(&shapes).unwrap_err();
    assert_eq!(error.attempts[0].architecture, "RRDBNet");
    assert_eq!(error.attempts[0].missing, ["body.3.rdb2.conv1.bias"]);
    shapes.insert("body.3.rdb2.convl.bias".into(), shape);
    let text = detect(&shapes).unwrap_err().to_string();
    assert!(text.contains("lacks body.3.rdb2.conv1.bias"), "{text}");
    assert!(text.contains("did you mean its body.3.rdb2.convl.bias?"), "{text}");
    assert!(text.contains("tried RRDBNet") && text.contains("SRVGGNetCompact"), "{text}");
}

#[test]
fn the_nearest_is_the_one_that_knows_the_names() {
    for (name, nearest) in [
        ("conv_first.weight", "RRDBNet"),
        ("encoder.b8.conv1.conv1.bias", "MI-GAN"),
        ("classifier.4.weight", "DeepLabv3"),
    ] {
        let shapes = Shapes::from([(name.to_owned(), vec![1, 3, 1, 1])]);
        let error = detect(&shapes).unwrap_err();
        assert_eq!(error.attempts[0].architecture, nearest, "{name}");
    }
}

#[test]
fn one_tensor_too_many_or_of_another_shape_is_an_error() {
    let spec = Spec::Srvgg(Srvgg { channels: 3, features: 8, layers: 2, shuffle: 2, scale: 2 });
    let mut shapes = spec.tensors();
    shapes.insert("extra.weight".into(), vec![1]);
    assert!(detect(&shapes).unwrap_err().to_string().contains("also holds extra.weight"));
    let mut shapes = spec.tensors();
    shapes.insert("body.2.bias".into(), vec![9]);
    let text = detect(&shapes).unwrap_err().to_string();
    assert!(text.contains("body.2.bias has the shape [9] instead of [8]"), "{text}");
    // Counters of training may come along with batch norm, and only there.
    let mut shapes = Spec::Dcgan(Dcgan { latent: 4, channels: vec![4, 3] }).tensors();
    shapes.insert("main.1.num_batches_tracked".into(), vec![]);
    assert!(detect(&shapes).is_ok());
}

#[test]
fn absurd_shapes_do_not_disturb_detection() {
    let mut shapes = esrgan(1, 1).tensors();
    for value in [0, usize::MAX, 1 << 40] {
        for name in ["conv_first.weight", "conv_last.weight", "body.0.rdb1.conv1.weight"] {
            shapes.insert(name.into(), vec![value; 4]);
        }
        assert!(detect(&shapes).is_err());
    }
    assert!(detect(&Shapes::new()).unwrap_err().to_string().contains("fits none of"));
}

#[test]
fn the_three_namings_hold_the_same_network() {
    let official = Checkpoint::open(&fixture("RealESRGAN_x4plus.pth")).unwrap();
    for file in ["trunk-naming.pth", "old-naming.pth"] {
        let other = Checkpoint::open(&fixture(file)).unwrap();
        let found = detect(&other.shapes()).unwrap();
        assert_eq!(found.spec, detect(&official.shapes()).unwrap().spec);
        for (name, stored) in &found.names {
            let (a, b) = (official.read_f32(name).unwrap(), other.read_f32(stored).unwrap());
            assert_eq!(a, b, "{file}: {stored}");
        }
    }
}

#[test]
fn every_shipped_model_is_what_its_manifest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let library = Library::of(Some(folder.clone()), None);
    let (models, faults) = library.list();
    assert!(faults.is_empty(), "{faults:?}");
    let ids: Vec<_> = models.iter().map(|model| model.manifest.id.as_str()).collect();
    for id in [
        "arbitrary-style-predict",
        "arbitrary-style-transform",
        "dcgan-digiface-64",
        "ffdnet-color",
        "multistyle26",
        "portrait-64",
        "realesr-animevideov3-x4",
        "realesrgan-x4plus-anime",
        "realesrgan-x4plus-int8",
        "zero-dce-neuro",
    ] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    for model in &models {
        let (_, detected) = model.open().unwrap();
        let capability = detected.spec.capability();
        assert_eq!(detected.spec.architecture(), model.manifest.architecture);
        assert_eq!(
            (capability.purpose, capability.scale),
            (model.manifest.purpose, model.manifest.scale)
        );
        let id = &model.manifest.id;
        for file in ["LICENSE", "README.md"] {
            assert!(folder.join(id).join(file).is_file(), "{id} has no {file}");
        }
    }
    let faces = library.find("dcgan-digiface-64").unwrap();
    assert!(faces.manifest.warning.is_some_and(|text| text.contains("non-commercial")));
}

#[test]
fn importing_installs_a_model_that_opens() {
    let user = tempfile::tempdir().unwrap();
    let library = Library::of(None, Some(user.path().join("models")));
    let imported = library.import(&fixture("RealESRGAN_x4plus.pth")).unwrap();
    assert_eq!(imported.manifest.id, "realesrgan-x4plus");
    let (models, faults) = library.list();
    assert!(faults.is_empty() && models.len() == 1);
    assert!(library.find("realesrgan-x4plus").unwrap().open().is_ok());
    let again = library.import(&fixture("RealESRGAN_x4plus.pth"));
    assert!(matches!(again, Err(LibraryError::Installed { .. })));
    // Nothing but the model is left, and nothing of a file that is no network.
    assert!(library.import(&fixture("names-and-shapes.json")).is_err());
    assert_eq!(fs::read_dir(user.path().join("models")).unwrap().count(), 1);
    // A changed file is noticed before it runs.
    let weights = &imported.weights;
    let mut bytes = fs::read(weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(weights, bytes).unwrap();
    assert!(matches!(imported.open(), Err(LibraryError::Checksum { .. })));
}

#[test]
fn manifests_are_checked() {
    let good = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("models/realesr-animevideov3-x4/model.toml"),
    )
    .unwrap();
    let folder = "realesr-animevideov3-x4";
    assert!(Manifest::parse(&good, folder).is_ok());
    assert!(Manifest::parse(&good, "other").is_err());
    for (from, to) in [
        ("weights.safetensors", "../../etc/passwd"),
        ("sha256 = \"d", "sha256 = \"D"),
        ("upscale", "destroy"),
        ("scale = 4", "scale = -4"),
        ("licence", "license"),
    ] {
        assert!(Manifest::parse(&good.replace(from, to), folder).is_err(), "{to}");
    }
    let library = Library::of(None, None);
    let error = library.find("../secret").unwrap_err().to_string();
    assert!(error.contains("no model '../secret'"), "{error}");
}

/// A file that keeps the tensors of `from` under `key`.
fn wrapped(from: &Checkpoint, key: &str, words: &[(&str, &str)]) -> Vec<u8> {
    let tensor = |name: &str| -> Vec<u8> {
        from.read_f32(name).unwrap().iter().flat_map(|value| value.to_le_bytes()).collect()
    };
    let stored: Vec<(String, Vec<usize>, Vec<u8>)> = from
        .shapes()
        .into_iter()
        .map(|(name, shape)| (format!("{key}.{name}"), shape, tensor(&name)))
        .collect();
    let views = stored
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes)));
    let views = views.map(|(name, view)| (name, view.unwrap()));
    let words = words.iter().map(|(key, word)| ((*key).to_owned(), (*word).to_owned())).collect();
    serialize(views, Some(words)).unwrap()
}

#[test]
fn a_network_is_detected_and_loads_under_every_wrapper() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrapped.safetensors");
    let input = Planes { channels: 3, height: 5, width: 4, data: vec![0.3; 60] };
    let load = |path: &Path| {
        let (checkpoint, detected) = open_network(path).unwrap();
        let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
        let network = Processor::new(detected.spec.graph(), &mut source).unwrap();
        let result = network.run(std::slice::from_ref(&input), &|| false).unwrap();
        (detected.spec, result)
    };
    for file in ["RealESRGAN_x4plus.pth", "tiny-srvgg.pth"] {
        let plain = Checkpoint::open(&fixture(file)).unwrap();
        let expected = load(&fixture(file));
        for key in [
            "params_ema",
            "params",
            "state_dict",
            "g_ema",
            "model",
            "module",
            "netG",
            "generator",
            "netG_state_dict",
            "model_state",
            "model_state_dict",
            "state_dict.generator",
            "params_ema.module",
        ] {
            fs::write(&path, wrapped(&plain, key, &[])).unwrap();
            assert_eq!(load(&path), expected, "{file} in {key}");
        }
    }
}

#[test]
fn a_file_states_its_licence_in_its_header() {
    let user = tempfile::tempdir().unwrap();
    let library = Library::of(None, Some(user.path().join("models")));
    let plain = Checkpoint::open(&fixture("tiny-srvgg.pth")).unwrap();
    assert_eq!(plain.stated_licence(), None);
    for (at, key) in ["license", "Licence", "modelspec.license"].into_iter().enumerate() {
        let path = user.path().join(format!("stated-{at}.safetensors"));
        fs::write(&path, wrapped(&plain, "params", &[(key, "BSD-3-Clause")])).unwrap();
        assert_eq!(Checkpoint::open(&path).unwrap().stated_licence(), Some("BSD-3-Clause"));
        let imported = library.import(&path).unwrap();
        assert_eq!(imported.manifest.licence, "BSD-3-Clause");
        // The same file anywhere else is known by its checksum.
        let sum = file_sha256(&path).unwrap();
        let found = library.find_by_checksum(&sum).unwrap();
        assert_eq!(found.manifest.sha256, sum);
    }
}
