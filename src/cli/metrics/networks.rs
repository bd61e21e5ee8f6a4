//! The networks that look at pictures: which one, and on what device.

use super::super::library::model_ref;
use super::super::report::Failure;
use super::Metric;
use crate::device::DeviceChoice;
use crate::infer::features::FeatureNetwork;
use crate::infer::generator::Generator;
#[cfg(feature = "infer")]
use crate::infer::models::ModelStore;
use crate::infer::protocol::ModelRef;
#[cfg(feature = "infer")]
use crate::infer::worker::Models as _;
use crate::nets::InceptionVariant;
use crate::zoo::{Library, Purpose, Spec, open_network};

/// Whether a network is of one kind.
type Is = fn(&Spec) -> bool;

const FID: Is =
    |spec| matches!(spec, Spec::Inception(net) if net.variant() == InceptionVariant::Fid);
const INCEPTION: Is = |spec| matches!(spec, Spec::Inception(_));
const ALEX_NET: Is = |spec| matches!(spec, Spec::AlexNet(_));
const VGG16: Is = |spec| matches!(spec, Spec::Vgg(net) if net.blocks.concat().len() == 13);
const SQUEEZE_NET: Is = |spec| matches!(spec, Spec::SqueezeNet(_));
const SUBSTITUTE: Is = |spec| matches!(spec, Spec::StylePredictor(_));

impl Metric {
    /// The networks that serve it, the best first.
    const fn wants(self) -> &'static [Is] {
        match self {
            Self::Fid | Self::Kid | Self::Pr => &[FID, INCEPTION, SUBSTITUTE],
            // Nothing else that is at hand knows classes.
            Self::Is => &[FID, INCEPTION],
            Self::Ppl => &[VGG16, ALEX_NET, SQUEEZE_NET, SUBSTITUTE],
            Self::Lpips => &[ALEX_NET, VGG16, SQUEEZE_NET, SUBSTITUTE],
            Self::Psnr | Self::Ssim | Self::MsSsim => &[],
        }
    }
}

/// The network for `metric`: the one that is named, else the best that is installed.
pub(super) fn choose(
    library: &Library,
    name: Option<&str>,
    metric: Metric,
) -> Result<ModelRef, Failure> {
    let wants = metric.wants();
    if let Some(name) = name {
        let model = model_ref(library, name)?;
        let opened = match &model {
            ModelRef::Id(id) => library.find(id).and_then(|installed| installed.open()),
            ModelRef::File(path) => open_network(path),
        };
        let (_, detected) = opened.map_err(|error| super::super::input::unusable(&error))?;
        if wants.iter().any(|is| is(&detected.spec)) {
            return Ok(model);
        }
        let (architecture, metric) = (detected.spec.architecture(), metric.name());
        let sentence = format!("{model} is a {architecture} and does not serve for {metric}");
        return Err(Failure::input(sentence));
    }
    let purposes = [Purpose::Judge, Purpose::Features, Purpose::StyleVector];
    let installed = library.list().0.into_iter();
    let specs: Vec<_> = installed
        .filter(|model| purposes.contains(&model.manifest.purpose))
        .filter_map(|model| Some((open_network(&model.weights).ok()?.1.spec, model.manifest.id)))
        .collect();
    let best = wants.iter().find_map(|is| specs.iter().find(|(spec, _)| is(spec)));
    best.map(|(_, id)| ModelRef::Id(id.clone())).ok_or_else(|| {
        let metric = metric.name();
        let sentence = format!(
            "no network for {metric} is installed; 'ganvas models import FILE' adds Inception-v3"
        );
        Failure::input(sentence)
    })
}

/// Where networks come from.
#[cfg(feature = "infer")]
pub(super) struct Networks(ModelStore);

#[cfg(feature = "infer")]
impl Networks {
    pub(super) fn open(device: DeviceChoice) -> Result<Self, Failure> {
        super::super::networks::store(device).map(Self)
    }

    pub(super) const fn library(&self) -> &Library {
        self.0.library()
    }

    pub(super) fn features(&self, model: &ModelRef) -> Result<FeatureNetwork, Failure> {
        self.0.features(model).map_err(Failure::input)
    }

    pub(super) fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, Failure> {
        self.0.generator(model).map_err(Failure::input)
    }
}

/// Where networks come from: the processor, as this build has no other place.
#[cfg(not(feature = "infer"))]
pub(super) struct Networks {
    library: Library,
    generator: Option<crate::infer::generator::LatentNetwork<crate::nets::cpu::Processor>>,
}

#[cfg(not(feature = "infer"))]
impl Networks {
    pub(super) fn open(device: DeviceChoice) -> Result<Self, Failure> {
        super::super::devices::engine(device, 0)?;
        Ok(Self { library: Library::discover(), generator: None })
    }

    pub(super) const fn library(&self) -> &Library {
        &self.library
    }

    fn detected(
        &self,
        model: &ModelRef,
    ) -> Result<(crate::checkpoint::Checkpoint, crate::zoo::Detected), Failure> {
        let opened = match model {
            ModelRef::Id(id) => self.library.find(id).and_then(|installed| installed.open()),
            ModelRef::File(path) => open_network(path),
        };
        opened.map_err(|error| super::super::input::unusable(&error))
    }

    pub(super) fn features(&self, model: &ModelRef) -> Result<FeatureNetwork, Failure> {
        let (checkpoint, detected) = self.detected(model)?;
        let spec = detected.spec.clone();
        let mut parameters = crate::infer::generator::parameters(checkpoint, detected);
        FeatureNetwork::on_processor(&spec, &mut *parameters)
            .map_err(|reason| Failure::input(format!("{model}: {reason}")))
    }

    pub(super) fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, Failure> {
        let (checkpoint, detected) = self.detected(model)?;
        let Some(blueprint) = detected.spec.blueprint() else {
            let (architecture, lacks) = (detected.spec.architecture(), Purpose::Generate.negated());
            return Err(Failure::input(format!("{model} is a {architecture} and {lacks}")));
        };
        let parameters = crate::infer::generator::parameters(checkpoint, detected);
        let network = crate::infer::generator::LatentNetwork::on_processor(blueprint, parameters)
            .map_err(|reason| Failure::input(format!("{model}: {reason}")))?;
        Ok(self.generator.insert(network))
    }
}
