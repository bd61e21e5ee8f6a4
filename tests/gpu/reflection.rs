//! The shader table against the shaders themselves.

use ganvas::gpu::shader::{self, BindingKind, FieldKind};
use ganvas::ops::{self, Uniform};

#[test]
fn every_shader_validates() {
    let mut count = 0;
    for shader in shader::all() {
        let module = naga::front::wgsl::parse_str(shader.source)
            .unwrap_or_else(|err| panic!("{}", err.emit_to_string(shader.source)));
        naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::empty(),
        )
        .validate(&module)
        .unwrap_or_else(|err| panic!("{}", err.emit_to_string(shader.source)));
        assert_eq!(module.entry_points.len(), shader.entries.len(), "{}", shader.name);
        assert!(!shader.source.contains("#include"), "{}", shader.name);
        count += 1;
    }
    assert!(count >= MIN_SHADERS, "only {count} shaders");
}

/// Raised with every shader that lands, so that a lost folder is noticed.
const MIN_SHADERS: usize = 18;

#[test]
fn the_operations_frame_is_reflected() {
    let (_, entry) = shader::find("ops/invert", "main").unwrap();
    assert_eq!(entry.workgroup, [16, 16, 1]);
    let names: Vec<_> = entry.bindings.iter().map(|b| (b.name, b.index)).collect();
    assert_eq!(names, [("src", 0), ("dst", 1), ("frame", 4)]);
    let BindingKind::Uniform(layout) = &entry.bindings[2].kind else { panic!("not a uniform") };
    assert_eq!(layout.size, 24);
    assert_eq!(layout.fields[5].name, "dst_depth");
    assert_eq!((layout.fields[5].offset, layout.fields[5].kind), (20, FieldKind::U32));
    assert!(shader::find("ops/invert", "nowhere").is_err());
    assert!(shader::find("ops/nothing", "main").is_err());
}

#[test]
fn uniforms_are_packed_by_name_and_checked() {
    let (_, entry) = shader::find("ops/invert", "main").unwrap();
    let BindingKind::Uniform(layout) = &entry.bindings[2].kind else { panic!("not a uniform") };
    let good = [
        ("dst_depth", Uniform::U32(6)),
        ("src_width", Uniform::U32(1)),
        ("src_height", Uniform::U32(2)),
        ("dst_width", Uniform::U32(3)),
        ("dst_height", Uniform::U32(4)),
        ("src_depth", Uniform::U32(5)),
    ];
    let bytes = layout.pack("ops/invert", &good).unwrap();
    let words: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
    assert_eq!(words, [1, 2, 3, 4, 5, 6]);

    let error = |values: &[(&str, Uniform)]| layout.pack("x", values).unwrap_err().to_string();
    assert!(error(&good[1..]).contains("'dst_depth' is missing"));
    let mut bad = good.to_vec();
    bad.push(("sigma", Uniform::F32(1.0)));
    assert!(error(&bad).contains("'sigma'"));
    bad[6] = good[0];
    assert!(error(&bad).contains("twice"));
    bad.pop();
    bad[0].1 = Uniform::F32(1.0);
    assert!(error(&bad).contains("'dst_depth' is U32"));
}

#[test]
fn every_operation_has_its_shader_and_the_reverse() {
    let operations: Vec<_> = ops::all().iter().map(|op| op.spec().name).collect();
    for name in &operations {
        let shader = format!("ops/{name}");
        assert!(shader::all().iter().any(|s| s.name == shader), "no shader {shader}");
    }
    let shaders = shader::all().iter().filter_map(|shader| shader.name.strip_prefix("ops/"));
    let mut count = 0;
    for name in shaders {
        assert!(operations.contains(&name), "shader ops/{name} belongs to no operation");
        count += 1;
    }
    assert_eq!(count, operations.len());
}
