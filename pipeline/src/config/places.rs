//! Files and folders that a configuration names: there, of the right kind, readable.
//!
//! They are looked at while the configuration is read, so that a missing file is one mistake among the others, with its line,
//! and not the first thing that fails half a minute later.

use std::path::{Path, PathBuf};

use schemas::nearest;

use crate::yaml::{At, Findings};

/// What a path must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file that can be read.
    File,
    /// A file or a folder.
    Any,
    /// A folder that may have to be made.
    FolderToBe,
}

/// Reads a path, relative to the folder of the configuration, and looks at what is there.
pub fn place(at: &At<'_>, found: &mut Findings, base: &Path, kind: Place) -> Option<PathBuf> {
    let text = at.text(found)?;
    let path = base.join(&text);
    match std::fs::metadata(&path) {
        Ok(meta) => match kind {
            Place::File if meta.is_dir() => {
                at.wrong(found, "this is a folder", "name the file in it");
                None
            }
            Place::File => match std::fs::File::open(&path) {
                Ok(_) => Some(path),
                Err(error) => {
                    at.wrong(found, format!("can't be opened: {error}"), "check who may read it");
                    None
                }
            },
            Place::FolderToBe if !meta.is_dir() => {
                at.wrong(found, "this is a file", "name a folder; it is made if it does not exist");
                None
            }
            Place::Any | Place::FolderToBe => Some(path),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && kind == Place::FolderToBe => Some(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let help = match neighbour(&path) {
                Some(near) => format!("did you mean `{near}`, which stands in the same folder?"),
                None => format!("looked for {}; relative paths begin at the configuration's folder", path.display()),
            };
            at.wrong(found, "no such file", help);
            None
        }
        Err(error) => {
            at.wrong(found, format!("can't be looked at: {error}"), "check the path and who may read it");
            None
        }
    }
}

/// The file of the same folder whose name is nearest to the one that isn't there.
fn neighbour(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let names: Vec<String> = std::fs::read_dir(path.parent()?)
        .ok()?
        .take(10_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}
