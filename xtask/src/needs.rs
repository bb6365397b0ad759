//! What the tests need from outside: a real Apache Kafka (by Maven) and two readers of the lake (by pip).
//!
//! Both are put under `target/`, once, and again when their list changes. The tests start brokers themselves,
//! on free ports and as many as they like, so that here nothing runs that would have to be stopped.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What was found or set up.
#[derive(Debug, Default)]
pub struct Found {
    /// Environment variables that tell the tests where things are.
    pub variables: Vec<(&'static str, String)>,
    /// What is missing: what it is for, and how to get it.
    pub missing: Vec<String>,
}

/// Sets up what is not there yet.
pub fn set_up(root: &Path) -> Found {
    let mut found = Found::default();
    match kafka(root) {
        Ok(libs) => found.variables.push(("PORTOLAN_KAFKA_LIBS", libs)),
        Err(why) => found.missing.push(format!("tests with a real Kafka: {why}")),
    }
    match readers(root) {
        Ok(python) => found.variables.push(("PORTOLAN_PYTHON", python)),
        Err(why) => found.missing.push(format!("tests with other readers of the lake: {why}")),
    }
    found
}

/// The folder with the broker's jars.
fn kafka(root: &Path) -> Result<String, String> {
    works("java", &["-version"]).map_err(|why| {
        format!("Java 17 or later is needed ({why}); Debian, Ubuntu: apt-get install default-jre-headless; macOS: brew install openjdk")
    })?;
    let pom = root.join("xtask/kafka/pom.xml");
    let folder = root.join("target/kafka");
    let libs = folder.join("libs");
    once(&pom, &folder, || {
        works("mvn", &["-version"]).map_err(|why| {
            format!(
                "Maven is needed to get Kafka ({why}); Debian, Ubuntu: apt-get install maven; macOS: brew install maven"
            )
        })?;
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", "-f"]).arg(&pom).args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
        let mut output = OsString::from("-DoutputDirectory=");
        output.push(&libs);
        run(maven.arg(output))
    })?;
    Ok(libs.display().to_string())
}

/// The Python that has the readers.
fn readers(root: &Path) -> Result<String, String> {
    let list = root.join("tests/readers/requirements.txt");
    let folder = root.join("target/readers");
    let python = folder.join("venv/bin/python");
    once(&list, &folder, || {
        works("python3", &["-c", "import ensurepip, venv"]).map_err(|why| {
            format!("Python 3.10 or later with venv is needed ({why}); Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python")
        })?;
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
        run(Command::new(&python).args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"]).arg(&list))
    })?;
    Ok(python.display().to_string())
}

/// Runs `make` unless it has succeeded before with the same text in `list`. Half of a set-up is thrown away.
fn once(list: &Path, folder: &Path, make: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let text =
        |path: &Path| fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let wanted = text(list)?;
    let stamp = folder.join("made-of");
    if text(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    make()?;
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

fn works(program: &str, arguments: &[&str]) -> Result<(), String> {
    run(Command::new(program).args(arguments))
}

/// Runs a command silently; what it said is told only if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Err(error) => Err(format!("`{name}` cannot be run: {error}")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stderr, output.stdout].concat();
            let said = String::from_utf8_lossy(&said);
            let last: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).rev().take(3).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            Err(format!("`{name}` failed: {}", last.join(" / ")))
        }
    }
}
