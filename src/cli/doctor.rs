//! `ganvas doctor`: adapters, drivers, limits, what runs where, and a self-test.

use std::time::Instant;

use serde_json::{Value as Json, json};

use super::report::{self, Failure};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::geom::Size;
use crate::gpu::{self, AdapterFacts, DevicePlan, Executor, GpuContext};
use crate::ops::{self, OpContext};
use crate::params::Params;
use crate::pixels::{Depth, PixelBuf};

/// Shows the graphics adapters, what runs on which, and tests them
#[derive(clap::Args)]
pub(super) struct Args {
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

struct Finding {
    facts: AdapterFacts,
    limits: wgpu::Limits,
    /// Milliseconds of the self-test, or why it failed.
    test: Result<f64, String>,
}

pub(super) fn run(args: &Args, choice: DeviceChoice) -> Result<(), Failure> {
    let instance = gpu::create_instance();
    let findings: Vec<_> = gpu::adapters(&instance)
        .into_iter()
        .map(|(adapter, facts)| {
            let limits = adapter.limits();
            Finding { limits, test: self_test(adapter, &facts), facts }
        })
        .collect();
    let facts: Vec<_> = findings.iter().map(|finding| finding.facts.clone()).collect();
    let plan = gpu::plan_devices(&facts, choice).map_err(Failure::input)?;
    let operations_on_adapter =
        plan.adapter().is_some_and(|index| gpu::runs_operations(&facts[index], choice));
    if args.json {
        let adapters: Vec<_> = findings.iter().enumerate().map(adapter_json).collect();
        report::print_json(&json!({
            "adapters": adapters,
            "choice": choice.to_string(),
            "window": plan.adapter(),
            "operations": operations_on_adapter.then(|| plan.adapter()).flatten(),
            "networks": plan.networks_on_adapter().then(|| plan.adapter()).flatten(),
        }))?;
    } else {
        let mut lines: Vec<_> = findings.iter().enumerate().map(adapter_text).collect();
        lines.push(plan_text(plan, operations_on_adapter));
        report::print(lines.join("\n\n"))?;
    }
    let broken = plan.adapter().and_then(|index| findings[index].test.as_ref().err());
    match broken {
        Some(reason) => Err(Failure::failed(format!("the chosen adapter fails: {reason}"))),
        None => Ok(()),
    }
}

/// Inverts a small picture on the adapter and compares it with the CPU.
fn self_test(adapter: wgpu::Adapter, facts: &AdapterFacts) -> Result<f64, String> {
    if !facts.computes {
        return Err("it runs no compute shaders".into());
    }
    let context = GpuContext::open(adapter).map_err(|err| report::sentence(&err))?;
    let invert = ops::find("invert").ok_or("the operation 'invert' is missing")?;
    let mut picture = PixelBuf::new(Size::new(64, 64), 4, Depth::U16);
    for index in 0..picture.samples().len() {
        picture.samples_mut().set_f32(index, (index * 37 % 1021) as f32 / 1020.0);
    }
    let (params, op_context) = (Params::default(), OpContext::full_size(WorkingProfile::srgb()));
    let executor = Executor::new(&context);
    let started = Instant::now();
    let on_adapter = executor
        .apply(invert, &params, &op_context, &picture, None)
        .map_err(|err| report::sentence(&err))?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let on_cpu = ops::apply(invert, &params, &op_context, &picture, None)
        .map_err(|err| report::sentence(&err))?;
    if on_adapter == on_cpu {
        Ok(milliseconds)
    } else {
        Err("its result differs from the CPU's".into())
    }
}

fn adapter_json((index, finding): (usize, &Finding)) -> Json {
    let Finding { facts, limits, test } = finding;
    json!({
        "index": index,
        "name": facts.name,
        "driver": facts.driver,
        "kind": format!("{:?}", facts.kind).to_lowercase(),
        "backend": facts.backend.to_str(),
        "hardware": facts.is_hardware(),
        "limits": {
            "max_texture_dimension_2d": limits.max_texture_dimension_2d,
            "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
            "max_buffer_size": limits.max_buffer_size,
        },
        "self_test": match test {
            Ok(milliseconds) => json!({ "passed": true, "milliseconds": milliseconds }),
            Err(reason) => json!({ "passed": false, "reason": reason }),
        },
    })
}

fn adapter_text((index, finding): (usize, &Finding)) -> String {
    let Finding { facts, limits, test } = finding;
    let test = match test {
        Ok(milliseconds) => format!("passed ({milliseconds:.1} ms)"),
        Err(reason) => format!("FAILED: {reason}"),
    };
    format!(
        "gpu:{index}  {}\n  kind       {:?}, {}\n  driver     {}\n  \
         limits     textures {} px, buffers {} MiB\n  self-test  {test}",
        facts.name,
        facts.kind,
        facts.backend.to_str(),
        facts.driver,
        limits.max_texture_dimension_2d,
        limits.max_storage_buffer_binding_size >> 20,
    )
}

fn plan_text(plan: DevicePlan, operations_on_adapter: bool) -> String {
    let place = |on_adapter: bool| match plan.adapter().filter(|_| on_adapter) {
        Some(index) => format!("gpu:{index}"),
        None => "cpu".into(),
    };
    let window = match plan.adapter() {
        Some(index) => format!("gpu:{index}"),
        None => "none (install a graphics driver such as mesa-vulkan-drivers)".into(),
    };
    format!(
        "window      {window}\noperations  {}\nnetworks    {}",
        place(operations_on_adapter),
        place(plan.networks_on_adapter()),
    )
}
