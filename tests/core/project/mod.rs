//! Project files: what is saved opens as it was, and what lies is refused.

mod hostile;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ganvas::color::{WorkingProfile, display_p3_icc};
use ganvas::document::{
    Adjustment, BlendMode, Canvas, Document, Generated, Layer, LayerKind, LayerMask, Metadata,
    Raster, Synthesis,
};
use ganvas::geom::{IRect, Size};
use ganvas::io::project::{self, ProjectError};
use ganvas::latent::{Code, Tuning};
use ganvas::ops;
use ganvas::params::{Params, Value};
use ganvas::pixels::{Depth, PixelBuf, Samples, TiledImage};
use proptest::prelude::*;

fn save(path: &Path, document: &Document) -> Result<(), ProjectError> {
    project::save(path, document, None, &mut |_| true)
}

/// Origin, pixels and fill.
type Image = ((i32, i32), PixelBuf, [u16; 4]);

/// A layer as plain values.
#[derive(Debug, PartialEq)]
struct Plain {
    props: ganvas::document::LayerProps,
    mask: Option<(Image, bool)>,
    pixels: Option<Image>,
    recipe: Option<serde_json::Value>,
    /// Name, version and values in words.
    adjustment: Option<(String, u32, Vec<String>)>,
    children: Option<Vec<Plain>>,
    active: bool,
}

fn plain(document: &Document, layers: &[Arc<Layer>]) -> Vec<Plain> {
    // JSON's numbers may come back off by the last of their 53 bits; operations compute with 24.
    let value = |value: &Value| match value {
        Value::Float(value) => format!("{:.12e}", value),
        value => format!("{value:?}"),
    };
    let image = |image: &TiledImage, origin| (origin, image.to_buf(), image.fill());
    let one = |layer: &Arc<Layer>| Plain {
        props: layer.props.clone(),
        mask: layer.mask.as_ref().map(|mask| (image(&mask.image, mask.origin), mask.enabled)),
        pixels: layer.raster_content().map(|raster| image(&raster.image, raster.origin)),
        recipe: match &layer.kind {
            LayerKind::Generated(generated) => Some((*generated.recipe).clone()),
            _ => None,
        },
        adjustment: match &layer.kind {
            LayerKind::Adjustment(Adjustment { op, params, version }) => {
                let params = params.iter().map(|(key, v)| format!("{key} {}", value(v))).collect();
                Some((op.clone(), *version, params))
            }
            _ => None,
        },
        children: layer.children().map(|children| plain(document, children)),
        active: document.active == Some(layer.id),
    };
    layers.iter().map(one).collect()
}

/// Both documents are the same picture with the same layers.
fn assert_same(have: &Document, want: &Document) {
    assert_eq!((have.size, have.depth), (want.size, want.depth));
    assert_eq!(have.profile, want.profile);
    assert_eq!(have.metadata, want.metadata);
    let buf = |selection: &Option<TiledImage>| selection.as_ref().map(TiledImage::to_buf);
    assert_eq!(buf(&have.selection), buf(&want.selection));
    assert_eq!(plain(have, &have.layers), plain(want, &want.layers));
    assert_eq!(have.active.is_some(), want.active.is_some());
}

/// Noise of 64-bit xorshift.
fn noise(mut state: u64) -> impl FnMut() -> u16 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u16
    }
}

/// An image with noise in one rectangle, colours under transparent pixels included.
fn noisy(
    size: Size,
    channels: usize,
    depth: Depth,
    fill: u16,
    area: IRect,
    seed: u64,
) -> TiledImage {
    let fill = [fill.min(depth.max()); 4];
    let mut image = TiledImage::new(size, channels, depth, fill);
    let area = area.intersect(size.rect());
    if area.is_empty() {
        return image;
    }
    let mut random = noise(seed | 1);
    let count = area.size().pixels() as usize * channels;
    let samples = match depth {
        Depth::U8 => Samples::U8((0..count).map(|_| random() as u8).collect()),
        Depth::U16 => Samples::U16((0..count).map(|_| random()).collect()),
    };
    image.write(
        &PixelBuf::from_samples(area.size(), channels, samples).unwrap(),
        (area.x0, area.y0),
    );
    image
}

/// What the random numbers of one layer decide.
#[derive(Clone, Debug)]
struct Choice {
    kind: u8,
    name: String,
    flags: u8,
    opacity: f32,
    blend: usize,
    width: u32,
    height: u32,
    origin: (i32, i32),
    area: (i32, i32, i32, i32),
    seed: u64,
    children: Vec<Choice>,
}

fn choice() -> impl Strategy<Value = Choice> {
    let numbers = (any::<u8>(), ".{0,12}", any::<u8>(), 0f32..=1.0, 0..BlendMode::ALL.len());
    let places = (
        (0u32..600, 0u32..60),
        (-5000i32..5000, -50i32..50),
        (0i32..600, 0i32..60, 0i32..600, 0i32..60),
        any::<u64>(),
    );
    let leaf = (numbers, places).prop_map(
        |((kind, name, flags, opacity, blend), ((width, height), origin, area, seed))| Choice {
            kind,
            name,
            flags,
            opacity,
            blend,
            width,
            height,
            origin,
            area,
            seed,
            children: Vec::new(),
        },
    );
    leaf.prop_recursive(3, 10, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..3)).prop_map(|(choice, children)| Choice {
            kind: 3,
            children,
            ..choice
        })
    })
}

fn layer(choice: &Choice, depth: Depth) -> Layer {
    let Choice { seed, origin, .. } = *choice;
    let size = Size::new(choice.width, choice.height);
    let (x, y, width, height) = choice.area;
    let area = IRect::new(x, y, x + width, y + height);
    let raster = || Raster::new(noisy(size, 4, depth, 0, area, seed), origin);
    let kind = match choice.kind % 4 {
        0 => LayerKind::Raster(raster()),
        1 => {
            let recipe = serde_json::json!({
                "model": "dcgan", "seed": seed, "list": [1, null, "é"], "name": choice.name
            });
            LayerKind::Generated(Generated {
                raster: raster(),
                recipe: Arc::new(recipe),
                attachment: None,
            })
        }
        2 => {
            let pointwise: Vec<_> =
                ops::all().iter().filter(|op| op.spec().kind != ops::Kind::Geometry).collect();
            let spec = pointwise[seed as usize % pointwise.len()].spec();
            let mut params = Params::defaults(spec.params);
            for param in spec.params {
                // Refused where it is no number or lies outside: then the default stays.
                let value = f64::from(seed as u32) / f64::from(u32::MAX);
                let _ = params.set(spec.params, param.key, Value::Float(value));
            }
            let op = spec.name.to_owned();
            LayerKind::Adjustment(Adjustment { op, params, version: spec.version })
        }
        _ => LayerKind::Group(
            choice.children.iter().map(|child| Arc::new(layer(child, depth))).collect(),
        ),
    };
    let mut layer = Layer::new(&choice.name, kind);
    layer.props.visible = choice.flags & 1 != 0;
    layer.props.locked = choice.flags & 2 != 0;
    layer.props.opacity = choice.opacity;
    layer.props.blend = BlendMode::ALL[choice.blend];
    layer.mask = (choice.flags & 4 != 0).then(|| LayerMask {
        image: noisy(size, 1, Depth::U8, u16::from(choice.flags), area, seed ^ 99),
        origin,
        enabled: choice.flags & 8 != 0,
    });
    layer
}

fn document(choices: &[Choice], deep: bool, flags: u8, seed: u64) -> Document {
    let depth = if deep { Depth::U16 } else { Depth::U8 };
    let size = Size::new(1 + seed as u32 % 400, 1 + (seed >> 32) as u32 % 50);
    let layers: Vec<_> = choices.iter().map(|choice| Arc::new(layer(choice, depth))).collect();
    let mut ids = Vec::new();
    let mut canvas = Canvas {
        size,
        depth,
        profile: if flags & 1 != 0 {
            WorkingProfile::from_icc(&display_p3_icc()).unwrap()
        } else {
            WorkingProfile::srgb()
        },
        layers,
        active: None,
        selection: (flags & 2 != 0)
            .then(|| noisy(size, 1, Depth::U8, 0, IRect::new(3, 1, 280, 9), seed)),
    };
    Document::from_canvas(canvas.clone(), Metadata::default())
        .unwrap()
        .walk(&mut |layer, _| ids.push(layer.id));
    if !ids.is_empty() && flags & 4 != 0 {
        canvas.active = Some(ids[seed as usize % ids.len()]);
    }
    let bytes = |word: &str| Some(Arc::from(word.as_bytes()));
    let metadata = match flags & 8 {
        0 => Metadata::default(),
        _ => Metadata {
            exif: bytes("MM\0*"),
            xmp: bytes("<x:xmpmeta/>"),
            iptc: None,
            pixels_per_inch: Some((300.0, 299.9)),
        },
    };
    Document::from_canvas(canvas, metadata).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_saved_opens_as_it_was(
        choices in prop::collection::vec(choice(), 0..5),
        deep in any::<bool>(),
        flags in any::<u8>(),
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("random.ganvas");
        let before = document(&choices, deep, flags, seed);
        save(&path, &before).unwrap();
        let opened = project::open(&path).unwrap();
        assert_same(&opened.document, &before);
        assert_eq!(opened.document.check(), Ok(()));
        // The same document gives the same bytes.
        let bytes = std::fs::read(&path).unwrap();
        prop_assert_eq!(opened.file_bytes, bytes.len() as u64);
        save(&path, &before).unwrap();
        prop_assert!(std::fs::read(&path).unwrap() == bytes);
    }
}

/// A document with one of everything, whose numbers have no rounding in JSON.
pub fn sample(depth: Depth) -> Document {
    let mut choices = Vec::new();
    for kind in 0..4u8 {
        let inner = Choice {
            kind: 0,
            name: "In the group".into(),
            flags: 1,
            opacity: 1.0,
            blend: 0,
            width: 9,
            height: 7,
            origin: (-3, 2),
            area: (1, 1, 5, 4),
            seed: 5,
            children: Vec::new(),
        };
        choices.push(Choice {
            kind,
            name: format!("Lage {kind} – é"),
            flags: kind * 4 + 1,
            opacity: 0.25 * f32::from(kind + 1),
            blend: usize::from(kind) * 3,
            width: 300,
            height: 20,
            origin: (10, -4),
            area: (250, 2, 30, 9),
            seed: 40 + u64::from(kind),
            children: if kind == 3 { vec![inner] } else { Vec::new() },
        });
    }
    document(&choices, depth == Depth::U16, 0xff, (30 << 32) | 299)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/projects").join(name)
}

/// Written when version 1 was new; these two must open as long as there is a program.
#[test]
fn version_1_stays_readable() {
    for (name, depth) in [("version-1.ganvas", Depth::U8), ("version-1-deep.ganvas", Depth::U16)] {
        let opened = project::open(&fixture(name)).unwrap();
        assert_same(&opened.document, &sample(depth));
        assert_eq!(opened.original.as_deref(), Some(Path::new("photos/portrait.jpg")));
    }
}

#[test]
fn nothing_is_stored_of_what_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.ganvas");
    let mut big =
        Layer::raster("Big", TiledImage::empty(Size::new(20_000, 20_000), 4, Depth::U8), (0, 0));
    big.mask = Some(LayerMask {
        image: TiledImage::mask(Size::new(20_000, 20_000), 255),
        origin: (0, 0),
        enabled: true,
    });
    let mut document = Document::new(Size::new(20_000, 20_000), Depth::U8, WorkingProfile::srgb());
    document.layers = vec![Arc::new(big)];
    save(&path, &document).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 4096);
    assert_same(&project::open(&path).unwrap().document, &document);
}

#[test]
fn a_cancelled_or_failed_save_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.ganvas");
    save(&path, &sample(Depth::U8)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut told = Vec::new();
    let cancelled = project::save(&path, &sample(Depth::U16), None, &mut |done| {
        told.push(done);
        told.len() < 2
    });
    assert!(matches!(cancelled, Err(ProjectError::Cancelled)));
    assert_eq!(told.len(), 2);
    assert!(told[0] > 0.0 && told[0] < told[1] && told[1] < 1.0, "{told:?}");
    // What could not be opened again is not saved.
    let mut named = sample(Depth::U8);
    let mut layer = (*named.layers[0]).clone();
    layer.props.name = "x".repeat(2000).into();
    named.layers[0] = Arc::new(layer);
    let words = save(&path, &named).unwrap_err().to_string();
    assert!(words.contains("2000 bytes") && words.contains("not saved"), "{words}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no half-written file");
    let nowhere = folder.path().join("none/of.ganvas");
    let words = save(&nowhere, &named).unwrap_err().to_string();
    assert!(words.contains("does not exist"), "{words}");
}

#[test]
fn a_tuned_generator_is_an_entry_that_is_stored_once() {
    let changes = [("conv.weight".to_owned(), vec![0.5, -0.25, 1e-3])].into();
    let tuning = Tuning::new(&"ab".repeat(32), &changes).unwrap();
    let mut document = sample(Depth::U8);
    let generated = (*document.layers[1]).clone();
    for at in [0, 1] {
        let mut layer = Layer { id: document.layers[at].id, ..generated.clone() };
        let LayerKind::Generated(generated) = &mut layer.kind else { panic!("{:?}", layer.kind) };
        generated.attachment = Some(Arc::clone(tuning.file()));
        document.layers[at] = Arc::new(layer);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuned.ganvas");
    save(&path, &document).unwrap();
    let opened = project::open(&path).unwrap().document;
    assert_same(&opened, &document);
    let files: Vec<_> =
        opened.layers.iter().filter_map(|layer| layer.attachment().cloned()).collect();
    assert_eq!(files.len(), 2);
    assert!(Arc::ptr_eq(&files[0], &files[1]), "shared in memory, too");
    assert_eq!(Tuning::from_file(Arc::clone(&files[0])).unwrap(), tuning);
    let bytes = std::fs::read(&path).unwrap();
    let entries = hostile::entries(&bytes);
    let names: Vec<_> = entries.iter().filter(|e| e.name.starts_with("tunings/")).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(*names[0].bytes, **tuning.file());
    // What is none is refused, and so is one that is missing.
    let mut damaged = entries.clone();
    let entry = damaged.iter_mut().find(|e| e.name.starts_with("tunings/")).unwrap();
    entry.bytes[20] ^= 0xff;
    let words = hostile::refusal(&hostile::zip(&damaged));
    assert!(words.contains("tunings/0.safetensors"), "{words}");
    damaged.retain(|entry| !entry.name.starts_with("tunings/"));
    let words = hostile::refusal(&hostile::zip(&damaged));
    assert!(words.contains("missing"), "{words}");
}

#[test]
fn latent_codes_in_a_recipe_are_entries_of_their_own() {
    let code = |value: f32| {
        let w = (0..4 * 8).map(|n| value + n as f32 / 3.0).collect();
        Code::new(4, w, &"ab".repeat(32)).unwrap().with_z(vec![value; 8]).unwrap()
    };
    let (first, second) = (code(0.1), code(-7.0));
    let recipe = serde_json::json!({
        "tool": "portrait",
        "code": first,
        "stack": { "mixes": [{ "style": second, "amount": 0.5 }] },
        // No code, although it looks like one.
        "other": { "rows": 1, "w": "AAAA", "about": 3 },
    });
    let mut document = sample(Depth::U8);
    let mut layer = (*document.layers[1]).clone();
    let LayerKind::Generated(generated) = &mut layer.kind else { panic!("{:?}", layer.kind) };
    generated.recipe = Arc::new(recipe.clone());
    document.layers[1] = Arc::new(layer);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codes.ganvas");
    save(&path, &document).unwrap();
    assert_same(&project::open(&path).unwrap().document, &document);
    // Each is the file that a code is saved as.
    let bytes = std::fs::read(&path).unwrap();
    for code in [&first, &second] {
        let file = code.to_file().unwrap();
        assert!(bytes.windows(file.len()).any(|part| part == file));
    }
    let entries = hostile::entries(&bytes);
    let names: Vec<_> = entries.iter().filter(|e| e.name.starts_with("codes/")).collect();
    assert_eq!(names.len(), 2);
    let json = &entries.iter().find(|e| e.name == "document.json").unwrap().bytes;
    let json = String::from_utf8_lossy(json);
    assert!(json.contains("\"$code\": \"codes/0.safetensors\"") && !json.contains("abab"));
}

#[test]
fn a_recipes_picture_and_a_networks_hand_survive_and_older_files_open() {
    let mut document = sample(Depth::U8);
    let mut layer = (*document.layers[1]).clone();
    let LayerKind::Generated(made) = &mut layer.kind else { panic!("{:?}", layer.kind) };
    let png: Arc<[u8]> = b"\x89PNG\r\n\x1a\n and more"[..].into();
    made.attachment = Some(Arc::clone(&png));
    made.raster.synthesis = Synthesis::Part;
    document.layers[1] = Arc::new(layer);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.ganvas");
    save(&path, &document).unwrap();
    let opened = project::open(&path).unwrap().document;
    assert_same(&opened, &document);
    assert_eq!(opened.layers[1].attachment(), Some(&png));
    let hand = |document: &Document, at: usize| {
        document.layers[at].raster_content().map(|raster| raster.synthesis)
    };
    assert_eq!(hand(&opened, 1), Some(Synthesis::Part));

    // A file from before says nothing of it.
    let mut entries = hostile::entries(&std::fs::read(&path).unwrap());
    let json = entries.iter_mut().find(|entry| entry.name == "document.json").unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&json.bytes).unwrap();
    let removed = record["layers"][1].as_object_mut().unwrap().remove("synthesis");
    assert_eq!(removed, Some("part".into()));
    json.bytes = serde_json::to_vec(&record).unwrap();
    std::fs::write(&path, hostile::zip(&entries)).unwrap();
    let older = project::open(&path).unwrap().document;
    assert_eq!(hand(&older, 1), Some(Synthesis::All), "by its recipe");
}
