//! Networks for the worker: built from checkpoints on a device, the recent ones kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};

use super::plan::Speed;
use super::protocol::ModelRef;
use super::worker::{Generator, Models, NetworkError, Planes, Upscaler};
use crate::nets::processor::{RrdbNetProcessor, SrvggProcessor};
use crate::nets::{self, DcganGenerator, RrdbNet, SrvggNetCompact};
use crate::zoo::{Capability, Library, Spec, arch, open_network};

/// Memory that cached weights may take.
const CACHE_BYTES: u64 = 1 << 30;
/// Side of the picture with which a device is measured, in pixels.
const PROBE_SIDE: usize = 64;

/// The real [`Models`].
pub struct ModelStore {
    library: Library,
    device: Device,
    /// Most recently used last.
    cache: Vec<(ModelRef, Network)>,
    /// Of the device, once measured.
    speed: Option<Speed>,
}

impl ModelStore {
    pub const fn new(library: Library, device: Device) -> Self {
        Self { library, device, cache: Vec::new(), speed: None }
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

    fn network(&mut self, model: &ModelRef) -> Result<&mut Network, String> {
        match self.cache.iter().position(|(cached, _)| cached == model) {
            Some(at) => {
                let entry = self.cache.remove(at);
                self.cache.push(entry);
            }
            None => {
                let network = self.load(model)?;
                let mut bytes = network.capability.weight_bytes;
                bytes += self.cache.iter().map(|(_, n)| n.capability.weight_bytes).sum::<u64>();
                while bytes > CACHE_BYTES && !self.cache.is_empty() {
                    bytes -= self.cache.remove(0).1.capability.weight_bytes;
                }
                self.cache.push((model.clone(), network));
            }
        }
        self.cache.last_mut().map(|(_, n)| n).ok_or_else(|| format!("{model} was not loaded"))
    }

    fn load(&self, model: &ModelRef) -> Result<Network, String> {
        let opened = match model {
            ModelRef::Id(id) => self.library.find(id).and_then(|installed| installed.open()),
            ModelRef::File(path) => open_network(path),
        };
        let (checkpoint, detected) = opened.map_err(|err| err.to_string())?;
        let (device, on_processor) = (&self.device, self.on_processor());
        let (checkpoint, detected) = (&checkpoint, &detected);
        let mut source = |name: &str| nets::read_official(checkpoint, detected, name);
        let layers = match &detected.spec {
            Spec::RrdbNet(spec) if on_processor => {
                RrdbNetProcessor::new(spec, &mut source).map(Layers::RrdbNetProcessor)
            }
            Spec::Srvgg(spec) if on_processor => {
                SrvggProcessor::new(spec, &mut source).map(Layers::SrvggProcessor)
            }
            Spec::RrdbNet(spec) => {
                let net = RrdbNet::init(spec, device);
                nets::load(net, RrdbNet::official, checkpoint, detected, device)
                    .map(Layers::RrdbNet)
            }
            Spec::Srvgg(spec) => {
                let net = SrvggNetCompact::init(spec, device);
                nets::load(net, SrvggNetCompact::official, checkpoint, detected, device)
                    .map(Layers::Srvgg)
            }
            Spec::Dcgan(spec) => {
                let net = DcganGenerator::init(spec, device);
                nets::load(net, DcganGenerator::official, checkpoint, detected, device)
                    .map(Layers::Dcgan)
            }
        };
        let layers = layers.map_err(|err| format!("{model} does not load: {err}"))?;
        Ok(Network::new(detected.spec.clone(), layers, device.clone()))
    }
}

impl Models for ModelStore {
    fn upscaler(&mut self, model: &ModelRef) -> Result<&mut dyn Upscaler, String> {
        let network = self.network(model)?;
        match network.layers {
            Layers::Dcgan(_) => Err(format!(
                "{model} is a {} and enlarges no pictures",
                network.spec.architecture()
            )),
            _ if network.capability.channels_in != 3 => {
                Err(format!("{model} is not for colour pictures"))
            }
            _ => Ok(network),
        }
    }

    fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, String> {
        let network = self.network(model)?;
        match network.layers {
            Layers::Dcgan(_) if network.capability.channels_out == 3 => Ok(network),
            _ => Err(format!(
                "{model} is a {} and draws no pictures from seeds",
                network.spec.architecture()
            )),
        }
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
        let spec = arch::RrdbNet {
            channels: 3,
            features: 64,
            growth: 32,
            blocks: 1,
            doublings: 0,
            unshuffle: 1,
        };
        let layers = if self.on_processor() {
            let shapes = Spec::RrdbNet(spec.clone()).tensors();
            let mut source = |name: &str| {
                let len = shapes.get(name).map_or(0, |shape| shape.iter().product());
                Ok(vec![0.01; len])
            };
            Layers::RrdbNetProcessor(RrdbNetProcessor::new(&spec, &mut source).ok()?)
        } else {
            Layers::RrdbNet(RrdbNet::init(&spec, &self.device))
        };
        let mut network = Network::new(Spec::RrdbNet(spec), layers, self.device.clone());
        let flops = network.capability.flops_per_px * (PROBE_SIDE * PROBE_SIDE) as f64;
        let tile = Planes {
            channels: 3,
            height: PROBE_SIDE,
            width: PROBE_SIDE,
            data: vec![0.5; 3 * PROBE_SIDE * PROBE_SIDE],
        };
        // The first run compiles kernels and warms caches.
        network.enlarge(&tile).ok()?;
        let started = Instant::now();
        network.enlarge(&tile).ok()?;
        let seconds = started.elapsed().as_secs_f64();
        (seconds > 0.0).then(|| Speed { flops_per_second: flops / seconds })
    }
}

enum Layers {
    RrdbNet(RrdbNet),
    Srvgg(SrvggNetCompact),
    Dcgan(DcganGenerator),
    RrdbNetProcessor(RrdbNetProcessor),
    SrvggProcessor(SrvggProcessor),
}

/// One network on its device.
struct Network {
    spec: Spec,
    capability: Capability,
    layers: Layers,
    device: Device,
}

impl Network {
    fn new(spec: Spec, layers: Layers, device: Device) -> Self {
        Self { capability: spec.capability(), spec, layers, device }
    }

    /// Runs the network and reads its result back, with every failure as an error.
    fn run(
        &self,
        data: Vec<f32>,
        shape: [usize; 4],
    ) -> Result<(Vec<f32>, [usize; 4]), NetworkError> {
        let run = || {
            let [_, channels, height, width] = shape;
            let scale = self.capability.scale as usize;
            let enlarged = [1, channels, height * scale, width * scale];
            let input = |data| Tensor::<4>::from_data(TensorData::new(data, shape), &self.device);
            // Inside the pool for the whole run: entering it anew for each of hundreds of layers
            // costs a sleep and a wake-up each, which a busy machine stretches to minutes.
            let output = match &self.layers {
                Layers::RrdbNetProcessor(net) => {
                    let run = || net.forward(&data, height, width, &mut |_, _, _| {});
                    return Ok((rayon::scope(|_| run()), enlarged));
                }
                Layers::SrvggProcessor(net) => {
                    let run = || net.forward(&data, height, width, &mut |_, _, _| {});
                    return Ok((rayon::scope(|_| run()), enlarged));
                }
                Layers::RrdbNet(net) => net.forward(input(data)),
                Layers::Srvgg(net) => net.forward(input(data)),
                Layers::Dcgan(net) => net.forward(input(data)),
            };
            let shape = output.dims();
            output.try_into_vec_as::<f32>().map(|data| (data, shape)).map_err(|err| err.to_string())
        };
        // Some allocation failures of the graphics stack arrive as panics; they are told from
        // others here, so that the tile can be made smaller.
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(text)) if speaks_of_memory(&text) => Err(NetworkError::OutOfMemory),
            Ok(Err(text)) => Err(NetworkError::Failed(text)),
            Err(panic) => {
                let text = super::worker::panic_text(&*panic).to_owned();
                if speaks_of_memory(&text) {
                    Err(NetworkError::OutOfMemory)
                } else {
                    std::panic::resume_unwind(panic)
                }
            }
        }
    }
}

fn speaks_of_memory(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("out of memory") || text.contains("outofmemory") || text.contains("allocat")
}

impl Upscaler for Network {
    fn capability(&self) -> Capability {
        self.capability
    }

    fn enlarge(&mut self, tile: &Planes) -> Result<Planes, NetworkError> {
        let unshuffle = match &self.spec {
            Spec::RrdbNet(spec) => spec.unshuffle,
            _ => 1,
        };
        let padded = pad_to_multiple(tile, unshuffle);
        let shape = [1, padded.channels, padded.height, padded.width];
        let (data, [_, channels, height, width]) = self.run(padded.data, shape)?;
        let scale = self.capability.scale as usize;
        let out = Planes { channels, height, width, data };
        Ok(crop(out, tile.height * scale, tile.width * scale))
    }
}

impl Generator for Network {
    fn latent_len(&self) -> usize {
        match &self.spec {
            Spec::Dcgan(spec) => spec.latent,
            _ => 0,
        }
    }

    fn draw(&mut self, latents: &[Vec<f32>]) -> Result<Vec<Planes>, NetworkError> {
        let shape = [latents.len(), self.latent_len(), 1, 1];
        let (data, [_, channels, height, width]) = self.run(latents.concat(), shape)?;
        let picture = |values: &[f32]| Planes {
            channels,
            height,
            width,
            // The network answers in -1..=1.
            data: values.iter().map(|value| value * 0.5 + 0.5).collect(),
        };
        Ok(data.chunks_exact(channels * height * width).map(picture).collect())
    }
}

/// The planes with the last row and column repeated up to multiples of `multiple`.
fn pad_to_multiple(planes: &Planes, multiple: usize) -> Planes {
    let (height, width) = (planes.height, planes.width);
    let to_height = height.next_multiple_of(multiple);
    let to_width = width.next_multiple_of(multiple);
    if (to_height, to_width) == (height, width) {
        return planes.clone();
    }
    let mut data = Vec::with_capacity(planes.channels * to_height * to_width);
    for plane in planes.data.chunks_exact(height * width) {
        for y in 0..to_height {
            let row = &plane[y.min(height - 1) * width..][..width];
            data.extend((0..to_width).map(|x| row[x.min(width - 1)]));
        }
    }
    Planes { channels: planes.channels, height: to_height, width: to_width, data }
}

/// The top left part.
fn crop(planes: Planes, height: usize, width: usize) -> Planes {
    if (planes.height, planes.width) == (height, width) {
        return planes;
    }
    let mut data = Vec::with_capacity(planes.channels * height * width);
    for plane in planes.data.chunks_exact(planes.height * planes.width) {
        for row in plane.chunks_exact(planes.width).take(height) {
            data.extend_from_slice(&row[..width]);
        }
    }
    Planes { channels: planes.channels, height, width, data }
}
