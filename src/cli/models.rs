//! `ganvas models`: what is installed, what a checkpoint is, and installing one.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::report::{self, Failure};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::infer::plan;
use crate::nets::cpu::Processor;
use crate::zoo::{
    Attempt, Detected, Installed, Library, Told, UnknownNetwork, file_sha256, identify,
};

/// Lists the installed models, examines a checkpoint or installs one
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Machine-readable output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Lists the installed models
    List,
    /// Says which network a checkpoint holds, under which licence, and what it needs: the memory
    /// at work is that of a picture of one megapixel, or of one drawn picture
    Inspect {
        /// A .safetensors, .pth, .pt, StyleGAN .pkl or ncnn .param or .bin file
        file: PathBuf,
        /// With --json: also every layer, and where each parameter lies in the file
        #[arg(long)]
        graph: bool,
    },
    /// Copies a checkpoint into the user's model folder
    Import {
        /// A .safetensors, .pth, .pt, StyleGAN .pkl or ncnn .param or .bin file
        file: PathBuf,
        /// What commands call it [default: made of the file's name, or of the architecture and a
        /// number]
        #[arg(long)]
        id: Option<String>,
        /// What people call it [default: the file's name]
        #[arg(long)]
        name: Option<String>,
        /// Under which licence it is [default: what the file states]
        #[arg(long, value_name = "TEXT")]
        licence: Option<String>,
    },
    /// Removes a model of the user's, with its files
    Remove {
        /// As 'models list' has it
        id: String,
    },
}

/// Names that the text output shows of a longer list.
const SHOWN: usize = 8;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        None | Some(Action::List) => list(args.json),
        Some(Action::Inspect { file, graph }) => inspect(file, args.json, *graph),
        Some(Action::Import { file, id, name, licence }) => {
            let told = Told {
                id: id.as_deref(),
                name: name.as_deref(),
                licence: licence.as_deref(),
                provenance: None,
            };
            import(file, &told, args.json)
        }
        Some(Action::Remove { id }) => {
            Library::discover()
                .remove(id)
                .map_err(|error| Failure::input(report::sentence(&error)))?;
            match args.json {
                true => report::print_json(&json!({ "removed": id })),
                false => report::print(format!("Removed {id}")),
            }
        }
    }
}

fn list(json: bool) -> Result<(), Failure> {
    let (models, faults) = Library::discover().list();
    for fault in &faults {
        report::note(report::sentence(fault));
    }
    if json {
        return report::print_json(&models.iter().map(model_json).collect::<Vec<_>>());
    }
    if models.is_empty() {
        return report::print("No models are installed");
    }
    let texts: Vec<_> = models.iter().map(model_text).collect();
    report::print(texts.join("\n\n"))
}

fn model_json(model: &Installed) -> Json {
    let manifest = &model.manifest;
    json!({
        "id": manifest.id,
        "name": manifest.name,
        "architecture": manifest.architecture,
        "purpose": manifest.purpose,
        "scale": manifest.scale,
        "licence": manifest.licence,
        "provenance": manifest.provenance,
        "suits": manifest.suits,
        "warning": manifest.warning,
        "built_in": model.built_in,
        "file": model.weights.to_string_lossy(),
    })
}

fn model_text(model: &Installed) -> String {
    let manifest = &model.manifest;
    let mut lines = vec![format!("{} – {}", manifest.id, manifest.name)];
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<13} {value}"));
        }
    };
    line("Architecture", &manifest.architecture);
    line("For", &manifest.suits);
    line("Licence", &manifest.licence);
    line("From", &manifest.provenance);
    line("Mind", manifest.warning.as_deref().unwrap_or_default());
    line("Installed", if model.built_in { "with the program" } else { "by the user" });
    lines.join("\n")
}

/// What a checkpoint is, as far as it can be told without a picture.
struct Facts {
    checkpoint: Checkpoint,
    detected: Result<Detected, UnknownNetwork>,
    sha256: String,
    licence: Option<String>,
    /// Bytes of the weights as the processor holds them, and of a run beside them.
    memory: Option<(u64, u64)>,
}

impl Facts {
    fn of(file: &Path) -> Result<Self, Failure> {
        let refuse = |error: &dyn std::error::Error| Failure::input(report::sentence(error));
        let checkpoint = Checkpoint::open(file).map_err(|error| refuse(&error))?;
        let detected = identify(&checkpoint);
        let sha256 = file_sha256(checkpoint.path()).map_err(|error| refuse(&error))?;
        let installed = Library::discover().find_by_checksum(&sha256);
        let licence = installed.map(|model| model.manifest.licence);
        let licence = licence.or_else(|| checkpoint.stated_licence().map(str::to_owned));
        let held = |Detected { spec, names }: &Detected| {
            let mut source =
                |name: &str| checkpoint.read_f32(names.get(name).map_or(name, String::as_str));
            let loaded = Processor::new(spec.graph(), &mut source)?;
            Ok((loaded.weight_bytes(), plan::working_bytes(&spec.capability())))
        };
        let memory = detected.as_ref().ok().map(held).transpose();
        let memory = memory.map_err(|error: CheckpointError| refuse(&error))?;
        Ok(Self { checkpoint, detected, sha256, licence, memory })
    }

    fn licence(&self) -> &str {
        self.licence.as_deref().unwrap_or("not stated")
    }
}

fn inspect(file: &Path, json: bool, graph: bool) -> Result<(), Failure> {
    let facts = Facts::of(file)?;
    if json {
        let mut said = inspect_json(&facts);
        if let (true, Ok(Detected { spec, names })) = (graph, &facts.detected) {
            said["graph"] = json!(spec.graph());
            said["names"] = json!(names);
        }
        return report::print_json(&said);
    }
    let Facts { checkpoint, detected, sha256, memory, .. } = &facts;
    let mut lines = vec![
        file.display().to_string(),
        format!("  Container     {}, {} tensors", checkpoint.format(), checkpoint.len()),
        format!("  Parameters    {}", checkpoint.parameters()),
        format!("  SHA-256       {sha256}"),
        format!("  Licence       {}", facts.licence()),
    ];
    match detected {
        Ok(Detected { spec, .. }) => {
            lines.push(format!("  Architecture  {}: {spec}", spec.architecture()));
            lines.push(format!("  For           {}", spec.capability().purpose));
        }
        Err(unknown) => {
            lines.push(format!("  Architecture  {unknown}"));
            let missing = unknown.nearest().map(|near| near.missing.as_slice()).unwrap_or_default();
            lines.extend(missing.iter().take(SHOWN).map(|name| format!("  Missing       {name}")));
        }
    }
    if let Some((weights, working)) = memory {
        let [weights, working] = [weights, working].map(|bytes| bytes.div_ceil(1_000_000));
        lines.push(format!("  Memory        {weights} MB of weights, {working} MB at work"));
    }
    report::print(lines.join("\n"))
}

fn inspect_json(facts: &Facts) -> Json {
    let Facts { checkpoint, detected, sha256, memory, .. } = facts;
    let mut json = json!({
        "file": checkpoint.path().to_string_lossy(),
        "format": checkpoint.format().to_string(),
        "tensors": checkpoint.len(),
        "parameters": checkpoint.parameters(),
        "sha256": sha256,
        "licence": facts.licence(),
        "architecture": null,
        "missing": [],
        "unexpected": [],
    });
    if let Some((weights, working)) = memory {
        json["memory"] = json!({ "weight_bytes": weights, "working_bytes": working });
    }
    match detected {
        Ok(Detected { spec, .. }) => {
            let capability = spec.capability();
            json["architecture"] = spec.architecture().into();
            json["hyperparameters"] = spec.to_string().into();
            json["purpose"] = capability.purpose.to_string().into();
            json["scale"] = capability.scale.into();
        }
        Err(unknown) => {
            let tried = unknown.attempts.iter().map(|attempt| attempt.architecture);
            json["tried"] = tried.collect::<Vec<_>>().into();
            if let Some(Attempt { architecture, missing, unexpected, .. }) = unknown.nearest() {
                json["nearest"] = (*architecture).into();
                json["missing"] = missing.clone().into();
                json["unexpected"] = unexpected.clone().into();
            }
        }
    }
    json
}

fn import(file: &Path, told: &Told<'_>, json: bool) -> Result<(), Failure> {
    let installed = Library::discover()
        .import_as(file, told)
        .map_err(|error| Failure::input(report::sentence(&error)))?;
    if json {
        return report::print_json(&model_json(&installed));
    }
    let manifest = &installed.manifest;
    report::print(format!("Installed {} ({})", manifest.id, manifest.architecture))
}
