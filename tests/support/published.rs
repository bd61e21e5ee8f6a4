//! Names and shapes of published checkpoints that are too large to keep, as their classes have
//! them; and small networks of the same kinds, whose weights are computed.

use ganvas::nets::{
    AutoencoderKl, DeepFill, DeepLabPlus, Denoiser, EccvColorizer, Gfpgan, Mapping, MobileV2,
    Planes, PlusBackbone, Resnet, SiggraphColorizer, Stage, StyleGan3,
};
use ganvas::zoo::{Shapes, Spec};

use crate::readers;
use crate::sampled::{Computed, planes};

/// A network of each kind and variant.
pub fn computed() -> Vec<Computed> {
    let unet = vec![6, 5, 4, 3];
    let decoder: Vec<usize> = unet.iter().map(|width| 2 * width).collect();
    let face = || vec![planes("face", [3, 32, 32], |u| u)];
    let lightness = || vec![planes("lightness", [1, 32, 40], |u| 50.0 + 50.0 * u)];
    let mut all = Vec::new();
    for (name, own_styles, half) in [("half", true, true), ("whole", false, false)] {
        let (unet, decoder) = (unet.clone(), decoder.clone());
        let network = Gfpgan { unet, decoder, style: 7, own_styles, half };
        let shapes = gfpgan(&network, 2);
        all.push(Computed::new("gfpgan", name, Spec::Gfpgan(network), shapes, face()));
    }
    let widths = [4, 5, 6, 7];
    let network = SiggraphColorizer { widths, last: 3 };
    let (shapes, spec) = (siggraph(&network), Spec::SiggraphColorizer(network));
    all.push(Computed::new("colorizers", "siggraph", spec, shapes, lightness()));
    let network = EccvColorizer { widths, bins: 9 };
    let (shapes, spec) = (eccv(&network), Spec::EccvColorizer(network));
    all.push(Computed::new("colorizers", "eccv", spec, shapes, lightness()));
    let (spec, shapes) = (Spec::DeepFill(DeepFill { features: 8 }), deepfill(8));
    all.push(Computed::new("deepfill", "deepfill", spec, shapes, hole()));
    for (name, network) in stylegan3_configurations() {
        let latent = planes("latent", [5, 1, 1], |u| u);
        let class = Planes::vector(vec![0.0, 1.0, 0.0]);
        let has_class = network.mapping.classes > 0;
        let inputs = if has_class { vec![latent, class] } else { vec![latent] };
        let shapes = stylegan3(&network);
        all.push(Computed::new("stylegan3", name, Spec::StyleGan3(network), shapes, inputs));
    }
    all.extend(readers::computed());
    all.extend(deeplab_plus());
    all.extend(diffusion());
    all
}

/// DeepLabv3+ over either backbone; the names of the tensors are those of the recorded classes.
pub fn deeplab_plus() -> Vec<Computed> {
    let widths = [3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9];
    let mut from = 6;
    let blocks = widths.map(|to| {
        let middle = if to == 3 { from } else { 2 * from };
        from = to;
        [middle, to]
    });
    let mobile = PlusBackbone::Mobile(MobileV2 { first: 6, blocks: blocks.to_vec() });
    let resnet = PlusBackbone::Resnet(Resnet { first: 6, width: 2, blocks: [1, 1, 2, 2] });
    [("mobile", mobile), ("resnet", resnet)]
        .into_iter()
        .map(|(name, backbone)| {
            let network = DeepLabPlus { backbone, features: 10, fine: 4, classes: 5 };
            let spec = Spec::DeepLabPlus(network);
            let scene = vec![planes("scene", [3, 67, 85], |u| u)];
            Computed::new("deeplab-plus", name, spec.clone(), spec.tensors(), scene)
        })
        .collect()
}

/// An autoencoder and a network that tells noise; their names prove themselves by the weights,
/// which follow from the names.
pub fn diffusion() -> Vec<Computed> {
    let autoencoder =
        AutoencoderKl { channels: vec![32, 64], layers: 1, latent: 3, has_quant: true };
    let denoiser = Denoiser { channels: vec![32, 64], layers: 1, attended: 1 };
    let noisy = vec![planes("noisy", [3, 32, 32], |u| u), Planes::vector(denoiser.clock(977))];
    let face = vec![planes("face", [3, 16, 24], |u| u)];
    let (autoencoder, denoiser) = (Spec::AutoencoderKl(autoencoder), Spec::Denoiser(denoiser));
    [("autoencoder", autoencoder, face), ("denoiser", denoiser, noisy)]
        .into_iter()
        .map(|(name, spec, inputs)| {
            let shapes = spec.tensors();
            Computed::new("diffusion", name, spec, shapes, inputs)
        })
        .collect()
}

/// Tiny ones for translation and for rotation.
pub fn stylegan3_configurations() -> [(&'static str, StyleGan3); 2] {
    let tiny = |classes, stages: [(usize, usize); 5], margin, kernel, radial| StyleGan3 {
        mapping: Mapping { z_dim: 5, w_dim: 7, classes, layers: 2, rate: 0.01 },
        stages: stages.map(|(side, channels)| Stage { side, channels }).to_vec(),
        margin,
        kernel,
        taps: 6,
        radial,
        cutoff: 2.0,
        clamp: Some(256.0),
        output_scale: 0.25,
    };
    [
        ("t", tiny(3, [(36, 6), (52, 5), (52, 4), (32, 4), (32, 3)], 10, 3, 0)),
        ("r", tiny(0, [(24, 6), (40, 7), (40, 5), (32, 4), (32, 3)], 4, 1, 2)),
    ]
}

/// StyleGAN3 with filters of six numbers a factor.
pub fn stylegan3(network: &StyleGan3) -> Shapes {
    let Mapping { z_dim, w_dim, classes, layers, .. } = network.mapping;
    let mut shapes = Shapes::from([("mapping.w_avg".to_owned(), vec![w_dim])]);
    let mut linear = |name: &str, to: usize, from: usize| {
        shapes.insert(format!("{name}.weight"), vec![to, from]);
        shapes.insert(format!("{name}.bias"), vec![to]);
    };
    let embedded = if classes > 0 { w_dim } else { 0 };
    if classes > 0 {
        linear("mapping.embed", w_dim, classes);
    }
    for layer in 0..layers {
        let from = if layer == 0 { z_dim + embedded } else { w_dim };
        linear(&format!("mapping.fc{layer}"), w_dim, from);
    }
    linear("synthesis.input.affine", 4, w_dim);
    let first = network.stages[0];
    let mut before = first;
    let (last, side) = (network.stages.len() - 1, network.stages[network.stages.len() - 1].side);
    let rate = |at: usize, stage: Stage| {
        if at + 1 >= last { side } else { stage.side - 2 * network.margin }
    };
    let mut rate_before = rate(0, first);
    for (at, &stage) in network.stages.iter().enumerate() {
        let name = format!("synthesis.L{at}_{}_{}", stage.side, stage.channels);
        let kernel = if at == last { 1 } else { network.kernel };
        let rate = rate(at, stage);
        let mut put =
            |leaf: &str, shape: Vec<usize>| shapes.insert(format!("{name}.{leaf}"), shape);
        put("affine.weight", vec![before.channels, w_dim]);
        put("affine.bias", vec![before.channels]);
        put("weight", vec![stage.channels, before.channels, kernel, kernel]);
        put("bias", vec![stage.channels]);
        put("magnitude_ema", vec![]);
        if at < last {
            let [up, down] = [rate_before, rate].map(|own| 12 * rate.max(rate_before) / own);
            put("up_filter", vec![up]);
            put("down_filter", vec![down; if at < network.radial { 2 } else { 1 }]);
        }
        (before, rate_before) = (stage, rate);
    }
    for (leaf, shape) in [
        ("weight", vec![first.channels; 2]),
        ("transform", vec![3, 3]),
        ("freqs", vec![first.channels, 2]),
        ("phases", vec![first.channels]),
    ] {
        shapes.insert(format!("synthesis.input.{leaf}"), shape);
    }
    shapes
}

/// A picture and the mask of a rectangle in it.
fn hole() -> Vec<Planes> {
    let (height, width) = (64, 48);
    let is_hole = |at: usize| {
        let (x, y) = (at % width, at / width);
        (20..33).contains(&y) && (13..19).contains(&x)
    };
    let mask = (0..height * width).map(|at| f32::from(u8::from(is_hole(at)))).collect();
    let mask = Planes { channels: 1, height, width, data: mask };
    vec![planes("hole", [3, height, width], |u| u), mask]
}

/// GFP-GAN, with its mapping and the pictures of its U-Net.
pub fn gfpgan(network: &Gfpgan, mapping_layers: usize) -> Shapes {
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

/// Tensors of a row of layers: convolutions of 3×3 every second one from `first` on, then batch
/// norm.
fn row(shapes: &mut Shapes, name: &str, first: usize, widths: &[usize]) {
    for (index, pair) in widths.windows(2).enumerate() {
        conv(shapes, &format!("{name}.{}", first + 2 * index), pair[1], pair[0], 3);
    }
    let norm = format!("{name}.{}", first + 2 * (widths.len() - 1));
    for leaf in ["weight", "bias", "running_mean", "running_var"] {
        shapes.insert(format!("{norm}.{leaf}"), vec![widths[widths.len() - 1]]);
    }
    shapes.insert(format!("{norm}.num_batches_tracked"), vec![]);
}

pub fn conv(shapes: &mut Shapes, name: &str, to: usize, from: usize, side: usize) {
    shapes.insert(format!("{name}.weight"), vec![to, from, side, side]);
    shapes.insert(format!("{name}.bias"), vec![to]);
}

fn transposed(shapes: &mut Shapes, name: &str, from: usize, to: usize) {
    shapes.insert(format!("{name}.weight"), vec![from, to, 4, 4]);
    shapes.insert(format!("{name}.bias"), vec![to]);
}

fn trunk([whole, half, quarter, eighth]: [usize; 4], inputs: usize) -> Shapes {
    let mut shapes = Shapes::new();
    row(&mut shapes, "model1", 0, &[inputs, whole, whole]);
    row(&mut shapes, "model2", 0, &[whole, half, half]);
    row(&mut shapes, "model3", 0, &[half, quarter, quarter, quarter]);
    row(&mut shapes, "model4", 0, &[quarter, eighth, eighth, eighth]);
    for name in ["model5", "model6", "model7"] {
        row(&mut shapes, name, 0, &[eighth; 4]);
    }
    shapes
}

/// Zhang's second colouriser, with its classification head.
pub fn siggraph(network: &SiggraphColorizer) -> Shapes {
    let [whole, half, quarter, eighth] = network.widths;
    let mut shapes = trunk(network.widths, 4);
    transposed(&mut shapes, "model8up.0", eighth, quarter);
    transposed(&mut shapes, "model9up.0", quarter, half);
    transposed(&mut shapes, "model10up.0", half, network.last);
    conv(&mut shapes, "model3short8.0", quarter, quarter, 3);
    conv(&mut shapes, "model2short9.0", half, half, 3);
    conv(&mut shapes, "model1short10.0", network.last, whole, 3);
    row(&mut shapes, "model8", 1, &[quarter; 3]);
    row(&mut shapes, "model9", 1, &[half; 2]);
    conv(&mut shapes, "model10.1", network.last, network.last, 3);
    conv(&mut shapes, "model_class.0", 529, quarter, 1);
    conv(&mut shapes, "model_out.0", 2, network.last, 1);
    shapes
}

/// Zhang's first colouriser.
pub fn eccv(network: &EccvColorizer) -> Shapes {
    let [_, _, quarter, eighth] = network.widths;
    let mut shapes = trunk(network.widths, 1);
    transposed(&mut shapes, "model8.0", eighth, quarter);
    conv(&mut shapes, "model8.2", quarter, quarter, 3);
    conv(&mut shapes, "model8.4", quarter, quarter, 3);
    conv(&mut shapes, "model8.6", network.bins, quarter, 1);
    shapes.insert("model_out.weight".into(), vec![2, network.bins, 1, 1]);
    shapes
}

/// DeepFill v2 in its PyTorch port.
pub fn deepfill(features: usize) -> Shapes {
    let (eighth, half, quarter) = (features / 2, features, 2 * features);
    let mut shapes =
        Shapes::from([("stage2.contextual_attention.fuse_weight".to_owned(), vec![1, 1, 3, 3])]);
    let mut conv = |name: &str, from: usize, to: usize, side: usize| {
        shapes.insert(format!("{name}.conv.weight"), vec![to, from, side, side]);
        shapes.insert(format!("{name}.conv.bias"), vec![to]);
    };
    let mut gated = |name: String, from: usize, to: usize, side: usize| {
        conv(&name, from, 2 * to, side);
    };
    for stage in ["stage1", "stage2"] {
        let ups = [("up_block1", quarter, half, half), ("up_block2", half, eighth, half / 4)];
        for (up, from, inner, to) in ups {
            gated(format!("{stage}.{up}.conv1_upsample.conv"), from, inner, 3);
            gated(format!("{stage}.{up}.conv2"), inner, to, 3);
        }
    }
    for (conv1, down, inputs, inner) in [
        ("stage1.conv1", "stage1.down_block", 5, [half, quarter]),
        ("stage2.conv_conv1", "stage2.conv_down_block", 3, [eighth, half]),
        ("stage2.ca_conv1", "stage2.ca_down_block", 3, [eighth, quarter]),
    ] {
        gated(conv1.into(), inputs, eighth, 5);
        for (index, (from, inner, to)) in
            [(1, (eighth, inner[0], half)), (2, (half, inner[1], quarter))]
        {
            gated(format!("{down}{index}.conv1_downsample"), from, inner, 3);
            gated(format!("{down}{index}.conv2"), inner, to, 3);
        }
    }
    for index in 1..=7 {
        gated(format!("stage1.conv_bn{index}"), quarter, quarter, 3);
    }
    for index in 1..=5 {
        gated(format!("stage2.conv_conv_bn{index}"), quarter, quarter, 3);
    }
    for name in ["ca_conv_bn1", "ca_conv_bn4", "ca_conv_bn5", "conv_bn7"] {
        gated(format!("stage2.{name}"), quarter, quarter, 3);
    }
    gated("stage2.conv_bn6".into(), 2 * quarter, quarter, 3);
    for stage in ["stage1", "stage2"] {
        conv(&format!("{stage}.conv_to_rgb"), half / 4, 3, 3);
    }
    shapes
}
