// Parametric transfer curve of ICC type 3; the twin of color::Transfer.

struct Transfer {
    gamma: f32,
    a: f32,
    b: f32,
    c: f32,
    d: f32,
}

// Encoded values, not negative, to linear light.
fn transfer_decode(t: Transfer, encoded: vec3<f32>) -> vec3<f32> {
    let curved = pow(max(t.a * encoded + t.b, vec3(0.0)), vec3(t.gamma));
    return select(t.c * encoded, curved, encoded >= vec3(t.d));
}

// Linear light, not negative, to encoded values.
fn transfer_encode(t: Transfer, linear: vec3<f32>) -> vec3<f32> {
    let curved = (pow(linear, vec3(1.0 / t.gamma)) - t.b) / t.a;
    let threshold = pow(max(t.a * t.d + t.b, 0.0), t.gamma);
    let straight = linear / max(t.c, 1e-30);
    let encoded = select(straight, curved, (linear >= vec3(threshold)) | vec3(t.c <= 0.0));
    return max(encoded, vec3(0.0));
}
