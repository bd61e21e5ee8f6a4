//! Writes the layout of NVIDIA's snapshots with the opcodes of protocol 3, as Python 3.7 did.

/// A pickle in the making.
#[derive(Clone, Default)]
pub(super) struct Pickle(Vec<u8>);

impl Pickle {
    pub(super) fn new() -> Self {
        Self(vec![0x80, 3])
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }

    pub(super) fn int(self, number: i32) -> Self {
        self.raw(b"J").raw(&number.to_le_bytes())
    }

    pub(super) fn float(self, number: f64) -> Self {
        self.raw(b"G").raw(&number.to_be_bytes())
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.raw(b"B").raw(&(bytes.len() as u32).to_le_bytes()).raw(bytes)
    }

    pub(super) fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(super) fn ints(self, numbers: &[usize]) -> Self {
        numbers.iter().fold(self.raw(b"("), |all, &n| all.int(n as i32)).raw(b"t")
    }

    /// A dictionary of text keys; each value is written by its closure.
    pub(super) fn dict(self, items: &[(&str, &dyn Fn(Self) -> Self)]) -> Self {
        let open = self.raw(b"}(");
        items.iter().fold(open, |all, (key, value)| value(all.text(key))).raw(b"u")
    }

    pub(super) fn ordered(self) -> Self {
        self.global("collections", "OrderedDict").raw(b")R")
    }

    /// A whole pickle.
    pub(super) fn end(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// A tensor to be stored: type, storage bytes, then the view.
#[derive(Clone)]
pub(super) struct Tensor {
    pub kind: &'static str,
    pub data: Vec<u8>,
    pub elements: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl Tensor {
    pub(super) fn floats(values: &[f32], shape: &[usize], strides: &[usize]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        Self { kind: "FloatStorage", data, elements: values.len(), offset: 0, shape, strides }
    }

    /// The legacy `torch.save` stream of the storage.
    pub(super) fn stream(&self) -> Vec<u8> {
        let magic = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
        let system = Pickle::new()
            .dict(&[("protocol_version", &|p| p.int(1001)), ("little_endian", &|p| p.raw(b"\x88"))])
            .end();
        let name = Pickle::new()
            .raw(b"(")
            .text("storage")
            .global("torch", self.kind)
            .text("9001")
            .text("cpu")
            .int(self.elements as i32)
            .raw(b"NtQ")
            .end();
        [
            Pickle::new().raw(&magic).end(),
            Pickle::new().int(1001).end(),
            system,
            name,
            Pickle::new().raw(b"](").text("9001").raw(b"e").end(),
            (self.elements as u64).to_le_bytes().to_vec(),
            self.data.clone(),
        ]
        .concat()
    }

    pub(super) fn put_storage(&self, pickle: Pickle) -> Pickle {
        pickle.global("torch.storage", "_load_from_bytes").bytes(&self.stream()).raw(b"\x85R")
    }

    /// `storage` writes or recalls the storage.
    pub(super) fn put_with(
        &self,
        pickle: Pickle,
        storage: impl FnOnce(Pickle) -> Pickle,
    ) -> Pickle {
        storage(pickle.global("torch._utils", "_rebuild_tensor_v2").raw(b"("))
            .int(self.offset as i32)
            .ints(&self.shape)
            .ints(&self.strides)
            .raw(b"\x89")
            .ordered()
            .raw(b"tR")
    }

    pub(super) fn put(&self, pickle: Pickle) -> Pickle {
        self.put_with(pickle, |pickle| self.put_storage(pickle))
    }

    pub(super) fn put_parameter(&self, pickle: Pickle) -> Pickle {
        let call = pickle.global("torch._utils", "_rebuild_parameter");
        self.put(call).raw(b"\x89").ordered().raw(b"\x87R")
    }
}

pub(super) type Part<'a> = &'a dyn Fn(Pickle) -> Pickle;

/// One persistent module.
pub(super) fn module(
    pickle: Pickle,
    class: &str,
    parameters: &[(&str, Part)],
    buffers: &[(&str, Part)],
    modules: &[(&str, Part)],
    more: &[(&str, Part)],
) -> Pickle {
    let source = format!("raise SystemExit  # {}", "x".repeat(2000));
    let registry = |items| move |p: Pickle| p.dict(items);
    let (parameters, buffers, modules) =
        (registry(parameters), registry(buffers), registry(modules));
    let mut state: Vec<(&str, Part)> = vec![
        ("training", &|p| p.raw(b"\x89")),
        ("_parameters", &parameters),
        ("_buffers", &buffers),
        ("_modules", &modules),
    ];
    state.extend(more);
    pickle
        .global("torch_utils.persistence", "_reconstruct_persistent_obj")
        .dict(&[
            ("type", &|p| p.text("class")),
            ("version", &|p| p.int(6)),
            ("module_src", &|p| p.text(&source)),
            ("class_name", &|p| p.text(class)),
            ("state", &|p| p.dict(&state)),
        ])
        .raw(b"\x85R")
}

pub(super) fn snapshot(networks: &[(&str, Part)]) -> Vec<u8> {
    Pickle::new().dict(networks).end()
}
