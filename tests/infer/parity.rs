//! Each network through the real loader and the tensor library's executor against recorded
//! values, layer by layer.

use burn::tensor::{Device, Tensor};
use ganvas::infer::models::official;
use ganvas::nets::Planes;
use ganvas::nets::tensor::OnDevice;
use ganvas::zoo::open_network;

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
                let [_, channels, height, width] = value.dims();
                let data = value.clone().try_into_vec_as::<f32>().unwrap();
                recorded.compare(layer, &Planes { channels, height, width, data });
            };
            let outputs = net.run_observed(inputs, &|| false, &mut probe);
            assert_eq!(outputs.len(), count);
        }
        recorded.finish(&format!("{name}, tensors"));
    }
}
