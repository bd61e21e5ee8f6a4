//! What the networks of diffusion models are built of, as the `diffusers` library has them: the
//! residual blocks and the attention of Ho et al. ("Denoising Diffusion Probabilistic Models",
//! 2020), which the autoencoders of latent diffusion (Rombach et al. 2022) share.

use super::graph::{Act, Conv, Edge, Graph, Value};

/// Groups of a norm.
pub(super) const GROUPS: usize = 32;
/// Of the norms.
pub(super) const EPS: f32 = 1e-6;

/// `x · sigmoid(x)`
pub(super) fn silu(g: &mut Graph, x: Value) -> Value {
    let share = g.act(x, Act::Sigmoid);
    g.mul(x, share)
}

/// A norm and what follows it.
pub(super) fn active(g: &mut Graph, x: Value, name: &str) -> Value {
    let x = g.group_norm(x, name, GROUPS, EPS);
    silu(g, x)
}

/// Two convolutions beside a way around them; `time` is a vector that tells how noisy the picture
/// is.
pub(super) fn residual(
    g: &mut Graph,
    x: Value,
    name: &str,
    to: usize,
    time: Option<Value>,
) -> Value {
    let from = g.channels(x);
    let inner = active(g, x, &format!("{name}.norm1"));
    let mut inner = g.conv(inner, Conv::new(&format!("{name}.conv1"), from, to, 3));
    if let Some(time) = time {
        let numbers = g.channels(time);
        let time = silu(g, time);
        let linear = Conv::linear(&format!("{name}.time_emb_proj"), numbers, to);
        let shift = g.conv(time, linear);
        inner = g.add(inner, shift);
    }
    let inner = active(g, inner, &format!("{name}.norm2"));
    let inner = g.conv(inner, Conv::new(&format!("{name}.conv2"), to, to, 3));
    let around = if from == to {
        x
    } else {
        g.conv(x, Conv::new(&format!("{name}.conv_shortcut"), from, to, 1))
    };
    let sum = g.add(around, inner);
    g.name(sum, name)
}

/// Each pixel looks at all of them.
pub(super) fn attend(g: &mut Graph, x: Value, name: &str) -> Value {
    let channels = g.channels(x);
    let normal = g.group_norm(x, &format!("{name}.group_norm"), GROUPS, EPS);
    let [queries, keys, values] = ["to_q", "to_k", "to_v"]
        .map(|leaf| g.conv(normal, Conv::new(&format!("{name}.{leaf}"), channels, channels, 1)));
    let queries = g.scale(queries, 1.0 / (channels as f32).sqrt(), 0.0);
    let seen = g.attention(queries, keys, values);
    let seen = g.conv(seen, Conv::new(&format!("{name}.to_out.0"), channels, channels, 1));
    let sum = g.add(x, seen);
    g.name(sum, name)
}

/// Half as large: the odd pixel is added at the bottom and right.
pub(super) fn halve(g: &mut Graph, x: Value, name: &str) -> Value {
    let channels = g.channels(x);
    let x = g.pad(x, [0, 1, 0, 1], Edge::Zero);
    let conv = Conv::new(&format!("{name}.downsamplers.0.conv"), channels, channels, 3);
    g.conv(x, conv.stride(2).pad([0; 4]))
}

/// Twice as large.
pub(super) fn double(g: &mut Graph, x: Value, name: &str) -> Value {
    let channels = g.channels(x);
    let x = g.nearest(x, 2);
    g.conv(x, Conv::new(&format!("{name}.upsamplers.0.conv"), channels, channels, 3))
}
