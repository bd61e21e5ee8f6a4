//! Generators of published sizes with random weights: how long one picture takes, and what memory.
//! Times do not depend on what the numbers are, and such weights need no file.

use std::time::Instant;

use serde_json::json;

use super::super::report::{self, Failure};
use super::memory;
use crate::infer::generator::{Generator, LatentNetwork, Parameters};
use crate::latent::Noise;
use crate::latent::random::{SplitMix64, normal_latent};
use crate::nets::graph::Shapes;
use crate::nets::{BigGanBlock, BigGanDeep, StyleGan2, Synthesis};
use crate::zoo::Spec;

/// The names that [`spec`] knows.
const NAMES: &str = "stylegan2-64, stylegan2-128, stylegan2-256, stylegan2-1024 (any power of 2), portrait-64, portrait-128 and biggan-deep-256";

/// The network that a name means.
fn spec(name: &str) -> Option<Spec> {
    if name == "biggan-deep-256" {
        return Some(Spec::BigGanDeep(biggan()));
    }
    match name {
        "portrait-64" => return Some(Spec::StyleGan2(portrait(64, 2048, 128))),
        "portrait-128" => return Some(Spec::StyleGan2(portrait(128, 8192, 256))),
        _ => {}
    }
    let side: usize = name.strip_prefix("stylegan2-")?.parse().ok()?;
    let fits = side.is_power_of_two() && (8..=1024).contains(&side);
    fits.then(|| Spec::StyleGan2(stylegan(side)))
}

/// Configuration F (Karras et al. 2020).
fn stylegan(side: usize) -> StyleGan2 {
    let levels = side.ilog2() as usize - 1;
    StyleGan2 {
        z_dim: 512,
        w_dim: 512,
        classes: 0,
        mapping_layers: 8,
        mapping_rate: 0.01,
        channels: (0..levels).map(|level| (32_768 / (4 << level)).min(512)).collect(),
        synthesis: Synthesis::Skip,
        clamp: None,
        has_mean: true,
    }
}

/// Our own face generators, small enough for a processor.
fn portrait(side: usize, channel_base: usize, channel_max: usize) -> StyleGan2 {
    let widths = stylegan(side).channels.len();
    let channels = (0..widths).map(|level| (channel_base / (4 << level)).min(channel_max));
    let (z_dim, w_dim) = (256, 256);
    StyleGan2 { z_dim, w_dim, mapping_layers: 4, channels: channels.collect(), ..stylegan(side) }
}

/// BigGAN-deep at 256 pixels (Brock et al. 2019).
fn biggan() -> BigGanDeep {
    let widths = [16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1].map(|width| width * 128);
    let blocks = widths.windows(2).enumerate();
    let block = |(at, pair): (usize, &[usize])| BigGanBlock {
        doubles: at % 2 == 1,
        from: pair[0],
        to: pair[1],
    };
    BigGanDeep {
        z_dim: 128,
        class_dim: 128,
        classes: 1000,
        blocks: blocks.map(block).collect(),
        attention: Some(8),
        statistics: 51,
    }
}

/// Numbers of a size that keeps pictures finite.
fn parameters(shapes: Shapes) -> Parameters {
    let mut random = SplitMix64::new(1);
    Box::new(move |name| {
        let shape = shapes.get(name).map_or(&[][..], Vec::as_slice);
        let count: usize = shape.iter().product();
        if name.ends_with("resample_filter") {
            let row = [1.0, 3.0, 3.0, 1.0];
            return Ok(row.iter().flat_map(|a| row.map(|b| a * b / 64.0)).collect());
        }
        if name.ends_with("running_vars") {
            return Ok(vec![1.0; count]);
        }
        // Uniform numbers of variance 1 where layers are equalised, over the fan-in elsewhere.
        let fan_in: usize = shape.iter().skip(1).product();
        let is_equalised = name.starts_with("synthesis.") || name.starts_with("mapping.");
        let scale = if is_equalised { 1.0 } else { 1.0 / (fan_in.max(1) as f32).sqrt() };
        let number = |_| (random.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0) * 1.7 * scale;
        Ok((0..count).map(number).collect())
    })
}

/// Times one generator, for comparing with other programs that draw with such a one.
pub(super) fn run_one(name: &str, runs: usize, json: bool) -> Result<(), Failure> {
    let known = spec(name).and_then(|spec| Some((spec.tensors(), spec.blueprint()?)));
    let (shapes, blueprint) = known.ok_or_else(|| {
        Failure::input(format!("no generator is called '{name}'; there are {NAMES}"))
    })?;
    let network = LatentNetwork::on_processor(blueprint, parameters(shapes));
    let mut network = network.map_err(Failure::failed)?;
    let space = network.space().clone();
    let (z, class) = (normal_latent(7, space.z_dim, 1.0), space.one_hot(7));
    let mut draw = || -> Result<f64, Failure> {
        let started = Instant::now();
        let w = network.map(&z, &class, &|| false).map_err(Failure::failed)?;
        let picture = network.synthesize(&w.repeat(space.rows()), Noise::Const, &|| false);
        let picture = picture.map_err(Failure::failed)?;
        let seconds = started.elapsed().as_secs_f64();
        if picture.data.iter().any(|value| !value.is_finite()) {
            return Err(Failure::failed("the picture holds what is no number"));
        }
        Ok(seconds)
    };
    draw()?;
    let mut seconds = (0..runs).map(|_| draw()).collect::<Result<Vec<_>, _>>()?;
    seconds.sort_by(f64::total_cmp);
    let (median, side) = (seconds[seconds.len() / 2], space.side);
    let peak = memory::peak_bytes();
    if json {
        return report::print_json(&json!({
            "name": name, "side": side, "seconds": median, "peak_memory_bytes": peak,
        }));
    }
    let peak = peak.map(|bytes| format!(", at most {} MiB", bytes >> 20)).unwrap_or_default();
    report::print(format!("{name}  {side} × {side}  {median:.3} s{peak}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_are_the_published_ones() {
        for name in ["stylegan2-64", "stylegan2-128", "stylegan2-256", "stylegan2-1024"] {
            let Some(Spec::StyleGan2(spec)) = spec(name) else { panic!("{name}") };
            assert!(name.ends_with(&spec.side().to_string()));
            assert_eq!(spec.channels[0], 512);
        }
        let Some(Spec::StyleGan2(large)) = spec("stylegan2-1024") else { panic!("none") };
        assert_eq!(large.channels, [512, 512, 512, 512, 512, 256, 128, 64, 32]);
        let Some(Spec::StyleGan2(own)) = spec("portrait-128") else { panic!("none") };
        assert_eq!((own.side(), own.channels), (128, vec![256, 256, 256, 256, 128, 64]));
        let Some(Spec::BigGanDeep(big)) = spec("biggan-deep-256") else { panic!("none") };
        assert_eq!((big.side(), big.blocks.len()), (256, 12));
        for name in ["stylegan2-100", "stylegan2-4", "stylegan2-", "biggan-deep-64", ""] {
            assert!(spec(name).is_none(), "{name}");
        }
    }
}
