//! Animations and numbered pictures through subcommands that change a picture.

use std::path::Path;

use ganvas::io::Limits;
use ganvas::io::animation::{self, Container, Frame};

use crate::run::{Folder, ganvas, open, photo, succeed};

/// The frames of an animation, and what they are kept in.
fn frames(path: &str) -> (Container, Vec<Frame>) {
    let reader = animation::open(Path::new(path), &Limits::default()).unwrap().unwrap();
    (reader.container, reader.collect::<Result<_, _>>().unwrap())
}

#[test]
fn every_frame_is_edited_and_kept_in_the_kind_that_the_name_asks_for() {
    let folder = Folder::new();
    let (_, before) = frames(&photo("animated.gif"));
    let size = before[0].pixels.size();
    let half = format!("resize width={} height={}", size.width / 2, size.height / 2);
    let edit = |input: &str, out: &str, op: &str| {
        succeed(&["edit", input, "-o", out, "--op", op, "--json"]).stdout
    };
    let [gif, apng, png] = ["out.gif", "out.apng", "out.png"].map(|name| folder.file(name));
    let told = edit(&photo("animated.gif"), &gif, &half);
    assert!(told.contains(&format!("\"frames\": {}", before.len())), "{told}");
    let (container, made) = frames(&gif);
    assert_eq!((container, made.len()), (Container::Gif, before.len()));
    assert_eq!(made[0].pixels.size().width, size.width / 2);
    assert!(made.iter().zip(&before).all(|(a, b)| a.delay == b.delay));

    // Exactly, in APNG: twice inverted is what it was; its own .png stays an animation.
    edit(&photo("animated.gif"), &apng, "invert");
    edit(&apng, &png, "invert");
    let (container, twice) = frames(&png);
    assert_eq!(container, Container::Apng);
    assert_eq!(twice, before);
    // A GIF as .png is its first picture, as ever.
    let still = folder.file("still.png");
    let said = succeed(&["edit", &photo("animated.gif"), "-o", &still]).stderr;
    assert!(said.contains("first"), "{said}");
    assert_eq!(open(&still).pixels, before[0].pixels);
}

#[test]
fn numbered_pictures_keep_their_numbers_or_become_an_animation() {
    let folder = Folder::new();
    let from = folder.file("frame_####.png");
    succeed(&["edit", &photo("animated.gif"), "-o", &from]);
    let (_, before) = frames(&photo("animated.gif"));
    assert_eq!(folder.names().len(), before.len());
    assert_eq!(folder.names()[0], "frame_0001.png");
    assert_eq!(open(folder.file("frame_0002.png")).pixels, before[1].pixels);
    std::fs::remove_file(folder.file("frame_0002.png")).unwrap();

    let to = folder.file("out_%03d.jpg");
    succeed(&["edit", &from, "-o", &to, "--op", "invert", "--quality", "90"]);
    let made = folder.names().iter().filter(|name| name.starts_with("out_")).count();
    assert_eq!(made, before.len() - 1);
    assert!(!Path::new(&folder.file("out_002.jpg")).exists());
    assert!(Path::new(&folder.file("out_003.jpg")).exists());

    let film = folder.file("film.apng");
    succeed(&["edit", &from, "-o", &film, "--fps", "10"]);
    let (_, made) = frames(&film);
    assert_eq!(made.len(), before.len() - 1);
    assert_eq!(made[1].pixels, before[2].pixels);
    assert_eq!(made[0].delay.as_millis(), 100);
}

#[test]
fn what_does_not_fit_is_said_before_any_work() {
    let folder = Folder::new();
    let [still, film, some] = ["a.png", "none/a.gif", "x_###.png"].map(|name| folder.file(name));
    let gif = photo("animated.gif");
    for (words, want) in [
        (["edit", &some, "-o", &still], "no picture is called"),
        (["edit", &gif, "-o", &film], "does not exist"),
        (["edit", &photo("rgba.png"), "-o", &some], "one picture"),
        (["edit", &photo("rgba.png"), "-o", &folder.file("a.gif")], "GIF cannot be written"),
    ] {
        let told = ganvas(&words);
        assert!(told.code == 2 && told.stderr.contains(want), "{words:?}: {}", told.stderr);
    }
    folder.write("x_001.png", std::fs::read(photo("rgba.png")).unwrap());
    let told = ganvas(&["edit", &some, "-o", &still]);
    assert!(told.code == 2 && told.stderr.contains("many pictures"), "{}", told.stderr);
    let told = ganvas(&["edit", &some, "-o", &folder.file("a.gif"), "--fps", "0"]);
    assert!(told.code == 2 && told.stderr.contains("0.01 to 100"), "{}", told.stderr);
    assert_eq!(folder.names(), ["x_001.png"]);
}

#[test]
fn networks_work_frame_by_frame() {
    let folder = Folder::new();
    let small = folder.file("small.gif");
    succeed(&["edit", &photo("animated.gif"), "-o", &small, "--op", "resize width=40 height=40"]);
    let (_, before) = frames(&small);
    let out = folder.file("out.apng");
    for words in [
        &["denoise", "--sigma", "20"][..],
        &["light"],
        &["stylize", "--style", "3"],
        &["upscale", "--model", "realesr-animevideov3-x4", "--scale", "2"],
    ] {
        let files = ["--device", "cpu", "--json", &small, "-o", &out];
        let told = succeed(&[&words[..1], &files, &words[1..]].concat()).stdout;
        assert!(told.contains(&format!("\"frames\": {}", before.len())), "{told}");
        let (_, made) = frames(&out);
        let side = if words[0] == "upscale" { 80 } else { 40 };
        assert_eq!((made.len(), made[0].pixels.size().width), (before.len(), side), "{words:?}");
        assert!(made[0].pixels != made[1].pixels && made[1].delay == before[1].delay);
        let bytes = std::fs::read(&out).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("compositeWithTrainedAlgorithmicMedia"), "{words:?}");
    }
}

#[test]
fn a_walk_becomes_a_film() {
    let folder = Folder::new();
    let walk = |out: &str| {
        succeed(&["generate", "--model", "portrait-64", "--seed", "3", "--walk", "5", "-o", out])
    };
    let [gif, apng, some] = ["a.gif", "a.apng", "w_##.png"].map(|name| folder.file(name));
    walk(&gif);
    walk(&apng);
    walk(&some);
    let (_, exact) = frames(&apng);
    assert_eq!((exact.len(), frames(&gif).1.len()), (5, 5));
    for (at, frame) in exact.iter().enumerate() {
        assert_eq!(frame.pixels, open(folder.file(&format!("w_{:02}.png", at + 1))).pixels);
        assert_eq!(frame.delay.as_millis(), 41);
    }
    let text = std::fs::read(&apng).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("trainedAlgorithmicMedia"));
}
