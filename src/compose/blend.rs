//! The arithmetic of one pixel: W3C "Compositing and Blending Level 1" (2015), sections 5 to 10.
//!
//! Colours are encoded working values in `0..=1`, alpha is straight (not premultiplied). Names
//! follow the recommendation: `cb`, `ab` are the backdrop's colour and alpha, `cs`, `as` the
//! source's. The display shader mirrors these functions line by line.

use crate::document::BlendMode;

/// The blend function `B(cb, cs)` of section 9 (separable modes) and 10 (non-separable modes).
#[inline]
pub fn blend(mode: BlendMode, cb: [f32; 3], cs: [f32; 3]) -> [f32; 3] {
    let each = |f: fn(f32, f32) -> f32| std::array::from_fn(|i| f(cb[i], cs[i]));
    match mode {
        BlendMode::Normal => cs,
        BlendMode::Multiply => each(|b, s| b * s),
        BlendMode::Screen => each(screen),
        BlendMode::Overlay => each(|b, s| hard_light(s, b)),
        BlendMode::Darken => each(f32::min),
        BlendMode::Lighten => each(f32::max),
        BlendMode::ColorDodge => each(color_dodge),
        BlendMode::ColorBurn => each(color_burn),
        BlendMode::HardLight => each(hard_light),
        BlendMode::SoftLight => each(soft_light),
        BlendMode::Difference => each(|b, s| (b - s).abs()),
        BlendMode::Exclusion => each(|b, s| b + s - 2.0 * b * s),
        BlendMode::Hue => set_luminosity(set_saturation(cs, saturation(cb)), luminosity(cb)),
        BlendMode::Saturation => set_luminosity(set_saturation(cb, saturation(cs)), luminosity(cb)),
        BlendMode::Color => set_luminosity(cs, luminosity(cb)),
        BlendMode::Luminosity => set_luminosity(cb, luminosity(cs)),
    }
}

/// Blends `source` into `backdrop` and puts the result over it (sections 5.1 and 9):
/// `co = as/ao ((1 - ab) cs + ab B(cb, cs)) + (1 - as/ao) cb`, `ao = as + ab (1 - as)`.
/// The source's alpha already holds opacity and mask. A transparent source gives the backdrop
/// back, and an empty backdrop the source, to the bit.
#[inline]
pub fn composite(mode: BlendMode, backdrop: [f32; 4], source: [f32; 4]) -> [f32; 4] {
    let (ab, alpha) = (backdrop[3], source[3]);
    if alpha <= 0.0 {
        return backdrop;
    }
    if ab <= 0.0 {
        return source;
    }
    let mixed = blend_over(mode, backdrop, source);
    if alpha >= 1.0 {
        return [mixed[0], mixed[1], mixed[2], 1.0];
    }
    let ao = alpha + ab * (1.0 - alpha);
    let t = alpha / ao;
    [
        backdrop[0] + (mixed[0] - backdrop[0]) * t,
        backdrop[1] + (mixed[1] - backdrop[1]) * t,
        backdrop[2] + (mixed[2] - backdrop[2]) * t,
        ao,
    ]
}

/// Mixes what an adjustment layer made of its backdrop back into it. `adjusted` is the
/// operation's result at this pixel, `strength` the layer's opacity times its mask, `0..=1`. The
/// mixture is taken in premultiplied colour, as `ops::blend_by_mask` does; strength 0 gives the
/// backdrop and, in normal mode, strength 1 the adjusted pixel, to the bit.
#[inline]
pub fn adjust(mode: BlendMode, backdrop: [f32; 4], adjusted: [f32; 4], strength: f32) -> [f32; 4] {
    if strength <= 0.0 {
        return backdrop;
    }
    let mixed = blend_over(mode, backdrop, adjusted);
    if strength >= 1.0 {
        return [mixed[0], mixed[1], mixed[2], adjusted[3]];
    }
    let (from, to) = (backdrop[3] * (1.0 - strength), adjusted[3] * strength);
    let alpha = from + to;
    if alpha <= 0.0 {
        return [backdrop[0], backdrop[1], backdrop[2], 0.0];
    }
    let t = to / alpha;
    [
        backdrop[0] + (mixed[0] - backdrop[0]) * t,
        backdrop[1] + (mixed[1] - backdrop[1]) * t,
        backdrop[2] + (mixed[2] - backdrop[2]) * t,
        alpha,
    ]
}

/// The source's colour after blending: `(1 - ab) cs + ab B(cb, cs)`.
#[inline]
fn blend_over(mode: BlendMode, backdrop: [f32; 4], source: [f32; 4]) -> [f32; 3] {
    let cs = [source[0], source[1], source[2]];
    if mode == BlendMode::Normal {
        return cs;
    }
    let blended = blend(mode, [backdrop[0], backdrop[1], backdrop[2]], cs);
    std::array::from_fn(|i| cs[i] + (blended[i] - cs[i]) * backdrop[3])
}

fn screen(cb: f32, cs: f32) -> f32 {
    cb + cs - cb * cs
}

fn hard_light(cb: f32, cs: f32) -> f32 {
    if cs <= 0.5 { cb * 2.0 * cs } else { screen(cb, 2.0 * cs - 1.0) }
}

fn color_dodge(cb: f32, cs: f32) -> f32 {
    if cb <= 0.0 {
        0.0
    } else if cs >= 1.0 {
        1.0
    } else {
        (cb / (1.0 - cs)).min(1.0)
    }
}

fn color_burn(cb: f32, cs: f32) -> f32 {
    if cb >= 1.0 {
        1.0
    } else if cs <= 0.0 {
        0.0
    } else {
        1.0 - ((1.0 - cb) / cs).min(1.0)
    }
}

fn soft_light(cb: f32, cs: f32) -> f32 {
    if cs <= 0.5 {
        cb - (1.0 - 2.0 * cs) * cb * (1.0 - cb)
    } else {
        let d = if cb <= 0.25 { ((16.0 * cb - 12.0) * cb + 4.0) * cb } else { cb.sqrt() };
        cb + (2.0 * cs - 1.0) * (d - cb)
    }
}

/// `Lum(C)` of section 10, with the recommendation's own weights.
pub fn luminosity(c: [f32; 3]) -> f32 {
    0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]
}

/// `Sat(C)`.
fn saturation(c: [f32; 3]) -> f32 {
    c[0].max(c[1]).max(c[2]) - c[0].min(c[1]).min(c[2])
}

/// `ClipColor(C)`: moves a colour towards its luminosity until it lies in `0..=1`.
fn clip_color(c: [f32; 3]) -> [f32; 3] {
    let l = luminosity(c);
    let low = c[0].min(c[1]).min(c[2]);
    let high = c[0].max(c[1]).max(c[2]);
    let mut c = c;
    if low < 0.0 {
        c = c.map(|v| l + (v - l) * l / (l - low));
    }
    if high > 1.0 {
        c = c.map(|v| l + (v - l) * (1.0 - l) / (high - l));
    }
    c
}

/// `SetLum(C, l)`.
fn set_luminosity(c: [f32; 3], l: f32) -> [f32; 3] {
    let d = l - luminosity(c);
    clip_color(c.map(|v| v + d))
}

/// `SetSat(C, s)`: the smallest channel becomes 0, the largest `s`, the middle keeps its place
/// between them.
fn set_saturation(c: [f32; 3], s: f32) -> [f32; 3] {
    let low = c[0].min(c[1]).min(c[2]);
    let range = saturation(c);
    if range > 0.0 { c.map(|v| (v - low) * s / range) } else { [0.0; 3] }
}
