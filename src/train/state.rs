//! What a run leaves on disk: the generator for use, and everything needed to go on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::augment::Controller;
use super::config::Config;
use super::paths::Paths;
use super::run::{Best, Trainer};
use super::weights::{Weights, list};
use crate::checkpoint::container;
use crate::io;
use crate::nets::StyleGan2;
use crate::zoo::{Parameters, Spec, open_network, parameters};

/// The averaged generator, with official names.
pub const WEIGHTS_FILE: &str = "generator.safetensors";
/// The same where it was nearest to real samples.
pub const BEST_FILE: &str = "best.safetensors";
/// Everything else.
pub const STATE_FILE: &str = "state.safetensors";
const WHAT: &str = "state of a training run";
/// What figures are called that [`Trainer::distance`] gives.
const DISTANCE: &str = "distance";
const VERSION: u32 = 1;
/// Largest state.
const MAX_BYTES: usize = 4 << 30;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    version: u32,
    config: Config,
    steps: u64,
    images: u64,
    /// Steps of the optimisers.
    optimiser_steps: [u64; 2],
    controller: Controller,
    #[serde(default)]
    paths: Paths,
    seconds: f64,
    /// The smallest figure so far, and what it is.
    #[serde(default)]
    best: Option<f64>,
    #[serde(default)]
    best_by: Option<String>,
}

/// What the file of the generator says of itself.
#[derive(Serialize)]
struct Provenance<'a> {
    config: &'a Config,
    images: u64,
}

fn numbers(tensor: &Tensor<1>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap_or_default()
}

/// Groups of tensors in the state, by the prefix of their names.
fn groups(of: &Trainer) -> Vec<(String, BTreeMap<String, Vec<f32>>)> {
    let weights = |weights: &Weights| -> BTreeMap<String, Vec<f32>> {
        weights.names().filter_map(|n| Some((n.clone(), weights.read(n)?))).collect()
    };
    let lists = |lists: &BTreeMap<String, Tensor<1>>| -> BTreeMap<String, Vec<f32>> {
        lists.iter().map(|(name, list)| (name.clone(), numbers(list))).collect()
    };
    let mut groups = vec![
        ("generator".to_owned(), weights(&of.generator.weights)),
        ("average".to_owned(), weights(&of.average.weights)),
        ("judge".to_owned(), weights(&of.judge.weights)),
        ("spectral".to_owned(), lists(&of.spectral.left)),
    ];
    for (number, optimiser) in of.optimisers.iter().enumerate() {
        groups.push((format!("first{number}"), lists(&optimiser.first)));
        groups.push((format!("second{number}"), lists(&optimiser.second)));
    }
    groups
}

impl Trainer {
    /// The averaged generator as a checkpoint that the latent tools open.
    ///
    /// # Errors
    /// Only where the machine cannot hold it.
    pub fn weights_file(&self) -> Result<Vec<u8>, TrainError> {
        let weights = &self.average.weights;
        let read = weights.shapes.iter().filter_map(|(name, shape)| {
            let values = weights.read(name)?;
            Some((name, shape, values))
        });
        let read: Vec<_> = read.collect();
        let tensors: Vec<container::Tensor<'_>> = read
            .iter()
            .map(|(name, shape, values)| ((*name).clone(), (*shape).clone(), &**values))
            .collect();
        let about = Provenance { config: &self.config, images: self.images };
        container::write("generator", &tensors, &about)
            .map_err(|err| TrainError::Write { path: WEIGHTS_FILE.into(), reason: err.reason })
    }

    /// Writes [`WEIGHTS_FILE`] and [`STATE_FILE`], each beside its place and then moved, so that
    /// who is killed meanwhile leaves the last whole ones.
    ///
    /// # Errors
    /// What could not be written.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let groups = groups(self);
        let mut tensors: Vec<container::Tensor<'_>> = Vec::new();
        for (group, lists) in &groups {
            for (name, values) in lists {
                tensors.push((format!("{group}/{name}"), vec![values.len()], values));
            }
        }
        let about = About {
            version: VERSION,
            config: self.config.clone(),
            steps: self.steps,
            images: self.images,
            optimiser_steps: [self.optimisers[0].steps, self.optimisers[1].steps],
            controller: self.controller,
            paths: self.paths,
            seconds: self.seconds,
            best: self.best.as_ref().map(|best| best.value),
            best_by: self.best.as_ref().map(|best| best.by.clone()),
        };
        let bytes = container::write(WHAT, &tensors, &about);
        let bytes = bytes
            .map_err(|err| TrainError::Write { path: STATE_FILE.into(), reason: err.reason })?;
        write(&folder.join(WEIGHTS_FILE), &self.weights_file()?)?;
        write(&folder.join(STATE_FILE), &bytes)
    }

    /// Keeps the generator as the best so far, in [`BEST_FILE`], if its figure is the smallest of
    /// that name; answers whether it is. Another name begins anew.
    ///
    /// # Errors
    /// What could not be written.
    pub fn keep_best(&mut self, folder: &Path, value: f64, by: &str) -> Result<bool, TrainError> {
        let is_worse = |best: &Best| best.by == by && best.value <= value;
        if !value.is_finite() || self.best.as_ref().is_some_and(is_worse) {
            return Ok(false);
        }
        write(&folder.join(BEST_FILE), &self.weights_file()?)?;
        self.best = Some(Best { value, by: by.to_owned() });
        Ok(true)
    }

    /// [`Trainer::keep_best`] by [`Trainer::distance`], while nothing better has measured.
    ///
    /// # Errors
    /// As there.
    pub fn keep_nearest(&mut self, folder: &Path, distance: f64) -> Result<bool, TrainError> {
        let is_measured = self.best.as_ref().is_some_and(|best| best.by != DISTANCE);
        if is_measured { Ok(false) } else { self.keep_best(folder, distance, DISTANCE) }
    }

    /// Takes over the state in a folder that [`Trainer::save`] wrote.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of a run with other settings.
    pub fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        let bad = |reason: String| damaged(folder, reason);
        let (about, tensors) = read(folder)?;
        if about.version != VERSION {
            return Err(bad(format!("version {} is unknown", about.version)));
        }
        if about.config != self.config {
            return Err(bad("it is of a run with other settings".into()));
        }
        let mut tensors: HashMap<String, Vec<f32>> =
            tensors.into_iter().map(|(name, (_, values))| (name, values)).collect();
        let players = [
            ("generator", &mut self.generator.weights),
            ("average", &mut self.average.weights),
            ("judge", &mut self.judge.weights),
        ];
        for (group, weights) in players {
            let names: Vec<String> = weights.names().cloned().collect();
            for name in names {
                let values = tensors.remove(&format!("{group}/{name}"));
                if !values.is_some_and(|values| weights.write(&name, values)) {
                    return Err(bad(format!("'{group}/{name}' is missing or of another size")));
                }
            }
        }
        let device = self.judge.weights.device().clone();
        let judge = self.judge.weights.shapes.clone();
        let generator = self.generator.weights.shapes.clone();
        for (name, values) in tensors {
            let known = name.split_once('/').and_then(|(group, leaf)| {
                let own = if group.ends_with('0') { &generator } else { &judge };
                let len: usize = own.get(leaf)?.iter().product();
                let fits = group == "spectral" || len == values.len();
                let to = match group {
                    "spectral" => &mut self.spectral.left,
                    "first0" => &mut self.optimisers[0].first,
                    "second0" => &mut self.optimisers[0].second,
                    "first1" => &mut self.optimisers[1].first,
                    "second1" => &mut self.optimisers[1].second,
                    _ => return None,
                };
                fits.then(|| to.insert(leaf.to_owned(), list(values, &device)))
            });
            known.ok_or_else(|| bad(format!("'{name}' does not belong to it")))?;
        }
        for (optimiser, steps) in self.optimisers.iter_mut().zip(about.optimiser_steps) {
            optimiser.steps = steps;
        }
        (self.steps, self.images, self.seconds) = (about.steps, about.images, about.seconds);
        self.shown = None;
        (self.controller, self.paths) = (about.controller, about.paths);
        let by = about.best_by.unwrap_or_else(|| DISTANCE.into());
        self.best = about.best.map(|value| Best { value, by });
        Ok(())
    }
}

/// The settings of the run whose state is in a folder.
///
/// # Errors
/// A file that is missing or damaged.
pub fn config_of(folder: &Path) -> Result<Config, TrainError> {
    Ok(read(folder)?.0.config)
}

fn damaged(folder: &Path, reason: String) -> TrainError {
    TrainError::State { path: folder.join(STATE_FILE).display().to_string(), reason }
}

fn read(folder: &Path) -> Result<(About, container::Stored), TrainError> {
    let bytes = std::fs::read(folder.join(STATE_FILE));
    let bytes = bytes.map_err(|err| damaged(folder, err.to_string()))?;
    let contents = container::read(WHAT, &bytes, MAX_BYTES);
    Ok(contents.map_err(|err| damaged(folder, err.reason))?.rest())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    io::write_whole(path, bytes).map_err(|err| TrainError::Write {
        path: format!("'{}'", path.display()),
        reason: err.to_string(),
    })
}

/// A generator that can learn on: its parameters, and its shape.
///
/// # Errors
/// A file that is none.
pub fn tuning_base(path: &Path) -> Result<(Parameters, StyleGan2), TrainError> {
    let setting = |err: &dyn std::fmt::Display| TrainError::Setting(err.to_string());
    let (checkpoint, detected) = open_network(path).map_err(|err| setting(&err))?;
    let Spec::StyleGan2(generator) = detected.spec.clone() else {
        let text = format!("{} does not learn on; StyleGAN2 does", detected.spec.architecture());
        return Err(TrainError::Setting(text));
    };
    Ok((parameters(checkpoint, detected), generator))
}
