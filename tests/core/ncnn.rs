//! ncnn's pair of files: written here from a state dict as the converters lay it out, read back
//! as the same network; what is refused; and that nothing panics.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ganvas::checkpoint::{Checkpoint, CheckpointError, Format};
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::ModelRef;
use ganvas::infer::worker::Models;
use ganvas::nets::cpu::Processor;
use ganvas::nets::{Planes, RrdbNet, Srvgg};
use ganvas::zoo::{Detected, Library, LibraryError, Spec, open_network};

use crate::checkpoint::fixture;

/// What the converters do differently.
#[derive(Clone, Copy)]
struct Style {
    is_half: bool,
    /// Activations are part of convolutions, factors part of sums.
    is_fused: bool,
}

const PLAIN: Style = Style { is_half: false, is_fused: true };

struct Line {
    kind: &'static str,
    inputs: Vec<String>,
    params: String,
}

/// A network on its way into the two files. Each layer's name is its result's, too.
struct Writer<'a> {
    weights: &'a Checkpoint,
    names: &'a BTreeMap<String, String>,
    style: Style,
    lines: Vec<Line>,
    bytes: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(weights: &'a Checkpoint, detected: &'a Detected, style: Style) -> Self {
        let names = &detected.names;
        Self { weights, names, style, lines: Vec::new(), bytes: Vec::new() }
    }

    fn read(&self, name: &str) -> Vec<f32> {
        self.weights.read_f32(&self.names[name]).unwrap()
    }

    fn push(&mut self, kind: &'static str, inputs: &[&String], params: &str) -> String {
        let inputs = inputs.iter().map(|input| (*input).clone()).collect();
        self.lines.push(Line { kind, inputs, params: params.into() });
        format!("v{}", self.lines.len() - 1)
    }

    fn raw(&mut self, values: &[f32]) {
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn conv(&mut self, x: &String, official: &str, slope: Option<f32>) -> String {
        let weight = self.read(&format!("{official}.weight"));
        let bias = self.read(&format!("{official}.bias"));
        if self.style.is_half {
            self.bytes.extend(0x0130_6B47u32.to_le_bytes());
            let half = |value: &f32| half::f16::from_f32(*value).to_le_bytes();
            self.bytes.extend(weight.iter().flat_map(half));
            self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        } else {
            self.bytes.extend(0u32.to_le_bytes());
            self.raw(&weight);
        }
        self.raw(&bias);
        let params = format!("0={} 1=3 4=1 5=1 6={}", bias.len(), weight.len());
        match slope {
            None => self.push("Convolution", &[x], &params),
            Some(slope) if self.style.is_fused => {
                self.push("Convolution", &[x], &format!("{params} 9=2 -23310=1,{slope}"))
            }
            Some(slope) => {
                let x = self.push("Convolution", &[x], &params);
                self.push("ReLU", &[&x], &format!("0={slope:e}"))
            }
        }
    }

    fn prelu(&mut self, x: &String, official: &str) -> String {
        let slopes = self.read(&format!("{official}.weight"));
        self.raw(&slopes);
        self.push("PReLU", &[x], &format!("0={}", slopes.len()))
    }

    /// `x · 0.2 + base`
    fn residual(&mut self, x: &String, base: &String) -> String {
        if self.style.is_fused {
            return self.push("Eltwise", &[x, base], "0=1 -23301=2,0.2,1.0");
        }
        let x = self.push("BinaryOp", &[x], "0=2 1=1 2=2.000000e-01");
        // In the other order, as some exporters have it.
        self.push("BinaryOp", &[base, &x], "0=0")
    }

    fn srvgg(mut self, spec: &Srvgg) -> Files {
        let input = self.push("Input", &[], "0=64 1=64 2=3");
        let mut x = input.clone();
        for layer in 0..=spec.layers {
            x = self.conv(&x, &format!("body.{}", 2 * layer), None);
            x = self.prelu(&x, &format!("body.{}", 2 * layer + 1));
        }
        x = self.conv(&x, &format!("body.{}", 2 * spec.layers + 2), None);
        let shuffled = self.push("PixelShuffle", &[&x], &format!("0={}", spec.shuffle));
        let times = format!("0=1 1={0}.000000e+00 2={0}.000000e+00", spec.shuffle);
        let base = self.push("Interp", &[&input], &times);
        self.push("BinaryOp", &[&shuffled, &base], "");
        self.finish()
    }

    fn rrdb(mut self, spec: &RrdbNet) -> Files {
        const SLOPE: Option<f32> = Some(0.2);
        let input = self.push("Input", &[], "");
        let first = self.conv(&input, "conv_first", None);
        let mut trunk = first.clone();
        for block in 0..spec.blocks {
            let mut x = trunk.clone();
            for dense in 1..=3 {
                let name = |layer| format!("body.{block}.rdb{dense}.conv{layer}");
                let mut seen = vec![x.clone()];
                let mut all = x.clone();
                for layer in 1..=4 {
                    seen.push(self.conv(&all, &name(layer), SLOPE));
                    all = self.push("Concat", &seen.iter().collect::<Vec<_>>(), "");
                }
                let last = self.conv(&all, &name(5), None);
                x = self.residual(&last, &x);
            }
            trunk = self.residual(&x, &trunk);
        }
        let body = self.conv(&trunk, "conv_body", None);
        let mut x = self.push("BinaryOp", &[&first, &body], "0=0");
        for doubling in 1..=spec.doublings {
            x = self.push("Interp", &[&x], "0=1 1=2.0 2=2.0");
            x = self.conv(&x, &format!("conv_up{doubling}"), SLOPE);
        }
        x = self.conv(&x, "conv_hr", SLOPE);
        self.conv(&x, "conv_last", None);
        self.finish()
    }

    /// What is read several times goes through a `Split`, as everywhere in ncnn.
    fn finish(self) -> Files {
        let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
        for input in self.lines.iter().flat_map(|line| &line.inputs) {
            *readers.entry(input).or_default() += 1;
        }
        let (mut text, mut layers, mut values) = (String::new(), 0, 0);
        let mut given: BTreeMap<String, usize> = BTreeMap::new();
        for (index, Line { kind, inputs, params }) in self.lines.iter().enumerate() {
            let name = |input: &String| match readers[input.as_str()] {
                1 => input.clone(),
                _ => {
                    let number = given.entry(input.clone()).or_default();
                    *number += 1;
                    format!("{input}_split_{}", *number - 1)
                }
            };
            let inputs: Vec<String> = inputs.iter().map(name).collect();
            let (count, inputs) = (inputs.len(), inputs.join(" "));
            writeln!(text, "{kind:<24} {kind}_{index} {count} 1 {inputs} v{index} {params}")
                .unwrap();
            let output = format!("v{index}");
            let several = readers.get(output.as_str()).copied().filter(|count| *count > 1);
            (layers, values) = (layers + 1, values + 1);
            if let Some(count) = several {
                let copies: Vec<_> = (0..count).map(|n| format!("{output}_split_{n}")).collect();
                let copies = copies.join(" ");
                writeln!(text, "Split split_{index} 1 {count} {output} {copies}").unwrap();
                (layers, values) = (layers + 1, values + count);
            }
        }
        Files { text: format!("7767517\n{layers} {values}\n{text}"), bytes: self.bytes }
    }
}

struct Files {
    text: String,
    bytes: Vec<u8>,
}

impl Files {
    /// The pair of a fixture's network.
    fn of(name: &str, style: Style) -> Self {
        let (weights, detected) = open_network(&fixture(name)).unwrap();
        let writer = Writer::new(&weights, &detected, style);
        match &detected.spec {
            Spec::Srvgg(spec) => writer.srvgg(spec),
            Spec::RrdbNet(spec) => writer.rrdb(spec),
            other => panic!("{other}"),
        }
    }

    /// Writes both and names the text.
    fn store(&self, folder: &Path) -> PathBuf {
        fs::write(folder.join("net.bin"), &self.bytes).unwrap();
        fs::write(folder.join("net.param"), &self.text).unwrap();
        folder.join("net.param")
    }
}

/// The result for a small picture, of weights that are changed by `change` where they are
/// kernels.
fn run(path: &Path, change: impl Fn(f32) -> f32) -> (Spec, Vec<Planes>) {
    let (checkpoint, detected) = open_network(path).unwrap();
    let mut source = |name: &str| -> Result<Vec<f32>, CheckpointError> {
        let mut values = checkpoint.read_f32(&detected.names[name])?;
        let shape = &checkpoint.shapes()[&detected.names[name]];
        if shape.len() == 4 {
            values.iter_mut().for_each(|value| *value = change(*value));
        }
        Ok(values)
    };
    let network = Processor::new(detected.spec.graph(), &mut source).unwrap();
    let data = (0..3 * 9 * 7).map(|at| (at * 37 % 101) as f32 / 100.0).collect();
    let input = Planes { channels: 3, height: 9, width: 7, data };
    (detected.spec, network.run(&[input], &|| false).unwrap())
}

const NETWORKS: [&str; 2] = ["RealESRGAN_x4plus.pth", "tiny-srvgg.pth"];

#[test]
fn the_same_network_comes_back_from_either_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in NETWORKS {
        for (is_half, is_fused) in [(false, true), (false, false), (true, true), (true, false)] {
            let text = Files::of(name, Style { is_half, is_fused }).store(folder.path());
            // The biases stay whole: kernels alone are rounded.
            let rounded = |value| if is_half { half::f16::from_f32(value).to_f32() } else { value };
            let expected = run(&fixture(name), rounded);
            assert_eq!(run(&text, |value| value), expected, "{name}, half: {is_half}");
            let bytes = text.with_extension("bin");
            assert_eq!(run(&bytes, |value| value), expected, "{name}, by its bytes");
            let opened = Checkpoint::open(&text).unwrap();
            assert_eq!((opened.format(), opened.path()), (Format::Ncnn, bytes.as_path()));
        }
    }
}

/// Why the pair is refused.
fn refusal(folder: &Path, files: &Files) -> String {
    let error = open_network(&files.store(folder)).expect_err("refused").to_string();
    assert!(error.lines().count() == 1 && error.contains("net.param"), "{error}");
    error
}

#[test]
fn another_network_with_the_same_weights_is_refused_by_layer() {
    let folder = tempfile::tempdir().unwrap();
    let change = |name: &str, from: &str, to: &str| {
        let Files { text, bytes } = Files::of(name, PLAIN);
        assert!(text.contains(from), "{from}");
        refusal(folder.path(), &Files { text: text.replacen(from, to, 1), bytes })
    };
    let [rrdb, srvgg] = NETWORKS;
    for (name, from, to, words) in [
        (rrdb, "-23310=1,0.2", "-23310=1,0.1", "it also holds Convolution_"),
        (rrdb, "-23301=2,0.2,1.0", "-23301=2,0.3,1.0", "it also holds Eltwise_"),
        (rrdb, "1=2.0 2=2.0", "1=3.0 2=3.0", "it also holds Interp_"),
        (rrdb, "v1_split_1 v2_split_0", "v2_split_0 v1_split_1", "it also holds Concat_"),
        (rrdb, "4=1 5=1", "4=2 5=1", "it also holds Convolution_"),
        (srvgg, "PixelShuffle", "Relu6", "layer Relu6 is not known"),
        (srvgg, "0=1 1=", "0=3 1=", "another resampling"),
        (srvgg, " 5=1 6=", " 5=1 18=1 6=", "18=1 is not known"),
        (srvgg, " 5=1 6=", " 5=1 8=2 6=", "weights of 8 bits"),
    ] {
        let said = change(name, from, to);
        assert!(said.contains(words), "{from} to {to}: {said}");
    }
    // A sound network that ends too early.
    let Files { text, bytes } = Files::of(srvgg, PLAIN);
    let mut lines: Vec<&str> = text.lines().collect();
    let sum = lines.pop().unwrap();
    assert!(sum.starts_with("BinaryOp"));
    let counts: Vec<usize> = lines[1].split(' ').map(|count| count.parse().unwrap()).collect();
    let counts = format!("{} {}", counts[0] - 1, counts[1] - 1);
    lines[1] = &counts;
    let said = refusal(folder.path(), &Files { text: lines.join("\n"), bytes });
    assert!(said.contains("it also holds Interp_"), "{said}");
}

/// The network of `name` with a bicubic reduction behind it, as the smaller factors of
/// Real-ESRGAN's video network are published.
fn with_reduction(name: &str, mode: usize, factor: f32) -> Files {
    let Files { text, bytes } = Files::of(name, PLAIN);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last: Vec<&str> = lines.last().unwrap().split_whitespace().collect();
    let result = last[4 + last[2].parse::<usize>().unwrap()].to_owned();
    lines.push(format!("Interp Resize_40 1 1 {result} output 0={mode} 1={factor:e} 2={factor:e}"));
    let counts: Vec<usize> = lines[1].split(' ').map(|count| count.parse().unwrap()).collect();
    lines[1] = format!("{} {}", counts[0] + 1, counts[1] + 1);
    Files { text: lines.join("\n"), bytes }
}

#[test]
fn a_reduction_behind_the_network_is_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = "tiny-srvgg.pth";
    let (Spec::Srvgg(whole), made) = run(&fixture(name), |value| value) else { panic!() };
    let text = with_reduction(name, 3, 0.5).store(folder.path());
    let (Spec::Srvgg(half), _) = run(&text, |value| value) else { panic!() };
    assert_eq!((half.shuffle, half.scale), (whole.shuffle, whole.shuffle / 2));
    let capability = Spec::Srvgg(half.clone()).capability();
    assert_eq!(capability.scale as usize, half.scale);
    // Through the service's own store, which is what tools run.
    let mut store = ModelStore::for_processor(Library::of(None, None));
    let network = store.network(&ModelRef::File(text)).unwrap();
    let data = (0..3 * 9 * 7).map(|at| (at * 37 % 101) as f32 / 100.0).collect();
    let input = Planes { channels: 3, height: 9, width: 7, data };
    let reduced = network.run(&[input], &|| false).unwrap().remove(0);
    assert_eq!((reduced.height, reduced.width), (9 * half.scale, 7 * half.scale));
    // Halfway between pixels the kernel is -0.09375, 0.59375, 0.59375, -0.09375.
    let weights = [-0.09375, 0.59375, 0.59375, -0.09375];
    let whole = &made[0];
    let want: f32 = (0..4)
        .flat_map(|y| (0..4).map(move |x| (x, y)))
        .map(|(x, y)| weights[x] * weights[y] * whole.data[(5 + y) * whole.width + 3 + x])
        .sum();
    let have = reduced.data[3 * reduced.width + 2];
    assert!((have - want).abs() < 1e-5, "{have} instead of {want}");
    for (mode, factor, words) in [
        (3, 0.3, "it also holds Resize_40"),
        (2, 0.5, "another resampling"),
        (3, 2.0, "another resampling"),
    ] {
        let said = refusal(folder.path(), &with_reduction(name, mode, factor));
        assert!(said.contains(words), "{mode} {factor}: {said}");
    }
}

#[test]
fn kernels_of_eight_bits_and_unknown_flags_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Files::of("tiny-srvgg.pth", PLAIN);
    for (flag, words) in
        [(0x000D_4B38u32, "8 bits"), (0x0002_C056, "flag 0x2c056"), (7, "flag 0x7")]
    {
        files.bytes[..4].copy_from_slice(&flag.to_le_bytes());
        let said = refusal(folder.path(), &files);
        assert!(said.contains(words) && said.contains("Convolution_1"), "{said}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of("tiny-srvgg.pth", PLAIN);
    let text = files.store(folder.path());
    // Counts, names and values that lie; absurd sizes.
    let first = "Convolution              Convolution_1 1 1 v0_split_0 v1";
    assert!(files.text.contains(first));
    let huge = "0=65537 1=3 4=1 5=1 6=36";
    for (from, to, words) in [
        (first, "Convolution x 1 1 nothing v1", "nothing makes"),
        (first, "Convolution Input_0 1 1 v0_split_0 v1", "second layer of the name"),
        (first, "Convolution x 1 1 v0_split_0 v0", "there is already"),
        (first, "Convolution x 99999999999 1 v0_split_0 v1", "nothing makes"),
        (first, "Convolution x 1 2 v0_split_0 v1 y", "results of one layer"),
        (" 1=3 ", " 1=0 ", "do not fit"),
        (" 4=1 ", " 4=-1 ", "is no number"),
        (" 4=1 ", " 4=1 4=1 ", "a second time"),
        (first, &format!("{first} {huge}"), "a second time"),
        ("PReLU_2 1 1 v1 v2 0=", "PReLU_2 1 1 v1 v2 0=1", "another number of channels"),
    ] {
        let changed = files.text.replacen(from, to, 1);
        assert_ne!(changed, files.text, "{from}");
        let said = refusal(folder.path(), &Files { text: changed, bytes: files.bytes.clone() });
        assert!(said.contains(words), "{to}: {said}");
    }
    let more = Files { text: files.text.clone(), bytes: [&files.bytes[..], &[0; 4]].concat() };
    assert!(refusal(folder.path(), &more).contains("4 bytes more"));
    // Either file alone.
    files.store(folder.path());
    fs::remove_file(text.with_extension("bin")).unwrap();
    assert!(open_network(&text).unwrap_err().to_string().contains("beside it"));
    files.store(folder.path());
    fs::remove_file(&text).unwrap();
    let alone = open_network(&text.with_extension("bin")).unwrap_err();
    let LibraryError::Checkpoint(alone) = alone else { panic!("{alone}") };
    assert!(matches!(alone, CheckpointError::UnknownFormat { .. }), "{alone}");
}

#[test]
fn every_prefix_is_an_error_and_flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of("tiny-srvgg.pth", Style { is_half: true, is_fused: true });
    let text = files.store(folder.path());
    let bytes = text.with_extension("bin");
    // The last line's parameters are empty: only the line itself counts.
    let whole = files.text.trim_end().len();
    for length in (0..whole - 1).step_by(3) {
        fs::write(&text, &files.text[..length]).unwrap();
        assert!(open_network(&text).is_err(), "text cut at {length}");
    }
    files.store(folder.path());
    for length in (0..files.bytes.len()).step_by(5) {
        fs::write(&bytes, &files.bytes[..length]).unwrap();
        assert!(open_network(&bytes).is_err(), "bytes cut at {length}");
    }
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for _ in 0..400 {
        let mut flipped = files.text.clone().into_bytes();
        for _ in 0..1 + random() % 3 {
            let at = random() % flipped.len();
            // Mostly what a number or a name may be made of.
            flipped[at] =
                if random() % 4 == 0 { random() as u8 } else { b' ' + (random() % 64) as u8 };
        }
        fs::write(&text, &flipped).unwrap();
        fs::write(&bytes, &files.bytes).unwrap();
        if let Ok((checkpoint, detected)) = open_network(&bytes) {
            for stored in detected.names.values() {
                let _ = checkpoint.read_f32(stored);
            }
        }
    }
}

#[test]
fn importing_takes_both_files_along() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::of(None, Some(folder.path().join("models")));
    let text = Files::of("tiny-srvgg.pth", PLAIN).store(folder.path());
    let imported = library.import(&text).unwrap();
    fs::remove_file(&text).unwrap();
    let (_, detected) = library.find(&imported.manifest.id).unwrap().open().unwrap();
    assert_eq!(detected.spec.architecture(), "SRVGGNetCompact");
}
