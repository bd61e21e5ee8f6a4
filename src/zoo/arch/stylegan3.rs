//! StyleGAN3: Karras et al. (2021), named as in its PyTorch version.

use std::collections::BTreeMap;
use std::iter::once;

use super::stylegan2::{CLAMP, LookedFor, clamp_of, looked_for, mapping, positive};
use super::{Architecture, four};
use crate::nets::graph::Graph;
use crate::nets::{Blueprint, Stage, StyleGan3};
use crate::zoo::{Capability, Describe, Facts, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: StyleGan3::NAME, official, infer, is_ignorable: |_| false };

/// The official margin, which is preferred where names fit others, too.
const MARGIN: usize = 10;
/// Largest margin, first stage and picture that are looked for.
const MOST: [usize; 3] = [64, 256, 8192];
/// The official bound of the Fourier features, unless the file says otherwise.
const CUTOFF: f32 = 2.0;
/// The official factor on the picture, likewise.
const OUTPUT_SCALE: f32 = 0.25;

impl Describe for StyleGan3 {
    const NAME: &'static str = "StyleGAN3 generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn tensors(&self) -> Shapes {
        let mut shapes = self.graph().params();
        shapes.insert("mapping.w_avg".into(), vec![self.mapping.w_dim]);
        shapes
    }

    fn capability(&self) -> Capability {
        Capability::of_generator(&self.graph(), Range::Signed)
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint())
    }

    /// Official files keep the arguments of their classes.
    fn configure(&mut self, facts: &Facts) {
        self.clamp = clamp_of(facts.get("conv_clamp"), self.clamp);
        for (name, value) in [
            ("output_scale", &mut self.output_scale),
            ("first_cutoff", &mut self.cutoff),
            ("mapping_kwargs.lr_multiplier", &mut self.mapping.rate),
        ] {
            *value = facts.get(name).and_then(positive).unwrap_or(*value);
        }
    }
}

impl std::fmt::Display for StyleGan3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let configuration = if self.radial > 0 { "rotation" } else { "translation" };
        let w_dim = self.mapping.w_dim;
        write!(f, "{0}×{0} pixels, {configuration}, {w_dim} numbers a style", self.side())?;
        if self.mapping.classes > 0 {
            write!(f, ", {} classes", self.mapping.classes)?;
        }
        Ok(())
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let roots = ["mapping.", "synthesis.input.", "synthesis.L"];
    let known = |name: &&String| roots.iter().any(|root| name.starts_with(root));
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

/// The number of a stage, its name, and the stage, from the name of its weight.
fn stage(weight: &str) -> Option<(usize, (String, Stage))> {
    let name = weight.strip_suffix(".weight")?;
    let mut numbers = name.strip_prefix("synthesis.L")?.split('_').map(str::parse::<usize>);
    let [at, side, channels] =
        [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
    let is_sane = numbers.next().is_none() && side <= MOST[2] && (1..=65_536).contains(&channels);
    is_sane.then(|| (at, (name.to_owned(), Stage { side, channels })))
}

fn infer(shapes: &Shapes) -> Result<Spec, LookedFor> {
    let mapping = mapping(shapes)?;
    let named: BTreeMap<usize, (String, Stage)> =
        shapes.keys().filter_map(|name| stage(name)).collect();
    let (names, stages): (Vec<String>, Vec<Stage>) =
        (0..).map_while(|at| named.get(&at).cloned()).unzip();
    let missing = |name: &str| Err(looked_for(format!("synthesis.{name}")));
    let [first, .., last] = &stages[..] else { return missing("L0_36_512.weight") };
    if first.side > MOST[1] || !last.side.is_power_of_two() || last.channels != 3 {
        return missing("L0_36_512.weight");
    }
    // All but the last two sample at powers of two.
    let fits = |margin: &usize| {
        let inner = &stages[..stages.len() - 2];
        inner
            .iter()
            .all(|stage| stage.side.checked_sub(2 * margin).is_some_and(usize::is_power_of_two))
    };
    let Some(margin) = once(MARGIN).chain(0..=MOST[0]).find(fits) else {
        return missing("L0_36_512.weight");
    };
    let Some([.., kernel]) = four(shapes, &format!("{}.weight", names[0])) else {
        return missing("L0_36_512.weight");
    };
    let filter = format!("{}.up_filter", names[0]);
    let Some(&[taps]) =
        shapes.get(&filter).map(Vec::as_slice).filter(|shape| shape.iter().all(|taps| *taps > 1))
    else {
        return Err(looked_for(filter));
    };
    let is_radial = |name: &&String| {
        shapes.get(&format!("{name}.down_filter")).is_some_and(|shape| shape.len() == 2)
    };
    Ok(Spec::StyleGan3(StyleGan3 {
        mapping,
        margin,
        kernel,
        // The first stage keeps the sampling rate: its filters go with a factor of 2.
        taps: taps / 2,
        radial: names.iter().take_while(is_radial).count(),
        cutoff: CUTOFF,
        clamp: Some(CLAMP),
        output_scale: OUTPUT_SCALE,
        stages,
    }))
}
