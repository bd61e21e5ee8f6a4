//! Pickles that lie, climb, count or call.

use std::fs;

use super::writer::{Part, Pickle, Tensor, module, snapshot};
use super::{fixture, open, read_all, refusal, two_by_three};

/// A network of one parameter.
fn simple(tensor: &Tensor) -> Vec<u8> {
    let parameter = |p| tensor.put_parameter(p);
    let network = |p| module(p, "Generator", &[("weight", &parameter)], &[], &[], &[]);
    snapshot(&[("G_ema", &network)])
}

#[test]
fn every_prefix_is_an_error() {
    let own = simple(&two_by_three());
    assert_eq!(read_all(&own).unwrap(), 6);
    for length in 0..own.len() {
        assert!(open(&own[..length]).is_err(), "cut at {length}");
    }
    let python = fs::read(fixture("tiny-stylegan2.pkl")).unwrap();
    for length in (0..600).chain((600..python.len()).step_by(61)) {
        assert!(open(&python[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut refused = 0;
    for (whole, rounds) in
        [(simple(&two_by_three()), 3000), (fs::read(fixture("tiny-stylegan2.pkl")).unwrap(), 400)]
    {
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..1 + random() % 3 {
                let at = random() % bytes.len();
                bytes[at] = random() as u8;
            }
            refused += usize::from(read_all(&bytes).is_err());
        }
    }
    assert!(refused > 1000, "only {refused} of the broken files were refused");
}

#[test]
fn a_name_outside_the_white_list_is_refused_by_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let command = format!("touch {}", marker.display());
    for (module, name) in [("posix", "system"), ("builtins", "eval"), ("torch", "FloatStorage")] {
        let attack = |p: Pickle| p.global(module, name).text(&command).raw(b"\x85R");
        let words = refusal(&snapshot(&[("G_ema", &attack)]));
        assert!(words.contains(&format!("'{module}.{name}'")), "{words}");
    }
    // The newer spelling, with both names on the stack.
    let attack = |p: Pickle| p.text("os").text("system").raw(b"\x93").text(&command).raw(b"\x85R");
    assert!(refusal(&snapshot(&[("G_ema", &attack)])).contains("'os.system'"));
    // Inside a tensor's bytes.
    let inner = Pickle::new().global("posix", "system").text(&command).raw(b"\x85R").end();
    let attack =
        |p: Pickle| p.global("torch.storage", "_load_from_bytes").bytes(&inner).raw(b"\x85R");
    assert!(refusal(&snapshot(&[("G_ema", &attack)])).contains("'posix.system'"));
    // A storage inside a storage would nest without end.
    let nested = two_by_three().put_storage(Pickle::new()).end();
    let attack =
        |p: Pickle| p.global("torch.storage", "_load_from_bytes").bytes(&nested).raw(b"\x85R");
    assert!(refusal(&snapshot(&[("G_ema", &attack)])).contains("_load_from_bytes"));
    assert!(!marker.exists());
}

/// A value in place of the generator.
fn in_place(part: Part) -> Vec<u8> {
    snapshot(&[("G_ema", part)])
}

#[test]
fn broken_machines_are_refused_in_words() {
    let long = [&[0x8a, 17][..], &[1; 17]].concat();
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("unknown operation", in_place(&|p| p.raw(b"I1\n")), "0x49"),
        ("an instance of old", in_place(&|p| p.raw(b"(ios\nsystem\n")), "0x69"),
        ("a newer protocol", vec![0x80, 5, 0x80, 6, b'N', b'.'], "protocol 6"),
        ("nothing to take", Pickle::new().raw(b"a").end(), "not there"),
        ("below a mark", Pickle::new().raw(b"N(\x85").end(), "not there"),
        ("no mark", Pickle::new().raw(b"t").end(), "mark"),
        ("nothing remembered", in_place(&|p| p.raw(b"h\x09")), "not met"),
        ("half an item", Pickle::new().raw(b"}(Nu").end(), "dictionary"),
        ("a long number", in_place(&|p| p.raw(&long)), "17 bytes"),
        ("a call of a number", in_place(&|p| p.raw(b"K\x01)R")), "no function"),
        (
            "a call with a list",
            in_place(&|p| p.global("collections", "OrderedDict").raw(b"]R")),
            "no arguments",
        ),
        ("a state", in_place(&|p| p.raw(b"}}b")), "state"),
        ("an outside object", in_place(&|p| p.text("storage").raw(b"Q")), "outside"),
        ("a text that is none", in_place(&|p| p.raw(b"X\x01\0\0\0\xff")), "UTF-8"),
    ];
    for (what, bytes, word) in cases {
        let words = refusal(&bytes);
        assert!(words.contains(word), "{what}: {words}");
    }
}

#[test]
fn lengths_beyond_the_file_cost_nothing() {
    for (opcode, length) in [
        (b'X', &u32::MAX.to_le_bytes()[..]),
        (b'B', &u32::MAX.to_le_bytes()[..]),
        (0x8d, &u64::MAX.to_le_bytes()[..]),
        (0x8e, &(u64::MAX >> 1).to_le_bytes()[..]),
    ] {
        let words = refusal(&in_place(&|p| p.raw(&[opcode]).raw(length).raw(b"abc")));
        assert!(words.contains("ends inside a value"), "{words}");
    }
    let endless = "m".repeat(5000);
    assert!(refusal(&in_place(&|p| p.global(&endless, "x"))).contains("a name of more"));
}

#[test]
fn a_tensor_may_not_reach_beyond_its_storage() {
    let good = two_by_three();
    for tensor in [
        Tensor { offset: 1, ..good.clone() },
        Tensor { strides: vec![4, 1], ..good.clone() },
        Tensor { shape: vec![3, 3], ..good.clone() },
        Tensor {
            shape: vec![i32::MAX as usize; 2],
            strides: vec![i32::MAX as usize; 2],
            ..good.clone()
        },
        Tensor { offset: i32::MAX as usize, ..good.clone() },
    ] {
        let words = refusal(&simple(&tensor));
        assert!(words.contains("'weight' reaches beyond"), "{words}");
    }
    // One element seen a million times, and then far too often for the file it came in.
    let seen = |side| Tensor { shape: vec![side; 2], strides: vec![0; 2], ..good.clone() };
    assert!(refusal(&simple(&seen(1000))).contains("many times more"));
    assert!(refusal(&simple(&seen(1 << 20))).contains("too large"));
    let deep = Tensor { shape: vec![1; 9], strides: vec![1; 9], ..good.clone() };
    assert!(refusal(&simple(&deep)).contains("wrong arguments"));
}

#[test]
fn a_storage_that_lies_about_itself_is_refused() {
    let good = two_by_three();
    let short = Tensor { data: good.data[..20].to_vec(), ..good.clone() };
    let long = Tensor { data: [&good.data[..], &[0; 4]].concat(), ..good.clone() };
    let absurd = Tensor { elements: i32::MAX as usize, ..good.clone() };
    for tensor in [short, long, absurd] {
        assert!(refusal(&simple(&tensor)).contains("another length"), "{:?}", tensor.elements);
    }
    let unknown = Tensor { kind: "QUInt8Storage", ..good.clone() };
    assert!(refusal(&simple(&unknown)).contains("'torch.QUInt8Storage'"));
    let stream = good.stream();
    let patched = |from: &[u8], to: &[u8]| {
        let at = stream.windows(from.len()).position(|part| part == from).unwrap();
        let mut bytes = stream.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        let load =
            |p: Pickle| p.global("torch.storage", "_load_from_bytes").bytes(&bytes).raw(b"\x85R");
        refusal(&in_place(&load))
    };
    assert!(patched(&[0x6c, 0xfc], &[0x6d]).contains("not PyTorch's"));
    assert!(patched(&1001i32.to_le_bytes(), &[1]).contains("version"));
    assert!(patched(b"\x88u", b"\x89").contains("little-endian"));
    assert!(patched(b"storage", b"STORAGE").contains("outside"));
    // The second of the two keys.
    assert!(patched(b"9001e", b"9002").contains("more than their storage"));
}

#[test]
fn modules_without_end_are_refused() {
    // A module that holds itself, through the memo.
    let mut cyclic = Pickle::new().raw(b"}(").text("G_ema");
    cyclic = cyclic.global("torch_utils.persistence", "_reconstruct_persistent_obj");
    cyclic = cyclic.raw(b"}q\x01").raw(b"(").text("state").raw(b"}(");
    cyclic = cyclic.text("_parameters").raw(b"}").text("_buffers").raw(b"}");
    cyclic = cyclic.text("_modules").raw(b"}(").text("again");
    cyclic = cyclic.global("torch_utils.persistence", "_reconstruct_persistent_obj");
    cyclic = cyclic.raw(b"h\x01\x85R").raw(b"uuu\x85Ru");
    assert!(refusal(&cyclic.end()).contains("too many modules"));

    // Each holds the one before it twice: 2^40 in 40 small steps, cut off by the depth; with 20
    // of them by the number.
    for levels in [40u8, 20] {
        let mut towers = Pickle::new();
        for level in 0..=levels {
            let below = |p: Pickle| p.raw(&[b'h', level - 1]);
            let twice: &[(&str, Part)] = &[("a", &below), ("b", &below)];
            let inside = if level == 0 { &[][..] } else { twice };
            towers = module(towers, "Tower", &[], &[], inside, &[]).raw(&[b'q', level]);
            towers = towers.raw(b"N\x86");
        }
        let towers = towers.raw(b"}(").text("G_ema").raw(&[b'h', levels]).raw(b"u").end();
        assert!(refusal(&towers).contains("too many modules"), "{levels}");
    }

    // A list and a dictionary that hold themselves, where facts and names are looked for.
    let own_list = |p: Pickle| p.raw(b"]q\x21h\x21a");
    let own_dict = |p: Pickle| p.raw(b"}q\x22").text("self").raw(b"h\x22s");
    let tensor = two_by_three();
    let parameters: &[(&str, Part)] = &[("weight", &|p| tensor.put(p))];
    let more: &[(&str, Part)] =
        &[("_init_kwargs", &own_dict), ("_non_persistent_buffers_set", &own_list)];
    let network = |p| module(p, "Generator", parameters, &[], &[], more);
    assert_eq!(read_all(&in_place(&network)).unwrap(), 6);
}

#[test]
fn counts_are_bounded() {
    // The largest list of a network has a few dozen items.
    let list = |p: Pickle| p.raw(b"](").raw(&[b'N'; 5000]).raw(b"e");
    assert!(refusal(&in_place(&list)).contains("5000 items"));
    let dict = |p: Pickle| p.raw(b"}").raw(&b"NNs".repeat(5000));
    assert!(refusal(&in_place(&dict)).contains("4097 items"));
    let steps = |p: Pickle| p.raw(&b"\x80\x03".repeat(1 << 20));
    assert!(refusal(&in_place(&steps)).contains("1048576 steps"));
    let texts = |p: Pickle| {
        let text = "t".repeat(1000);
        (0..17_000).fold(p, |p, _| p.text(&text))
    };
    assert!(refusal(&in_place(&texts)).contains("bytes of text"));
    // One tensor's bytes, named again and again.
    let stream = two_by_three().stream();
    let streams = |p: Pickle| {
        let p = p.global("torch.storage", "_load_from_bytes").raw(b"q\x01");
        let p = p.bytes(&stream).raw(b"\x85q\x02R");
        p.raw(&b"h\x01h\x02R".repeat(65_536))
    };
    assert!(refusal(&in_place(&streams)).contains("storages"));
}

#[test]
fn what_is_no_module_is_refused() {
    let nothing = |p: Pickle| p.raw(b"N");
    let number = |p: Pickle| p.int(3);
    let bad_parameter = |p| module(p, "Net", &[("w", &number)], &[], &[], &[]);
    assert!(refusal(&in_place(&bad_parameter)).contains("'w' is no tensor"));
    let bad_module = |p| module(p, "Net", &[], &[], &[("m", &number)], &[]);
    assert!(refusal(&in_place(&bad_module)).contains("'m' is no module"));
    let empty = |p| module(p, "Net", &[("bias", &nothing)], &[], &[], &[]);
    assert!(refusal(&in_place(&empty)).contains("no tensors"));
    let bare = |p: Pickle| {
        let p = p.global("torch_utils.persistence", "_reconstruct_persistent_obj");
        p.raw(b"}\x85R")
    };
    assert!(refusal(&in_place(&bare)).contains("no state"));
    assert!(refusal(&Pickle::new().int(5).end()).contains("no network"));
}
