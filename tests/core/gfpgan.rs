//! GFP-GAN against the published definition (`tests/fixtures/nets/make_gfpgan.py`), from the
//! names and shapes of its files on.

use ganvas::nets::{Gfpgan, Planes};
use ganvas::zoo::{Extent, Purpose, Range, Shapes, Spec, detect};

use crate::sampled::{Sampled, planes};

/// The tensors of a file, as the published classes name them, mapping and pictures of the U-Net
/// included.
fn official(network: &Gfpgan, mapping_layers: usize) -> Shapes {
    let mut shapes = Shapes::new();
    let (unet, decoder) = (&network.unet, &network.decoder);
    let levels = unet.len() - 1;
    let mut conv = |name: String, to: usize, from: usize, side: usize| {
        shapes.insert(format!("{name}.weight"), vec![to, from, side, side]);
        shapes.insert(format!("{name}.bias"), vec![to]);
    };
    conv("conv_body_first".into(), unet[levels], 3, 1);
    conv("final_conv".into(), unet[0], unet[0], 3);
    for level in 0..levels {
        let (small, large, at) = (unet[level], unet[level + 1], levels - 1 - level);
        for (name, from, to) in [
            (format!("conv_body_down.{at}"), large, small),
            (format!("conv_body_up.{level}"), small, large),
        ] {
            conv(format!("{name}.conv1"), from, from, 3);
            conv(format!("{name}.conv2"), to, from, 3);
            conv(format!("{name}.skip"), to, from, 1);
        }
        for which in ["scale", "shift"] {
            let wide = if network.half { large } else { 2 * large };
            conv(format!("condition_{which}.{level}.0"), large, large, 3);
            conv(format!("condition_{which}.{level}.2"), wide, large, 3);
        }
        conv(format!("toRGB.{level}"), 3, large, 1);
    }
    shapes.retain(|name, _| !name.ends_with(".skip.bias"));
    let mut linear = |name: String, to: usize, from: usize| {
        shapes.insert(format!("{name}.weight"), vec![to, from]);
        shapes.insert(format!("{name}.bias"), vec![to]);
    };
    let styles = if network.own_styles { 2 * unet.len() } else { 1 };
    linear("final_linear".into(), styles * network.style, 16 * unet[0]);
    for layer in 0..mapping_layers {
        let name = format!("stylegan_decoder.style_mlp.{}", 2 * layer + 1);
        linear(name, network.style, network.style);
    }
    let mut modulated = |name: String, to: usize, from: usize, side: usize| {
        let name = format!("stylegan_decoder.{name}");
        let conv = format!("{name}.modulated_conv");
        shapes.insert(format!("{conv}.weight"), vec![1, to, from, side, side]);
        shapes.insert(format!("{conv}.modulation.weight"), vec![from, network.style]);
        shapes.insert(format!("{conv}.modulation.bias"), vec![from]);
        shapes.insert(format!("{name}.bias"), vec![1, to, 1, 1]);
        if side == 3 {
            shapes.insert(format!("{name}.weight"), vec![1]);
        }
    };
    modulated("style_conv1".into(), decoder[0], decoder[0], 3);
    modulated("to_rgb1".into(), 3, decoder[0], 1);
    for level in 0..levels {
        let (small, large) = (decoder[level], decoder[level + 1]);
        modulated(format!("style_convs.{}", 2 * level), large, small, 3);
        modulated(format!("style_convs.{}", 2 * level + 1), large, large, 3);
        modulated(format!("to_rgbs.{level}"), 3, large, 1);
    }
    shapes.insert("stylegan_decoder.constant_input.weight".into(), vec![1, decoder[0], 4, 4]);
    for noise in 0..=2 * levels {
        let side = 4 << noise.div_ceil(2);
        shapes.insert(format!("stylegan_decoder.noises.noise{noise}"), vec![1, 1, side, side]);
    }
    shapes
}

/// What `GFPGANv1.4.pth` holds.
fn published() -> Gfpgan {
    let decoder = vec![512, 512, 512, 512, 512, 256, 128, 64];
    Gfpgan {
        unet: decoder.iter().map(|width| width / 2).collect(),
        decoder,
        style: 512,
        own_styles: true,
        half: true,
    }
}

fn small(own_styles: bool, half: bool) -> Gfpgan {
    let unet = vec![6, 5, 4, 3];
    let decoder = unet.iter().map(|width| 2 * width).collect();
    Gfpgan { unet, decoder, style: 7, own_styles, half }
}

#[test]
fn the_published_file_is_recognised() {
    let shapes = official(&published(), 8);
    assert_eq!(shapes.len(), 285);
    let found = detect(&shapes).unwrap();
    assert_eq!(found.spec, Spec::Gfpgan(published()));
    // All but the mapping's 16 tensors and the 14 of the U-Net's own pictures.
    assert_eq!(found.names.len(), 255);
    let capability = found.spec.capability();
    assert_eq!((capability.purpose, capability.range), (Purpose::RestoreFace, Range::Signed));
    assert_eq!(capability.extent, Extent::Fixed([512; 2]));
}

#[test]
fn what_is_missing_or_of_another_width_is_named() {
    let whole = official(&small(true, true), 2);
    for (name, shape) in [
        ("stylegan_decoder.noises.noise3", None),
        ("conv_body_down.1.skip.weight", Some(vec![5, 4, 3, 3])),
        ("final_linear.bias", Some(vec![57])),
    ] {
        let mut shapes = whole.clone();
        shapes.remove(name);
        shapes.extend(shape.map(|shape| (name.to_owned(), shape)));
        let error = detect(&shapes).unwrap_err();
        assert_eq!(error.attempts[0].architecture, "GFPGANv1Clean", "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn it_agrees_layer_by_layer() {
    let recorded = Sampled::open("nets/computed-gfpgan.safetensors");
    let face: [Planes; 1] = [planes("face", [3, 32, 32], |u| u)];
    for (name, network) in [("half", small(true, true)), ("whole", small(false, false))] {
        let spec = recorded.check(name, &official(&network, 2), &face);
        assert_eq!(spec, Spec::Gfpgan(network));
    }
}
