//! The adapters of this machine and what the device policy makes of them.

use super::context::facts;
use super::{AdapterFacts, DevicePlan, GpuContext, GpuError, PolicyError};
use super::{adapters, create_instance, plan_devices, runs_operations};
use crate::device::DeviceChoice;

/// The machine as the policy sees it, for one wish. Listing adapters starts the drivers, which
/// takes some tenths of a second.
#[derive(Debug)]
pub struct Survey {
    /// Keeps the drivers loaded while devices are opened.
    _instance: wgpu::Instance,
    adapters: Vec<wgpu::Adapter>,
    facts: Vec<AdapterFacts>,
    choice: DeviceChoice,
    plan: DevicePlan,
}

impl Survey {
    /// Lists the adapters and decides.
    pub fn take(choice: DeviceChoice) -> Result<Self, PolicyError> {
        let instance = create_instance();
        let (adapters, facts): (Vec<_>, Vec<_>) = adapters(&instance).into_iter().unzip();
        let plan = plan_devices(&facts, choice)?;
        Ok(Self { _instance: instance, adapters, facts, choice, plan })
    }

    pub const fn plan(&self) -> DevicePlan {
        self.plan
    }

    /// Every adapter, in the order that `gpu:N` counts.
    pub fn facts(&self) -> &[AdapterFacts] {
        &self.facts
    }

    /// The handles of [`Survey::facts`].
    pub fn adapters(&self) -> &[wgpu::Adapter] {
        &self.adapters
    }

    /// The adapter for window and shaders.
    pub fn chosen(&self) -> Option<&AdapterFacts> {
        self.facts.get(self.plan.adapter()?)
    }

    /// Whether full-size operations run as shaders.
    pub fn runs_operations(&self) -> bool {
        self.chosen().is_some_and(|adapter| runs_operations(adapter, self.choice))
    }

    /// Opens the chosen adapter for our shaders alone.
    pub fn open(&self) -> Result<GpuContext, GpuError> {
        let adapter = self.plan.adapter().and_then(|index| self.adapters.get(index));
        let adapter = adapter.ok_or_else(|| GpuError::NoAdapter("there is none".into()))?;
        GpuContext::open(adapter.clone())
    }

    /// Chooses among the adapters that can draw to a window: the planned one, else the best.
    pub fn presenter(
        &self,
    ) -> impl Fn(&[wgpu::Adapter], Option<&wgpu::Surface<'_>>) -> Result<wgpu::Adapter, String>
    + Send
    + Sync
    + use<> {
        let wanted = self.chosen().cloned();
        move |adapters, surface| {
            let able = adapters
                .iter()
                .filter(|adapter| surface.is_none_or(|s| adapter.is_surface_supported(s)))
                .map(|adapter| (facts(adapter), adapter))
                .min_by_key(|(facts, _)| (Some(facts) != wanted.as_ref(), facts.rank()));
            let (_, adapter) = able.ok_or("no graphics adapter can draw to this window")?;
            Ok(adapter.clone())
        }
    }

    /// What somebody who asked for an adapter must hear when the window came up on another.
    pub fn replacement(&self, window: &GpuContext) -> Option<String> {
        let asked = self.chosen().filter(|_| matches!(self.choice, DeviceChoice::Gpu(_)))?;
        (asked != window.facts()).then(|| {
            format!("{} cannot draw to this window; {} does", asked.name, window.facts().name)
        })
    }

    /// What somebody who asked for an adapter must hear when the policy does otherwise.
    pub fn remark(&self) -> Option<String> {
        match (self.choice, self.plan) {
            (DeviceChoice::Gpu(index), DevicePlan::Split(_)) => Some(format!(
                "gpu:{index} ({}) is a software driver: operations and networks run on the \
                 processor, which is faster",
                self.facts[index].name
            )),
            _ => None,
        }
    }
}
