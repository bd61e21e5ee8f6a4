//! FFDNet: Zhang, Zuo, Zhang, "FFDNet: Toward a Fast and Flexible Solution for CNN based Image
//! Denoising" (2018), named as in KAIR.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::nets::FfdNet;
use crate::nets::graph::Graph;
use crate::params::ParamSpec;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

/// Range of noise that the network was trained with, in levels of 8 bits.
const SIGMA: (f64, f64) = (0.0, 75.0);

const PARAMS: &[ParamSpec] = &[ParamSpec::float(
    "sigma",
    "Noise",
    15.0,
    SIGMA,
    SIGMA,
    "",
    "Standard deviation of the noise in levels of 8 bits; 0 estimates it",
)];

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: FfdNet::NAME,
    official: |shapes| rooted(shapes, "model."),
    infer,
    is_ignorable: |_| false,
};

impl Describe for FfdNet {
    const NAME: &'static str = "FFDNet";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            multiple: 2,
            params: PARAMS,
            ..Capability::of(Purpose::Denoise, &self.graph())
        }
    }
}

impl std::fmt::Display for FfdNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} layers, {} features, told the noise", self.layers, self.features)
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let first = four(shapes, "model.0.weight").ok_or_else(|| missing("model.0.weight".into()))?;
    let last_index = shapes.keys().filter_map(|name| numbered(name, "model.")).map(|(n, _)| n);
    let last_index = last_index.max().unwrap_or(0);
    let last_name = format!("model.{last_index}.weight");
    let last = four(shapes, &last_name).ok_or_else(|| missing(last_name))?;
    if last_index < 2 || last_index % 2 != 0 || last[0] % 4 != 0 || first[1] != last[0] + 1 {
        return Err(missing("a first layer that takes blocks of 2×2 pixels and the noise".into()));
    }
    let (channels, features) = (last[0] / 4, first[0]);
    Ok(Spec::FfdNet(FfdNet { channels, features, layers: last_index / 2 + 1 }))
}
