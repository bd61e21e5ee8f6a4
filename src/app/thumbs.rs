//! Thumbnails on the screen: the only pictures that go through egui's own texture upload.

use std::sync::Arc;

use eframe::egui;
use egui::{Color32, ColorImage, Id, Rect, TextureOptions, Ui, Vec2, pos2};

/// A thumbnail's bytes, kept so that their address names them, and its texture.
type Known = Option<(Arc<Vec<u8>>, egui::TextureHandle)>;

/// Paints RGBA bytes into `rect`, keeping their proportions.
pub fn paint(ui: &Ui, rect: Rect, pixels: &Arc<Vec<u8>>, size: [usize; 2]) {
    if size[0] == 0 || size[1] == 0 || pixels.len() != size[0] * size[1] * 4 {
        return;
    }
    // Keyed by the bytes themselves: the same thumbnail is uploaded once.
    let id = Id::unique(("thumb", Arc::as_ptr(pixels) as usize));
    let known: Known = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let texture = match known {
        Some((of, texture)) if Arc::ptr_eq(&of, pixels) => texture,
        _ => {
            let image = ColorImage::from_rgba_unmultiplied(size, pixels);
            let texture = ui.ctx().load_texture("thumbnail", image, TextureOptions::LINEAR);
            forget_others(ui, pixels);
            ui.data_mut(|data| {
                data.insert_temp::<Known>(id, Some((Arc::clone(pixels), texture.clone())))
            });
            texture
        }
    };
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture.id(), place(rect, size), uv, Color32::WHITE);
}

/// The largest rectangle of the proportions of `size` in the middle of `rect`.
pub fn place(rect: Rect, size: [usize; 2]) -> Rect {
    let shape = Vec2::new(size[0].max(1) as f32, size[1].max(1) as f32);
    let scale = (rect.width() / shape.x).min(rect.height() / shape.y);
    Rect::from_center_size(rect.center(), shape * scale)
}

/// Keeps the list of uploaded thumbnails short: those of layers long gone are dropped.
fn forget_others(ui: &Ui, newest: &Arc<Vec<u8>>) {
    const KEPT: usize = 256;
    let list = Id::unique("thumbnails");
    ui.data_mut(|data| {
        let known: &mut Vec<usize> = data.get_temp_mut_or_default(list);
        known.push(Arc::as_ptr(newest) as usize);
        let old = if known.len() > KEPT { Some(known.remove(0)) } else { None };
        if let Some(old) = old {
            data.remove_temp::<Known>(Id::unique(("thumb", old)));
        }
    });
}
