//! ncnn's pair of files: layers as text (`.param`), weights as bytes (`.bin`).
//!
//! The text is the magic 7767517, the number of layers and of values, then one layer a line:
//! type, name, number of inputs and outputs, their names, `key=value` parameters. The bytes
//! are the weights in the order of the layers, kernels with a flag of 4 bytes in front that
//! tells their number type. Written down from ncnn's documentation ("param and model file
//! structure", "operation param weight table").
//!
//! Read are the layers that the converters make of super resolution networks; anything else is
//! refused by name. Tensors are called `<layer>.weight` and `<layer>.bias`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::SharedFile;
use super::{Contents, Dtype, Fault, MAX_FILE_BYTES, MAX_TENSORS, RawTensor};

/// First line of the text.
const MAGIC: &[u8] = b"7767517";
/// Extensions of the pair.
pub(super) const TEXT_EXTENSION: &str = "param";
const BYTES_EXTENSION: &str = "bin";
/// Largest text.
const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Largest kernel side, channel count and factor that is believed.
const MAX_NUMBER: usize = 1 << 16;
/// Flags in front of a kernel.
const FLAG_F16: u32 = 0x0130_6B47;
const FLAG_I8: u32 = 0x000D_4B38;
/// Weights begin at multiples of this.
const ALIGN: u64 = 4;

/// One layer: what it does to which values. Values are numbered in the order in which they are
/// made.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub name: String,
    pub kind: LayerKind,
    pub inputs: Vec<usize>,
    /// The first of its results; a [`LayerKind::Split`] has several, which are one.
    pub output: usize,
    pub outputs: usize,
}

/// What a layer does.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    Input,
    /// Hands its input to several layers.
    Split,
    /// Zeros around, no groups; negative results times `slope` where there is one.
    Convolution {
        channels_in: usize,
        channels_out: usize,
        kernel: [usize; 2],
        stride: usize,
        dilation: usize,
        pad: usize,
        has_bias: bool,
        slope: Option<f32>,
    },
    /// One slope a channel for negative numbers.
    PRelu {
        channels: usize,
    },
    /// Negative numbers times the slope.
    Relu {
        slope: f32,
    },
    PixelShuffle(usize),
    /// Nearest neighbour.
    Nearest {
        times: usize,
    },
    /// Bicubic, sides times the factor: pixels are areas, and the kernel of Keys (1981) with
    /// a = -0.75 is as wide however much it reduces.
    Bicubic {
        factor: f32,
    },
    Scale(f32),
    /// Each input times its factor.
    Sum(Vec<f32>),
    /// Channels one after the other.
    Concat,
}

/// Whether a file that begins with `head` is ncnn's text.
fn looks_like(head: &[u8]) -> bool {
    head.strip_prefix(MAGIC).and_then(|rest| rest.first()).is_some_and(u8::is_ascii_whitespace)
}

/// The text and the bytes, given either: they lie beside each other under one name.
pub(super) fn pair(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let (text, bytes) = (path.with_extension(TEXT_EXTENSION), path.with_extension(BYTES_EXTENSION));
    let mut head = [0; MAGIC.len() + 1];
    let is_text = File::open(&text).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    (is_text && looks_like(&head) && bytes.is_file()).then_some((text, bytes))
}

pub(super) fn read(text: &Path, bytes: &Path) -> Result<(Contents, Vec<Layer>), Fault> {
    let mut words = String::new();
    File::open(text)
        .and_then(|file| file.take(MAX_TEXT_BYTES + 1).read_to_string(&mut words))
        .map_err(|err| Fault::Damaged(format!("its .param: {err}")))?;
    if words.len() as u64 > MAX_TEXT_BYTES {
        return Err(Fault::Refused(format!("its .param has more than {MAX_TEXT_BYTES} bytes")));
    }
    let layers = parse(&words)?;
    let io = |err: std::io::Error| Fault::Damaged(format!("its .bin: {err}"));
    let file = File::open(bytes).map_err(io)?;
    let byte_count = file.metadata().map_err(io)?.len();
    if byte_count > MAX_FILE_BYTES {
        return Err(Fault::Refused(format!("its .bin has {byte_count} bytes")));
    }
    let file = SharedFile::new(file);
    let mut weights = Weights { file, at: 0, end: byte_count, tensors: BTreeMap::new() };
    for layer in &layers {
        weights.take_layer(layer)?;
    }
    if weights.at != byte_count {
        let left = byte_count - weights.at;
        return Err(Fault::Damaged(format!("its .bin has {left} bytes more than its layers")));
    }
    Ok((Contents { tensors: weights.tensors, metadata: BTreeMap::new() }, layers))
}

/// The layers of the text, checked: values are made once, before they are used, and no counts
/// lie.
fn parse(text: &str) -> Result<Vec<Layer>, Fault> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.next().map(str::as_bytes) != Some(MAGIC) {
        return Err(Fault::Damaged("its .param does not begin with ncnn's number".into()));
    }
    let counts = lines.next().map(numbers).transpose()?.unwrap_or_default();
    let [layer_count, value_count] = counts[..] else {
        return Err(Fault::Damaged("its .param does not count its layers".into()));
    };
    let mut graph = Text::default();
    for line in lines {
        if graph.layers.len() == MAX_TENSORS {
            return Err(Fault::Refused(format!("more than {MAX_TENSORS} layers")));
        }
        graph.add(line).map_err(|fault| match fault {
            Fault::Damaged(reason) => Fault::Damaged(format!("its .param: {reason} in '{line}'")),
            Fault::Refused(reason) => Fault::Refused(format!("{reason} in '{line}'")),
        })?;
    }
    if (graph.layers.len(), graph.made) != (layer_count, value_count) {
        let (layers, made) = (graph.layers.len(), graph.made);
        let reason = format!(
            "its .param has {layers} layers and {made} values instead of {layer_count} and \
             {value_count}"
        );
        return Err(Fault::Damaged(reason));
    }
    Ok(graph.layers)
}

fn numbers(line: &str) -> Result<Vec<usize>, Fault> {
    line.split_whitespace().map(number).collect()
}

fn number(word: &str) -> Result<usize, Fault> {
    word.parse().map_err(|_| Fault::Damaged(format!("'{word}' is no number")))
}

/// The text as far as it is read.
#[derive(Default)]
struct Text<'a> {
    layers: Vec<Layer>,
    names: BTreeSet<&'a str>,
    /// Number and channels of each value.
    values: BTreeMap<&'a str, (usize, Option<usize>)>,
    made: usize,
}

impl<'a> Text<'a> {
    fn add(&mut self, line: &'a str) -> Result<(), Fault> {
        let damaged = |reason: &str| Fault::Damaged(reason.into());
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or_else(|| damaged("a word is missing"));
        let (kind, name) = (word()?, word()?);
        let (inputs, outputs) = (number(word()?)?, number(word()?)?);
        if !self.names.insert(name) {
            return Err(damaged("a second layer of the name"));
        }
        let mut from = Vec::new();
        let mut channels_in = Vec::new();
        for _ in 0..inputs {
            let (value, channels) =
                *self.values.get(word()?).ok_or_else(|| damaged("an input that nothing makes"))?;
            from.push(value);
            channels_in.push(channels);
        }
        let mut results = Vec::new();
        for _ in 0..outputs {
            results.push(word()?);
        }
        let params = Params::parse(words)?;
        let (kind, channels) = layer(kind, &channels_in, &params)?;
        if outputs == 0 || outputs > 1 && kind != LayerKind::Split {
            return Err(Fault::Refused(format!("{outputs} results of one layer")));
        }
        let output = self.made;
        for result in results {
            if self.values.insert(result, (self.made, channels)).is_some() {
                return Err(damaged("a result that there is already"));
            }
            self.made += 1;
        }
        self.layers.push(Layer { name: name.into(), kind, inputs: from, output, outputs });
        Ok(())
    }
}

/// The `key=value` words of a line.
struct Params<'a>(BTreeMap<i32, &'a str>);

/// Array `n` has the key `ARRAYS - n`.
const ARRAYS: i32 = -23300;

impl<'a> Params<'a> {
    fn parse(words: impl Iterator<Item = &'a str>) -> Result<Self, Fault> {
        let mut params = BTreeMap::new();
        for word in words {
            let pair = word.split_once('=');
            let pair = pair.and_then(|(key, value)| Some((key.parse().ok()?, value)));
            let (key, value) = pair.ok_or_else(|| Fault::Damaged(format!("'{word}'")))?;
            if params.insert(key, value).is_some() {
                return Err(Fault::Damaged(format!("'{word}' a second time")));
            }
        }
        Ok(Self(params))
    }

    fn usize(&self, key: i32, default: usize) -> Result<usize, Fault> {
        let value = self.0.get(&key).map_or(Ok(default), |value| number(value))?;
        let limit = if key == WEIGHT_COUNT { super::MAX_ELEMENTS } else { MAX_NUMBER };
        if value > limit {
            return Err(Fault::Refused(format!("{key}={value} is too large")));
        }
        Ok(value)
    }

    fn f32(&self, key: i32, default: f32) -> Result<f32, Fault> {
        self.0.get(&key).map_or(Ok(default), |value| float(value))
    }

    /// A list: its length, then that many numbers. Empty where there is none.
    fn list(&self, index: i32) -> Result<Vec<f32>, Fault> {
        let Some(text) = self.0.get(&(ARRAYS - index)) else { return Ok(Vec::new()) };
        let mut words = text.split(',');
        let len = number(words.next().unwrap_or_default())?;
        let values = words.map(float).collect::<Result<Vec<_>, _>>()?;
        if values.len() != len {
            return Err(Fault::Damaged(format!("a list of {} that says {len}", values.len())));
        }
        Ok(values)
    }

    /// Refuses parameters other than these, which would change what the layer does.
    fn only(&self, known: &[i32]) -> Result<(), Fault> {
        match self.0.iter().find(|(key, _)| !known.contains(key)) {
            Some((key, value)) => {
                Err(Fault::Refused(format!("the parameter {key}={value} is not known")))
            }
            None => Ok(()),
        }
    }
}

fn float(word: &str) -> Result<f32, Fault> {
    let value = word.parse().ok().filter(|value: &f32| value.is_finite());
    value.ok_or_else(|| Fault::Damaged(format!("'{word}' is no number")))
}

/// Key of a convolution's number of weights.
const WEIGHT_COUNT: i32 = 6;

/// What a line's layer does, with the channels of its result where they are known.
fn layer(
    kind: &str,
    inputs: &[Option<usize>],
    params: &Params<'_>,
) -> Result<(LayerKind, Option<usize>), Fault> {
    let first = inputs.first().copied().flatten();
    let count = match kind {
        "Input" => 0..=0,
        "Concat" | "Eltwise" => 1..=16,
        "BinaryOp" => 1..=2,
        _ => 1..=1,
    };
    if !count.contains(&inputs.len()) {
        return Err(Fault::Damaged(format!("{} inputs", inputs.len())));
    }
    let refused = |reason: &str| Err(Fault::Refused(reason.into()));
    Ok(match kind {
        // The extent that a converter may have noted binds nobody.
        "Input" => (LayerKind::Input, None),
        "Split" => {
            params.only(&[])?;
            (LayerKind::Split, first)
        }
        "Convolution" => convolution(first, params)?,
        "PReLU" => {
            params.only(&[0])?;
            let channels = params.usize(0, 0)?;
            if first.is_some_and(|first| first != channels) {
                return Err(Fault::Damaged("slopes for another number of channels".into()));
            }
            (LayerKind::PRelu { channels }, Some(channels))
        }
        "ReLU" => {
            params.only(&[0])?;
            (LayerKind::Relu { slope: params.f32(0, 0.0)? }, first)
        }
        "PixelShuffle" => {
            params.only(&[0, 1])?;
            let side = params.usize(0, 1)?;
            if params.usize(1, 0)? != 0 || !(1..=16).contains(&side) {
                return refused("another order of pixels than PyTorch's");
            }
            (LayerKind::PixelShuffle(side), first.map(|channels| channels / (side * side)))
        }
        "Interp" => {
            params.only(&[0, 1, 2, 3, 4])?;
            let times = params.f32(1, 1.0)?;
            let is_square = params.f32(2, 1.0)? == times;
            let is_fixed = params.usize(3, 0)? != 0 || params.usize(4, 0)? != 0;
            let is_whole = times.fract() == 0.0 && (1.0..=16.0).contains(&times);
            let is_reduction = times > 0.0 && times < 1.0;
            let kind = match params.usize(0, 0)? {
                1 if is_whole => Some(LayerKind::Nearest { times: times as usize }),
                3 if is_reduction => Some(LayerKind::Bicubic { factor: times }),
                _ => None,
            };
            match kind.filter(|_| is_square && !is_fixed) {
                Some(kind) => (kind, first),
                None => {
                    return refused(
                        "another resampling than whole times the nearest neighbour, or a bicubic reduction",
                    );
                }
            }
        }
        "BinaryOp" => {
            params.only(&[0, 1, 2])?;
            let with_number = params.usize(1, 0)? != 0;
            match (params.usize(0, 0)?, with_number, inputs.len()) {
                (0, false, 2) => (LayerKind::Sum(vec![1.0; 2]), first),
                (2, true, 1) => (LayerKind::Scale(params.f32(2, 0.0)?), first),
                _ => return refused("another operation than a sum or a factor"),
            }
        }
        "Eltwise" => {
            params.only(&[0, ARRAYS - 1])?;
            let factors = params.list(1)?;
            let factors = if factors.is_empty() { vec![1.0; inputs.len()] } else { factors };
            if params.usize(0, 0)? != 1 || factors.len() != inputs.len() {
                return refused("another operation than a sum");
            }
            (LayerKind::Sum(factors), first)
        }
        "Concat" => {
            params.only(&[0])?;
            if params.usize(0, 0)? != 0 {
                return refused("another axis than channels");
            }
            let total = inputs.iter().copied().sum::<Option<usize>>();
            (LayerKind::Concat, total)
        }
        other => return Err(Fault::Refused(format!("ncnn's layer {other} is not known"))),
    })
}

fn convolution(
    channels: Option<usize>,
    params: &Params<'_>,
) -> Result<(LayerKind, Option<usize>), Fault> {
    params.only(&[0, 1, 2, 3, 4, 5, WEIGHT_COUNT, 8, 9, 11, 12, 13, 14, 15, 16, ARRAYS - 10])?;
    if params.usize(8, 0)? != 0 {
        return Err(Fault::Refused("weights of 8 bits".into()));
    }
    let channels_out = params.usize(0, 0)?;
    let width = params.usize(1, 0)?;
    let height = params.usize(11, width)?;
    let (dilation, stride, pad) = (params.usize(2, 1)?, params.usize(3, 1)?, params.usize(4, 0)?);
    let same = [(12, dilation), (13, stride), (14, pad), (15, pad), (16, pad)];
    for (key, value) in same {
        if params.usize(key, value)? != value {
            return Err(Fault::Refused("a convolution that is not the same in both axes".into()));
        }
    }
    let slope = match (params.usize(9, 0)?, params.list(10)?.as_slice()) {
        (0, _) => None,
        (1, _) => Some(0.0),
        (2, [slope]) => Some(*slope),
        _ => return Err(Fault::Refused("an activation that is not known".into())),
    };
    // Channels are believed by the number of weights; a value of known channels must agree.
    let weights = params.usize(WEIGHT_COUNT, 0)?;
    let each = channels_out * width * height;
    let is_whole = each > 0 && weights > 0 && weights.is_multiple_of(each);
    let channels_in = if is_whole { weights / each } else { 0 };
    if channels_in == 0 || channels.is_some_and(|channels| channels != channels_in) {
        return Err(Fault::Damaged(format!("{weights} weights do not fit")));
    }
    let has_bias = params.usize(5, 0)? != 0;
    let kernel = [height, width];
    let kind = LayerKind::Convolution {
        channels_in,
        channels_out,
        kernel,
        stride,
        dilation,
        pad,
        has_bias,
        slope,
    };
    Ok((kind, Some(channels_out)))
}

/// The bytes as far as they are given to layers.
struct Weights {
    file: SharedFile,
    at: u64,
    end: u64,
    tensors: BTreeMap<String, RawTensor>,
}

impl Weights {
    fn take_layer(&mut self, layer: &Layer) -> Result<(), Fault> {
        let name = &layer.name;
        match layer.kind {
            LayerKind::Convolution { channels_in, channels_out, kernel, has_bias, .. } => {
                let dtype = self.flag(name)?;
                let shape = vec![channels_out, channels_in, kernel[0], kernel[1]];
                self.take(format!("{name}.weight"), shape, dtype)?;
                if has_bias {
                    self.take(format!("{name}.bias"), vec![channels_out], Dtype::F32)?;
                }
            }
            LayerKind::PRelu { channels } => {
                self.take(format!("{name}.weight"), vec![channels], Dtype::F32)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The number type of the kernel that comes next.
    fn flag(&mut self, name: &str) -> Result<Dtype, Fault> {
        self.room(name, ALIGN)?;
        let bytes = self.file.read(self.at, ALIGN as usize)?;
        self.at += ALIGN;
        match bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) {
            Some(0) => Ok(Dtype::F32),
            Some(FLAG_F16) => Ok(Dtype::F16),
            Some(FLAG_I8) => Err(Fault::Refused(format!("the weights of '{name}' have 8 bits"))),
            flag => {
                let flag = flag.unwrap_or_default();
                Err(Fault::Refused(format!("the weights of '{name}' have the flag {flag:#x}")))
            }
        }
    }

    fn take(&mut self, name: String, shape: Vec<usize>, dtype: Dtype) -> Result<(), Fault> {
        let elements = shape.iter().product::<usize>();
        let (at, length) = (self.at, elements * dtype.bytes());
        let padded = (length as u64).next_multiple_of(ALIGN);
        self.room(&name, padded)?;
        self.at += padded;
        let file = self.file.clone();
        let read = Box::new(move || file.read(at, length));
        let tensor = RawTensor::new(&name, shape, dtype, read)?;
        self.tensors.insert(name, tensor);
        Ok(())
    }

    fn room(&self, name: &str, bytes: u64) -> Result<(), Fault> {
        if bytes > self.end - self.at {
            return Err(Fault::Damaged(format!("its .bin ends inside '{name}'")));
        }
        Ok(())
    }
}
