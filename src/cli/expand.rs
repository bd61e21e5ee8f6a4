//! `ganvas expand`: continue a picture beyond its border.

use super::networks;
use super::picture::{Files, Written};
use super::report::Failure;
use crate::infer::protocol::{Expand, Task};
use crate::inpaint::{Border, Fill};

/// Continues a picture beyond its border by patches of what is there
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// Pixels to add on every side
    #[arg(long, value_name = "PX", default_value_t = 0)]
    all: u32,
    /// Pixels to add on the left, in place of --all
    #[arg(long, value_name = "PX")]
    left: Option<u32>,
    /// Pixels to add above
    #[arg(long, value_name = "PX")]
    top: Option<u32>,
    /// Pixels to add on the right
    #[arg(long, value_name = "PX")]
    right: Option<u32>,
    /// Pixels to add below
    #[arg(long, value_name = "PX")]
    bottom: Option<u32>,
    /// Another number, another result of the same kind
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let side = |own: Option<u32>| own.unwrap_or(args.all);
    let border = Border {
        left: side(args.left),
        top: side(args.top),
        right: side(args.right),
        bottom: side(args.bottom),
    };
    if border == Border::default() {
        return Err(Failure::input("say how far: --all PX, or --left, --top, --right, --bottom"));
    }
    let opened = args.files.open()?;
    let store = networks::store(args.files.device)?;
    let options = Fill { seed: args.seed, ..Fill::default() };
    let task = |image, _, _| Ok(Task::Expand(Expand { image, border, options: options.clone() }));
    args.files.run(store, opened, task, Written::Changed, "Expanding", &[])
}
