//! DeepFill v2's files, by their names and shapes.

use ganvas::nets::DeepFill;
use ganvas::zoo::{Extent, Purpose, Range, Spec, detect};

use crate::published::deepfill;

#[test]
fn the_published_file_is_recognised() {
    let shapes = deepfill(48);
    assert_eq!(shapes.len(), 85);
    let found = detect(&shapes).unwrap();
    assert_eq!(found.spec, Spec::DeepFill(DeepFill { features: 48 }));
    let capability = found.spec.capability();
    assert_eq!((capability.purpose, capability.range), (Purpose::Inpaint, Range::Signed));
    assert_eq!((capability.extent, capability.multiple), (Extent::Whole, 8));
    let mut less = shapes;
    less.remove("stage2.ca_conv_bn4.conv.bias");
    let error = detect(&less).unwrap_err();
    assert_eq!(error.attempts[0].architecture, "DeepFill v2");
    assert_eq!(error.attempts[0].missing, ["stage2.ca_conv_bn4.conv.bias"]);
}
