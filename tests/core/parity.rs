//! Each network through the real loader and the processor's executor against recorded values,
//! layer by layer.

use std::path::Path;

use ganvas::checkpoint::CheckpointError;
use ganvas::nets::Planes;
use ganvas::nets::cpu::Processor;
use ganvas::zoo::open_network;

use crate::published::computed;
use crate::recorded::{Recorded, networks, tiny};

type Change<'a> = &'a dyn Fn(&str, &mut Vec<f32>);

/// What result number `index` is called in a record.
fn output_name(index: usize) -> String {
    if index == 0 { "output".into() } else { format!("output{index}") }
}

fn check(weights: &Path, name: &str, change: Change<'_>) {
    let (checkpoint, detected) = open_network(weights).unwrap();
    let mut source = |name: &str| -> Result<Vec<f32>, CheckpointError> {
        let mut values = checkpoint.read_f32(&detected.names[name])?;
        change(name, &mut values);
        Ok(values)
    };
    let graph = detected.spec.graph();
    let range = detected.spec.capability().range;
    // Every recorded layer, then what runs in the program.
    let unfused = Processor::unfused(graph.clone(), &mut source).unwrap();
    let fused = Processor::new(graph, &mut source).unwrap();
    let mut recorded = Recorded::open(name, range);
    for image in 0..recorded.count {
        let inputs = recorded.inputs(image);
        let mut probe = |layer: &str, value: &Planes| recorded.compare(layer, value);
        unfused.run_observed(&inputs, &|| false, &mut probe).unwrap();
    }
    recorded.finish(name);
    let mut recorded = Recorded::open(name, range);
    for image in 0..recorded.count {
        let inputs = recorded.inputs(image);
        for (index, output) in fused.run(&inputs, &|| false).unwrap().iter().enumerate() {
            recorded.compare(&output_name(index), output);
        }
    }
    let count = recorded.count * detected.spec.graph().outputs().len();
    assert_eq!(recorded.compared, count, "{name}: an output was not recorded");
}

#[test]
fn every_network_agrees_layer_by_layer() {
    let networks = networks();
    assert!(networks.len() >= 19);
    for (weights, name) in networks {
        check(&weights, name, &|_, _| {});
    }
}

#[test]
fn every_computed_network_agrees_layer_by_layer() {
    let networks = computed();
    assert!(networks.len() >= 5);
    for network in networks {
        let (checkpoint, detected, _folder) = network.open();
        let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
        let graph = detected.spec.graph();
        let unfused = Processor::unfused(graph.clone(), &mut source).unwrap();
        let fused = Processor::new(graph, &mut source).unwrap();
        network.compare(|probe| {
            unfused.run_observed(&network.inputs, &|| false, probe).unwrap();
        });
        network.compare_output(&fused.run(&network.inputs, &|| false).unwrap()[0]);
    }
}

#[test]
#[should_panic(expected = "the first layer that differs is body.0")]
fn a_wrong_network_is_named_by_its_first_wrong_layer() {
    // The oracle itself must fail, and at the right place.
    check(&tiny("RealESRGAN_x4plus.pth"), "tiny-x4", &|name, values| {
        if name == "body.0.rdb2.conv3.bias" {
            values[0] += 1.0;
        }
    });
}
