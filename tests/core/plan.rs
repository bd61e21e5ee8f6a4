//! Tiles, estimates and the choice of the default model.

use ganvas::geom::{IRect, Size};
use ganvas::infer::plan::{
    FAST_MODEL, MAX_TILE, MIN_TILE, PHOTO_MODEL, Speed, Tile, clamp_tile, cores, default_model,
    default_tile, preflight, preflight_change, scaled, working_bytes,
};
use ganvas::nets::{Dcgan, FfdNet, RrdbNet, Srvgg};
use ganvas::zoo::{Capability, Extent, Spec};
use proptest::prelude::*;

fn photo() -> RrdbNet {
    RrdbNet { channels: 3, features: 64, growth: 32, blocks: 23, doublings: 2, unshuffle: 1 }
}

fn photo_capability() -> Capability {
    Spec::RrdbNet(photo()).capability()
}

fn fast_capability() -> Capability {
    Spec::Srvgg(Srvgg { channels: 3, features: 64, layers: 16, shuffle: 4, scale: 4 }).capability()
}

proptest! {
    #[test]
    fn cores_cover_each_pixel_once(width in 1u32..200, height in 1u32..200, side in 1u32..90) {
        let size = Size::new(width, height);
        let mut seen = vec![0u8; size.pixels() as usize];
        for core in cores(size.rect(), side) {
            prop_assert!(core.width() <= side && core.height() <= side);
            for y in core.y0..core.y1 {
                for x in core.x0..core.x1 {
                    seen[y as usize * width as usize + x as usize] += 1;
                }
            }
        }
        prop_assert!(seen.iter().all(|&count| count == 1));
    }

    #[test]
    fn a_tile_sees_its_halo_inside_the_picture(x in 0i32..60, y in 0i32..60, halo in 0u32..40) {
        let size = Size::new(64, 64);
        let core = IRect::new(x, y, x + 4, y + 4);
        let input = Tile::new(core, halo, size).input;
        prop_assert!(size.rect().contains_rect(input) && input.contains_rect(core));
        let halo = halo as i32;
        prop_assert_eq!(input.x0, (x - halo).max(0));
        prop_assert_eq!(input.y1, (y + 4 + halo).min(64));
    }

    #[test]
    fn asked_tiles_come_into_range(asked in 0u32..5000) {
        let side = clamp_tile(asked);
        prop_assert!((MIN_TILE..=MAX_TILE).contains(&side) && side.is_multiple_of(16));
        prop_assert!(side <= asked.max(MIN_TILE));
    }
}

#[test]
fn capabilities_count_arithmetic_and_reach() {
    let photo = photo_capability();
    assert_eq!((photo.scale, photo.channels_in, photo.halo_px), (4, 3, 64));
    // 16,697,987 values, nearly all of them used once a pixel, the last ones 4 and 16 times.
    assert_eq!(photo.weight_bytes, 16_697_987 * 4);
    assert!((3.3e7..4.0e7).contains(&photo.flops_per_px), "{}", photo.flops_per_px);
    let fast = fast_capability();
    assert_eq!(fast.weight_bytes, 621_424 * 4);
    assert_eq!((fast.halo_px, fast.reach_px), (18, 18), "exact tiles");
    assert!((photo.flops_per_px / fast.flops_per_px - 29.0).abs() < 2.0);
    let double = RrdbNet { unshuffle: 2, ..self::photo() };
    assert_eq!(double.scale(), 2);
}

#[test]
fn preflight_counts_tiles_time_and_memory() {
    let capability = photo_capability();
    let size = Size::new(1000, 500);
    let speed = Some(Speed { flops_per_second: 1e11 });
    let line = preflight(&capability, size, 1, 4.0, 192, speed);
    assert_eq!((line.tiles, line.output), (18, Size::new(4000, 2000)));
    let least = size.pixels() as f64 * capability.flops_per_px / 1e11;
    let seconds = f64::from(line.seconds.unwrap());
    assert!(seconds > least && seconds < 3.0 * least, "{seconds} against {least}");
    assert!(line.memory_bytes > line.output.pixels() * 4 + capability.weight_bytes);
    let text = line.to_string();
    assert!(
        text.contains("4000×2000") && text.contains("18 tiles") && text.contains("MB"),
        "{text}"
    );
    let unknown = preflight(&capability, Size::new(8, 8), 2, 2.0, 192, None).to_string();
    assert!(unknown.contains("1 tile ·") && unknown.contains("not yet measured"), "{unknown}");
    assert_eq!(scaled(Size::new(1, 3), 1.5), Size::new(2, 5));
    assert_eq!(scaled(Size::new(1, 1), 0.1), Size::new(1, 1));
}

#[test]
fn the_default_tile_fits_its_budget() {
    let fast = fast_capability();
    assert_eq!(default_tile(&fast), 224);
    assert!((160..=224).contains(&default_tile(&photo_capability())));
    let mut heavy = photo_capability();
    heavy.bytes_per_px *= 3.0;
    let smaller = default_tile(&heavy);
    assert!((MIN_TILE..160).contains(&smaller));
    heavy.bytes_per_px *= 1e6;
    assert_eq!(default_tile(&heavy), MIN_TILE);
}

#[test]
fn photos_get_the_photo_model_where_it_is_affordable() {
    for (on_gpu, seconds, want) in [
        (true, None, PHOTO_MODEL),
        (true, Some(1e6), PHOTO_MODEL),
        (false, Some(120.0), PHOTO_MODEL),
        (false, Some(120.5), FAST_MODEL),
        (false, Some(f32::NAN), FAST_MODEL),
        (false, None, FAST_MODEL),
    ] {
        let choice = default_model(on_gpu, seconds);
        assert_eq!(choice.id, want, "{on_gpu} {seconds:?}");
        assert_eq!(choice.note.is_some(), want == FAST_MODEL);
        assert!(choice.note.is_none_or(|note| note.contains("made for drawings")));
    }
}

#[test]
fn working_memory_follows_how_a_picture_is_handed_over() {
    let tiled = photo_capability();
    let side = f64::from(default_tile(&tiled) + 2 * tiled.halo_px);
    let bytes = |pixels: f64| (pixels * tiled.bytes_per_px) as u64;
    assert_eq!(working_bytes(&tiled), bytes(side * side));
    let whole = Capability { extent: Extent::Whole, ..tiled };
    assert_eq!(working_bytes(&whole), bytes(1e6));
    let fixed = Capability { extent: Extent::Fixed([256, 144]), ..tiled };
    assert_eq!(working_bytes(&fixed), bytes(256.0 * 144.0));
    let generator = Spec::Dcgan(Dcgan { latent: 100, channels: vec![64, 32, 3] }).capability();
    assert_eq!(working_bytes(&generator), generator.bytes_per_px as u64);
}

#[test]
fn a_change_is_estimated_as_it_is_run() {
    let capability = Spec::FfdNet(FfdNet { channels: 3, features: 96, layers: 12 }).capability();
    let speed = Some(Speed { flops_per_second: 1e9 });
    let size = Size::new(1000, 600);
    let tiled = preflight_change(&capability, size, 1, speed);
    assert!(tiled.tiles > 1 && tiled.output == size);
    let whole = Capability { extent: Extent::Whole, ..capability };
    assert_eq!(preflight_change(&whole, size, 1, speed).tiles, 1);
    // One that knows grey only runs for each channel.
    let grey = Capability { channels_in: 1, channels_out: 1, ..capability };
    let seconds = tiled.seconds.unwrap();
    assert_eq!(preflight_change(&grey, size, 1, speed).seconds, Some(3.0 * seconds));
    // A network that sees a fixed size costs the same whatever the picture.
    let fixed = Capability { extent: Extent::Fixed([256, 256]), ..capability };
    let small = preflight_change(&fixed, size, 1, speed);
    let large = preflight_change(&fixed, Size::new(6000, 4000), 1, speed);
    assert_eq!((small.tiles, large.output), (1, Size::new(6000, 4000)));
    assert_eq!(small.seconds, large.seconds);
}
