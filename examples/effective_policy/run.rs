//! From arguments to output.

use std::io::{self, Read, Write};

use examples::files::read_one;
use examples::{nearest, with_source};
use mesh_api::effective::EffectiveMesh;
use mesh_api::report::{Diagnostic, Report};
use mesh_api::{ObjectMeta, ObjectSet};
use serde_json::{Value, json};

use crate::args::{self, Args, Wanted};
use crate::fields::{Field, fields};

/// The files that are asked when none is given.
pub(crate) const BUNDLED: &str = include_str!("mesh.yaml");

/// Columns of the text.
const WIDTH: usize = 110;

/// What the program reads and writes.
pub(crate) struct Process<'p> {
    pub(crate) stdin: &'p mut dyn Read,
    pub(crate) stdout: &'p mut dyn Write,
    pub(crate) stderr: &'p mut dyn Write,
}

/// Runs the program; the value is its exit code.
pub(crate) fn run(arguments: &[String], process: &mut Process<'_>) -> io::Result<u8> {
    let args = match args::parse(arguments) {
        Ok(args) => args,
        Err(message) => return wrong_usage(&message, process),
    };
    if args.help {
        writeln!(process.stdout, "{}", args::USAGE)?;
        return Ok(0);
    }
    let input = match Input::read(&args, process.stdin) {
        Ok(input) => input,
        Err(message) => return wrong_usage(&message, process),
    };
    let workloads = match input.workloads(&args.workload) {
        Ok(workloads) => workloads,
        Err(message) => {
            // what could not be read may be what is missing
            for finding in input.report.errors() {
                write!(process.stderr, "{}", finding.render())?;
            }
            return wrong_usage(&message, process);
        }
    };
    let no_objects = ObjectSet::new();
    let considered = if args.without_objects {
        &no_objects
    } else {
        &input.objects
    };
    let answers: Vec<Answer> = workloads
        .into_iter()
        .map(|workload| {
            let effective = input.mesh.proxy_config(considered, &workload);
            Answer {
                fields: fields(&effective, &input.mesh, &input.objects),
                notes: effective.report().iter().map(ToString::to_string).collect(),
                workload,
            }
        })
        .collect();
    let code = u8::from(!input.report.is_ok());
    if args.json {
        let workloads: Vec<Value> = answers.iter().map(Answer::to_json).collect();
        let findings: Vec<Value> = input.report.iter().map(finding_json).collect();
        let all = json!({ "workloads": workloads, "findings": findings });
        writeln!(process.stdout, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(code);
    }
    for finding in &input.report {
        write!(process.stderr, "{}", finding.render())?;
    }
    for answer in &answers {
        answer.print(process.stdout)?;
    }
    if args.files.is_empty() && args.mesh.is_empty() {
        let hint = "Try --json, --for shop/app=cart, or your files: cargo run --example effective_policy -- *.yaml --pod shop/cart-1";
        writeln!(process.stdout, "{hint}")?;
    }
    Ok(code)
}

fn wrong_usage(message: &str, process: &mut Process<'_>) -> io::Result<u8> {
    writeln!(process.stderr, "error: {message}")?;
    Ok(2)
}

/// What was read.
struct Input {
    objects: ObjectSet,
    mesh: EffectiveMesh,
    report: Report,
}

impl Input {
    /// Reads all files. The error is one line for the user.
    fn read(args: &Args, stdin: &mut dyn Read) -> Result<Self, String> {
        let mut decoded = mesh_api::codec::Decoded::default();
        for file in &args.files {
            let (name, bytes) = read(file, stdin)?;
            decoded.extend(mesh_api::decode(&name, &bytes));
        }
        if args.files.is_empty() && args.mesh.is_empty() {
            decoded.extend(mesh_api::decode("mesh.yaml", BUNDLED.as_bytes()));
        }
        let (objects, mut report) = decoded.into_parts();
        let mut mesh = EffectiveMesh::new();
        report.extend(mesh.apply_objects(&objects));
        for file in &args.mesh {
            let (name, bytes) = read(file, stdin)?;
            report.extend(mesh.apply(&name, &bytes));
        }
        Ok(Self {
            objects,
            mesh,
            report,
        })
    }

    fn workloads(&self, wanted: &Wanted) -> Result<Vec<ObjectMeta>, String> {
        let pods = || self.objects.pods().map(|pod| &pod.meta);
        match wanted {
            Wanted::Given(meta) => Ok(vec![(**meta).clone()]),
            Wanted::AllPods if pods().next().is_none() => {
                Err("there is no Pod in the files: name a workload with --for NAMESPACE[/k=v,..]".to_owned())
            }
            Wanted::AllPods => Ok(pods().cloned().collect()),
            Wanted::Pod(namespace, name) => {
                let found =
                    pods().find(|meta| meta.namespace.as_str() == namespace && meta.name.as_str() == name);
                if let Some(meta) = found {
                    return Ok(vec![meta.clone()]);
                }
                let known: Vec<String> = pods()
                    .map(|meta| format!("{}/{}", meta.namespace, meta.name))
                    .collect();
                let near = nearest(&format!("{namespace}/{name}"), known.iter().map(String::as_str));
                let near = near
                    .map(|near| format!(": did you mean `{near}`?"))
                    .unwrap_or_default();
                Err(format!("there is no Pod `{namespace}/{name}` in the files{near}"))
            }
        }
    }
}

fn read(file: &str, stdin: &mut dyn Read) -> Result<(String, Vec<u8>), String> {
    let name = if file == "-" { "stdin" } else { file };
    Ok((name.to_owned(), read_one(file, stdin)?))
}

/// What holds for one workload.
struct Answer {
    workload: ObjectMeta,
    fields: Vec<Field>,
    /// What was passed over.
    notes: Vec<String>,
}

impl Answer {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let ObjectMeta {
            name,
            namespace,
            labels,
            ..
        } = &self.workload;
        match name.is_empty() {
            true => writeln!(out, "workload {namespace} {labels}")?,
            false => writeln!(out, "pod {namespace}/{name} {labels}")?,
        }
        let names: Vec<String> = self.fields.iter().map(|field| field.path.to_string()).collect();
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or_default()
            .min(36);
        for (field, name) in self.fields.iter().zip(names) {
            let value = field.value_text();
            let left = format!("  {name:width$}  {value:<27}  {}", field.layer);
            writeln!(out, "{}", with_source(&left, &field.place, WIDTH))?;
        }
        for note in &self.notes {
            writeln!(out, "  passed over: {note}")?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let ObjectMeta {
            name,
            namespace,
            labels,
            ..
        } = &self.workload;
        json!({
            "namespace": namespace,
            "name": name,
            "labels": labels,
            "fields": self.fields.iter().map(Field::to_json).collect::<Vec<_>>(),
            "passedOver": self.notes,
        })
    }
}

fn finding_json(finding: &Diagnostic) -> Value {
    json!({
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "path": finding.path.to_string(),
        "place": finding.location.as_ref().map(ToString::to_string),
        "message": finding.message,
        "help": finding.help,
    })
}
