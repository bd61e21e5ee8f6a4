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
use crate::nets::{BigGanBlock, BigGanDeep, Mapping, Stage, StyleGan2, StyleGan3, Synthesis};
use crate::zoo::Spec;

/// The names that [`spec`] knows.
const NAMES: &str = "stylegan2-64, stylegan2-128, stylegan2-256, stylegan2-1024, stylegan3-t-1024, stylegan3-r-1024 (any power of 2), portrait-64, portrait-128 and biggan-deep-256";

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
    let (kind, side) = name.rsplit_once('-')?;
    let side: usize = side.parse().ok()?;
    let fits = side.is_power_of_two() && (8..=1024).contains(&side);
    match kind {
        "stylegan2" if fits => Some(Spec::StyleGan2(stylegan(side))),
        "stylegan3-t" if fits => Some(Spec::StyleGan3(alias_free(side, false))),
        "stylegan3-r" if fits => Some(Spec::StyleGan3(alias_free(side, true))),
        _ => None,
    }
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

/// StyleGAN3 in configuration R, where pictures may turn, or T: cutoffs and stop bands grow
/// geometrically from 2 and 2^2.1 per side of the picture to what its pixels can hold (Karras et
/// al. 2021, section 3 and appendix F).
fn alias_free(side: usize, may_turn: bool) -> StyleGan3 {
    const LAYERS: usize = 14;
    const CRITICAL: usize = 2;
    const MARGIN: usize = 10;
    const FIRST: f64 = 2.0;
    let (base, most) = if may_turn { (65_536.0, 1024.0) } else { (32_768.0, 512.0f64) };
    let stage = |at: usize| {
        let share = (at as f64 / (LAYERS - CRITICAL) as f64).min(1.0);
        let last = side as f64 / 2.0;
        let cutoff = FIRST * (last / FIRST).powf(share);
        let first_stop = 2f64.powf(2.1);
        let stop = first_stop * (last * 2f64.powf(0.3) / first_stop).powf(share);
        let rate = (2.0 * stop).min(side as f64).log2().ceil().exp2() as usize;
        Stage {
            side: if at + 1 >= LAYERS { side } else { rate + 2 * MARGIN },
            channels: if at == LAYERS {
                3
            } else {
                (base / 2.0 / cutoff).min(most).round() as usize
            },
        }
    };
    StyleGan3 {
        mapping: Mapping { z_dim: 512, w_dim: 512, classes: 0, layers: 2, rate: 0.01 },
        stages: (0..=LAYERS).map(stage).collect(),
        margin: MARGIN,
        kernel: if may_turn { 1 } else { 3 },
        taps: 6,
        radial: if may_turn { LAYERS - CRITICAL } else { 0 },
        cutoff: FIRST as f32,
        clamp: Some(256.0),
        output_scale: 0.25,
    }
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
        if ["running_vars", "_filter", "magnitude_ema"].iter().any(|end| name.ends_with(end)) {
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
        let Some(Spec::StyleGan3(net)) = spec("stylegan3-t-1024") else { panic!("none") };
        let stages: Vec<_> = net.stages.iter().map(|stage| (stage.side, stage.channels)).collect();
        // Of the published FFHQ network, by the names of its layers.
        let published = [
            (36, 512),
            (36, 512),
            (52, 512),
            (52, 512),
            (84, 512),
            (148, 512),
            (148, 512),
            (276, 323),
            (276, 203),
            (532, 128),
            (1044, 81),
            (1044, 51),
            (1044, 32),
            (1024, 32),
            (1024, 3),
        ];
        assert_eq!(stages, published);
        let Some(Spec::StyleGan3(net)) = spec("stylegan3-r-256") else { panic!("none") };
        assert_eq!(
            (net.side(), net.kernel, net.radial, net.stages[0].channels),
            (256, 1, 12, 1024)
        );
        for name in ["stylegan2-100", "stylegan2-4", "stylegan2-", "biggan-deep-64", ""] {
            assert!(spec(name).is_none(), "{name}");
        }
    }
}
