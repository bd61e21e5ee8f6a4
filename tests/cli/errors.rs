//! Bad input: one clear sentence with the file and the cause, exit 2, nothing half-written.

use super::run::{Folder, ganvas, photo};

/// Runs `edit` with `args` after input and output, and answers its complaint.
fn complaint(input: &str, output: &str, args: &[&str]) -> String {
    let outcome = ganvas(&[&["edit", input, "-o", output], args].concat());
    assert_eq!(outcome.code, 2, "{args:?}: {}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
    let sentence = outcome.stderr.trim_end();
    assert!(!sentence.contains('\n'), "more than one line: {sentence}");
    assert!(!sentence.contains("panicked"), "{sentence}");
    sentence.to_owned()
}

#[test]
fn unusable_files_are_named_with_the_cause() {
    let folder = Folder::new();
    let jpeg = std::fs::read(photo("progressive.jpg")).unwrap();
    let png = std::fs::read(photo("palette.png")).unwrap();
    let cases = [
        (folder.write("half.jpg", &jpeg[..jpeg.len() / 2]), "truncated"),
        (folder.write("half.png", &png[..png.len() / 2]), "truncated"),
        (folder.write("empty.png", b""), "empty"),
        (folder.write("text.png", b"not a picture"), "is no PNG"),
        (folder.file("missing.png"), "No such file"),
        (folder.file(""), "folder"),
    ];
    let before = folder.names();
    let out = folder.file("out.png");
    for (input, cause) in cases {
        let sentence = complaint(&input, &out, &["--op", "invert"]);
        assert!(sentence.contains(cause) && sentence.contains(&input), "{sentence}");
        let info = ganvas(&["info", &input]);
        assert_eq!(info.code, 2);
        assert!(info.stderr.contains(cause), "{}", info.stderr);
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn bad_arguments_are_named() {
    let folder = Folder::new();
    let input = photo("palette.png");
    let out = folder.file("out.png");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--op", "explode"], &["unknown operation 'explode'"]),
        (&["--op", "exposure eV=1"], &["exposure", "unknown parameter 'eV'", "ev"]),
        (&["--op", "exposure ev=1000"], &["exposure", "'ev'", "1000"]),
        (&["--op", "exposure ev=much"], &["'ev'", "a number", "much"]),
        (&["--op", "exposure ev"], &["key=value"]),
        (&["--op", "crop x=0 y=0 width=10"], &["crop", "'height' is missing"]),
        (&["--op", "crop x=200 y=0 width=100 height=10"], &["crop"]),
        (&["--op", "rotate90 turns=4"], &["turns", "1 to 3"]),
        (&["--op", ""], &["--op"]),
        (&["--recipe", "/no/such/recipe.json"], &["/no/such/recipe.json"]),
        (&["--mask", "/no/such/mask.png", "--op", "invert"], &["/no/such/mask.png"]),
    ];
    for (args, words) in cases {
        let sentence = complaint(&input, &out, args);
        for word in *words {
            assert!(sentence.contains(word), "{args:?}: {sentence}");
        }
    }
    for args in [["--quality", "0"], ["--depth", "12"], ["--metadata", "some"]] {
        let outcome = ganvas(&[&["edit", &input, "-o", &out], &args[..]].concat());
        assert_eq!(outcome.code, 2, "{args:?}");
        assert!(outcome.stderr.contains(args[1]), "{}", outcome.stderr);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn masks_must_fit_and_go_with_pixel_operations() {
    let folder = Folder::new();
    let (input, out) = (photo("chelsea.png"), folder.file("out.png"));
    let mask = photo("gray16.png");
    let sentence = complaint(&input, &out, &["--op", "invert", "--mask", &mask]);
    assert!(sentence.contains("240×64") && sentence.contains("451×300"), "{sentence}");
    let steps = ["--op", "invert", "--op", "flip axis=vertical", "--mask", &input];
    let sentence = complaint(&input, &out, &steps);
    assert!(sentence.contains("flip"), "{sentence}");
    assert!(folder.names().is_empty());
}

#[test]
fn recipes_are_strict() {
    let folder = Folder::new();
    let (input, out) = (photo("palette.png"), folder.file("out.png"));
    let cases = [
        (r#"{"version": 1, "steps": [{"op": "invert"}], "author": "x"}"#, "unknown field"),
        (r#"{"version": 7, "steps": []}"#, "version 7"),
        (r#"{"version": 1, "steps": [{"op": "invert"}, {"op": "explode"}]}"#, "step 2"),
        (r#"{"version": 1, "steps": [{"op": "exposure", "params": {"ev": "x"}}]}"#, "a number"),
        ("{", "no recipe"),
    ];
    for (text, cause) in cases {
        let recipe = folder.write("recipe.json", text);
        let sentence = complaint(&input, &out, &["--recipe", &recipe]);
        assert!(sentence.contains(cause) && sentence.contains(&recipe), "{sentence}");
    }
    assert_eq!(folder.names(), ["recipe.json"]);
}

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let folder = Folder::new();
    let input = photo("palette.png");
    let file = folder.write("file", b"x");
    let cases = [
        (folder.file("missing/out.png"), "does not exist"),
        (format!("{file}/out.png"), "does not exist"),
        (folder.file("out.xyz"), "extension"),
        (folder.file("out"), "extension"),
        (folder.file("out.gif"), "GIF cannot be written"),
        (folder.file("."), ""),
    ];
    for (out, cause) in cases {
        let sentence = complaint(&input, &out, &[]);
        assert!(sentence.contains(cause), "{out}: {sentence}");
    }
    let deep = complaint(&input, &folder.file("out.jpg"), &["--depth", "16"]);
    assert!(deep.contains("JPEG holds 8 bits"), "{deep}");
    assert_eq!(folder.names(), ["file"]);
    // A file that is there keeps its bytes when the new one cannot be made.
    let old = folder.write("old.png", b"old");
    complaint(&input, &old, &["--op", "explode"]);
    assert_eq!(std::fs::read(&old).unwrap(), b"old");
}
