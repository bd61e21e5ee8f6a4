//! The label that says that a network has drawn in a picture: written, merged, read back.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::document::{Document, Generated, Layer, LayerKind, Metadata, Raster, Synthesis};
use ganvas::geom::Size;
use ganvas::io::{
    DigitalSource, Format, Limits, MetadataPolicy, Notice, SaveOptions, decode, encode_to_vec,
};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use serde_json::json;

const SIZE: Size = Size::new(12, 9);

/// The XMP packet of a file written with these options, and what was said.
fn written(options: &SaveOptions, xmp: Option<&[u8]>) -> (Option<String>, Vec<Notice>) {
    let pixels = PixelBuf::filled(SIZE, 4, Depth::U8, [90, 120, 30, 255]);
    let metadata = Metadata { xmp: xmp.map(Arc::from), ..Metadata::default() };
    let (bytes, notices) =
        encode_to_vec(&pixels, &WorkingProfile::srgb(), &metadata, options).unwrap();
    let xmp = decode(&bytes, &Limits::default()).unwrap().metadata.xmp;
    (xmp.map(|xmp| String::from_utf8(xmp.to_vec()).unwrap()), notices)
}

#[test]
fn every_format_with_xmp_carries_the_label_beside_what_was_there() {
    let there = b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" dc:rights=\"mine\"/></rdf:RDF></x:xmpmeta>";
    for format in [Format::Png, Format::Jpeg, Format::WebP, Format::Tiff] {
        for source in
            [DigitalSource::TrainedAlgorithm, DigitalSource::CompositeWithTrainedAlgorithm]
        {
            let options = SaveOptions { label: Some(source), ..SaveOptions::new(format) };
            let (fresh, notices) = written(&options, None);
            assert!(fresh.unwrap().contains(&source.iri()), "{format}");
            assert!(notices.is_empty(), "{format}: {notices:?}");
            let (merged, _) = written(&options, Some(there));
            let merged = merged.unwrap();
            assert!(merged.contains(&source.iri()) && merged.contains("dc:rights=\"mine\""));
            // Without other metadata the label alone is there.
            let bare = SaveOptions { metadata: MetadataPolicy::None, ..options };
            let (bare, _) = written(&bare, Some(there));
            let bare = bare.unwrap();
            assert!(bare.contains(&source.iri()) && !bare.contains("mine"), "{format}");
        }
        let (none, _) = written(&SaveOptions::new(format), None);
        assert_eq!(none, None, "{format}: nobody asked for a label");
    }
}

#[test]
fn a_label_that_cannot_be_written_is_said() {
    let label = Some(DigitalSource::TrainedAlgorithm);
    let options = SaveOptions { label, ..SaveOptions::new(Format::Png) };
    let (kept, notices) = written(&options, Some(b"<x:xmpmeta/>"));
    assert_eq!(kept.as_deref(), Some("<x:xmpmeta/>"), "what was there stays");
    assert!(notices[0].to_string().contains("the label of its origin is not kept"), "{notices:?}");
    let (_, notices) = written(&SaveOptions { label, ..SaveOptions::new(Format::Bmp) }, None);
    assert!(notices[0].to_string().contains("BMP has no place"), "{notices:?}");
}

fn raster() -> Raster {
    Raster::new(TiledImage::empty(SIZE, 4, Depth::U8), (0, 0))
}

fn generated(synthesis: Synthesis) -> Layer {
    let (raster, recipe) = (raster().by(synthesis), json!({ "model": "some" }).into());
    Layer::new("Made", LayerKind::Generated(Generated { raster, recipe, attachment: None }))
}

#[test]
fn a_document_says_by_its_shown_layers_who_drew_it() {
    let by_network = || generated(Synthesis::All);
    let photo = || Layer::new("Photo", LayerKind::Raster(raster()));
    let of = |layers: Vec<Layer>| {
        let mut document = Document::new(SIZE, Depth::U8, WorkingProfile::srgb());
        document.layers = layers.into_iter().map(Arc::new).collect();
        DigitalSource::of(&document)
    };
    let hidden = |mut layer: Layer| {
        layer.props.visible = false;
        layer
    };
    let group = |layer: Layer| Layer::new("Group", LayerKind::Group(vec![Arc::new(layer)]));
    assert_eq!(of(vec![photo()]), None);
    assert_eq!(of(vec![by_network()]), Some(DigitalSource::TrainedAlgorithm));
    let both = Some(DigitalSource::CompositeWithTrainedAlgorithm);
    assert_eq!(of(vec![photo(), by_network()]), both);
    assert_eq!(of(vec![photo(), group(by_network())]), both);
    assert_eq!(of(vec![hidden(photo()), by_network()]), Some(DigitalSource::TrainedAlgorithm));
    assert_eq!(of(vec![photo(), hidden(group(by_network()))]), None);
    assert_eq!(of(vec![generated(Synthesis::Part)]), both, "a network has changed a picture");
    // Patches of the picture itself are nothing that was learnt.
    assert_eq!(of(vec![photo(), generated(Synthesis::None)]), None);
}
