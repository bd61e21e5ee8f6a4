//! Pictures without a model: gradients, noise, clouds and regular patterns. The same seed gives the
//! same picture everywhere.

mod cloud;

use rayon::prelude::*;

use crate::geom::Size;
use crate::params::{ParamSpec, Params};
use crate::pixels::{Depth, PixelBuf};
use cloud::Cloud;

/// What a pattern makes of a place, in pixels from the top left: for each channel how far to go
/// from the first colour to the second, `0..=1`.
type Shade = Box<dyn Fn(f64, f64) -> [f64; 3] + Sync>;

/// One pattern.
pub struct Pattern {
    /// On the command line.
    pub name: &'static str,
    /// In the window.
    pub label: &'static str,
    /// One line of help.
    pub doc: &'static str,
    pub params: &'static [ParamSpec],
    shade: fn(&Params, Size, u64) -> Shade,
}

const ANGLE: ParamSpec = ParamSpec::float(
    "angle",
    "Angle",
    0.0,
    (-360.0, 360.0),
    (-180.0, 180.0),
    "°",
    "Clockwise; 0 runs from left to right",
);

const fn scale(default: f64) -> ParamSpec {
    ParamSpec::float(
        "scale",
        "Scale",
        default,
        (1.0, 65_536.0),
        (2.0, 1024.0),
        "px",
        "Size of the largest shapes",
    )
    .logarithmic()
}

const ROUGHNESS: ParamSpec = ParamSpec::float(
    "roughness",
    "Roughness",
    0.5,
    (0.0, 1.0),
    (0.0, 1.0),
    "",
    "How strong each finer layer is beside the coarser one",
);

static PATTERNS: [Pattern; 7] = [
    Pattern {
        name: "gradient",
        label: "Gradient",
        doc: "From one colour to the other along a line",
        params: &[ANGLE],
        shade: |params, size, _| {
            let (sine, cosine) = params.float("angle").to_radians().sin_cos();
            let (width, height) = (f64::from(size.width), f64::from(size.height));
            // The ends lie where the line leaves the picture.
            let reach = (width * cosine.abs() + height * sine.abs()).max(1.0);
            grey(move |x, y| {
                let along = (x - width / 2.0) * cosine + (y - height / 2.0) * sine;
                along / reach + 0.5
            })
        },
    },
    Pattern {
        name: "radial",
        label: "Radial gradient",
        doc: "From one colour in the middle to the other in the corners",
        params: &[],
        shade: |_, size, _| {
            let (x0, y0) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
            let reach = x0.hypot(y0).max(1.0);
            grey(move |x, y| (x - x0).hypot(y - y0) / reach)
        },
    },
    Pattern {
        name: "noise",
        label: "Noise",
        doc: "A random number at every pixel",
        params: &[ParamSpec::bool("colored", "Coloured", false, "Each channel by itself")],
        shade: |params, _, seed| {
            let colored = params.bool("colored");
            Box::new(move |x, y| {
                let at = |channel: u64| cloud::hash(x as i64, y as i64, seed ^ (channel << 56));
                if colored { [at(1), at(2), at(3)] } else { [at(1); 3] }
            })
        },
    },
    Pattern {
        name: "clouds",
        label: "Clouds",
        doc: "Soft shapes of every size",
        params: &[scale(256.0), ROUGHNESS],
        shade: |params, _, seed| {
            let cloud = Cloud::new(params.float("scale"), params.float("roughness"), seed);
            grey(move |x, y| cloud.at(x, y))
        },
    },
    Pattern {
        name: "plasma",
        label: "Plasma",
        doc: "Clouds of a different shape in each channel",
        params: &[scale(256.0), ROUGHNESS],
        shade: |params, _, seed| {
            let (scale, roughness) = (params.float("scale"), params.float("roughness"));
            let clouds = [1, 2, 3].map(|at: u64| Cloud::new(scale, roughness, seed ^ (at << 56)));
            Box::new(move |x, y| [0, 1, 2].map(|channel: usize| clouds[channel].at(x, y)))
        },
    },
    Pattern {
        name: "checker",
        label: "Checkerboard",
        doc: "Squares in turn",
        params: &[scale(32.0)],
        shade: |params, _, _| {
            let side = params.float("scale");
            grey(move |x, y| {
                (((x / side).floor() + (y / side).floor()) as i64).rem_euclid(2) as f64
            })
        },
    },
    Pattern {
        name: "stripes",
        label: "Stripes",
        doc: "Bands in turn, with soft edges of a pixel",
        params: &[scale(32.0), ANGLE],
        shade: |params, _, _| {
            let width = params.float("scale");
            let (sine, cosine) = params.float("angle").to_radians().sin_cos();
            grey(move |x, y| {
                let along = (x * cosine + y * sine) / width;
                // The distance from the nearer edge, in pixels.
                let place = along.rem_euclid(2.0);
                let away = if place < 1.0 {
                    -place.min(1.0 - place)
                } else {
                    (place - 1.0).min(2.0 - place)
                };
                (away * width + 0.5).clamp(0.0, 1.0)
            })
        },
    },
];

fn grey(of: impl Fn(f64, f64) -> f64 + Sync + 'static) -> Shade {
    Box::new(move |x, y| [of(x, y); 3])
}

/// In the order of menus.
pub fn all() -> &'static [Pattern] {
    &PATTERNS
}

pub fn find(name: &str) -> Option<&'static Pattern> {
    PATTERNS.iter().find(|pattern| pattern.name == name)
}

impl Pattern {
    /// The picture, opaque RGBA, between two colours of encoded `0..=1`.
    pub fn draw(
        &self,
        params: &Params,
        size: Size,
        depth: Depth,
        seed: u64,
        [from, to]: [[f32; 3]; 2],
    ) -> PixelBuf {
        let shade = (self.shade)(params, size, seed);
        let width = size.width as usize;
        let rows: Vec<Vec<[f32; 4]>> = (0..size.height)
            .into_par_iter()
            .map(|y| {
                let pixel = |x: usize| {
                    // At the middle of the pixel.
                    let shares = shade(x as f64 + 0.5, f64::from(y) + 0.5);
                    let mixed = |c: usize| {
                        let share = shares[c].clamp(0.0, 1.0) as f32;
                        from[c] + (to[c] - from[c]) * share
                    };
                    [mixed(0), mixed(1), mixed(2), 1.0]
                };
                (0..width).map(pixel).collect()
            })
            .collect();
        let mut picture = PixelBuf::new(size, 4, depth);
        for (y, row) in (0..).zip(rows) {
            for (x, pixel) in (0..).zip(row) {
                picture.set_pixel_f32(x, y, pixel);
            }
        }
        picture
    }
}
