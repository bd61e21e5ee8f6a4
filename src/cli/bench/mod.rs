//! `ganvas bench`: how long the things a person waits for take on this machine.
//!
//! Medians of repeated runs after one that is not counted. The pictures are synthetic and the
//! same everywhere, so that figures of two machines or two versions compare.

mod canvas;
mod generators;
mod memory;
mod networks;
mod operations;
#[cfg(feature = "gpu")]
mod view;

use std::time::Instant;

use serde::Serialize;

use super::report::{self, Failure, Progress};
use crate::device::DeviceChoice;
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf, Samples};

/// Times operations, brush, compositor and networks
#[derive(clap::Args)]
pub(super) struct Args {
    /// Machine-readable output
    #[arg(long)]
    json: bool,
    /// Only entries whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Megapixels of the test picture [default: 24, and 108 for the view]
    #[arg(long, value_name = "MP")]
    megapixels: Option<f64>,
    /// Counted runs of each entry
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The adapter of the view, and of operations where asked for: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Only this network: prints its name, the shape of its input and the seconds it takes
    #[arg(long, value_name = "ID")]
    network: Option<String>,
    /// Only a generator of this published size with random weights, such as stylegan2-256: prints
    /// the seconds of a picture and the peak memory
    #[arg(long, value_name = "NAME")]
    generator: Option<String>,
    /// Side of the square that networks are given
    #[arg(long, default_value_t = 64, value_name = "PIXELS",
          value_parser = clap::value_parser!(u32).range(8..=2048))]
    side: u32,
}

/// One measured thing.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// Where it ran: `cpu` or `gpu:N`.
    device: String,
    megapixels: f64,
    /// Median, and the fastest and slowest run.
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
    /// Whatever else is worth knowing, such as bytes uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Collects entries; each section asks it whether and how often to run.
struct Bench {
    only: String,
    runs: usize,
    entries: Vec<Entry>,
    progress: Progress,
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// Times `run`, which answers an optional note, on `device`.
    fn time(
        &mut self,
        name: &str,
        device: &str,
        megapixels: f64,
        run: impl FnMut() -> Result<Option<String>, Failure>,
    ) -> Result<(), Failure> {
        self.time_runs(self.runs, name, device, megapixels, run)
    }

    /// As [`Bench::time`], with `runs` counted runs.
    fn time_runs(
        &mut self,
        runs: usize,
        name: &str,
        device: &str,
        megapixels: f64,
        mut run: impl FnMut() -> Result<Option<String>, Failure>,
    ) -> Result<(), Failure> {
        if !self.wants(name) {
            return Ok(());
        }
        self.progress.set(self.entries.len() as u64, 0);
        let mut note = run()?;
        let mut times_ms = Vec::with_capacity(runs);
        for _ in 0..runs {
            let start = Instant::now();
            note = run()?.or(note);
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times_ms.sort_by(f64::total_cmp);
        self.entries.push(Entry {
            name: name.into(),
            device: device.into(),
            megapixels,
            median_ms: times_ms[times_ms.len() / 2],
            min_ms: times_ms[0],
            max_ms: times_ms[times_ms.len() - 1],
            note,
        });
        Ok(())
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (mp, view_mp) = match args.megapixels {
        Some(mp) => (mp, vec![mp]),
        None => (24.0, vec![24.0, 108.0]),
    };
    if !(0.01..=400.0).contains(&mp) || args.runs == 0 || args.runs > 1000 {
        return Err(Failure::input("bench takes 0.01 to 400 megapixels and 1 to 1000 runs"));
    }
    let mut bench = Bench {
        only: args.only.clone(),
        runs: args.runs,
        entries: Vec::new(),
        progress: Progress::new("bench"),
    };
    if let Some(name) = &args.generator {
        return generators::run_one(name, args.runs, args.json);
    }
    if let Some(id) = &args.network {
        return networks::run_one(args, id);
    }
    let size = size_of(mp);
    operations::run(&mut bench, size)?;
    canvas::run(&mut bench, size)?;
    #[cfg(feature = "gpu")]
    if let Some(adapter) = view::Adapter::open(&bench, args.device)? {
        if adapter.times_operations {
            operations::run_on(&mut bench, size, &adapter)?;
        }
        view::run(&mut bench, &adapter, &view_mp)?;
    }
    #[cfg(not(feature = "gpu"))]
    drop(view_mp);
    networks::run(&mut bench, args)?;

    if bench.entries.is_empty() {
        return Err(Failure::input(format!("no entry's name contains '{}'", args.only)));
    }
    if args.json {
        return report::print_json(&serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "threads": rayon::current_num_threads(),
            "runs": args.runs,
            "peak_memory_bytes": memory::peak_bytes(),
            "entries": bench.entries,
        }));
    }
    let mut rows: Vec<_> = bench.entries.iter().map(row).collect();
    rows.extend(
        memory::peak_bytes().map(|bytes| {
            format!("peak resident memory {:.2} GiB", bytes as f64 / f64::from(1 << 30))
        }),
    );
    report::print(rows.join("\n"))
}

fn row(entry: &Entry) -> String {
    let note = entry.note.as_ref().map(|note| format!("  {note}")).unwrap_or_default();
    format!(
        "{:<34} {:<10} {:>7.3} MP {:>10.2} ms  ({:.2} to {:.2}){note}",
        entry.name, entry.device, entry.megapixels, entry.median_ms, entry.min_ms, entry.max_ms
    )
}

/// A 3:2 picture of about so many megapixels.
fn size_of(megapixels: f64) -> Size {
    let height = (megapixels * 1e6 / 1.5).sqrt().round().max(1.0);
    Size::new((height * 1.5).round() as u32, height as u32)
}

fn megapixels(size: Size) -> f64 {
    size.pixels() as f64 / 1e6
}

/// A reproducible opaque picture with smooth areas, edges and fine texture.
fn picture(size: Size) -> PixelBuf {
    let mut samples = Vec::with_capacity(size.pixels() as usize * 4);
    let mut noise = 0x9e37_79b9_u32;
    for y in 0..size.height {
        for x in 0..size.width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let grain = (noise & 15) as u8;
            let edge = ((x / 64 + y / 64) % 2) as u8 * 60;
            let ramp_x = (u64::from(x) * 180 / u64::from(size.width)) as u8;
            let ramp_y = (u64::from(y) * 180 / u64::from(size.height)) as u8;
            samples.extend([ramp_x + edge + grain, ramp_y + edge + grain, 40 + edge + grain, 255]);
        }
    }
    PixelBuf::from_samples(size, 4, Samples::U8(samples))
        .unwrap_or_else(|| PixelBuf::new(size, 4, Depth::U8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_the_size_asked_for() {
        let size = size_of(24.0);
        assert_eq!(size, Size::new(6000, 4000));
        assert_eq!(picture(Size::new(30, 20)).size(), Size::new(30, 20));
        assert_eq!(picture(Size::new(30, 20)), picture(Size::new(30, 20)));
    }
}
