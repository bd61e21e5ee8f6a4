//! The networks that look at pictures: which one, and on what device.

use super::super::library::model_ref;
use super::super::report::Failure;
use super::Metric;
use crate::device::DeviceChoice;
use crate::infer::examine::Aim;
use crate::infer::features::FeatureNetwork;
use crate::infer::generator::Generator;
use crate::infer::models::{ModelStore, open};
use crate::infer::protocol::ModelRef;
use crate::infer::worker::Models as _;
use crate::zoo::Library;

impl Metric {
    /// What networks are to look at pictures for; none are for arithmetic alone.
    const fn aim(self) -> Option<Aim> {
        match self {
            Self::Fid | Self::Kid | Self::Pr => Some(Aim::Sets),
            Self::Is => Some(Aim::Classes),
            Self::Ppl => Some(Aim::Paths),
            Self::Lpips => Some(Aim::Pairs),
            Self::Psnr | Self::Ssim | Self::MsSsim => None,
        }
    }
}

/// The network for `metric`: the one that is named, else the best that is installed.
pub(super) fn choose(
    library: &Library,
    name: Option<&str>,
    metric: Metric,
) -> Result<ModelRef, Failure> {
    if let Some(name) = name {
        let model = model_ref(library, name)?;
        let opened = open(library, &model);
        let (_, detected) = opened.map_err(|error| super::super::input::unusable(&error))?;
        if metric.aim().is_some_and(|aim| aim.is_served_by(&detected.spec)) {
            return Ok(model);
        }
        let (architecture, metric) = (detected.spec.architecture(), metric.name());
        let sentence = format!("{model} is a {architecture} and does not serve for {metric}");
        return Err(Failure::input(sentence));
    }
    metric.aim().and_then(|aim| aim.best(library)).ok_or_else(|| {
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
