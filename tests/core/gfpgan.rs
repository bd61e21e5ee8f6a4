//! GFP-GAN's files, by their names and shapes.

use ganvas::nets::Gfpgan;
use ganvas::zoo::{Extent, Purpose, Range, Spec, detect};

use crate::published::gfpgan;

/// What `GFPGANv1.4.pth` holds.
fn published() -> Gfpgan {
    let decoder = vec![512, 512, 512, 512, 512, 256, 128, 64];
    Gfpgan {
        unet: decoder.iter().map(|width| width / 2).collect(),
        decoder,
        style: 512,
        own_styles: true,
        half: true,
    }
}

#[test]
fn the_published_file_is_recognised() {
    let shapes = gfpgan(&published(), 8);
    assert_eq!(shapes.len(), 285);
    let found = detect(&shapes).unwrap();
    assert_eq!(found.spec, Spec::Gfpgan(published()));
    // All but the mapping's 16 tensors and the 14 of the U-Net's own pictures.
    assert_eq!(found.names.len(), 255);
    let capability = found.spec.capability();
    assert_eq!((capability.purpose, capability.range), (Purpose::RestoreFace, Range::Signed));
    assert_eq!(capability.extent, Extent::Fixed([512; 2]));
}

#[test]
fn what_is_missing_or_of_another_width_is_named() {
    let (unet, decoder) = (vec![6, 5, 4, 3], vec![12, 10, 8, 6]);
    let small = Gfpgan { unet, decoder, style: 7, own_styles: true, half: true };
    let whole = gfpgan(&small, 2);
    for (name, shape) in [
        ("stylegan_decoder.noises.noise3", None),
        ("conv_body_down.1.skip.weight", Some(vec![5, 4, 3, 3])),
        ("final_linear.bias", Some(vec![57])),
    ] {
        let mut shapes = whole.clone();
        shapes.remove(name);
        shapes.extend(shape.map(|shape| (name.to_owned(), shape)));
        let error = detect(&shapes).unwrap_err();
        assert_eq!(error.attempts[0].architecture, "GFPGANv1Clean", "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
