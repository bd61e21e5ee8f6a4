//! `ganvas doctor`: adapters, drivers, limits, what runs where, and a self-test.

use serde_json::{Value as Json, json};

use super::devices;
use super::report::{self, Failure};
use crate::device::DeviceChoice;
use crate::gpu::{self, AdapterFacts, DevicePlan};

/// Shows the graphics adapters, what runs on which, and tests them
#[derive(clap::Args)]
pub(super) struct Args {
    /// Machine-readable output
    #[arg(long)]
    json: bool,
    /// Shows what would run where with this choice: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

struct Finding {
    facts: AdapterFacts,
    max_texture_side_px: u32,
    max_buffer_bytes: u64,
    /// Milliseconds of the self-test, or why it failed.
    test: Result<f64, String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let choice = args.device;
    let survey = devices::survey(choice)?;
    let findings: Vec<_> = survey
        .adapters()
        .iter()
        .zip(survey.facts())
        .map(|(adapter, facts)| {
            let limits = adapter.limits();
            let test = gpu::self_test(adapter.clone());
            Finding {
                facts: facts.clone(),
                max_texture_side_px: limits.max_texture_dimension_2d,
                max_buffer_bytes: limits.max_storage_buffer_binding_size,
                test: test
                    .map(|took| took.as_secs_f64() * 1e3)
                    .map_err(|err| report::sentence(&err)),
            }
        })
        .collect();
    let (plan, operations_on_adapter) = (survey.plan(), survey.runs_operations());
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

fn adapter_json((index, finding): (usize, &Finding)) -> Json {
    let Finding { facts, max_texture_side_px, max_buffer_bytes, test } = finding;
    json!({
        "index": index,
        "name": facts.name,
        "driver": facts.driver,
        "kind": format!("{:?}", facts.kind).to_lowercase(),
        "backend": facts.backend.to_str(),
        "hardware": facts.is_hardware(),
        "limits": {
            "max_texture_side_px": max_texture_side_px,
            "max_buffer_bytes": max_buffer_bytes,
        },
        "self_test": match test {
            Ok(milliseconds) => json!({ "passed": true, "milliseconds": milliseconds }),
            Err(reason) => json!({ "passed": false, "reason": reason }),
        },
    })
}

fn adapter_text((index, finding): (usize, &Finding)) -> String {
    let Finding { facts, max_texture_side_px, max_buffer_bytes, test } = finding;
    let test = match test {
        Ok(milliseconds) => format!("passed ({milliseconds:.1} ms)"),
        Err(reason) => format!("FAILED: {reason}"),
    };
    format!(
        "gpu:{index}  {}\n  kind       {:?}, {}\n  driver     {}\n  \
         limits     textures {max_texture_side_px} px, buffers {} MiB\n  self-test  {test}",
        facts.name,
        facts.kind,
        facts.backend.to_str(),
        facts.driver,
        max_buffer_bytes >> 20,
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
