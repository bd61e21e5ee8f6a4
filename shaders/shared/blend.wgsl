// The arithmetic of one pixel: W3C "Compositing and Blending Level 1" (2015), sections 5 to 10,
// the twin of `src/compose/blend.rs`. Encoded colours with straight alpha; cb and cs are the
// backdrop's and the source's colour. Modes are numbered in the order of `BlendMode::ALL`.

const NORMAL = 0u;
const DARKEN = 1u;
const MULTIPLY = 2u;
const COLOR_BURN = 3u;
const LIGHTEN = 4u;
const SCREEN = 5u;
const COLOR_DODGE = 6u;
const OVERLAY = 7u;
const SOFT_LIGHT = 8u;
const HARD_LIGHT = 9u;
const DIFFERENCE = 10u;
const EXCLUSION = 11u;
const HUE = 12u;
const SATURATION = 13u;
const COLOR = 14u;
const LUMINOSITY = 15u;

fn blend_screen(cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    return cb + cs - cb * cs;
}

fn blend_hard_light(cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    return select(blend_screen(cb, 2.0 * cs - 1.0), cb * 2.0 * cs, cs <= vec3(0.5));
}

// Divisors are kept positive where the quotient is not used.
fn blend_color_dodge(cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    let quotient = min(cb / max(1.0 - cs, vec3(1e-7)), vec3(1.0));
    let bright = select(quotient, vec3(1.0), cs >= vec3(1.0));
    return select(bright, vec3(0.0), cb <= vec3(0.0));
}

fn blend_color_burn(cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    let quotient = 1.0 - min((1.0 - cb) / max(cs, vec3(1e-7)), vec3(1.0));
    let dark = select(quotient, vec3(0.0), cs <= vec3(0.0));
    return select(dark, vec3(1.0), cb >= vec3(1.0));
}

fn blend_soft_light(cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    let low = ((16.0 * cb - 12.0) * cb + 4.0) * cb;
    let d = select(sqrt(max(cb, vec3(0.0))), low, cb <= vec3(0.25));
    let darker = cb - (1.0 - 2.0 * cs) * cb * (1.0 - cb);
    return select(cb + (2.0 * cs - 1.0) * (d - cb), darker, cs <= vec3(0.5));
}

fn lum(c: vec3<f32>) -> f32 {
    return dot(c, vec3(0.3, 0.59, 0.11));
}

fn sat(c: vec3<f32>) -> f32 {
    return max(c.x, max(c.y, c.z)) - min(c.x, min(c.y, c.z));
}

fn set_lum(color: vec3<f32>, wanted: f32) -> vec3<f32> {
    var c = color + (wanted - lum(color));
    let l = lum(c);
    let low = min(c.x, min(c.y, c.z));
    let high = max(c.x, max(c.y, c.z));
    if low < 0.0 {
        c = l + (c - l) * l / (l - low);
    }
    if high > 1.0 {
        c = l + (c - l) * (1.0 - l) / (high - l);
    }
    return c;
}

fn set_sat(c: vec3<f32>, s: f32) -> vec3<f32> {
    let range = sat(c);
    if range <= 0.0 {
        return vec3(0.0);
    }
    return (c - min(c.x, min(c.y, c.z))) * s / range;
}

fn blend(mode: u32, cb: vec3<f32>, cs: vec3<f32>) -> vec3<f32> {
    switch mode {
        case DARKEN: { return min(cb, cs); }
        case MULTIPLY: { return cb * cs; }
        case COLOR_BURN: { return blend_color_burn(cb, cs); }
        case LIGHTEN: { return max(cb, cs); }
        case SCREEN: { return blend_screen(cb, cs); }
        case COLOR_DODGE: { return blend_color_dodge(cb, cs); }
        case OVERLAY: { return blend_hard_light(cs, cb); }
        case SOFT_LIGHT: { return blend_soft_light(cb, cs); }
        case HARD_LIGHT: { return blend_hard_light(cb, cs); }
        case DIFFERENCE: { return abs(cb - cs); }
        case EXCLUSION: { return cb + cs - 2.0 * cb * cs; }
        case HUE: { return set_lum(set_sat(cs, sat(cb)), lum(cb)); }
        case SATURATION: { return set_lum(set_sat(cb, sat(cs)), lum(cb)); }
        case COLOR: { return set_lum(cs, lum(cb)); }
        case LUMINOSITY: { return set_lum(cb, lum(cs)); }
        default: { return cs; }
    }
}

fn blend_over(mode: u32, backdrop: vec4<f32>, source: vec3<f32>) -> vec3<f32> {
    if mode == NORMAL {
        return source;
    }
    return source + (blend(mode, backdrop.rgb, source) - source) * backdrop.a;
}

// Blends `source`, whose alpha holds opacity and mask, into `backdrop` and puts it over it.
fn composite(mode: u32, backdrop: vec4<f32>, source: vec4<f32>) -> vec4<f32> {
    if source.a <= 0.0 {
        return backdrop;
    }
    if backdrop.a <= 0.0 {
        return source;
    }
    let mixed = blend_over(mode, backdrop, source.rgb);
    if source.a >= 1.0 {
        return vec4(mixed, 1.0);
    }
    let ao = source.a + backdrop.a * (1.0 - source.a);
    return vec4(backdrop.rgb + (mixed - backdrop.rgb) * (source.a / ao), ao);
}

// Mixes an adjustment's result back into its backdrop, in premultiplied colour.
fn adjust(mode: u32, backdrop: vec4<f32>, adjusted: vec4<f32>, strength: f32) -> vec4<f32> {
    if strength <= 0.0 {
        return backdrop;
    }
    let mixed = blend_over(mode, backdrop, adjusted.rgb);
    if strength >= 1.0 {
        return vec4(mixed, adjusted.a);
    }
    let kept = backdrop.a * (1.0 - strength);
    let added = adjusted.a * strength;
    let alpha = kept + added;
    if alpha <= 0.0 {
        return vec4(backdrop.rgb, 0.0);
    }
    return vec4(backdrop.rgb + (mixed - backdrop.rgb) * (added / alpha), alpha);
}
