//! The autoencoder of latent diffusion and DDPM's network: their files, and the way from noise to
//! a picture, beside what `diffusers` makes of the same weights.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::infer::Device;
use ganvas::infer::aids::Aids;
use ganvas::infer::diffusion::DiffusionNetwork;
use ganvas::infer::encoder::Encoder;
use ganvas::infer::generator::Generator;
use ganvas::infer::invert::Invert;
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Drawing, Event, ModelRef, Origin, Render, Task};
use ganvas::latent::invert::Options;
use ganvas::latent::{Curve, Ddim, Noise, Path};
use ganvas::nets::cpu::Processor;
use ganvas::nets::{AutoencoderKl, Denoiser};
use ganvas::zoo::{Library, Shapes, Spec, detect};

use crate::inverting::{failure, run};
use crate::published::diffusion;
use crate::sampled::{Sampled, parameter, planes, write_checkpoint};

fn numbers(shapes: &Shapes) -> usize {
    shapes.values().map(|shape| shape.iter().product::<usize>()).sum()
}

/// What the library itself counts in these configurations.
#[test]
fn the_published_files_are_recognised() {
    let stable =
        AutoencoderKl { channels: vec![128, 256, 512, 512], layers: 2, latent: 4, has_quant: true };
    assert_eq!((stable.side(), stable.latent_side()), (256, 32));
    let shapes = Spec::AutoencoderKl(stable.clone()).tensors();
    assert_eq!((shapes.len(), numbers(&shapes)), (248, 83_653_863));
    assert_eq!(detect(&shapes).unwrap().spec, Spec::AutoencoderKl(stable));
    let cifar = Denoiser { channels: vec![128, 256, 256, 256], layers: 2, attended: 1 };
    assert_eq!(cifar.side(), 32);
    let shapes = Spec::Denoiser(cifar.clone()).tensors();
    assert_eq!(numbers(&shapes), 35_746_307);
    // Files of before 2023 call the parts of attention otherwise.
    let old = |name: &String| {
        let name = name.replace("to_out.0", "proj_attn").replace("to_q", "query");
        name.replace("to_k", "key").replace("to_v", "value")
    };
    let older: Shapes = shapes.iter().map(|(name, shape)| (old(name), shape.clone())).collect();
    assert_ne!(older, shapes);
    for shapes in [shapes, older] {
        assert_eq!(detect(&shapes).unwrap().spec, Spec::Denoiser(cifar.clone()));
    }
    // One that attends where its pictures would be too large for a code.
    let large = Spec::Denoiser(Denoiser { channels: vec![32; 3], layers: 1, attended: 2 });
    assert!(detect(&large.tensors()).is_err());
}

#[test]
fn the_naming_of_compvis_holds_the_same_network() {
    let spec = diffusion()[0].spec.clone();
    let official = spec.tensors();
    let compvis = |name: &str| {
        let name =
            name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out");
        let name = name.replace("mid_block.attentions.0.", "mid.attn_1.");
        let name = name.replace("group_norm", "norm").replace("to_out.0", "proj_out");
        let name = name.replace("to_q", "q").replace("to_k", "k").replace("to_v", "v");
        let name = name.replace("mid_block.resnets.0", "mid.block_1");
        let name = name.replace("mid_block.resnets.1", "mid.block_2");
        let name = name.replace("down_blocks", "down").replace("downsamplers.0", "downsample");
        // The finest level comes first there.
        let name = name.replace("up_blocks.0", "up.one").replace("up_blocks.1", "up.0");
        let name = name.replace("up.one", "up.1").replace("upsamplers.0", "upsample");
        name.replace("resnets", "block")
    };
    let mut shapes = Shapes::from([("first_stage_model.loss.logvar".to_owned(), vec![])]);
    for (name, shape) in &official {
        shapes.insert(format!("first_stage_model.{}", compvis(name)), shape.clone());
    }
    let found = detect(&shapes).unwrap();
    assert_eq!(found.spec, spec);
    for (name, shape) in &official {
        assert_eq!(found.names[name], format!("first_stage_model.{}", compvis(name)));
        assert_eq!(shapes[&found.names[name]], *shape);
    }
}

/// Runs on each other's results. Few: what a random network makes of the least difference grows, and
/// after fifty the library's own single and double precision have nothing in common.
#[test]
fn the_way_from_noise_to_a_picture_is_the_librarys() {
    let spec = diffusion()[1].spec.clone();
    let Spec::Denoiser(net) = &spec else { panic!("{spec:?}") };
    let shapes = spec.tensors();
    let parameters = Box::new(move |name: &str| Ok(parameter(name, &shapes[name])));
    let generator = DiffusionNetwork::new(net.clone(), parameters, |graph, source| {
        Processor::new(graph, source)
    });
    let mut generator = generator.unwrap().in_steps(4);
    assert_eq!(Ddim::new(50).times()[..2], [980, 960]);
    assert_eq!(Ddim::new(4).times(), [750, 500, 250, 0]);
    let latent = planes("latent", [3, 32, 32], |u| u);
    let drawn = generator.synthesize(&latent.data, Noise::None, &|| false).unwrap();
    Sampled::open("nets/ddim.safetensors").compare("ddim.output", &drawn);
    assert!(generator.synthesize(&latent.data[1..], Noise::None, &|| false).is_err());
}

#[test]
fn an_autoencoder_reads_the_code_that_it_draws() {
    let network = &diffusion()[0];
    let Spec::AutoencoderKl(net) = &network.spec else { panic!() };
    let shapes = network.spec.tensors();
    let mut source = |name: &str| Ok::<_, String>(parameter(name, &shapes[name]));
    let side = net.side();
    // In 0..=1, as pictures come.
    let face = planes("face", [3, side, side], |u| u / 2.0 + 0.5);
    let encoder = Encoder::new(&network.spec, &mut source).unwrap();
    assert_eq!(encoder.side() as usize, side);
    let codes = encoder.read(&face, &|| false).unwrap();
    let whole = Processor::new(net.graph(), &mut source).unwrap();
    let outputs = whole.run(&[planes("face", [3, side, side], |u| u)], &|| false).unwrap();
    let mean = &outputs[1].data[..codes[0].len()];
    assert_eq!(codes.len(), 1);
    let apart = mean.iter().zip(&codes[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-4, "{apart}");
}

#[test]
fn all_three_families_are_drawn_by_the_same_request() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::of(None, Some(folder.path().join("own")));
    for network in diffusion() {
        let file = folder.path().join(format!("{}.safetensors", network.name));
        write_checkpoint(&file, "", &network.spec.tensors());
        library.import(&file).unwrap();
    }
    let model = |name: &str| ModelRef::Id(name.into());
    let store = || ModelStore::new(library.clone(), Device::flex());
    let mut pictures = Vec::new();
    for (name, side) in [("autoencoder", 64), ("denoiser", 32)] {
        let seed = |seed| Origin::Seed { seed, class: None, noise: Noise::Const };
        let drawings = [1, 2, 1].map(|s| Drawing::plain(seed(s))).to_vec();
        let events = run(store(), Task::Render(Render { model: model(name), drawings }), None);
        let Some(Event::Finished { output, .. }) = events.last() else {
            panic!("{}", failure(&events))
        };
        let drawn = &output.drawn;
        assert_eq!(drawn[0].picture.size().width, side, "{name}");
        assert!(drawn[0].picture == drawn[2].picture && drawn[0].picture != drawn[1].picture);
        pictures.push(drawn[0].picture.clone());
        // Between two codes lies another picture.
        let keys = [drawn[0].code.clone(), drawn[1].code.clone()];
        let between = Path::new(&keys, Curve::default(), false).unwrap().at(0.5).unwrap();
        let drawings = vec![Drawing::plain(Origin::Code(Arc::new(between)))];
        let events = run(store(), Task::Render(Render { model: model(name), drawings }), None);
        let Some(Event::Finished { output, .. }) = events.last() else {
            panic!("{}", failure(&events))
        };
        assert!(drawn.iter().all(|end| end.picture != output.drawn[0].picture));
    }
    // The autoencoder reads where a search starts; a diffusion model is not searched.
    let aids = Aids::installed(&library, &model("autoencoder"));
    assert_eq!(aids.encoder, Some(model("autoencoder")));
    assert_eq!(Aids::installed(&library, &model("denoiser")).encoder, None);
    for (name, aids, picture) in
        [("autoencoder", aids, &pictures[0]), ("denoiser", Aids::default(), &pictures[1])]
    {
        let task = Invert {
            image: Arc::new(picture.clone()),
            profile: WorkingProfile::srgb(),
            mask: None,
            aids,
            model: model(name),
            start: None,
            options: Options { steps: 3, picture_every: 0, ..Options::default() },
        };
        let events = run(store(), Task::Invert(task), None);
        match events.last() {
            Some(Event::Finished { output, .. }) if name == "autoencoder" => {
                let found = output.inverted.as_ref().unwrap();
                assert_eq!((found.code.rows(), found.code.dim()), (1, 3 * 32 * 32));
            }
            _ => assert!(failure(&events).contains("searches for no codes") && name == "denoiser"),
        }
    }
}
