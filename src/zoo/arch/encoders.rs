//! Networks that read aligned faces: our own portrait encoder, pSp's and e4e's encoders in their
//! checkpoints' naming, and the descriptor of faces that these learnt with.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::nets::graph::Graph;
use crate::nets::{Average, GradualStyleEncoder, IrSe, IrStage, IrTrunk, PortraitEncoder};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const PORTRAIT: Architecture = Architecture {
    name: PortraitEncoder::NAME,
    official: |shapes| {
        let roots = ["trunk.", "fc1.", "fc2.", "w_avg", "w_std"];
        roots.iter().flat_map(|root| rooted(shapes, root)).collect()
    },
    infer: infer_portrait,
    is_ignorable: |_| false,
};

/// The generator that lies in the same file is left out.
pub(super) const GRADUAL_STYLE: Architecture = Architecture {
    name: GradualStyleEncoder::NAME,
    official: |shapes| {
        let parts = ["input_layer.", "body.", "styles.", "latlayer"];
        let roots = parts.map(|part| format!("encoder.{part}"));
        let own = roots.iter().flat_map(|root| rooted(shapes, root));
        own.chain(rooted(shapes, "latent_avg")).collect()
    },
    infer: infer_gradual_style,
    is_ignorable: |name| name.ends_with(".num_batches_tracked") || name.starts_with("decoder."),
};

pub(super) const IDENTITY: Architecture = Architecture {
    name: IrSe::NAME,
    official: |shapes| {
        let roots = ["input_layer.", "body.", "output_layer."];
        roots.iter().flat_map(|root| rooted(shapes, root)).collect()
    },
    infer: infer_identity,
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

/// Reads a face of this side; what comes out is no picture.
fn capability(purpose: Purpose, graph: &Graph, side: usize) -> Capability {
    let channels_out = graph.outputs().first().map_or(0, |value| graph.channels(*value));
    let channels_out = channels_out as u32;
    let capability = Capability::of_square(purpose, graph, side);
    Capability { channels_out, range: Range::Signed, ..capability }
}

impl Describe for PortraitEncoder {
    const NAME: &'static str = "portrait encoder";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(Purpose::Encode, &self.graph(), self.side())
    }
}

impl std::fmt::Display for PortraitEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{0}×{0} pixels to {1} rows of {2} numbers", self.side(), self.rows, self.dim)
    }
}

impl Describe for GradualStyleEncoder {
    const NAME: &'static str = "pSp encoder";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(Purpose::Encode, &self.graph(), self.side)
    }
}

impl std::fmt::Display for GradualStyleEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{0}×{0} pixels to {1} rows of {2} numbers", self.side, self.rows, self.dim())
    }
}

impl Describe for IrSe {
    const NAME: &'static str = "IR-SE descriptor";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(Purpose::Identity, &self.graph(), self.side)
    }
}

impl std::fmt::Display for IrSe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units: usize = self.trunk.stages.iter().map(|stage| stage.units).sum();
        write!(f, "{units} units, {} numbers a face", self.size)
    }
}

type Missing = Vec<Cow<'static, str>>;

fn missing(name: &str) -> Missing {
    vec![Cow::Owned(name.to_owned())]
}

/// The sides of a list or matrix.
fn sides<const N: usize>(shapes: &Shapes, name: &str) -> Result<[usize; N], Missing> {
    let sides = shapes.get(name).and_then(|shape| <[usize; N]>::try_from(&shape[..]).ok());
    let sides = sides.filter(|sides| sides.iter().all(|side| (1..=1 << 20).contains(side)));
    sides.ok_or_else(|| missing(name))
}

/// Channels that a convolution makes.
fn width(shapes: &Shapes, name: &str) -> Result<usize, Missing> {
    four(shapes, name).map(|shape| shape[0]).ok_or_else(|| missing(name))
}

fn infer_portrait(shapes: &Shapes) -> Result<Spec, Missing> {
    let mut widths = [width(shapes, "trunk.stem.weight")?, 0, 0, 0, 0];
    for (stage, to) in widths.iter_mut().enumerate().skip(1) {
        *to = width(shapes, &format!("trunk.s{stage}.0.conv1.weight"))?;
    }
    let mut heads = [0; 3];
    for (index, to) in heads.iter_mut().enumerate() {
        *to = width(shapes, &format!("trunk.read{}.weight", index + 2))?;
    }
    let [numbers, hidden] = sides(shapes, "fc2.weight")?;
    let [dim] = sides(shapes, "w_avg")?;
    // Rows for 64 to 1024 pixels.
    let rows = numbers / dim;
    if !(10..=18).contains(&rows) || rows % 2 != 0 {
        return Err(missing("fc2.weight"));
    }
    Ok(Spec::PortraitEncoder(PortraitEncoder { widths, heads, hidden, rows, dim }))
}

/// The trunk of names that begin with `root`: each run of units of one width is a stage.
fn infer_trunk(shapes: &Shapes, root: &str) -> Result<IrTrunk, Missing> {
    let first = width(shapes, &format!("{root}input_layer.0.weight"))?;
    let mut stages: Vec<IrStage> = Vec::new();
    while let Ok(width) = {
        let at: usize = stages.iter().map(|stage| stage.units).sum();
        width(shapes, &format!("{root}body.{at}.res_layer.3.weight"))
    } {
        match stages.last_mut() {
            Some(stage) if stage.width == width => stage.units += 1,
            _ => stages.push(IrStage { width, units: 1 }),
        }
    }
    if stages.len() < 3 || stages.iter().any(|stage| stage.width % 16 != 0) {
        return Err(missing(&format!("{root}body.0.res_layer.3.weight")));
    }
    Ok(IrTrunk { first, stages })
}

fn infer_gradual_style(shapes: &Shapes) -> Result<Spec, Missing> {
    let trunk = infer_trunk(shapes, "encoder.")?;
    let convolutions = |name: &String| {
        let (layer, leaf) = numbered(name, "encoder.styles.0.convs.")?;
        (leaf == "weight").then_some(layer)
    };
    let halvings = shapes.keys().filter_map(convolutions).count();
    let rows = (0..32)
        .take_while(|row| shapes.contains_key(&format!("encoder.styles.{row}.linear.weight")))
        .count();
    if !(1..=8).contains(&halvings) || rows == 0 {
        return Err(missing("encoder.styles.0.convs.0.weight"));
    }
    let side = 1 << (halvings + trunk.stages.len());
    let average = match shapes.get("latent_avg").map(Vec::len) {
        None => Average::None,
        Some(1) => Average::Row,
        Some(_) => Average::Rows,
    };
    Ok(Spec::GradualStyleEncoder(GradualStyleEncoder { trunk, rows, side, average }))
}

fn infer_identity(shapes: &Shapes) -> Result<Spec, Missing> {
    const LINEAR: &str = "output_layer.3.weight";
    let trunk = infer_trunk(shapes, "")?;
    let [size, numbers] = sides(shapes, LINEAR)?;
    let last = trunk.stages.last().map_or(1, |stage| stage.width);
    let side = (numbers / last).isqrt();
    if side == 0 || side * side * last != numbers || trunk.stages.len() > 8 {
        return Err(missing(LINEAR));
    }
    Ok(Spec::IrSe(IrSe { side: side << trunk.stages.len(), trunk, size }))
}
