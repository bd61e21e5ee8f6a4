//! Projects on the command line: told about, and edited as the picture they show.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::compose;
use ganvas::document::{Document, Generated, Layer, LayerKind, LayerMask, Metadata};
use ganvas::geom::{IRect, Size};
use ganvas::io::project;
use ganvas::pixels::{Depth, PixelBuf, TiledImage};

use super::run::{Folder, ganvas, open, succeed};

/// Red with a half-transparent blue layer whose mask shows the left side alone.
fn two_layers() -> Document {
    let size = Size::new(40, 30);
    let red = PixelBuf::filled(size, 4, Depth::U8, [200, 20, 10, 255]);
    let mut document =
        Document::from_pixels(red, "Red", WorkingProfile::srgb(), Metadata::default());
    let blue = PixelBuf::filled(size, 4, Depth::U8, [10, 20, 200, 255]);
    let mut layer = Layer::raster("Blue", TiledImage::from_owned(blue), (0, 0));
    layer.props.opacity = 0.5;
    let mut image = TiledImage::mask(size, 0);
    image.write(&PixelBuf::filled(Size::new(20, 30), 1, Depth::U8, [255; 4]), (0, 0));
    layer.mask = Some(LayerMask { image, origin: (0, 0), enabled: true });
    document.layers.push(Arc::new(layer));
    document
}

#[test]
fn a_project_is_edited_as_the_picture_it_shows() {
    let folder = Folder::new();
    let (file, out) = (folder.file("two.ganvas"), folder.file("out.png"));
    let document = two_layers();
    project::save(file.as_ref(), &document, None, &mut |_| true).unwrap();
    succeed(&["edit", &file, "-o", &out]);
    let flat = compose::flatten(&document, IRect::new(0, 0, 40, 30));
    assert!(open(&out).pixels == flat);
    let (left, right) = (flat.pixel_f32(5, 5), flat.pixel_f32(35, 5));
    assert!(left[2] > 0.3 && right[2] < 0.1, "the mask acts: {left:?} {right:?}");
    succeed(&["edit", &file, "--op", "invert", "-o", &out]);
    assert!(open(&out).pixels != flat);
}

#[test]
fn a_project_with_generated_layers_is_labelled_unless_told_not_to() {
    let folder = Folder::new();
    let (file, out) = (folder.file("made.ganvas"), folder.file("out.jpg"));
    let mut document = two_layers();
    let mut layer = (*document.layers[1]).clone();
    let LayerKind::Raster(raster) = layer.kind else { panic!("{:?}", layer.kind) };
    let recipe = serde_json::json!({ "model": "some-generator" }).into();
    layer.kind = LayerKind::Generated(Generated {
        raster: raster.by(ganvas::document::Synthesis::All),
        recipe,
        attachment: None,
    });
    document.layers[1] = Arc::new(layer);
    project::save(file.as_ref(), &document, None, &mut |_| true).unwrap();
    let xmp = |args: &[&str]| {
        succeed(&[&["edit", &file, "-o", &out], args].concat());
        open(&out).metadata.xmp.map(|xmp| String::from_utf8(xmp.to_vec()).unwrap())
    };
    assert!(xmp(&[]).unwrap().contains("compositeWithTrainedAlgorithmicMedia"));
    assert_eq!(xmp(&["--no-label"]), None);
}

#[test]
fn info_lists_the_layers_of_a_project() {
    let folder = Folder::new();
    let file = folder.file("two.ganvas");
    project::save(file.as_ref(), &two_layers(), Some("holiday.jpg".as_ref()), &mut |_| true)
        .unwrap();
    let text = succeed(&["info", &file]).stdout;
    for word in ["Ganvas project", "40×30", "holiday.jpg", "Red (raster)", "Blue (raster, masked)"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&succeed(&["info", "--json", &file]).stdout).unwrap();
    assert_eq!(json["layers"][1]["name"], "Blue");
    assert_eq!(
        (&json["layers"][1]["opacity"], &json["layers"][1]["mask"]),
        (&0.5.into(), &true.into())
    );
    assert_eq!((&json["width"], &json["depth"]), (&40.into(), &8.into()));
}

#[test]
fn a_broken_project_is_bad_input() {
    let folder = Folder::new();
    let file = folder.write("broken.ganvas", "no project");
    for args in [&["info", &file][..], &["edit", &file, "-o", &folder.file("out.png")]] {
        let outcome = ganvas(args);
        assert_eq!(outcome.code, 2, "{args:?}");
        assert!(outcome.stderr.contains("damaged") && outcome.stderr.lines().count() == 1);
    }
    assert_eq!(folder.names(), ["broken.ganvas"]);
}
