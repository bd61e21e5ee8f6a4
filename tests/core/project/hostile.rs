//! Project files that lie about what they hold.

use std::path::Path;

use ganvas::io::project::{self, ProjectError};
use ganvas::latent::Code;
use ganvas::pixels::Depth;
use serde_json::{Value as Json, json};

use super::{sample, save};
use crate::io_exif::crc32;

/// An entry of a zip as the tests write it.
#[derive(Clone)]
pub(super) struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
}

const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    (0..width).map(|i| usize::from(bytes[at + i]) << (8 * i)).sum()
}

/// The entries of a project, by its table of contents.
pub(super) fn entries(zip: &[u8]) -> Vec<Entry> {
    let end = zip.windows(4).rposition(|w| w == END).unwrap();
    let mut at = number(zip, end + 16, 4);
    let mut found = Vec::new();
    while zip[at..].starts_with(CENTRAL) {
        let (length, name_len, local) =
            (number(zip, at + 24, 4), number(zip, at + 28, 2), number(zip, at + 42, 4));
        let name = String::from_utf8(zip[at + 46..at + 46 + name_len].to_vec()).unwrap();
        let start = local + 30 + number(zip, local + 26, 2) + number(zip, local + 28, 2);
        found.push(Entry { name, bytes: zip[start..start + length].to_vec() });
        at += 46 + name_len;
    }
    found
}

/// A zip of stored entries.
pub(super) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = bytes.len() as u32;
        let mut facts = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        facts.extend(crc32(&entry.bytes).to_le_bytes());
        facts.extend((entry.bytes.len() as u32).to_le_bytes());
        facts.extend((entry.bytes.len() as u32).to_le_bytes());
        facts.extend((entry.name.len() as u16).to_le_bytes());
        facts.extend([0; 2]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&facts);
        bytes.extend(entry.name.as_bytes());
        bytes.extend(&entry.bytes);
        table.extend(CENTRAL);
        table.extend([20, 0]);
        table.extend(&facts);
        table.extend([0; 10]);
        table.extend(at.to_le_bytes());
        table.extend(entry.name.as_bytes());
    }
    let at = bytes.len() as u32;
    bytes.extend(&table);
    bytes.extend(END);
    bytes.extend([0; 4]);
    bytes.extend([(entries.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend((table.len() as u32).to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn saved() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.ganvas");
    save(&path, &sample(Depth::U8)).unwrap();
    std::fs::read(&path).unwrap()
}

fn open(bytes: &[u8]) -> Result<project::Project, ProjectError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.ganvas");
    std::fs::write(&path, bytes).unwrap();
    project::open(&path)
}

/// Why a file is refused, on one line.
pub(super) fn refusal(bytes: &[u8]) -> String {
    let words = open(bytes).expect_err("refused").to_string();
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

/// A good project whose document.json is changed.
fn with_json(change: impl FnOnce(&mut Json)) -> Vec<u8> {
    let mut all = entries(&saved());
    let document = all.iter_mut().find(|entry| entry.name == "document.json").unwrap();
    let mut json: Json = serde_json::from_slice(&document.bytes).unwrap();
    change(&mut json);
    document.bytes = serde_json::to_vec(&json).unwrap();
    zip(&all)
}

/// A good project whose entries are changed.
fn with_entries(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let mut all = entries(&saved());
    change(&mut all);
    zip(&all)
}

fn entry<'a>(all: &'a mut [Entry], name: &str) -> &'a mut Entry {
    all.iter_mut().find(|entry| entry.name.contains(name)).unwrap()
}

#[test]
fn the_tests_own_zip_is_a_good_one() {
    assert!(open(&saved()).is_ok());
    assert!(open(&with_entries(|_| {})).is_ok());
    assert!(open(&with_json(|_| {})).is_ok());
    // Another file beside those that the document names does no harm, nor a comment.
    assert!(
        open(&with_entries(|all| all.push(Entry { name: "notes.txt".into(), bytes: vec![1] })))
            .is_ok()
    );
    let mut commented = saved();
    let length = commented.len();
    commented[length - 2] = 5;
    commented.extend(b"hello");
    assert!(open(&commented).is_ok());
}

#[test]
fn every_prefix_is_an_error() {
    let bytes = saved();
    for length in (0..bytes.len()).step_by(7).chain(bytes.len() - 100..bytes.len()) {
        assert!(open(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn flipped_bytes_never_panic_and_pixels_are_checked() {
    let good = saved();
    let mut state = 0xdead_beef_cafe_f00du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut refused = 0;
    for _ in 0..1500 {
        let mut bytes = good.clone();
        let at = random() % bytes.len();
        bytes[at] ^= 1 << (random() % 8);
        refused += usize::from(open(&bytes).is_err());
    }
    // All but those that hit a date or an attribute.
    assert!(refused > 1300, "only {refused}");
}

#[test]
fn the_archive_is_refused_for_what_it_says() {
    let rename = |to: &str| with_entries(|all| entry(all, "layers/").name = to.into());
    for name in ["../evil.png", "/etc/evil", "C:/evil", "a\\b", "a//b", "", "a/./b", ".hidden", "ä"]
    {
        let words = refusal(&rename(name));
        assert!(words.contains("the name"), "{name}: {words}");
    }
    assert!(refusal(&rename(&"n".repeat(200))).contains("the name"));
    assert!(refusal(&rename("layers/other.png")).contains("is missing"));
    let twice = with_entries(|all| {
        let again = all[1].clone();
        all.push(again);
    });
    assert!(refusal(&twice).contains("two entries"));
    let many = with_entries(|all| {
        all.extend((0..20_000).map(|n| Entry { name: format!("e/{n}"), bytes: Vec::new() }));
    });
    assert!(refusal(&many).contains("16384 entries"));
    let no_mime = with_entries(|all| drop(all.remove(0)));
    assert!(refusal(&no_mime).contains("does not say that it is a project"));
    let no_document = with_entries(|all| all.retain(|entry| entry.name != "document.json"));
    assert!(refusal(&no_document).contains("'document.json' is missing"));
    assert!(refusal(b"").contains("ends early"));
    assert!(refusal(b"a text, and no zip at all, however long it may be").contains("no zip"));
}

/// The good project with bytes changed `offset` behind the n-th central header.
fn patched(index: usize, offset: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = saved();
    let end = bytes.windows(4).rposition(|w| w == END).unwrap();
    let mut at = number(&bytes, end + 16, 4);
    for _ in 0..index {
        at += 46 + number(&bytes, at + 28, 2);
    }
    bytes[at + offset..at + offset + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn headers_that_lie_are_refused() {
    assert!(refusal(&patched(2, 10, &[8])).contains("is compressed"));
    assert!(refusal(&patched(2, 8, &[1])).contains("encrypted"));
    assert!(refusal(&patched(2, 16, &[1, 2, 3, 4])).contains("checksum"));
    assert!(refusal(&patched(2, 42, &[3])).contains("not where it should be"));
    let far = [0xff, 0xff, 0xff, 0x7f];
    assert!(refusal(&patched(2, 42, &far)).contains("not where it should be"));
    // Both lengths, else it would count as compressed.
    let long = [far, far].concat();
    assert!(refusal(&patched(2, 20, &long)).contains("not where it should be"));
    // An entry that is the next one as well.
    let good = saved();
    let end = good.windows(4).rposition(|w| w == END).unwrap();
    let first = number(&good, end + 16, 4);
    let second = number(&good, first + 46 + number(&good, first + 28, 2) + 24, 4);
    let reach = (number(&good, first + 24, 4) + second) as u32;
    let reach = [reach.to_le_bytes(), reach.to_le_bytes()].concat();
    assert!(refusal(&patched(0, 20, &reach)).contains("overlap"));
    // The record at the end.
    let at_end = |offset: usize, to: &[u8]| {
        let mut bytes = saved();
        let end = bytes.len() - 22 + offset;
        bytes[end..end + to.len()].copy_from_slice(to);
        refusal(&bytes)
    };
    assert!(at_end(4, &[1]).contains("split"));
    assert!(at_end(8, &[0xff, 0xff, 0xff, 0xff]).contains("another size"));
    assert!(at_end(12, &far).contains("table of contents has"));
    assert!(at_end(16, &[1]).contains("not where it should be"));
}

#[test]
fn another_version_is_said() {
    let words = refusal(&with_json(|json| json["version"] = 2.into()));
    assert!(words.contains("version 2") && words.contains("reads version 1"), "{words}");
    // Whatever else a newer version may hold.
    let newer =
        with_json(|json| *json = json!({"format": "ganvas-project", "version": 7, "new": 1}));
    assert!(matches!(open(&newer), Err(ProjectError::Version { version: 7, .. })));
    assert!(refusal(&with_json(|json| json["format"] = "other".into())).contains("something else"));
    assert!(refusal(&with_json(|json| json["more"] = 1.into())).contains("more"));
}

/// The image of the lowest layer.
fn image(json: &mut Json) -> &mut Json {
    &mut json["layers"][0]["content"]["raster"]
}

#[test]
fn documents_beyond_the_limits_are_refused() {
    type Change = fn(&mut Json);
    let cases: &[(&str, Change)] = &[
        ("canvas", |json| json["size"]["width"] = 70_000.into()),
        ("canvas", |json| json["size"]["width"] = 0.into()),
        ("a layer of", |json| image(json)["size"]["height"] = 65_536.into()),
        ("a layer of", |json| image(json)["size"] = json!({"width": 65_000, "height": 65_000})),
        ("a layer at", |json| image(json)["origin"] = json!([i32::MAX, 0])),
        ("outside its layer", |json| image(json)["pixels"]["area"]["x1"] = 301.into()),
        ("outside its layer", |json| image(json)["pixels"]["area"]["x0"] = i32::MIN.into()),
        ("outside its layer", |json| {
            image(json)["pixels"]["area"] = json!({"x0": 5, "y0": 5, "x1": 5, "y1": 9});
        }),
        ("more than white", |json| image(json)["fill"] = json!([256, 0, 0, 0])),
        ("wrong opacity", |json| json["layers"][0]["opacity"] = 1.5.into()),
        ("expected f32", |json| json["layers"][0]["opacity"] = Json::Null),
        ("2000 bytes", |json| json["layers"][0]["name"] = "n".repeat(2000).into()),
        ("unknown variant", |json| json["layers"][0]["blend"] = "burnish".into()),
        ("unknown variant", |json| json["layers"][0]["content"] = json!({"script": 1})),
        ("does not cover", |json| json["selection"]["size"]["width"] = 3.into()),
        ("active layer", |json| json["active"] = json!([77])),
        ("active layer", |json| json["active"] = json!([0, 0])),
        ("newer version", |json| json["layers"][2]["content"]["adjustment"]["version"] = 99.into()),
        ("no adjustment", |json| json["layers"][2]["content"]["adjustment"]["op"] = "crop".into()),
        ("unknown parameter", |json| {
            json["layers"][2]["content"]["adjustment"]["params"]["no_such"] = 1.into();
        }),
        ("is missing", |json| json["profile"] = "profile.none".into()),
        ("its profile", |json| json["profile"] = "selection.png".into()),
        ("another depth", |json| json["depth"] = "u16".into()),
        ("more than 4096 layers", |json| {
            let layer = json["layers"][2].clone();
            json["layers"] = vec![layer; 5000].into();
        }),
        // The same entry again and again: 5 000 times 4 GiB would not be one file's.
        ("more than 8 GiB", |json| {
            let huge = json!({"width": 30_000, "height": 30_000});
            image(json)["size"] = huge;
            image(json)["pixels"]["area"] = json!({"x0": 0, "y0": 0, "x1": 30_000, "y1": 30_000});
            let layer = json["layers"][0].clone();
            json["layers"] = vec![layer; 3].into();
        }),
        ("too short for its pixels", |json| {
            image(json)["size"] = json!({"width": 30_000, "height": 30_000});
            image(json)["pixels"]["area"] = json!({"x0": 0, "y0": 0, "x1": 30_000, "y1": 30_000});
        }),
        ("and not", |json| {
            let x1 = image(json)["pixels"]["area"]["x1"].as_i64().unwrap();
            image(json)["pixels"]["area"]["x1"] = (x1 - 1).into();
        }),
        ("deep", |json| {
            let group = json["layers"][3].clone();
            for _ in 0..34 {
                let mut outer = group.clone();
                outer["content"]["group"] = json["layers"].clone();
                json["layers"] = vec![outer].into();
            }
        }),
    ];
    for (word, change) in cases {
        let words = refusal(&with_json(change));
        assert!(words.contains(word), "{word}: {words}");
    }
    // Deeper than a parser could follow on its stack: in a field of ours, and in one of nobody's.
    for field in ["format", "layers", "nobody"] {
        let endless = with_entries(|all| {
            let document = entry(all, "document.json");
            let head = format!("{{\"{field}\":");
            document.bytes = [head.as_bytes(), &b"[".repeat(1 << 20)].concat();
        });
        let words = refusal(&endless);
        assert!(words.contains("document.json"), "{field}: {words}");
    }
}

#[test]
fn entries_of_another_kind_are_refused() {
    let mask_png = entry(&mut entries(&saved()), "masks/").bytes.clone();
    let swapped = with_entries(|all| entry(all, "layers/").bytes = mask_png);
    assert!(refusal(&swapped).contains("layers/"));
    let broken = with_entries(|all| entry(all, "layers/").bytes.truncate(200));
    assert!(refusal(&broken).contains("no whole PNG"));
    let text = with_entries(|all| entry(all, "layers/").bytes = b"x".repeat(900));
    assert!(refusal(&text).contains("no whole PNG"));
    let large = with_entries(|all| entry(all, "document.json").bytes = vec![b' '; 33 << 20]);
    assert!(refusal(&large).contains("has 34603008 bytes"));
    let large = with_entries(|all| entry(all, "metadata/xmp").bytes = vec![b' '; 65 << 20]);
    assert!(refusal(&large).contains("has 68157440 bytes"));
}

#[test]
fn codes_that_are_none_or_too_many_are_refused() {
    let with_code = |entry: &str, times: usize, bytes: Vec<u8>| {
        let good = with_json(|json| {
            let recipe = vec![json!({ "$code": entry }); times];
            json["layers"][1]["content"]["generated"]["recipe"] = recipe.into();
        });
        let mut all = entries(&good);
        all.push(Entry { name: "codes/0.safetensors".into(), bytes });
        zip(&all)
    };
    let rows: usize = 16;
    let code =
        Code::new(rows, vec![0.5; rows * 4096], &"00".repeat(32)).unwrap().to_file().unwrap();
    assert!(open(&with_code("codes/0.safetensors", 3, code.clone())).is_ok());
    let many = with_code("codes/0.safetensors", 300, code.clone());
    assert!(refusal(&many).contains("latent codes have more"));
    assert!(refusal(&with_code("codes/9.safetensors", 1, code.clone())).contains("is missing"));
    let broken = with_code("codes/0.safetensors", 1, code[..code.len() - 5].to_vec());
    assert!(refusal(&broken).contains("codes/0.safetensors"));
    let large = with_code("codes/0.safetensors", 1, vec![0; 21 << 20]);
    assert!(refusal(&large).contains("has 22020096 bytes"));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let words = project::open(folder.path()).unwrap_err().to_string();
    assert!(words.contains("no regular file"), "{words}");
    let words = project::open(Path::new("none/there.ganvas")).unwrap_err().to_string();
    assert!(words.contains("cannot read"), "{words}");
}
