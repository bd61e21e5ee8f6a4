//! `ganvas ops`: every operation with its parameters, defaults and ranges.

use serde_json::{Value as Json, json};

use super::report::{self, Failure};
use crate::ops::{Kind, OpSpec};
use crate::params::{ParamKind, ParamSpec};

/// Lists every operation with its parameters, defaults and ranges
#[derive(clap::Args)]
pub(super) struct Args {
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let specs = crate::ops::all().iter().map(|op| op.spec());
    if args.json {
        return report::print_json(&specs.map(op_json).collect::<Vec<_>>());
    }
    let texts: Vec<_> = specs.map(op_text).collect();
    report::print(texts.join("\n\n"))
}

fn op_json(spec: &OpSpec) -> Json {
    json!({
        "name": spec.name,
        "label": spec.label,
        "doc": spec.doc,
        "kind": match spec.kind {
            Kind::Pointwise => "pointwise",
            Kind::Neighborhood => "neighborhood",
            Kind::Geometry => "geometry",
        },
        "version": spec.version,
        "params": spec.params.iter().map(param_json).collect::<Vec<_>>(),
    })
}

fn param_json(spec: &ParamSpec) -> Json {
    let mut json = match &spec.kind {
        ParamKind::Float { default, hard, soft, unit, .. } => json!({
            "type": "float", "default": default, "unit": unit,
            "min": hard.0, "max": hard.1, "soft_min": soft.0, "soft_max": soft.1,
        }),
        ParamKind::Int { default, hard, soft, unit, .. } => json!({
            "type": "int", "default": default, "unit": unit,
            "min": hard.0, "max": hard.1, "soft_min": soft.0, "soft_max": soft.1,
        }),
        ParamKind::Bool { default } => json!({ "type": "bool", "default": default }),
        ParamKind::Choice { default, options } => {
            json!({ "type": "choice", "default": default, "options": options })
        }
    };
    json["key"] = spec.key.into();
    json["label"] = spec.label.into();
    json["doc"] = spec.doc.into();
    json["required"] = spec.is_required().into();
    if spec.is_required() {
        json["default"] = Json::Null;
    }
    json
}

fn op_text(spec: &OpSpec) -> String {
    let mut text = format!("{} – {}", spec.name, spec.doc);
    for param in spec.params {
        let range = match &param.kind {
            ParamKind::Float { default, hard, unit, .. } => {
                range_text(*default, hard.0, hard.1, unit)
            }
            ParamKind::Int { hard, unit, .. } if param.is_required() => {
                format!("required, {} to {}{}", hard.0, hard.1, unit_text(unit))
            }
            ParamKind::Int { default, hard, unit, .. } => {
                range_text(*default, hard.0, hard.1, unit)
            }
            ParamKind::Bool { default } => format!("{default}; true or false"),
            ParamKind::Choice { default, options } => {
                format!("{default}; one of {}", options.join(", "))
            }
        };
        text += &format!("\n  {:12} {} ({range})", format!("{}=", param.key), param.doc);
    }
    text
}

fn range_text<T: std::fmt::Display>(default: T, low: T, high: T, unit: &str) -> String {
    format!("{default}; {low} to {high}{}", unit_text(unit))
}

fn unit_text(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}
