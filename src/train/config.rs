//! Everything that says how a run goes; it is kept with its state.

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::loss::Loss;
use crate::nets::{Dcgan, DcganDiscriminator, StyleGan2, StyleGan2Discriminator, Synthesis};
use crate::portrait::Template;

/// Sides that can be learnt, in pixels: powers of two between these.
const MIN_SIDE: usize = 8;
pub const MAX_SIDE: usize = 256;
/// Most channels of a layer, and numbers of a latent.
const MAX_WIDTH: usize = 4096;
/// Most pictures of a batch.
const MAX_BATCH: usize = 256;
/// Groups of pictures whose spread the judge of StyleGAN2 sees.
const GROUP: usize = 4;

/// Factor on weights and biases of the mapping.
const MAPPING_RATE: f32 = 0.01;

/// The networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// (Radford et al. 2015)
    Dcgan,
    /// Skip generator, residual discriminator (Karras et al. 2020).
    StyleGan2,
    /// Points in the plane and three fully connected layers on either side: a playground.
    Points,
}

/// A penalty on the gradient of the discriminator by its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Penalty {
    None,
    /// `γ/2 ‖∇D‖²` at real pictures, every so many steps and as much stronger.
    R1 {
        gamma: f64,
        every: u64,
    },
    /// `λ (‖∇D‖ - 1)²` between real and generated pictures, each step (WGAN-GP).
    Between {
        lambda: f64,
    },
}

/// Path-length regularisation of StyleGAN2's generator (Karras et al. 2020, equation 4): steps of
/// one length in W change pictures as much everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathPenalty {
    pub weight: f64,
    /// Share of the way that the mean goes to a batch's lengths.
    pub decay: f64,
    /// Every so many steps, and as much stronger.
    pub every: u64,
    /// Its batches have so many times fewer pictures.
    pub shrink: usize,
}

impl PathPenalty {
    /// As published but for the weight.
    pub const fn of(weight: f64) -> Self {
        Self { weight, decay: 0.01, every: 4, shrink: 2 }
    }

    /// The published weight.
    pub const WEIGHT: f64 = 2.0;
}

/// Adaptive discriminator augmentation (Karras et al. 2020b).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ada {
    Off,
    Fixed {
        probability: f64,
    },
    /// The probability grows while the mean sign of real logits is over the target; from 0 to 1
    /// takes so many thousand pictures at least.
    Adaptive {
        target: f64,
        kimg: f64,
    },
}

/// Settings that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// From nothing, with a few thousand pictures.
    Scratch,
    /// From a loaded generator with some hundred pictures: augmentation that soon grows, a lower
    /// rate. The judge begins anew, so that none of its blocks is worth keeping.
    FewPictures,
    /// Points in the plane.
    Playground,
}

/// What of a picture is learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// The largest square in the middle.
    #[default]
    Middle,
    /// The largest face, lying as the template says.
    Face(Template),
}

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub arch: Arch,
    /// Of the pictures, in pixels; 1 for points.
    pub side: usize,
    #[serde(default)]
    pub framing: Framing,
    /// Numbers in a latent, and in a row of W where there are any.
    pub z_dim: usize,
    /// Layers of the mapping.
    pub mapping_layers: usize,
    /// Channels at a side are this over the side, at most `channel_max`.
    pub channel_base: usize,
    pub channel_max: usize,
    /// Channels at sides of 4, 8, 16, … pixels where they follow no such rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widths: Vec<usize>,
    /// What activations of the generator are cut at (StyleGAN2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamp: Option<f32>,
    pub batch: usize,
    pub loss: Loss,
    pub penalty: Penalty,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_penalty: Option<PathPenalty>,
    /// Weights of the judge are cut at it after each step (Arjovsky et al. 2017).
    pub clip_weights: Option<f64>,
    /// Gradients longer than it are shortened to it, a network at a time.
    pub clip_gradient: Option<f64>,
    /// The judge's weights over their largest singular value (Miyato et al. 2018).
    pub spectral_norm: bool,
    /// Steps of the judge for one of the generator.
    pub judge_steps: u64,
    /// Of generator and judge.
    pub rates: [f64; 2],
    pub betas: [f64; 2],
    /// Half-life of the averaged generator, in thousand pictures.
    pub ema_kimg: f64,
    pub ada: Ada,
    /// Whether pictures are mirrored at random.
    pub mirror: bool,
    /// Share of the generator's batches that mix two latents (StyleGAN2).
    pub mixing: f64,
    /// Fine blocks of the judge that stay as they are (Mo et al. 2020).
    pub freeze_judge: usize,
    pub seed: u64,
}

impl Config {
    /// What is usual for these networks at this side.
    pub fn new(arch: Arch, side: usize) -> Self {
        let common = Self {
            arch,
            side,
            framing: Framing::Middle,
            z_dim: 128,
            mapping_layers: 4,
            channel_base: 1024,
            channel_max: 64,
            widths: Vec::new(),
            clamp: None,
            batch: 16,
            loss: Loss::NonSaturating,
            penalty: Penalty::None,
            path_penalty: None,
            clip_weights: None,
            clip_gradient: None,
            spectral_norm: false,
            judge_steps: 1,
            rates: [2e-4; 2],
            betas: [0.5, 0.999],
            ema_kimg: 5.0,
            ada: Ada::Off,
            mirror: true,
            mixing: 0.0,
            freeze_judge: 0,
            seed: 0,
        };
        match arch {
            Arch::Dcgan => {
                Self { z_dim: 100, channel_base: 64 * side, channel_max: 512, batch: 64, ..common }
            }
            Arch::StyleGan2 => Self {
                // The published code's rule for its automatic configuration has 0.0002; small
                // networks from few pictures drew textures with that and faces with this.
                penalty: Penalty::R1 {
                    gamma: 0.005 * (side * side) as f64 / common.batch as f64,
                    every: 16,
                },
                // Those of the published configuration for 256 pixels.
                channel_base: 16_384,
                channel_max: 512,
                rates: [2e-3; 2],
                betas: [0.0, 0.99],
                ada: Ada::Adaptive { target: 0.6, kimg: 100.0 },
                mixing: 0.9,
                ..common
            },
            Arch::Points => Self {
                side: 1,
                z_dim: 2,
                channel_base: 64,
                batch: 128,
                rates: [1e-3; 2],
                mirror: false,
                ema_kimg: 20.0,
                ..common
            },
        }
    }

    /// The settings of a preset; `side` counts for pictures only.
    pub fn preset(preset: Preset, side: usize) -> Self {
        match preset {
            Preset::Scratch => Self::new(Arch::StyleGan2, side),
            Preset::FewPictures => Self {
                ada: Ada::Adaptive { target: 0.6, kimg: 20.0 },
                rates: [1e-3; 2],
                ..Self::new(Arch::StyleGan2, side)
            },
            Preset::Playground => Self::new(Arch::Points, 1),
        }
    }

    /// For going on from a generator: its networks, with settings that suit few pictures.
    ///
    /// # Errors
    /// What of it cannot be learnt on here.
    pub fn tuning(generator: &StyleGan2) -> Result<Self, TrainError> {
        let StyleGan2 { z_dim, w_dim, classes, synthesis, mapping_rate, has_mean, .. } = *generator;
        let is_usual = mapping_rate == MAPPING_RATE && has_mean && z_dim == w_dim;
        if classes > 0 || synthesis != Synthesis::Skip || !is_usual {
            let text = "only StyleGAN2 generators with skips and without classes learn on";
            return Err(TrainError::Setting(text.into()));
        }
        let config = Self {
            z_dim,
            mapping_layers: generator.mapping_layers,
            widths: generator.channels.clone(),
            clamp: generator.clamp,
            ..Self::preset(Preset::FewPictures, generator.side())
        };
        config.check()?;
        Ok(config)
    }

    /// # Errors
    /// What is out of bounds, in words.
    pub fn check(&self) -> Result<(), TrainError> {
        let bad = |text: String| Err(TrainError::Setting(text));
        let is_side = (MIN_SIDE..=MAX_SIDE).contains(&self.side) && self.side.is_power_of_two();
        if self.arch != Arch::Points && !is_side {
            return bad(format!("a side is a power of two from {MIN_SIDE} to {MAX_SIDE}"));
        }
        let levels = (self.side / 4).max(1).ilog2() as usize + 1;
        if !self.widths.is_empty() && self.widths.len() != levels {
            return bad(format!("{levels} blocks need as many widths"));
        }
        if !(2..=MAX_BATCH).contains(&self.batch) {
            return bad(format!("a batch has 2 to {MAX_BATCH} pictures"));
        }
        let widths = self.widths.iter().chain([&self.z_dim, &self.channel_max]);
        let is_wide = widths.into_iter().any(|width| !(1..=MAX_WIDTH).contains(width));
        let is_wide = is_wide || (self.arch == Arch::Points && self.channel_base > MAX_WIDTH);
        if is_wide || self.channel_base == 0 || self.mapping_layers > 16 {
            return bad("the networks would be too large".into());
        }
        let rates = self.rates.iter().all(|rate| rate.is_finite() && *rate > 0.0);
        let betas = self.betas.iter().all(|beta| (0.0..1.0).contains(beta));
        if !rates || !betas || self.judge_steps == 0 {
            return bad("learning rates are over 0, betas within 0 to 1".into());
        }
        if self.arch == Arch::Dcgan && self.penalty != Penalty::None && self.judge_has_norm() {
            return bad("a penalty on gradients and batch norm do not go together".into());
        }
        if let Some(PathPenalty { weight, decay, every, shrink }) = self.path_penalty {
            if self.arch != Arch::StyleGan2 {
                return bad("path lengths are those of StyleGAN2".into());
            }
            let is_usual = weight.is_finite() && weight > 0.0 && (0.0..=1.0).contains(&decay);
            if !is_usual || every == 0 || shrink == 0 {
                return bad(
                    "the weight of path lengths is over 0, their decay within 0 to 1".into()
                );
            }
        }
        Ok(())
    }

    /// Channels at sides of 4, 8, 16, … pixels.
    pub fn channels(&self) -> Vec<usize> {
        if !self.widths.is_empty() {
            return self.widths.clone();
        }
        let levels = (self.side / 4).max(1).ilog2();
        (0..=levels)
            .map(|level| (self.channel_base / (4 << level)).clamp(1, self.channel_max))
            .collect()
    }

    /// A penalty on single pictures' gradients and statistics of the batch contradict each other.
    pub fn judge_has_norm(&self) -> bool {
        self.penalty == Penalty::None && !self.spectral_norm && self.clip_weights.is_none()
    }

    pub(super) fn dcgan(&self) -> (Dcgan, DcganDiscriminator) {
        let mut channels = self.channels();
        // The last layer of the generator makes colours, and its channels are what come before.
        channels.pop();
        let judge = DcganDiscriminator {
            channels: channels.iter().rev().copied().collect(),
            has_norm: self.judge_has_norm(),
        };
        channels.push(3);
        (Dcgan { latent: self.z_dim, channels }, judge)
    }

    pub(super) fn stylegan2(&self) -> (StyleGan2, StyleGan2Discriminator) {
        let generator = StyleGan2 {
            z_dim: self.z_dim,
            w_dim: self.z_dim,
            classes: 0,
            mapping_layers: self.mapping_layers,
            mapping_rate: MAPPING_RATE,
            channels: self.channels(),
            synthesis: Synthesis::Skip,
            clamp: self.clamp,
            has_mean: true,
        };
        (generator, StyleGan2Discriminator { channels: self.channels(), group: GROUP })
    }
}
