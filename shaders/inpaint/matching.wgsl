// One pass over a field of matches: propagation by jumps and random search (PatchMatch, Barnes et
// al. 2009). Whole numbers only, the same as `inpaint::field` computes, bit for bit.

struct Pass {
    // Of the level in pixels.
    width: u32,
    height: u32,
    // Of the patches.
    side: u32,
    // The rectangle of corners that have matches.
    rect_x: i32,
    rect_y: i32,
    columns: u32,
    rows: u32,
    jump: i32,
    reach: i32,
    min_offset: i32,
    is_stale: u32,
    salt: u32,
    offset_tries: u32,
    offset_count: u32,
}

const NONE: u32 = 0xffffu;
const MOST: i32 = 0x7fffffff;

@group(0) @binding(0) var<uniform> params: Pass;
// Six numbers of 16 bits a pixel.
@group(0) @binding(1) var<storage, read> features: array<u32>;
// A bit for each patch that may be copied.
@group(0) @binding(2) var<storage, read> is_source: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<i32>;
// Corner (x in the lower half) and cost of each match.
@group(0) @binding(4) var<storage, read> before: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> matches: array<vec2<u32>>;

struct Match {
    x: i32,
    y: i32,
    cost: i32,
}

// The PCG hash of Jarzynski and Olano (2020).
fn hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

fn place_hash(x: i32, y: i32, salt: u32) -> u32 {
    return hash(u32(x) + hash(u32(y) + hash(salt)));
}

fn unpack(found: vec2<u32>) -> Match {
    return Match(i32(found.x & 0xffffu), i32(found.x >> 16u), i32(found.y));
}

fn match_at(x: i32, y: i32) -> Match {
    let column = x - params.rect_x;
    let row = y - params.rect_y;
    if column < 0 || row < 0 || column >= i32(params.columns) || row >= i32(params.rows) {
        return Match(i32(NONE), i32(NONE), MOST);
    }
    return unpack(before[u32(row) * params.columns + u32(column)]);
}

fn has_source(x: i32, y: i32) -> bool {
    if x < 0 || y < 0 || x >= i32(params.width) || y >= i32(params.height) {
        return false;
    }
    let at = u32(y) * params.width + u32(x);
    return (is_source[at / 32u] >> (at % 32u) & 1u) == 1u;
}

// The difference of two numbers of 16 bits, wrapped to 16 bits.
fn difference(a: u32, b: u32) -> i32 {
    return (i32(a << 16u) - i32(b << 16u)) >> 16u;
}

fn square(a: u32, b: u32) -> i32 {
    let low = difference(a, b);
    let high = difference(a >> 16u, b >> 16u);
    return low * low + high * high;
}

// The distance of two patches, or some number from `limit` on where it is not below that.
fn cost_of(x: i32, y: i32, sx: i32, sy: i32, limit: i32) -> i32 {
    var to = (u32(y) * params.width + u32(x)) * 3u;
    var source = (u32(sy) * params.width + u32(sx)) * 3u;
    var sum = 0;
    for (var row = 0u; row < params.side; row += 1u) {
        for (var word = 0u; word < params.side * 3u; word += 1u) {
            sum += square(features[to + word], features[source + word]);
        }
        if sum >= limit {
            return sum;
        }
        to += params.width * 3u;
        source += params.width * 3u;
    }
    return sum;
}

fn better(best: Match, x: i32, y: i32, sx: i32, sy: i32) -> Match {
    let near = params.min_offset;
    let is_near = abs(sx - x) < near && abs(sy - y) < near;
    let is_same = best.x == sx && best.y == sy;
    if is_same || is_near || !has_source(sx, sy) {
        return best;
    }
    let cost = cost_of(x, y, sx, sy, best.cost);
    if cost < best.cost {
        return Match(sx, sy, cost);
    }
    return best;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.columns || id.y >= params.rows {
        return;
    }
    let at = id.y * params.columns + id.x;
    var best = unpack(before[at]);
    if best.x == i32(NONE) {
        matches[at] = before[at];
        return;
    }
    let x = params.rect_x + i32(id.x);
    let y = params.rect_y + i32(id.y);
    if params.is_stale == 1u {
        best.cost = cost_of(x, y, best.x, best.y, MOST);
    }
    let jump = params.jump;
    let steps = array(vec2(-jump, 0), vec2(jump, 0), vec2(0, -jump), vec2(0, jump));
    for (var way = 0; way < 4; way += 1) {
        let step = steps[way];
        let near = match_at(x + step.x, y + step.y);
        if near.x != i32(NONE) {
            best = better(best, x, y, near.x - step.x, near.y - step.y);
        }
    }
    var random = place_hash(x, y, params.salt);
    for (var radius = params.reach; radius > 0; radius /= 2) {
        let span = 2u * u32(radius) + 1u;
        random = hash(random);
        let sx = best.x + i32(random % span) - radius;
        random = hash(random);
        let sy = best.y + i32(random % span) - radius;
        best = better(best, x, y, sx, sy);
    }
    for (var trial = 0u; trial < params.offset_tries; trial += 1u) {
        random = hash(random);
        let offset = (random % params.offset_count) * 2u;
        best = better(best, x, y, x + offsets[offset], y + offsets[offset + 1u]);
    }
    matches[at] = vec2(u32(best.x) | u32(best.y) << 16u, u32(best.cost));
}
