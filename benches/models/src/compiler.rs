//! Measures rustc. Cargo calls this program in place of rustc for the generated crates; the program runs
//! rustc and notes its CPU time.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::Result;

/// Variable with the path of the file for the notes.
const NOTES: &str = "MODEL_COST_NOTES";

/// Runs rustc and notes its time, if Cargo has called this program. Returns whether it has.
pub(crate) fn run_as_wrapper() -> Result<bool> {
    let Some(notes) = env::var_os(NOTES) else { return Ok(false) };
    let mut arguments = env::args_os().skip(1);
    let rustc = arguments.next().ok_or("the wrapper needs the path of rustc")?;
    let arguments: Vec<_> = arguments.collect();
    let status = Command::new(rustc).args(&arguments).status()?;
    if let Some(position) = arguments.iter().position(|argument| argument == "--crate-name")
        && let Some(name) = arguments.get(position + 1)
    {
        let line = format!("{} {}\n", name.to_string_lossy(), cpu_seconds_of_children()?);
        OpenOptions::new().create(true).append(true).open(notes)?.write_all(line.as_bytes())?;
    }
    if status.success() { Ok(true) } else { Err("rustc failed".into()) }
}

/// Returns the CPU time of the ended child processes, with their children.
fn cpu_seconds_of_children() -> Result<f64> {
    const TICKS: f64 = 100.0;
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').ok_or("no name")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS)
}

/// Cargo with the generated workspace.
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Runs a command for a package, and returns the CPU seconds of rustc for the package itself, without
    /// its dependencies.
    pub(crate) fn cpu_seconds(&self, command: &[&str], package: &str) -> Result<f64> {
        let source = self.folder.join(package).join("src/main.rs");
        File::options().append(true).open(source)?.set_modified(SystemTime::now())?;
        let notes = self.target.join("notes");
        fs::write(&notes, "")?;
        let output = Command::new(env!("CARGO"))
            .args(command)
            .args(["--quiet", "-p", package])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?)
            .env(NOTES, &notes)
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let name = package.replace('-', "_");
        let notes = fs::read_to_string(notes)?;
        let seconds = notes.lines().find_map(|line| line.strip_prefix(&*name)?.trim().parse().ok());
        seconds.ok_or_else(|| format!("cargo has not built {package}").into())
    }

    /// Returns the program of a package.
    pub(crate) fn program(&self, package: &str) -> PathBuf {
        self.target.join("release").join(package)
    }

    /// Returns the size of the program of a package.
    pub(crate) fn size(&self, package: &str) -> Result<f64> {
        Ok(fs::metadata(self.program(package))?.len() as f64)
    }
}

/// Returns the folder into which Cargo has built this program.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).map(Path::to_path_buf).ok_or("the program is in no folder")?)
}
