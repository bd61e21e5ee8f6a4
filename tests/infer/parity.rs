//! Each network through the real loader and the tensor library's executor against recorded
//! values, layer by layer.

use burn::tensor::{Device, Tensor};
use ganvas::infer::models::official;
use ganvas::nets::Planes;
use ganvas::nets::tensor::OnDevice;
use ganvas::zoo::open_network;

use crate::published::computed;
use crate::recorded::{Recorded, networks};

#[test]
fn every_network_agrees_layer_by_layer() {
    let networks = networks();
    assert!(networks.len() >= 19);
    for (weights, name) in networks {
        let (checkpoint, detected) = open_network(&weights).unwrap();
        let mut source = official(&checkpoint, &detected);
        let (graph, range) = (detected.spec.graph(), detected.spec.capability().range);
        let count = graph.outputs().len();
        let net = OnDevice::new(graph, &Device::flex(), &mut source).unwrap();
        let mut recorded = Recorded::open(name, range);
        for image in 0..recorded.count {
            let inputs = recorded.inputs(image).iter().map(|planes| net.upload(planes)).collect();
            let mut probe = |layer: &str, value: &Tensor<4>| {
                recorded.compare(layer, &planes(value));
            };
            let outputs = net.run_observed(inputs, &|| false, &mut probe);
            assert_eq!(outputs.len(), count);
        }
        recorded.finish(&format!("{name}, tensors"));
    }
}

fn planes(value: &Tensor<4>) -> Planes {
    let [_, channels, height, width] = value.dims();
    let data = value.clone().try_into_vec_as::<f32>().unwrap();
    Planes { channels, height, width, data }
}

#[test]
fn every_computed_network_agrees_layer_by_layer() {
    for network in computed() {
        let (checkpoint, detected, _folder) = network.open();
        let mut source = official(&checkpoint, &detected);
        let net = OnDevice::new(detected.spec.graph(), &Device::flex(), &mut source).unwrap();
        let inputs = network.inputs.iter().map(|planes| net.upload(planes)).collect();
        let mut outputs = Vec::new();
        network.compare(|probe| {
            let mut probe = |layer: &str, value: &Tensor<4>| probe(layer, &planes(value));
            outputs = net.run_observed(inputs, &|| false, &mut probe);
        });
        network.compare_output(&planes(&outputs[0]));
    }
}
