//! Copy-on-write tiled images.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{Depth, PixelBuf, Samples};
use crate::geom::{IRect, Size};

/// Side of a tile in pixels.
pub const TILE: u32 = 256;

/// Side of the squares of a tile that are told apart, in pixels.
pub const SQUARE: u32 = 64;
/// Squares on a tile's side.
const SQUARES: u32 = TILE / SQUARE;

static NEXT_TILE_ID: AtomicU64 = AtomicU64::new(1);

/// One 256×256 block. Never changed once shared: a changed tile is a new tile with a new id, so
/// an id names content and caches may key on it. So do the ids of its squares.
#[derive(Debug)]
pub struct Tile {
    id: u64,
    /// Ids of the tiles that the squares came with, row by row; 0 where the image's fill shows.
    squares: [u64; (SQUARES * SQUARES) as usize],
    samples: Samples,
}

impl Tile {
    /// `samples` holds `TILE * TILE` pixels, row by row.
    pub fn new(samples: Samples) -> Self {
        let id = NEXT_TILE_ID.fetch_add(1, Ordering::Relaxed);
        Self { id, squares: [id; _], samples }
    }

    /// A tile that shows what `old` shows (the image's fill where there is none) but inside `part`,
    /// in pixels of the image.
    pub fn changed(old: Option<&Self>, samples: Samples, part: IRect) -> Self {
        let mut tile = Self::new(samples);
        let before = old.map_or([0; _], |old| old.squares);
        let touched = |from: i32, to: i32| {
            let (from, to) = (from as u32 % TILE, (to - 1) as u32 % TILE);
            from / SQUARE..=to / SQUARE
        };
        let (columns, rows) = (touched(part.x0, part.x1), touched(part.y0, part.y1));
        for (at, square) in tile.squares.iter_mut().enumerate() {
            let (column, row) = (at as u32 % SQUARES, at as u32 / SQUARES);
            if !(columns.contains(&column) && rows.contains(&row)) {
                *square = before[at];
            }
        }
        tile
    }

    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Names what the square at `(column, row)` shows; 0 for the image's fill.
    pub const fn square(&self, column: u32, row: u32) -> u64 {
        self.squares[(row * SQUARES + column) as usize]
    }

    pub const fn samples(&self) -> &Samples {
        &self.samples
    }
}

impl From<&PixelBuf> for TiledImage {
    fn from(buf: &PixelBuf) -> Self {
        Self::from_buf(buf)
    }
}

impl From<PixelBuf> for TiledImage {
    fn from(buf: PixelBuf) -> Self {
        Self::from_owned(buf)
    }
}

/// An image as a grid of shared tiles; cloning it copies one pointer.
///
/// A missing tile shows `fill`, and so does everything outside the extent. Tiles on the right and
/// lower edge are whole tiles whose outer part is never shown.
#[derive(Clone, Debug)]
pub struct TiledImage {
    size: Size,
    channels: usize,
    depth: Depth,
    fill: [u16; 4],
    tiles: Arc<Vec<Option<Arc<Tile>>>>,
}

impl TiledImage {
    /// An image that shows `fill` (raw samples of `depth`) everywhere.
    pub fn new(size: Size, channels: usize, depth: Depth, fill: [u16; 4]) -> Self {
        assert!(channels == 1 || channels == 4, "1 or 4 channels, not {channels}");
        let (columns, rows) = grid(size);
        let tiles = Arc::new(vec![None; columns as usize * rows as usize]);
        Self { size, channels, depth, fill, tiles }
    }

    /// Transparent black RGBA, or a black mask.
    pub fn empty(size: Size, channels: usize, depth: Depth) -> Self {
        Self::new(size, channels, depth, [0; 4])
    }

    /// A one-channel 8-bit mask showing `value` everywhere.
    pub fn mask(size: Size, value: u8) -> Self {
        Self::new(size, 1, Depth::U8, [u16::from(value); 4])
    }

    pub fn from_buf(buf: &PixelBuf) -> Self {
        let mut image = Self::empty(buf.size(), buf.channels(), buf.depth());
        image.write(buf, (0, 0));
        image
    }

    /// Takes a buffer's pixels over, giving its memory back band by band: at no time are there
    /// two of the picture.
    pub fn from_owned(mut buf: PixelBuf) -> Self {
        let mut image = Self::empty(buf.size(), buf.channels(), buf.depth());
        let (_, rows) = image.grid();
        for top in (0..rows).rev().map(|row| row * TILE) {
            let (width, height) = (buf.size().width, buf.size().height - top);
            let band = IRect::from_origin_size((0, top as i32), Size::new(width, height));
            image.write_part(&buf, (0, 0), band);
            buf.truncate_rows(top);
        }
        image
    }

    pub const fn size(&self) -> Size {
        self.size
    }

    pub const fn channels(&self) -> usize {
        self.channels
    }

    pub const fn depth(&self) -> Depth {
        self.depth
    }

    /// What missing tiles and the outside show, in raw samples.
    pub const fn fill(&self) -> [u16; 4] {
        self.fill
    }

    /// Tiles in a row and in a column.
    pub const fn grid(&self) -> (u32, u32) {
        grid(self.size)
    }

    /// The tile at `(column, row)`; `None` where it shows `fill` or lies outside.
    pub fn tile(&self, column: u32, row: u32) -> Option<&Arc<Tile>> {
        let (columns, rows) = self.grid();
        if column >= columns || row >= rows {
            return None;
        }
        self.tiles[row as usize * columns as usize + column as usize].as_ref()
    }

    /// The pixels a tile covers, clipped to the image.
    pub fn tile_rect(&self, column: u32, row: u32) -> IRect {
        let origin = ((column * TILE) as i32, (row * TILE) as i32);
        IRect::from_origin_size(origin, Size::new(TILE, TILE)).intersect(self.size.rect())
    }

    /// Grid positions of the tiles that touch `rect`, row by row.
    pub fn tiles_in(&self, rect: IRect) -> impl Iterator<Item = (u32, u32)> + use<> {
        let rect = rect.intersect(self.size.rect());
        let side = TILE as i32;
        let (c0, c1) = (rect.x0 / side, (rect.x1 + side - 1) / side);
        let (r0, r1) = (rect.y0 / side, (rect.y1 + side - 1) / side);
        (r0..r1).flat_map(move |row| (c0..c1).map(move |column| (column as u32, row as u32)))
    }

    /// Whether both share every tile: the same picture without looking at a pixel.
    pub fn same_tiles(&self, other: &Self) -> bool {
        self.size == other.size
            && self.channels == other.channels
            && self.depth == other.depth
            && self.fill == other.fill
            && (Arc::ptr_eq(&self.tiles, &other.tiles)
                || self.tiles.iter().zip(other.tiles.iter()).all(|(a, b)| match (a, b) {
                    (None, None) => true,
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    _ => false,
                }))
    }

    /// Smallest rectangle of whole tiles in which the two differ; both must have one extent.
    pub fn changed_rect(&self, other: &Self) -> IRect {
        if self.size != other.size || self.fill != other.fill {
            return self.size.rect().union(other.size.rect());
        }
        if Arc::ptr_eq(&self.tiles, &other.tiles) {
            return IRect::EMPTY;
        }
        self.tiles_in(self.size.rect())
            .filter(|&(column, row)| {
                let (a, b) = (self.tile(column, row), other.tile(column, row));
                a.map(|tile| tile.id) != b.map(|tile| tile.id)
            })
            .fold(IRect::EMPTY, |damage, (column, row)| damage.union(self.tile_rect(column, row)))
    }

    /// Bytes of the tiles present, shared or not.
    pub fn bytes(&self) -> usize {
        let tile = (TILE * TILE) as usize * self.channels * self.depth.bytes();
        self.tiles.iter().flatten().count() * tile
    }

    /// Ids of the tiles present, for counting memory shared between images.
    pub fn tile_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.tiles.iter().flatten().map(|tile| tile.id)
    }

    /// Raw samples of one pixel; `fill` outside.
    pub fn pixel(&self, x: i32, y: i32) -> [u16; 4] {
        if !self.size.rect().contains(x, y) {
            return self.fill;
        }
        let (x, y) = (x as u32, y as u32);
        match self.tile(x / TILE, y / TILE) {
            None => self.fill,
            Some(tile) => {
                let at = ((y % TILE * TILE + x % TILE) as usize) * self.channels;
                std::array::from_fn(|channel| tile.samples.get(at + channel.min(self.channels - 1)))
            }
        }
    }

    /// The whole picture as one buffer.
    pub fn to_buf(&self) -> PixelBuf {
        self.read(self.size.rect())
    }

    /// The pixels inside `rect`, which may reach outside the image, where `fill` shows.
    pub fn read(&self, rect: IRect) -> PixelBuf {
        let fill = if rect.is_empty() { [0; 4] } else { self.fill };
        let mut out = PixelBuf::filled(rect.size(), self.channels, self.depth, fill);
        for (column, row) in self.tiles_in(rect) {
            let Some(tile) = self.tile(column, row) else { continue };
            let part = self.tile_rect(column, row).intersect(rect);
            let len = part.width() as usize * self.channels;
            for y in part.y0..part.y1 {
                let to = out.index((part.x0 - rect.x0) as u32, (y - rect.y0) as u32);
                let from = self.offset_in_tile(part.x0, y);
                out.samples_mut().copy_span(to, &tile.samples, from, len);
            }
        }
        out
    }

    /// Writes `source` with its top left corner at `at`, clipped. Tiles that come out equal to
    /// what they were stay shared.
    pub fn write(&mut self, source: &PixelBuf, at: (i32, i32)) {
        self.write_part(source, at, IRect::from_origin_size(at, source.size()));
    }

    /// [`TiledImage::write`] inside `rect`, image coordinates within what `source` covers.
    fn write_part(&mut self, source: &PixelBuf, at: (i32, i32), rect: IRect) {
        assert_eq!(source.channels(), self.channels, "write between channel counts");
        assert_eq!(source.depth(), self.depth, "write between depths");
        let channels = self.channels;
        self.modify(rect, |part, tile| {
            let len = part.width() as usize * channels;
            for y in part.y0..part.y1 {
                let to = ((y as u32 % TILE * TILE + part.x0 as u32 % TILE) as usize) * channels;
                let from = source.index((part.x0 - at.0) as u32, (y - at.1) as u32);
                tile.copy_span(to, source.samples(), from, len);
            }
        });
    }

    /// Calls `change` in parallel for every tile touching `rect`, with the touched part in image
    /// coordinates and a private copy of the tile's samples (`TILE * TILE` pixels, row by row), of
    /// which it may change that part. A tile left as it was stays shared and keeps its id.
    pub fn modify(&mut self, rect: IRect, change: impl Fn(IRect, &mut Samples) + Sync) {
        let (columns, _) = self.grid();
        let positions: Vec<_> = self.tiles_in(rect).collect();
        let changed: Vec<_> = positions
            .into_par_iter()
            .filter_map(|(column, row)| {
                let part = self.tile_rect(column, row).intersect(rect);
                let old = self.tile(column, row);
                let mut samples =
                    old.map_or_else(|| self.fill_samples(), |tile| tile.samples.clone());
                change(part, &mut samples);
                let same = match old {
                    Some(tile) => tile.samples == samples,
                    None => samples == self.fill_samples(),
                };
                (!same).then(|| {
                    let index = row as usize * columns as usize + column as usize;
                    (index, Arc::new(Tile::changed(old.map(AsRef::as_ref), samples, part)))
                })
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        let tiles = Arc::make_mut(&mut self.tiles);
        for (index, tile) in changed {
            tiles[index] = Some(tile);
        }
    }

    /// Puts a tile (or none) at `(column, row)`, which must lie inside the grid.
    pub fn set_tile(&mut self, column: u32, row: u32, tile: Option<Arc<Tile>>) {
        let (columns, rows) = self.grid();
        assert!(column < columns && row < rows, "tile outside the grid");
        if let Some(tile) = &tile {
            assert_eq!(tile.samples.len(), (TILE * TILE) as usize * self.channels, "tile length");
            assert_eq!(tile.samples.depth(), self.depth, "tile depth");
        }
        Arc::make_mut(&mut self.tiles)[row as usize * columns as usize + column as usize] = tile;
    }

    /// The same picture on a larger or smaller extent, moved by `(dx, dy)`; the new area shows
    /// `fill`. Tiles stay shared when the shift is whole tiles.
    pub fn reframed(&self, size: Size, dx: i32, dy: i32) -> Self {
        let mut out = Self::new(size, self.channels, self.depth, self.fill);
        let side = TILE as i32;
        let source = size.rect().translate(-dx, -dy).intersect(self.size.rect());
        // A tile cut by the old border holds undefined samples outside it: only an extent whose
        // border is covered by the new one can share tiles.
        let aligned = dx % side == 0 && dy % side == 0 && source == self.size.rect();
        let whole = |side: u32| side.is_multiple_of(TILE);
        if aligned && whole(self.size.width) && whole(self.size.height) {
            for (column, row) in self.tiles_in(source) {
                let (c, r) = (column as i32 + dx / side, row as i32 + dy / side);
                out.set_tile(c as u32, r as u32, self.tile(column, row).cloned());
            }
        } else {
            out.write(&self.read(source), (source.x0 + dx, source.y0 + dy));
        }
        out
    }

    fn fill_samples(&self) -> Samples {
        let pixels = (TILE * TILE) as usize;
        let mut samples = Samples::zeroed(pixels * self.channels, self.depth);
        if self.fill.iter().any(|&sample| sample != 0) {
            samples.fill_pixels(0, pixels, &self.fill[..self.channels]);
        }
        samples
    }

    fn offset_in_tile(&self, x: i32, y: i32) -> usize {
        ((y as u32 % TILE * TILE + x as u32 % TILE) as usize) * self.channels
    }
}

const fn grid(size: Size) -> (u32, u32) {
    (size.width.div_ceil(TILE), size.height.div_ceil(TILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(size: Size) -> PixelBuf {
        let mut buf = PixelBuf::new(size, 4, Depth::U16);
        for y in 0..size.height {
            for x in 0..size.width {
                let at = buf.index(x, y);
                for channel in 0..4 {
                    let value = (x * 31 + y * 17 + channel as u32 * 7) % 997;
                    buf.samples_mut().set_f32(at + channel, value as f32 / 996.0);
                }
            }
        }
        buf
    }

    #[test]
    fn a_buffer_comes_back_from_tiles() {
        let buf = ramp(Size::new(600, 300));
        let image = TiledImage::from_buf(&buf);
        assert_eq!(image.to_buf(), buf);
        let rect = IRect::new(200, 100, 530, 290);
        assert_eq!(image.read(rect), buf.crop(rect));
    }

    #[test]
    fn writing_the_same_pixels_keeps_tiles_shared() {
        let buf = ramp(Size::new(600, 300));
        let image = TiledImage::from_buf(&buf);
        let mut copy = image.clone();
        copy.write(&buf, (0, 0));
        assert!(copy.same_tiles(&image));
        copy.write(&PixelBuf::new(Size::new(2, 2), 4, Depth::U16), (300, 10));
        assert!(!copy.same_tiles(&image));
        assert_eq!(copy.changed_rect(&image), IRect::new(256, 0, 512, 256));
        assert_eq!(image.to_buf(), buf);
    }

    #[test]
    fn squares_left_alone_keep_their_names() {
        let mut image = TiledImage::from_buf(&ramp(Size::new(300, 300)));
        let before = image.clone();
        image.write(&PixelBuf::new(Size::new(70, 2), 4, Depth::U16), (60, 130));
        let (old, new) = (before.tile(0, 0).unwrap(), image.tile(0, 0).unwrap());
        for (column, row) in (0..SQUARES).flat_map(|row| (0..SQUARES).map(move |c| (c, row))) {
            // Pixels 60 to 129 lie in three squares of the third row.
            let touched = column <= 2 && row == 2;
            assert_eq!(old.square(column, row) != new.square(column, row), touched);
        }
        // Where there was no tile the rest still shows the fill.
        let mut mask = TiledImage::mask(Size::new(300, 300), 255);
        mask.write(&PixelBuf::new(Size::new(10, 10), 1, Depth::U8), (256, 256));
        let corner = mask.tile(1, 1).unwrap();
        assert_eq!((corner.square(0, 0), corner.square(1, 0)), (corner.id(), 0));
    }

    #[test]
    fn reframing_moves_pixels_and_shows_fill_outside() {
        let image = TiledImage::from_buf(&ramp(Size::new(300, 300)));
        let moved = image.reframed(Size::new(700, 700), 256, 10);
        assert_eq!(moved.pixel(256 + 299, 10 + 299), image.pixel(299, 299));
        assert_eq!(moved.pixel(256 + 300, 10), [0; 4]);
        let back = moved.reframed(Size::new(300, 300), -256, -10);
        assert_eq!(back.to_buf(), image.to_buf());
    }

    #[test]
    fn a_mask_shows_its_fill_without_tiles() {
        let mask = TiledImage::mask(Size::new(1000, 1000), 255);
        assert_eq!(mask.bytes(), 0);
        assert_eq!(mask.pixel(-5, 3)[0], 255);
        assert_eq!(mask.read(IRect::new(-2, -2, 2, 2)).samples().get(0), 255);
    }
}
