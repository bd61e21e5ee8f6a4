//! Finds the architecture of a file, or says which were tried and what the nearest lacks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::arch::{ARCHITECTURES, Architecture};
use super::{Shapes, Spec};
use crate::checkpoint::Checkpoint;

/// Names that an error lists before it counts the rest.
const SHOWN: usize = 3;

/// A recognised file.
#[derive(Clone, Debug, PartialEq)]
pub struct Detected {
    pub spec: Spec,
    /// Official name → name in the file, for every tensor of the network.
    pub names: BTreeMap<String, String>,
}

/// Reads the parameters of a network by official name, whenever they are needed; errors are
/// sentences.
pub type Parameters = Box<dyn FnMut(&str) -> Result<Vec<f32>, String> + Send>;

/// Those of a detected network, which has them all in the right shape.
pub fn parameters(checkpoint: Checkpoint, detected: Detected) -> Parameters {
    Box::new(move |name| {
        let stored = detected.names.get(name).map_or(name, String::as_str);
        checkpoint.read_f32(stored).map_err(|err| err.to_string())
    })
}

/// How far one architecture came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub architecture: &'static str,
    /// Official names that the file lacks, or what was looked for to find the hyper-parameters.
    pub missing: Vec<String>,
    /// Names in the file that the architecture does not have.
    pub unexpected: Vec<String>,
    /// Tensors of another shape: name, shape in the file, shape that fits the rest.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Tensors that fit.
    pub fitting: usize,
}

impl Attempt {
    /// How near: fitting tensors against everything that was wanted or found.
    fn nearness(&self) -> f64 {
        let wrong = self.missing.len() + self.unexpected.len() + self.misshapen.len();
        self.fitting as f64 / (self.fitting + wrong).max(1) as f64
    }
}

/// The file is no network that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownNetwork {
    /// Nearest first.
    pub attempts: Vec<Attempt>,
}

impl UnknownNetwork {
    /// The architecture that the file fits best, where it fits any at least partly.
    pub fn nearest(&self) -> Option<&Attempt> {
        self.attempts.first().filter(|attempt| attempt.fitting > 0)
    }
}

impl std::fmt::Display for UnknownNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tried: Vec<_> = self.attempts.iter().map(|attempt| attempt.architecture).collect();
        let Some(nearest) = self.nearest() else {
            return write!(f, "no known network: it fits none of {}", tried.join(", "));
        };
        write!(f, "no known network: nearest is {}, but ", nearest.architecture)?;
        let mut faults = Vec::new();
        if let Some((name, have, want)) = nearest.misshapen.first() {
            faults.push(format!("{name} has the shape {have:?} instead of {want:?}"));
        }
        if !nearest.missing.is_empty() {
            let mut text = format!("it lacks {}", listed(&nearest.missing));
            if let Some(similar) = nearest.missing.first().and_then(|m| nearest.similar_to(m)) {
                text += &format!(" (did you mean its {similar}?)");
            }
            faults.push(text);
        }
        if !nearest.unexpected.is_empty() {
            faults.push(format!("it also holds {}", listed(&nearest.unexpected)));
        }
        write!(f, "{} (tried {})", faults.join(", and "), tried.join(", "))
    }
}

impl Attempt {
    /// The unexpected name that is most like `missing`, if one is close.
    fn similar_to(&self, missing: &str) -> Option<&str> {
        // Files may hold thousands of names; the first ones answer the question.
        let candidates = self.unexpected.iter().take(64);
        let (distance, name) = candidates.map(|name| (edits(name, missing), name)).min()?;
        (distance <= missing.chars().count() / 3).then_some(name)
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(200).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(200).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The architecture that has exactly these tensors.
pub fn detect(shapes: &Shapes) -> Result<Detected, UnknownNetwork> {
    let mut attempts = Vec::new();
    for architecture in ARCHITECTURES {
        match attempt(architecture, shapes) {
            Ok(detected) => return Ok(detected),
            Err(attempt) => attempts.push(attempt),
        }
    }
    attempts.sort_by(|a, b| b.nearness().total_cmp(&a.nearness()));
    Err(UnknownNetwork { attempts })
}

/// Whether tensors of these shapes hold the same numbers: namings of one network differ in sides
/// of one.
fn is_same(a: &[usize], b: &[usize]) -> bool {
    let sides = |shape: &[usize]| -> Vec<usize> {
        shape.iter().copied().filter(|side| *side != 1).collect()
    };
    sides(a) == sides(b)
}

fn attempt(architecture: &Architecture, shapes: &Shapes) -> Result<Detected, Attempt> {
    let (mut official, mut names, mut unexpected) = (Shapes::new(), BTreeMap::new(), Vec::new());
    let mut known_names = (architecture.official)(shapes);
    for (name, shape) in shapes {
        if (architecture.is_ignorable)(name) {
            continue;
        }
        match known_names.remove(name) {
            Some(known) if !official.contains_key(&known) => {
                official.insert(known.clone(), shape.clone());
                names.insert(known, name.clone());
            }
            _ => unexpected.push(name.clone()),
        }
    }
    let mut attempt = Attempt {
        architecture: architecture.name,
        missing: Vec::new(),
        unexpected,
        misshapen: Vec::new(),
        fitting: 0,
    };
    let spec = match (architecture.infer)(&official) {
        Ok(spec) => spec,
        Err(looked_for) => {
            // Names that it knows speak for it, but no louder than what it lacks does against it.
            attempt.fitting = official.len().min(looked_for.len());
            attempt.missing = looked_for.into_iter().map(Cow::into_owned).collect();
            return Err(attempt);
        }
    };
    let mut wanted = spec.tensors();
    for (name, shape) in official {
        match wanted.remove(&name) {
            Some(want) if is_same(&want, &shape) => attempt.fitting += 1,
            Some(want) => attempt.misshapen.push((name, shape, want)),
            None => attempt.unexpected.extend(names.remove(&name)),
        }
    }
    attempt.missing.extend(wanted.into_keys());
    if attempt.missing.is_empty() && attempt.unexpected.is_empty() && attempt.misshapen.is_empty() {
        Ok(Detected { spec, names })
    } else {
        Err(attempt)
    }
}
