//! The networks that look at pictures: which one, and on what device.

use super::super::library::model_ref;
use super::super::report::Failure;
use super::Metric;
use crate::device::DeviceChoice;
use crate::infer::features::FeatureNetwork;
use crate::infer::generator::Generator;
use crate::infer::models::{ModelStore, open};
use crate::infer::protocol::ModelRef;
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
        let opened = open(library, &model);
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
pub(super) struct Networks(ModelStore);

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
