//! Reading ICC profiles as working profiles, and the two profiles the program itself can write.
//!
//! A working profile has three colorants and one [`Transfer`] for all channels. Curves come as
//! parametric functions (ICC.1:2022, 10.18), pure gamma, or sampled tables (10.6); the latter are
//! recognised by comparison with the curves in use. What does not fit is for
//! [`super::convert`].

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, ProfileText, ToneReprCurve};

use super::profile::IDENTITY;
use super::{ProfileError, Transfer, WorkingProfile};

/// Largest difference in linear light between a sampled curve and the function that stands for it.
const TABLE_TOLERANCE: f64 = 1.0 / 1024.0;
/// The same for parametric curves, whose numbers are rounded to 1/65536.
const PARAMETRIC_TOLERANCE: f64 = 1e-4;
/// Largest difference after re-encoding as sRGB, which looks closely at the shadows.
const ENCODED_TOLERANCE: f64 = 1.0 / 512.0;

/// Where the header has the date of creation (ICC.1:2022, 7.2).
const CREATED: std::ops::Range<usize> = 24..36;

/// Curves in wide use: sRGB, linear, Rec. 709 (ITU-R BT.709-6), ProPhoto RGB (ISO 22028-2) and
/// CIE L*.
const KNOWN: [Transfer; 5] = [
    Transfer::SRGB,
    Transfer::LINEAR,
    Transfer { gamma: 1.0 / 0.45, a: 1.0 / 1.099, b: 0.099 / 1.099, c: 1.0 / 4.5, d: 0.081 },
    Transfer { gamma: 1.8, a: 1.0, b: 0.0, c: 1.0 / 16.0, d: 0.031_25 },
    Transfer { gamma: 3.0, a: 1.0 / 1.16, b: 0.16 / 1.16, c: 0.110_705, d: 0.08 },
];

impl WorkingProfile {
    /// Reads an ICC profile (versions 2 and 4). [`ProfileError::Unsupported`] where it is not an
    /// RGB matrix profile or its curves differ between channels or fit no parametric function.
    pub fn from_icc(bytes: &[u8]) -> Result<Self, ProfileError> {
        let icc = parse(bytes)?;
        if icc.pcs != DataColorSpace::Xyz || !icc.is_matrix_shaper() {
            return Err(ProfileError::Unsupported);
        }
        let curves = [&icc.red_trc, &icc.green_trc, &icc.blue_trc];
        let transfers = curves.map(|curve| curve.as_ref().and_then(fit));
        let [Some(transfer), Some(green), Some(blue)] = transfers else {
            return Err(ProfileError::Unsupported);
        };
        if distance(|x| f64::from(green.decode(x as f32)), transfer) > TABLE_TOLERANCE
            || distance(|x| f64::from(blue.decode(x as f32)), transfer) > TABLE_TOLERANCE
        {
            return Err(ProfileError::Unsupported);
        }
        let matrix = icc.transform_matrix(&ColorProfile::new_srgb()).v;
        let xyz = icc.rgb_to_xyz_matrix();
        let usable = matrix.iter().flatten().all(|value| value.is_finite())
            && xyz.determinant().is_some_and(|det| det.is_finite() && det.abs() > 1e-4);
        if !usable {
            return Err(ProfileError::Damaged("its primaries span no colour space".into()));
        }
        let mut profile = Self {
            name: "".into(),
            icc: Some(bytes.into()),
            transfer,
            to_linear_srgb: matrix.map(|row| row.map(|value| value as f32)),
        };
        if profile.is_srgb() {
            // Rounded colorants would otherwise turn sRGB into almost sRGB.
            profile.to_linear_srgb = IDENTITY;
        }
        profile.name = profile.well_known_name().map_or_else(
            || description(&icc).unwrap_or_else(|| "RGB profile".into()).into(),
            Arc::from,
        );
        Ok(profile)
    }

    /// sRGB with the profile that [`srgb_icc`] writes.
    pub fn tagged_srgb() -> Self {
        Self { icc: Some(srgb_icc().into()), ..Self::srgb() }
    }

    /// Display P3 (SMPTE RP 431-2 primaries, D65, the curve of sRGB) with its profile.
    pub fn display_p3() -> Self {
        let icc = display_p3_icc();
        Self::from_icc(&icc).unwrap_or_else(|_| Self::srgb())
    }

    fn well_known_name(&self) -> Option<&'static str> {
        if self.is_srgb() {
            return Some("sRGB");
        }
        let like = |other: &ColorProfile, transfer: Transfer| {
            let other = other.transform_matrix(&ColorProfile::new_srgb()).v;
            let matrix = self.to_linear_srgb.iter().flatten().zip(other.iter().flatten());
            matrix.into_iter().all(|(have, want)| (f64::from(*have) - want).abs() < 3e-3)
                && distance(|x| f64::from(self.transfer.decode(x as f32)), transfer)
                    < TABLE_TOLERANCE
        };
        if like(&ColorProfile::new_display_p3(), Transfer::SRGB) {
            Some("Display P3")
        } else if like(&ColorProfile::new_adobe_rgb(), Transfer::power(563.0 / 256.0)) {
            Some("Adobe RGB")
        } else {
            None
        }
    }
}

/// What the colour channels of an ICC profile are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IccModel {
    Rgb,
    Gray,
    Cmyk,
    Other,
}

/// The colour model and the description of an ICC profile.
pub fn describe_icc(bytes: &[u8]) -> Result<(IccModel, String), ProfileError> {
    let icc = parse(bytes)?;
    let model = match icc.color_space {
        DataColorSpace::Rgb => IccModel::Rgb,
        DataColorSpace::Gray => IccModel::Gray,
        DataColorSpace::Cmyk => IccModel::Cmyk,
        _ => IccModel::Other,
    };
    Ok((model, description(&icc).unwrap_or_else(|| format!("{model:?} profile"))))
}

pub(super) fn parse(bytes: &[u8]) -> Result<ColorProfile, ProfileError> {
    ColorProfile::new_from_slice(bytes).map_err(|error| ProfileError::Damaged(error.to_string()))
}

/// A small version 4 sRGB profile.
pub fn srgb_icc() -> Vec<u8> {
    encode(ColorProfile::new_srgb())
}

/// A small version 4 Display P3 profile.
pub fn display_p3_icc() -> Vec<u8> {
    encode(ColorProfile::new_display_p3())
}

fn encode(mut profile: ColorProfile) -> Vec<u8> {
    // The code points are optional and disagree between readers.
    profile.cicp = None;
    let mut bytes = profile.encode().unwrap_or_default();
    if let Some(created) = bytes.get_mut(CREATED) {
        // One picture saved twice shall give one file: not the time of day, but 2026-01-01.
        created.copy_from_slice(&[7, 234, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    bytes
}

/// The profile's description: printable, one line, at most 80 characters.
fn description(icc: &ColorProfile) -> Option<String> {
    let text = match icc.description.as_ref()? {
        ProfileText::PlainString(text) => text,
        ProfileText::Localizable(texts) => &texts.first()?.value,
        ProfileText::Description(texts) if texts.ascii_string.is_empty() => &texts.unicode_string,
        ProfileText::Description(texts) => &texts.ascii_string,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The parametric function that stands for a curve, if one does.
fn fit(curve: &ToneReprCurve) -> Option<Transfer> {
    let (tolerance, exact) = match curve {
        ToneReprCurve::Parametric(params) => (PARAMETRIC_TOLERANCE, parametric(params)?),
        ToneReprCurve::Lut(table) if table.is_empty() => return Some(Transfer::LINEAR),
        ToneReprCurve::Lut(table) if table.len() == 1 => {
            return gamma_in_use(f64::from(table[0]) / 256.0);
        }
        ToneReprCurve::Lut(_) => (TABLE_TOLERANCE, None),
    };
    let eval = |x: f64| eval(curve, x);
    if !(0..=SAMPLES).all(|step| eval(f64::from(step) / f64::from(SAMPLES)).is_finite()) {
        return None;
    }
    let guesses = [0.25, 0.5, 0.75].map(|x: f64| gamma_in_use(eval(x).max(1e-9).ln() / x.ln()));
    let candidates = KNOWN.into_iter().chain(exact).chain(guesses.into_iter().flatten());
    let close = |candidate: &Transfer| {
        distance(eval, *candidate) <= tolerance
            && encoded_distance(eval, *candidate) <= ENCODED_TOLERANCE
    };
    candidates.into_iter().find(close)
}

fn gamma_in_use(gamma: f64) -> Option<Transfer> {
    match gamma {
        1.0 => Some(Transfer::LINEAR),
        _ if (0.1..=10.0).contains(&gamma) => Some(Transfer::power(gamma as f32)),
        _ => None,
    }
}

/// Types 0, 1, 3 and, without their offsets, 2 and 4; `Some(None)` where only a comparison can
/// tell, `None` where the numbers make no curve.
fn parametric(params: &[f32]) -> Option<Option<Transfer>> {
    let [gamma, a, b, c, d, e, f] = unify(params)?;
    if !(0.1..=10.0).contains(&gamma) || a <= 0.0 || ![b, c, d].iter().all(|v| v.is_finite()) {
        return None;
    }
    let exact = Transfer { gamma, a, b, c, d: d.max(0.0) };
    Some((e.abs() < 1e-5 && f.abs() < 1e-5).then_some(exact))
}

/// Any of the five function types as `gamma a b c d e f` of type 4.
fn unify(params: &[f32]) -> Option<[f32; 7]> {
    match *params {
        [g] => Some([g, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        [g, a, b] => Some([g, a, b, 0.0, -b / a, 0.0, 0.0]),
        [g, a, b, c] => Some([g, a, b, 0.0, -b / a, c, c]),
        [g, a, b, c, d] => Some([g, a, b, c, d, 0.0, 0.0]),
        [g, a, b, c, d, e, f] => Some([g, a, b, c, d, e, f]),
        _ => None,
    }
}

/// The curve itself at `x` in `0..=1`.
fn eval(curve: &ToneReprCurve, x: f64) -> f64 {
    match curve {
        ToneReprCurve::Parametric(params) => {
            let Some(params) = unify(params) else { return f64::NAN };
            let [g, a, b, c, d, e, f] = params.map(f64::from);
            if x >= d { (a * x + b).max(0.0).powf(g) + e } else { c * x + f }
        }
        ToneReprCurve::Lut(table) => match table.len() {
            0 => x,
            1 => x.powf(f64::from(table[0]) / 256.0),
            len => {
                let at = x * (len - 1) as f64;
                let low = (at as usize).min(len - 2);
                let (from, to) = (f64::from(table[low]), f64::from(table[low + 1]));
                (from + (to - from) * (at - low as f64)) / 65_535.0
            }
        },
    }
}

const SAMPLES: u32 = 1024;

fn distance(curve: impl Fn(f64) -> f64, candidate: Transfer) -> f64 {
    largest(|x| curve(x) - f64::from(candidate.decode(x as f32)))
}

fn encoded_distance(curve: impl Fn(f64) -> f64, candidate: Transfer) -> f64 {
    let encode = |value: f64| f64::from(Transfer::SRGB.encode(value as f32));
    largest(|x| encode(curve(x)) - encode(f64::from(candidate.decode(x as f32))))
}

fn largest(error: impl Fn(f64) -> f64) -> f64 {
    (0..=SAMPLES).map(|step| error(f64::from(step) / f64::from(SAMPLES)).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(len: usize, curve: impl Fn(f64) -> f64) -> ToneReprCurve {
        let value = |index| curve(index as f64 / (len - 1) as f64);
        ToneReprCurve::Lut((0..len).map(|i| (value(i) * 65_535.0).round() as u16).collect())
    }

    #[test]
    fn sampled_curves_are_recognised() {
        let srgb = table(1024, |x| f64::from(Transfer::SRGB.decode(x as f32)));
        assert_eq!(fit(&srgb), Some(Transfer::SRGB));
        let power = fit(&table(256, |x| x.powf(2.2))).unwrap();
        assert!((power.gamma - 2.2).abs() < 0.01, "{power:?}");
        assert_eq!(fit(&table(2, |x| x)), Some(Transfer::LINEAR));
        assert_eq!(fit(&ToneReprCurve::Lut(vec![0x0233])), Some(Transfer::power(563.0 / 256.0)));
    }

    #[test]
    fn a_curve_of_no_known_shape_is_refused() {
        assert_eq!(fit(&table(1024, |x| x * x * (3.0 - 2.0 * x))), None);
        // Rec. 709's neighbour with an offset of 2 % in the shadows.
        assert_eq!(fit(&ToneReprCurve::Parametric(vec![2.2, 0.98, 0.0, 0.02])), None);
    }

    #[test]
    fn parametric_types_keep_their_numbers() {
        for params in [
            vec![1.8],
            vec![2.0, 0.9, 0.1],
            vec![2.0, 0.9, 0.1, 0.0],
            vec![2.2, 0.95, 0.05, 0.1, 0.05],
            vec![2.2, 0.95, 0.05, 0.1, 0.05, 0.0, 0.0],
        ] {
            let curve = ToneReprCurve::Parametric(params.clone());
            let transfer = fit(&curve).unwrap();
            assert!((transfer.gamma - params[0]).abs() < 1e-6, "{params:?} gave {transfer:?}");
            assert!(distance(|x| eval(&curve, x), transfer) < 1e-4);
        }
        let rounded = [2.4, 0.947_86, 0.052_14, 0.077_4, 0.040_45].to_vec();
        assert_eq!(fit(&ToneReprCurve::Parametric(rounded)), Some(Transfer::SRGB));
    }

    #[test]
    fn the_written_profiles_are_read_back() {
        let srgb = WorkingProfile::from_icc(&srgb_icc()).unwrap();
        assert!(srgb.is_srgb() && &*srgb.name == "sRGB");
        let p3 = WorkingProfile::display_p3();
        assert_eq!(&*p3.name, "Display P3");
        assert!(!p3.is_srgb());
        assert_eq!(display_p3_icc()[CREATED], srgb_icc()[CREATED]);
        assert_eq!(srgb_icc()[CREATED][..8], [7, 234, 0, 1, 0, 1, 0, 0]);
        let adobe = ColorProfile::new_adobe_rgb().encode().unwrap();
        assert_eq!(&*WorkingProfile::from_icc(&adobe).unwrap().name, "Adobe RGB");
    }

    #[test]
    fn hostile_profiles_are_refused() {
        let good = srgb_icc();
        for len in 0..good.len() {
            let _ = WorkingProfile::from_icc(&good[..len]);
        }
        assert!(matches!(WorkingProfile::from_icc(b"hello"), Err(ProfileError::Damaged(_))));
        let mut seed = 0x9e37_79b9_u32;
        for _ in 0..4000 {
            let mut bytes = good.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (seed >> 8) as usize % bytes.len();
                bytes[at] ^= 1 << (seed & 7);
            }
            if let Ok(profile) = WorkingProfile::from_icc(&bytes) {
                assert!(profile.to_srgb([0.5; 3]).iter().all(|value| value.is_finite()));
            }
        }
    }
}
