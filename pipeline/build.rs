//! Lists the rule library for `include_str!`, so that the binary brings it along and a rule stays one file to add.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let library = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../rules/library");
    println!("cargo:rerun-if-changed={}", library.display());
    let mut files = Vec::new();
    collect(&library, &mut files);
    files.sort();
    let mut text = String::from("[\n");
    for file in files {
        let name = file.strip_prefix(&library).expect("it was found under the library").to_string_lossy().into_owned();
        let path = file.canonicalize().expect("it was just listed");
        writeln!(text, "    ({name:?}, include_str!({:?})),", path.to_string_lossy()).expect("a String takes all");
    }
    text.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("library.rs");
    fs::write(out, text).expect("the build folder can be written");
}

/// Every rule file under a folder; the events beside a rule are its tests and don't ship.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        println!("cargo:rerun-if-changed={}", path.display());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".yaml") && !name.ends_with(".events.yaml") {
            files.push(path);
        }
    }
}
