//! Code generation and drift checks. Not published.
//!
//! ```text
//! cargo run -p xtask -- generate [--protos DIR]   write mesh-xds/src/pb/generated and the descriptor set
//! cargo run -p xtask -- check [--protos DIR]      generate into memory and compare with the committed files
//! cargo run -p xtask -- drift [--crds FILE]       compare mesh-api's models and schemas with each other and with a CRD bundle
//! ```
//!
//! `DIR` is the folder `proto` of the source package `envoy-types`. Without it the package is found through
//! `cargo metadata` on `xtask/protos/Cargo.toml`, which downloads it when needed; it is read and never compiled.
//! The files to generate from are listed in `xtask/roots.txt`; a second descriptor set holds all of Envoy's API, for the
//! rules on EnvoyFilter patches.

mod compile;
mod drift;
mod emit;
mod prune;
mod roots;
mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use prost::Message;

/// What went wrong, for a person at a terminal.
type Failure = Box<dyn std::error::Error>;

/// File contents by path below the root of the repository.
type Files = BTreeMap<PathBuf, Vec<u8>>;

const USAGE: &str = "usage: xtask (generate | check) [--protos DIR] | drift [--crds FILE]";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<String, Failure> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask lies in no repository")?;
    let (command, protos) = match args.as_slice() {
        ["drift"] => return drift::check(repository, None),
        ["drift", "--crds", file] => return drift::check(repository, Some(Path::new(file))),
        [command] => (*command, None),
        [command, "--protos", dir] => (*command, Some(PathBuf::from(dir))),
        _ => return Err(USAGE.into()),
    };
    match command {
        "generate" => {
            let files = generate(repository, protos)?;
            emit::replace(repository, &files)?;
            Ok(format!("wrote {} files", files.len()))
        }
        "check" => {
            let files = generate(repository, protos)?;
            let drift = emit::drift(repository, &files)?;
            if drift.is_empty() {
                return Ok(format!("{} generated files are up to date", files.len()));
            }
            let list: Vec<String> = drift
                .iter()
                .map(|(path, how)| format!("  {} {how}", path.display()))
                .collect();
            Err(format!("run `cargo run -p xtask -- generate`:\n{}", list.join("\n")).into())
        }
        _ => Err(USAGE.into()),
    }
}

/// Everything generated, in memory.
fn generate(repository: &Path, protos: Option<PathBuf>) -> Result<Files, Failure> {
    let protos = match protos {
        Some(dir) => dir,
        None => sources::locate(repository)?,
    };
    let roots = roots::parse(&std::fs::read_to_string(repository.join("xtask/roots.txt"))?)?;
    let includes = sources::includes(repository, &protos)?;
    let compiled = compile::compile(&includes, &roots)?;
    let pruned = prune::prune(compiled, &roots)?;
    let every_file = roots::every_file(&sources::envoy_api(repository, &protos))?;
    let whole = prune::prune(compile::compile(&includes, &every_file)?, &every_file)?;
    let mut files = emit::emit(&pruned, &protos)?;
    files.insert(emit::WHOLE_API.into(), whole.encode_to_vec());
    Ok(files)
}
