//! The environment of the Python service: packages from PyPI in a folder under `target/`.
//!
//! uvicorn runs with one worker, as in the original, and without its access log, which is not JSON and
//! would slow the service down.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::Spec;
use crate::{Result, target};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

pub(crate) fn spec() -> Result<Spec> {
    let environment = target()?.join("service-load/python");
    install(&environment)?;
    let arguments = ["-m", "uvicorn", "rest_model_service.main:app"];
    let arguments = arguments.into_iter().chain(["--port", "0", "--no-access-log"]);
    Ok(Spec {
        name: "python",
        program: environment.join("bin/python"),
        arguments: arguments.map(str::to_owned).collect(),
        environment: vec![
            ("REST_CONFIG", format!("{SOURCES}/rest_config.yaml")),
            ("PYTHONPATH", SOURCES.to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ],
        logs: true,
    })
}

fn install(environment: &Path) -> Result<()> {
    let wanted = fs::read_to_string(format!("{SOURCES}/requirements.txt"))?;
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("Installing the Python service.");
    run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
    let requirements = format!("{SOURCES}/requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--requirement", &requirements];
    run(Command::new(environment.join("bin/python")).args(pip))?;
    Ok(fs::write(installed, wanted)?)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}
