//! Animations and numbered pictures: what is written is read again, what is hostile is refused.

use std::path::Path;
use std::time::Duration;

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::io::animation::{self, About, Container, Frame, MAX_FRAMES};
use ganvas::io::numbered::Numbered;
use ganvas::io::{DecodeError, DigitalSource, Limits, SaveError, SaveOptions};
use ganvas::pixels::{Depth, PixelBuf, Samples};

use crate::recorded::root;

fn options() -> SaveOptions {
    SaveOptions::new(ganvas::io::Format::Png)
}

/// Frame `at`: a square that wanders over transparent ground.
fn frame(at: u32, depth: Depth) -> Frame {
    let size = Size::new(13, 9);
    let mut samples = Vec::new();
    for place in 0..size.width * size.height {
        let (x, y) = (place % size.width, place / size.width);
        let inside = x.abs_diff(at + 2) < 2 && y.abs_diff(4) < 3;
        samples.extend(if inside { [250, 20 * at as u16, 3, 255] } else { [0; 4] });
    }
    let samples = match depth {
        Depth::U8 => Samples::U8(samples.iter().map(|x| *x as u8).collect()),
        Depth::U16 => Samples::U16(samples.iter().map(|x| x * 257 / 2 * 2 + x / 255).collect()),
    };
    let pixels = PixelBuf::from_samples(size, 4, samples).unwrap();
    Frame { pixels, delay: Duration::from_millis(40 + 10 * u64::from(at)) }
}

fn write(path: &Path, container: Container, plays: u32, frames: &[Frame]) {
    let about = About::endless(frames.len() as u32, WorkingProfile::srgb());
    let about = About { container, plays, ..about };
    let given = frames.iter().cloned().map(Ok::<_, SaveError>);
    animation::write(path, &about, &options(), given).unwrap();
}

fn read(path: &Path) -> (animation::Reader, Vec<Frame>) {
    let open = || animation::open(path, &Limits::default()).unwrap().unwrap();
    (open(), open().collect::<Result<_, _>>().unwrap())
}

#[test]
fn frames_delays_and_repetitions_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, container, depths) in [
        ("a.gif", Container::Gif, &[Depth::U8][..]),
        ("a.apng", Container::Apng, &[Depth::U8, Depth::U16]),
    ] {
        assert_eq!(Container::from_path(Path::new(name)), Some(container));
        for depth in depths {
            for plays in [0, 3] {
                let frames: Vec<Frame> = (0..7).map(|at| frame(at, *depth)).collect();
                let path = folder.path().join(name);
                write(&path, container, plays, &frames);
                let (reader, found) = read(&path);
                assert_eq!((reader.container, reader.frames, reader.plays), (container, 7, plays));
                assert_eq!(found, frames, "{name}");
                assert_eq!(reader.first.pixels, frames[0].pixels);
            }
        }
    }
    // A GIF has 8 bits, whatever comes.
    let path = folder.path().join("deep.gif");
    write(&path, Container::Gif, 0, &[frame(0, Depth::U16), frame(1, Depth::U16)]);
    let (_, found) = read(&path);
    assert_eq!(found[1].pixels, frame(1, Depth::U16).pixels.to_depth(Depth::U8));
}

#[test]
fn real_animations_are_read_and_stills_are_none() {
    let photo = |name: &str| root().join("tests/fixtures/photos").join(name);
    let (reader, frames) = read(&photo("animated.gif"));
    assert_eq!(frames.len(), reader.frames as usize);
    assert!(frames.len() > 1 && frames[0].pixels != frames[1].pixels);
    assert_eq!(frames[0].pixels, reader.first.pixels);
    for name in ["rgba.png", "camera.png", "progressive.jpg", "animated.webp"] {
        let opened = animation::open(&photo(name), &Limits::default()).unwrap();
        assert!(opened.is_none(), "{name}");
    }
}

/// A chunk of PNG.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = !0u32;
    for byte in kind.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], kind, data, &(!crc).to_be_bytes()].concat()
}

/// What a part of the picture is and how it is laid.
struct Part {
    place: [u32; 4],
    dispose: u8,
    blend: u8,
    color: [u8; 4],
}

/// An APNG of 4×2 pixels by hand, without compression.
fn by_hand(parts: &[Part], frames: u32) -> Vec<u8> {
    let deflated = |raw: &[u8]| {
        let (mut a, mut b) = (1u32, 0u32);
        for byte in raw {
            a = (a + u32::from(*byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        let len = raw.len() as u16;
        let head = [&[0x78, 0x01, 1][..], &len.to_le_bytes(), &(!len).to_le_bytes()].concat();
        [&head[..], raw, &(b << 16 | a).to_be_bytes()].concat()
    };
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(b"IHDR", &[0, 0, 0, 4, 0, 0, 0, 2, 8, 6, 0, 0, 0]));
    bytes.extend(chunk(b"acTL", &[frames.to_be_bytes(), 0u32.to_be_bytes()].concat()));
    let mut sequence = 0u32;
    for (at, Part { place, dispose, blend, color }) in parts.iter().enumerate() {
        let [x, y, width, height] = *place;
        let mut control = Vec::new();
        for number in [sequence, width, height, x, y] {
            control.extend(number.to_be_bytes());
        }
        control.extend([0, 5, 0, 0, *dispose, *blend]);
        bytes.extend(chunk(b"fcTL", &control));
        sequence += 1;
        let row = [&[0][..], &color.repeat(width as usize)].concat();
        let data = deflated(&row.repeat(height as usize));
        if at == 0 {
            bytes.extend(chunk(b"IDAT", &data));
        } else {
            bytes.extend(chunk(b"fdAT", &[&sequence.to_be_bytes()[..], &data].concat()));
            sequence += 1;
        }
    }
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

#[test]
fn parts_of_a_picture_are_laid_as_they_say() {
    let part = |place, dispose, blend, color| Part { place, dispose, blend, color };
    let (red, half) = ([255, 0, 0, 255], [0, 0, 200, 128]);
    let bytes = by_hand(
        &[
            part([0, 0, 4, 2], 0, 0, red),
            // Blue over it at the left, gone afterwards to what was before.
            part([0, 0, 1, 2], 2, 1, half),
            // Replaced at the right, cleared afterwards.
            part([2, 0, 2, 1], 1, 0, half),
            part([1, 1, 1, 1], 0, 1, half),
        ],
        4,
    );
    let reader = animation::from_bytes(bytes, &Limits::default()).unwrap().unwrap();
    let frames: Vec<Frame> = reader.collect::<Result<_, _>>().unwrap();
    let pixel = |at: usize, x: usize, y: usize| -> [u8; 4] {
        let Samples::U8(samples) = frames[at].pixels.samples() else { panic!("deep") };
        samples[(y * 4 + x) * 4..][..4].try_into().unwrap()
    };
    let mixed = [127, 0, 100, 255];
    assert_eq!((pixel(1, 0, 0), pixel(1, 1, 0)), (mixed, red));
    assert_eq!((pixel(2, 0, 0), pixel(2, 2, 0), pixel(2, 2, 1)), (red, half, red));
    assert_eq!((pixel(3, 2, 0), pixel(3, 1, 1), pixel(3, 0, 0)), ([0; 4], mixed, red));
    // A denominator of 0 stands for hundredths.
    assert_eq!(frames[0].delay, Duration::from_millis(50));
}

#[test]
fn hostile_animations_are_refused_in_words_and_never_panic() {
    let place = |place| Part { place, dispose: 0, blend: 0, color: [9; 4] };
    let open = |bytes: Vec<u8>| -> Result<Vec<Frame>, DecodeError> {
        match animation::from_bytes(bytes, &Limits::default())? {
            Some(reader) => reader.collect(),
            None => Ok(Vec::new()),
        }
    };
    let words = |bytes: Vec<u8>| open(bytes).unwrap_err().to_string();
    let many = words(by_hand(&[place([0, 0, 4, 2])], MAX_FRAMES + 1));
    assert!(many.contains("10001 frames"), "{many}");
    let short = words(by_hand(&[place([0, 0, 4, 2]), place([0, 0, 1, 1])], 9));
    assert!(short.contains("PNG data"), "{short}");
    let outside = words(by_hand(&[place([0, 0, 4, 2]), place([3, 1, 2, 1])], 2));
    assert!(outside.contains("PNG data is damaged"), "{outside}");

    let folder = tempfile::tempdir().unwrap();
    let frames: Vec<Frame> = (0..3).map(|at| frame(at, Depth::U8)).collect();
    let mut refused = 0;
    for (name, container) in [("a.gif", Container::Gif), ("a.apng", Container::Apng)] {
        let path = folder.path().join(name);
        write(&path, container, 0, &frames);
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            refused += usize::from(open(bytes[..end].to_vec()).is_err());
        }
        let mut state = 7u64;
        for _ in 0..400 {
            let mut bytes = bytes.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] ^= (state >> 20) as u8;
            }
            refused += usize::from(open(bytes).is_err());
        }
    }
    assert!(refused > 400, "{refused}");
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.apng");
    std::fs::write(&path, b"mine").unwrap();
    let about = About::endless(3, WorkingProfile::srgb());
    let small = PixelBuf::new(Size::new(2, 2), 4, Depth::U8);
    let odd = Frame { pixels: small, delay: Duration::ZERO };
    for (frames, words) in
        [(vec![frame(0, Depth::U8)], "ends after 1 of 3"), (vec![frame(0, Depth::U8), odd], "2×2")]
    {
        let given = frames.into_iter().map(Ok::<_, SaveError>);
        let error = animation::write(&path, &about, &options(), given).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let none = About { frames: 0, ..about.clone() };
    let given = std::iter::empty::<Result<Frame, SaveError>>();
    assert!(animation::write(&path, &none, &options(), given).is_err());
    // The maker of frames is heard as well.
    let given = [Err(SaveError::Quality(0))].into_iter();
    let error = animation::write(&path, &about, &options(), given).unwrap_err();
    assert!(matches!(error, SaveError::Quality(0)));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_animation_carries_the_label_where_its_format_can() {
    let folder = tempfile::tempdir().unwrap();
    let source = DigitalSource::TrainedAlgorithm;
    let options = SaveOptions { label: Some(source), ..options() };
    for (name, container) in [("a.gif", Container::Gif), ("a.apng", Container::Apng)] {
        let path = folder.path().join(name);
        let about = About::endless(2, WorkingProfile::srgb());
        let about = About { container, ..about };
        let given = (0..2).map(|at| Ok::<_, SaveError>(frame(at, Depth::U8)));
        let notices = animation::write(&path, &about, &options, given).unwrap();
        let has_label = String::from_utf8_lossy(&std::fs::read(&path).unwrap())
            .contains("trainedAlgorithmicMedia");
        assert_eq!(has_label, container == Container::Apng);
        assert_eq!(notices.len(), usize::from(!has_label), "{notices:?}");
    }
}

#[test]
fn numbered_pictures_are_those_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["f_003.png", "f_001.png", "f_0010.png", "f_01.png", "g_002.png", "f_100.png"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    let pattern = Numbered::parse(&folder.path().join("f_%03d.png")).unwrap();
    assert_eq!(pattern.existing().unwrap(), [1, 3, 100]);
    assert_eq!(pattern.file(3), folder.path().join("f_003.png"));
    let none = Numbered::parse(&folder.path().join("h_###.png")).unwrap();
    let error = none.existing().unwrap_err().to_string();
    assert!(error.contains("h_###.png"), "{error}");
    // A file of that very name is itself.
    std::fs::write(folder.path().join("#1.png"), b"").unwrap();
    assert_eq!(Numbered::parse(&folder.path().join("#1.png")), None);
}
