//! The networks of metrics at their full width against torchvision, pytorch-fid and lpips, on
//! weights and pictures that both sides compute: `tests/fixtures/metrics/make_networks.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::infer::features::{FeatureNetwork, Judge, look_at_all};
use ganvas::infer::perceptual::Perceptual;
use ganvas::infer::worker::NetworkError;
use ganvas::latent::invert::Term;
use ganvas::metrics::Backbone;
use ganvas::nets::cpu::Processor;
use ganvas::nets::{Inception, InceptionVariant, Planes};
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::{Shapes, Spec, detect};

use crate::sampled::{Sampled, parameter, planes, recipe};

/// The network that the official list of names and shapes is.
fn spec(list: &str) -> Spec {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/fixtures/checkpoints/names-and-shapes.json");
    let lists: BTreeMap<String, Shapes> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    detect(&lists[list]).unwrap().spec
}

fn source(spec: &Spec) -> impl FnMut(&str) -> Result<Vec<f32>, String> {
    let shapes = spec.tensors();
    move |name| Ok(parameter(name, &shapes[name]))
}

fn inception(list: &str, name: &str, layers: usize) {
    let recorded = Sampled::open("metrics/networks.safetensors");
    let spec = spec(list);
    let unfused = Processor::unfused(spec.graph(), &mut source(&spec)).unwrap();
    let small = planes("picture", [3, 40, 52], |u| u);
    let mut compared = 0;
    let mut probe = |layer: &str, value: &Planes| {
        let stored = format!("{name}.40.{layer}");
        if recorded.has(&stored) {
            recorded.compare(&stored, value);
            compared += 1;
        }
    };
    unfused.run_observed(std::slice::from_ref(&small), &|| false, &mut probe).unwrap();
    assert_eq!(compared, layers);
    // What runs in the program, on a picture that becomes smaller, too.
    let network = FeatureNetwork::on_processor(&spec, &mut source(&spec)).unwrap();
    for (side, picture) in [(40, small), (333, planes("picture", [3, 333, 310], |u| u))] {
        let seen = network.see(picture, &|| false).unwrap();
        for (layer, values) in [("output", seen.features()), ("output1", seen.logits())] {
            let value = Planes::vector(values.to_vec());
            recorded.compare(&format!("{name}.{side}.{layer}"), &value);
        }
    }
}

#[test]
fn inception_of_fid_agrees_layer_by_layer() {
    inception("inception-v3-fid-2015", "fid", 18);
}

#[test]
fn torchvisions_inception_agrees_layer_by_layer() {
    inception("torchvision-inception_v3", "torchvision", 18);
}

#[test]
fn the_two_inceptions_are_told_apart() {
    let judge = |list: &str| {
        let network = |spec: &Spec| {
            let mut zeros = |name: &str| Ok(vec![0.0; spec.tensors()[name].iter().product()]);
            FeatureNetwork::on_processor(spec, &mut zeros).unwrap().judge()
        };
        network(&spec(list))
    };
    assert_eq!(judge("inception-v3-fid-2015"), Judge::Inception(InceptionVariant::Fid));
    let second = judge("torchvision-inception_v3");
    assert_eq!(second, Judge::Inception(InceptionVariant::Torchvision));
    let spec = spec("torchvision-deeplabv3_resnet50");
    let error = FeatureNetwork::on_processor(&spec, &mut |_| Ok(Vec::new())).err().unwrap();
    assert!(error.contains("nothing of a DeepLabv3"), "{error}");
}

/// What a search for a code goes by.
#[test]
fn the_slope_of_how_pictures_look_is_that_of_their_distance() {
    let spec = spec("torchvision-alexnet");
    let judge = || Perceptual::new(&spec, &mut source(&spec)).unwrap();
    let (target, picture) =
        (planes("target", [3, 64, 64], |u| u), planes("picture", [3, 64, 64], |u| u));
    // The left third does not count.
    let weights: Vec<f32> = (0..64 * 64).map(|at| f32::from(at % 64 >= 21)).collect();
    let mut toward = judge().toward(target.clone(), weights).unwrap();
    let (distance, slope) = toward.measure(&picture);
    assert!(distance > 0.01 && toward.measure(&target).0 == 0.0);
    let along: Vec<f64> = recipe("along", picture.data.len());
    let mut moved = |step: f64| {
        let pairs = picture.data.iter().zip(&along);
        let data = pairs.map(|(x, along)| x + (step * along) as f32).collect();
        toward.measure(&Planes { data, ..picture }).0
    };
    let measured = (moved(2e-3) - moved(-2e-3)) / 4e-3;
    let told: f64 = slope.data.iter().zip(&along).map(|(s, a)| f64::from(*s) * a).sum();
    assert!((measured - told).abs() < 0.05 * measured.abs().max(1e-4), "{measured} {told}");
    let left = slope.data.iter().enumerate().filter(|(at, _)| at % 64 < 21);
    assert!(left.clone().count() > 0 && left.clone().all(|(_, slope)| *slope == 0.0));
    assert!(judge().toward(planes("small", [3, 16, 16], |u| u), vec![1.0; 256]).is_none());
}

#[test]
fn lpips_agrees_with_its_package() {
    let recorded = Sampled::open("metrics/networks.safetensors");
    for (list, name, backbone) in [
        ("torchvision-alexnet", "alex", Backbone::AlexNet),
        ("torchvision-squeezenet1_1", "squeeze", Backbone::SqueezeNet),
        ("torchvision-vgg16", "vgg", Backbone::Vgg16),
    ] {
        let spec = spec(list);
        let network = FeatureNetwork::on_processor(&spec, &mut source(&spec)).unwrap();
        assert_eq!(network.judge(), Judge::Lpips(backbone));
        for (height, width) in [(64, 80), (71, 93)] {
            // Numbers in 0..=1, as a picture has them.
            let [first, second] = ["first", "second"]
                .map(|name| recipe(name, 3 * height * width).into_iter().map(|u| (u + 1.0) / 2.0));
            let mixed = first.clone().zip(second).map(|(a, b)| 0.7 * a + 0.3 * b);
            let range = spec.capability().range;
            let area = height * width;
            let see = |numbers: Vec<f64>| {
                let data = numbers.into_iter().enumerate();
                let data = data.map(|(at, x)| range.of_unit(x as f32, at / area)).collect();
                network.see(Planes { channels: 3, height, width, data }, &|| false).unwrap()
            };
            let (a, b) = (see(first.collect()), see(mixed.collect()));
            let have = network.distance(&a, &b).unwrap();
            let want =
                f64::from(recorded.0.read_f32(&format!("lpips.{name}.{height}")).unwrap()[0]);
            assert!((have - want).abs() <= 1e-4 * want, "{name} {height}: {have} not {want}");
            assert_eq!(network.distance(&a, &a).unwrap(), 0.0);
        }
    }
    // VGG19 has as many blocks and channels, and is another network.
    let spec = spec("torchvision-vgg19");
    assert!(FeatureNetwork::on_processor(&spec, &mut source(&spec)).is_err());
}

#[test]
fn many_pictures_are_looked_at_in_order_and_few_are_held() {
    let spec = Spec::Inception(Inception { sixteen: 1, classes: 5 });
    let network = FeatureNetwork::on_processor(&spec, &mut source(&spec)).unwrap();
    let (read, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let seen = AtomicUsize::new(0);
    // Every third is broken; what the others show tells their place.
    let picture = |place: usize| {
        let ahead = read.fetch_add(1, Ordering::SeqCst) + 1 - seen.load(Ordering::SeqCst);
        most.fetch_max(ahead, Ordering::SeqCst);
        if place % 3 == 2 {
            return Err(format!("{place} is broken"));
        }
        let value = place as u16 * 600;
        let pixels = PixelBuf::filled(Size::new(5, 4), 4, Depth::U16, [value, 9000, 0, 65_535]);
        Ok((pixels, WorkingProfile::srgb()))
    };
    let mut shown = Vec::new();
    let skipped = look_at_all(&network, 90, &picture, &|| false, &mut |place, one| {
        seen.store(place, Ordering::SeqCst);
        assert_eq!((one.features().len(), one.logits().len()), (128, 5));
        shown.push((place, one.features().iter().sum::<f32>()));
        Ok(())
    });
    let skipped = skipped.unwrap();
    assert_eq!((skipped.count, skipped.first.len()), (30, 20));
    assert_eq!(skipped.first[1], (5, "5 is broken".to_owned()));
    assert!(shown.iter().map(|(place, _)| *place).eq((0..90).filter(|place| place % 3 != 2)));
    assert!(shown.windows(2).all(|pair| pair[0].1 != pair[1].1));
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 12, "{most} pictures at once");
    // The same numbers again, and an end when it is asked for.
    let mut again = Vec::new();
    let stop = || again_is_enough(&seen);
    seen.store(0, Ordering::SeqCst);
    let ended = look_at_all(&network, 90, &picture, &stop, &mut |place, one| {
        seen.store(place, Ordering::SeqCst);
        again.push((place, one.features().iter().sum::<f32>()));
        Ok(())
    });
    assert!(matches!(ended, Err(NetworkError::Stopped)));
    assert_eq!(again[..], shown[..again.len()]);
    assert!((1..20).contains(&again.len()));
}

fn again_is_enough(seen: &AtomicUsize) -> bool {
    seen.load(Ordering::SeqCst) >= 10
}
