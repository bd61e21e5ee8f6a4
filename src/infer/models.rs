//! Networks for the worker: built from checkpoints on a device, the recent ones kept.

use std::sync::Arc;
use std::time::Instant;

use super::Device;
use super::diffusion::DiffusionNetwork;
use super::encoder::Encoder;
use super::features::FeatureNetwork;
use super::generator::{Generator, LatentNetwork, Parameters, Run as _, parameters};
use super::identity::Identity;
use super::layers::Layers;
use super::perceptual::Perceptual;
use super::plan::Speed;
use super::protocol::ModelRef;
use super::worker::{Models, Network, NetworkError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::inpaint::Matcher;
use crate::latent::{Noise, Tuning};
use crate::nets::cpu::Stop;
use crate::nets::gatys::Gatys;
use crate::nets::graph::Graph;
use crate::nets::{Planes, RrdbNet, Source};
use crate::zoo::{
    Capability, Detected, Library, LibraryError, Purpose, Spec, file_sha256, open_network,
};

/// Memory that cached weights may take.
const CACHE_BYTES: u64 = 1 << 30;
/// Side of the picture with which a device is measured, in pixels.
const PROBE_SIDE: usize = 64;

/// The real [`Models`].
pub struct ModelStore {
    library: Library,
    device: Device,
    /// Most recently used last.
    cache: Vec<(ModelRef, Loaded)>,
    /// SHA-256 of the weights files that were asked for.
    hashes: Vec<(ModelRef, String)>,
    /// Of the device, once measured.
    speed: Option<Speed>,
    matcher: Option<Box<dyn Matcher>>,
}

impl ModelStore {
    pub const fn new(library: Library, device: Device) -> Self {
        Self { library, device, cache: Vec::new(), hashes: Vec::new(), speed: None, matcher: None }
    }

    /// Patches are matched by `matcher`, not on this processor.
    #[must_use]
    pub fn matching_on(self, matcher: impl Matcher + 'static) -> Self {
        Self { matcher: Some(Box::new(matcher)), ..self }
    }

    /// Networks on the processor.
    pub fn for_processor(library: Library) -> Self {
        Self::new(library, Device::flex())
    }

    pub const fn library(&self) -> &Library {
        &self.library
    }

    /// Whether networks run on the processor.
    pub fn on_processor(&self) -> bool {
        self.device == Device::flex()
    }

    fn loaded(&mut self, model: &ModelRef) -> Result<&mut Loaded, String> {
        match self.cache.iter().position(|(cached, _)| cached == model) {
            Some(at) => {
                let entry = self.cache.remove(at);
                self.cache.push(entry);
            }
            None => {
                let network = self.load(model)?;
                let mut bytes = network.bytes;
                bytes += self.cache.iter().map(|(_, n)| n.bytes).sum::<u64>();
                while bytes > CACHE_BYTES && !self.cache.is_empty() {
                    bytes -= self.cache.remove(0).1.bytes;
                }
                self.cache.push((model.clone(), network));
            }
        }
        self.cache.last_mut().map(|(_, n)| n).ok_or_else(|| format!("{model} was not loaded"))
    }

    fn open(&self, model: &ModelRef) -> Result<(Checkpoint, Detected), String> {
        open(&self.library, model).map_err(|err| err.to_string())
    }

    /// The network of `model` as one by which metrics see pictures.
    ///
    /// # Errors
    /// A sentence.
    pub fn features(&self, model: &ModelRef) -> Result<FeatureNetwork, String> {
        let (checkpoint, detected) = self.open(model)?;
        let spec = detected.spec.clone();
        let mut parameters = parameters(checkpoint, detected);
        let build = |graph: Graph, source: Source<'_, String>| self.build(graph, source);
        FeatureNetwork::new(&spec, &mut *parameters, build).map_err(|err| format!("{model}: {err}"))
    }

    fn load(&self, model: &ModelRef) -> Result<Loaded, String> {
        let (checkpoint, detected) = self.open(model)?;
        let spec = detected.spec.clone();
        let mut parameters = parameters(checkpoint, detected);
        if let ModelRef::Tuned(base, tuning) = model {
            parameters =
                tuned(parameters, tuning, &spec).map_err(|err| format!("{base}: {err}"))?;
        }
        let build = |graph: Graph, source: Source<'_, String>| self.build(graph, source);
        let body = match (&spec, spec.blueprint()) {
            (_, Some(blueprint)) => LatentNetwork::new(blueprint, parameters, build)
                .map(|generator| (generator.runner().weight_bytes(), Body::of(generator))),
            (Spec::Denoiser(net), None) => DiffusionNetwork::new(net.clone(), parameters, build)
                .map(|generator| (generator.runner().weight_bytes(), Body::of(generator))),
            (_, None) => build(spec.graph(), &mut *parameters)
                .map(|layers| (layers.weight_bytes(), Body::Network(Box::new(layers)))),
        };
        let (bytes, body) = body.map_err(|err| format!("{model} does not load: {err}"))?;
        Ok(Loaded::new(spec, bytes, body))
    }

    fn build<E>(&self, graph: Graph, source: Source<'_, E>) -> Result<Layers, E> {
        Layers::new(graph, &self.device, source)
    }
}

/// The file of a model's weights and what it is.
///
/// # Errors
/// Where there is none, or it is not what its manifest says.
pub fn open(library: &Library, model: &ModelRef) -> Result<(Checkpoint, Detected), LibraryError> {
    match model {
        ModelRef::Id(id) => library.find(id).and_then(|installed| installed.open()),
        ModelRef::File(path) => open_network(path),
        ModelRef::Tuned(base, _) => open(library, base),
    }
}

/// `parameters` with what `tuning` changes, all of which must be some of `spec`.
fn tuned(
    mut parameters: Parameters,
    tuning: &Arc<Tuning>,
    spec: &Spec,
) -> Result<Parameters, String> {
    let shapes = spec.tensors();
    for (name, change) in tuning.changes() {
        let count = shapes.get(name).map(|shape| shape.iter().product::<usize>());
        if count != Some(change.len()) {
            return Err(format!("the tuning changes '{name}', which is no weight of this network"));
        }
    }
    let tuning = Arc::clone(tuning);
    Ok(Box::new(move |name| {
        let mut weight = parameters(name)?;
        tuning.add_to(name, &mut weight).map_err(|err| err.to_string())?;
        Ok(weight)
    }))
}

/// The parameters of a detected network by official name; detection has seen that all are there
/// and have the right shape.
pub fn official<'a>(
    checkpoint: &'a Checkpoint,
    detected: &'a Detected,
) -> impl FnMut(&str) -> Result<Vec<f32>, CheckpointError> + 'a {
    |name| checkpoint.read_f32(detected.names.get(name).map_or(name, String::as_str))
}

impl Models for ModelStore {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String> {
        self.loaded(model).map(|network| network as &mut dyn Network)
    }

    fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, String> {
        let loaded = self.loaded(model)?;
        match &mut loaded.body {
            Body::Generator(generator) => Ok(generator.as_mut()),
            Body::Network(_) => {
                let (architecture, lacks) =
                    (loaded.spec.architecture(), Purpose::Generate.negated());
                Err(format!("{model} is a {architecture} and {lacks}"))
            }
        }
    }

    fn hash(&mut self, model: &ModelRef) -> Result<String, String> {
        if let Some((_, hash)) = self.hashes.iter().find(|(known, _)| known == model) {
            return Ok(hash.clone());
        }
        let hash = match model {
            ModelRef::Id(id) => self.library.find(id).map(|installed| installed.manifest.sha256),
            ModelRef::File(path) => file_sha256(path),
            // Codes belong to the network that was tuned.
            ModelRef::Tuned(base, tuning) => {
                let hash = self.hash(base)?;
                return match tuning.model() == hash {
                    true => Ok(hash),
                    false => Err(format!("the tuning belongs to another model than {base}")),
                };
            }
        };
        let hash = hash.map_err(|err| err.to_string())?;
        self.hashes.push((model.clone(), hash.clone()));
        Ok(hash)
    }

    fn painter(&mut self, model: &ModelRef) -> Result<Gatys, String> {
        let (checkpoint, detected) = self.open(model)?;
        let Spec::Vgg(vgg) = &detected.spec else {
            let architecture = detected.spec.architecture();
            return Err(format!("{model} is a {architecture} and compares no pictures"));
        };
        let painter = Gatys::new(vgg, &mut official(&checkpoint, &detected));
        painter.map_err(|err| format!("{model} does not load: {err}"))
    }

    fn perceptual(&mut self, model: &ModelRef) -> Result<Perceptual, String> {
        let (checkpoint, detected) = self.open(model)?;
        let spec = detected.spec.clone();
        Perceptual::new(&spec, &mut *parameters(checkpoint, detected))
            .map_err(|err| format!("{model}: {err}"))
    }

    fn encoder(&mut self, model: &ModelRef) -> Result<Encoder, String> {
        let (checkpoint, detected) = self.open(model)?;
        let spec = detected.spec.clone();
        Encoder::new(&spec, &mut *parameters(checkpoint, detected))
            .map_err(|err| format!("{model}: {err}"))
    }

    fn identity(&mut self, model: &ModelRef) -> Result<Identity, String> {
        let (checkpoint, detected) = self.open(model)?;
        let spec = detected.spec.clone();
        Identity::new(&spec, &mut *parameters(checkpoint, detected))
            .map_err(|err| format!("{model}: {err}"))
    }

    fn fall_back(&mut self) -> bool {
        let moves = !self.on_processor();
        if moves {
            self.device = Device::flex();
            self.cache.clear();
            self.speed = None;
        }
        moves
    }

    fn matcher(&self) -> Option<&dyn Matcher> {
        self.matcher.as_deref()
    }

    fn forget(&mut self, model: &ModelRef) {
        self.cache.retain(|(cached, _)| cached != model);
    }

    fn measure(&mut self) -> Option<Speed> {
        if self.speed.is_none() {
            self.speed = self.run_probe();
        }
        self.speed
    }
}

impl ModelStore {
    fn run_probe(&self) -> Option<Speed> {
        // One block of the photo network with random weights: the arithmetic that matters.
        let spec = RrdbNet {
            channels: 3,
            features: 64,
            growth: 32,
            blocks: 1,
            doublings: 0,
            unshuffle: 1,
        };
        let spec = Spec::RrdbNet(spec);
        let shapes = spec.tensors();
        let mut source = |name: &str| -> Result<Vec<f32>, std::convert::Infallible> {
            Ok(vec![0.01; shapes.get(name).map_or(0, |shape| shape.iter().product())])
        };
        let layers = match self.build(spec.graph(), &mut source) {
            Ok(layers) => layers,
            Err(never) => match never {},
        };
        let mut network = Loaded::new(spec, None, Body::Network(Box::new(layers)));
        let flops = network.capability.flops_per_px * (PROBE_SIDE * PROBE_SIDE) as f64;
        let tile = Planes {
            channels: 3,
            height: PROBE_SIDE,
            width: PROBE_SIDE,
            data: vec![0.5; 3 * PROBE_SIDE * PROBE_SIDE],
        };
        // The first run compiles kernels and warms caches.
        network.run(std::slice::from_ref(&tile), &|| false).ok()?;
        let started = Instant::now();
        network.run(std::slice::from_ref(&tile), &|| false).ok()?;
        let seconds = started.elapsed().as_secs_f64();
        (seconds > 0.0).then(|| Speed { flops_per_second: flops / seconds })
    }
}

enum Body {
    Network(Box<Layers>),
    Generator(Box<dyn Generator + Send>),
}

impl Body {
    fn of(generator: impl Generator + Send + 'static) -> Self {
        Self::Generator(Box::new(generator))
    }
}

/// One network on its device.
struct Loaded {
    spec: Spec,
    capability: Capability,
    /// Memory that the weights take as they are held.
    bytes: u64,
    body: Body,
}

impl Loaded {
    /// Without `bytes` the weights take what their numbers do.
    fn new(spec: Spec, bytes: Option<u64>, body: Body) -> Self {
        let capability = spec.capability();
        Self { bytes: bytes.unwrap_or(capability.weight_bytes), capability, spec, body }
    }
}

impl Network for Loaded {
    fn capability(&self) -> &Capability {
        &self.capability
    }

    fn architecture(&self) -> &str {
        self.spec.architecture()
    }

    fn input_channels(&self) -> Vec<usize> {
        self.spec.graph().input_channels()
    }

    fn run(&mut self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        match &mut self.body {
            Body::Network(layers) => {
                let made = layers.run(inputs, stop)?;
                Ok(match &self.spec {
                    Spec::Srvgg(net) => made.into_iter().map(|made| net.reduced(made)).collect(),
                    _ => made,
                })
            }
            Body::Generator(generator) => {
                let vector = |at: usize| inputs.get(at).map_or(&[][..], |planes| &planes.data);
                let w = generator.map(vector(0), vector(1), stop)?;
                let rows = generator.space().rows();
                Ok(vec![generator.synthesize(&w.repeat(rows), Noise::Const, stop)?])
            }
        }
    }
}
