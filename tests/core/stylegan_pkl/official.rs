//! StyleGAN3 in the layout of NVIDIA's snapshots, through the whole loader.

use std::collections::BTreeSet;
use std::fs;

use ganvas::zoo::{Shapes, Spec, open_network};

use super::writer::{Part, Pickle, Tensor, module, snapshot};
use crate::published::{stylegan3, stylegan3_configurations};
use crate::sampled::parameter;

/// Two sides as numpy stores them; nobody needs them.
pub(super) fn array(p: Pickle) -> Pickle {
    let array = p.global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray");
    let array = array.ints(&[0]).bytes(b"b").raw(b"\x87R(").int(1).ints(&[2]);
    let kind = array.global("numpy", "dtype").text("i8").raw(b"K\0K\x01\x87R");
    kind.raw(b"\x89").bytes(&[36; 16]).raw(b"tb")
}

fn tensor(name: &str, shape: &[usize]) -> Tensor {
    let stride = |at: usize| shape[at + 1..].iter().product();
    let strides: Vec<usize> = (0..shape.len()).map(stride).collect();
    Tensor::floats(&parameter(name, shape), shape, &strides)
}

/// The module whose tensors' names begin with `root`, and those inside it.
fn nested(p: Pickle, shapes: &Shapes, root: &str, more: &[(&str, Part)]) -> Pickle {
    let below: Vec<&str> = shapes.keys().filter_map(|name| name.strip_prefix(root)).collect();
    let inner: BTreeSet<&str> =
        below.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    let writers: Vec<_> = below
        .iter()
        .filter(|name| !name.contains('.'))
        .map(|name| {
            let full = format!("{root}{name}");
            let tensor = tensor(&full, &shapes[&full]);
            (*name, move |p: Pickle| tensor.put_parameter(p))
        })
        .collect();
    let own: Vec<(&str, Part)> = writers.iter().map(|(name, put)| (*name, put as Part)).collect();
    let writers: Vec<_> = inner
        .into_iter()
        .map(|name| {
            let root = format!("{root}{name}.");
            let size: &[(&str, Part)] = &[("size", &array)];
            (name, move |p: Pickle| nested(p, shapes, &root, size))
        })
        .collect();
    let modules: Vec<(&str, Part)> =
        writers.iter().map(|(name, put)| (*name, put as Part)).collect();
    // Filters that a layer does not have are there as nothing.
    module(p, "Module", &own, &[("filter", &|p| p.raw(b"N"))], &modules, more)
}

#[test]
fn a_generator_of_stylegan3_opens_with_its_arguments() {
    for (_, mut network) in stylegan3_configurations() {
        let shapes = stylegan3(&network);
        let rate = |p: Pickle| p.dict(&[("lr_multiplier", &|p| p.float(0.125))]);
        let arguments =
            |p: Pickle| p.dict(&[("output_scale", &|p| p.float(0.5)), ("mapping_kwargs", &rate)]);
        let generator = |p| nested(p, &shapes, "", &[("_init_kwargs", &arguments)]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.pkl");
        fs::write(&path, snapshot(&[("G_ema", &generator)])).unwrap();
        let (checkpoint, detected) = open_network(&path).unwrap();
        (network.output_scale, network.mapping.rate) = (0.5, 0.125);
        assert_eq!(detected.spec, Spec::StyleGan3(network));
        assert_eq!(detected.names.len(), shapes.len());
        for (name, shape) in &shapes {
            assert_eq!(checkpoint.read_f32(name).unwrap(), parameter(name, shape), "{name}");
        }
    }
}
