//! Tiled equals untiled: the halo of each shipped network is wide enough on a real photo.

use std::path::Path;

use burn::tensor::Device;
use ganvas::geom::{IRect, Size};
use ganvas::infer::models::ModelStore;
use ganvas::infer::plan::{Tile, cores};
use ganvas::infer::protocol::ModelRef;
use ganvas::infer::worker::Models;
use ganvas::nets::Planes;
use ganvas::zoo::Library;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn photo(rect: IRect) -> Planes {
    let photo = image::open(root().join("assets/photos/chelsea.png")).unwrap().to_rgb8();
    let (width, height) = (rect.width() as usize, rect.height() as usize);
    let mut data = Vec::new();
    for channel in 0..3 {
        for y in rect.y0..rect.y1 {
            for x in rect.x0..rect.x1 {
                data.push(f32::from(photo.get_pixel(x as u32, y as u32)[channel]) / 255.0);
            }
        }
    }
    Planes { channels: 3, height, width, data }
}

fn part(planes: &Planes, rect: IRect) -> Planes {
    let mut data = Vec::new();
    for channel in 0..planes.channels {
        for y in rect.y0..rect.y1 {
            let start = (channel * planes.height + y as usize) * planes.width;
            data.extend(&planes.data[start + rect.x0 as usize..start + rect.x1 as usize]);
        }
    }
    let (width, height) = (rect.width() as usize, rect.height() as usize);
    Planes { channels: planes.channels, height, width, data }
}

/// The largest difference between the picture run whole and run in tiles of `side`.
fn seam(id: &str, size: Size, side: u32, halo: Option<u32>) -> f32 {
    let library = Library::of(Some(root().join("models")), None);
    let mut store = ModelStore::new(library, Device::flex());
    let network = store.network(&ModelRef::Id(id.into())).unwrap();
    let capability = *network.capability();
    let scale = capability.scale as i32;
    let source = photo(size.rect().translate(150, 60));
    let mut enlarge = |tile: Planes| network.run(&[tile], &|| false).unwrap().remove(0);
    let whole = enlarge(source.clone());
    let mut worst = 0.0f32;
    for core in cores(size.rect(), side) {
        let tile = Tile::new(core, halo.unwrap_or(capability.halo_px), size);
        let enlarged = enlarge(part(&source, tile.input));
        let scaled = |r: IRect| IRect::new(r.x0 * scale, r.y0 * scale, r.x1 * scale, r.y1 * scale);
        let inner = scaled(core.translate(-tile.input.x0, -tile.input.y0));
        let (have, want) = (part(&enlarged, inner), part(&whole, scaled(core)));
        for (have, want) in have.data.iter().zip(&want.data) {
            worst = worst.max((have.clamp(0.0, 1.0) - want.clamp(0.0, 1.0)).abs());
        }
    }
    worst
}

#[test]
fn the_fast_network_is_exact_in_tiles() {
    let worst = seam("realesr-animevideov3-x4", Size::new(96, 48), 48, None);
    assert!(worst < 1e-5, "{worst}");
    // The oracle sees a seam where the halo is too small.
    let worst = seam("realesr-animevideov3-x4", Size::new(96, 48), 48, Some(1));
    assert!(worst > 1.0 / 255.0, "{worst}");
}

#[test]
fn the_photo_networks_seams_are_below_one_level() {
    // Wider than the halo on both sides of the seam, so that the halo is what decides.
    for (id, width) in [("realesrgan-x4plus-anime", 128), ("realesrgan-x4plus-int8", 160)] {
        let worst = seam(id, Size::new(width, 24), width / 2, None);
        assert!(worst < 1.0 / 255.0, "{id}: {:.2} levels", worst * 255.0);
    }
    let worst = seam("realesrgan-x4plus-anime", Size::new(128, 24), 64, Some(16));
    assert!(worst > 1.0 / 255.0, "a halo of 16 would do: {:.2} levels", worst * 255.0);
}
