//! `portolan validate`: everything that a run reads before its first record, without the run.

use std::fs;
use std::path::PathBuf;

use crate::cli::ValidateArgs;
use crate::config::Config;
use crate::error::Failure;
use crate::load;
use crate::mappings;
use crate::out::say;

/// Reads the configuration, rules and assets, and tells the mistakes of all of them.
///
/// # Errors
/// The last of the failures; the others have been told on stderr before.
pub fn run(args: &ValidateArgs) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut fine = Vec::new();
    let mut take = |what: String, result: Result<String, Failure>| match result {
        Ok(words) => fine.push(format!("{what}: {words}")),
        Err(failure) => failures.push(failure),
    };
    let (mut rules, mut assets) = (args.rules.clone(), args.assets.clone());
    let mut geo = (None, None);
    if let Some(path) = &args.config {
        let config = configuration(path);
        if let Ok(config) = &config {
            rules.extend(config.rules.iter().cloned());
            assets.extend(config.assets.iter().cloned());
            geo = (config.geo.country.clone(), config.geo.asn.clone());
            if let Some(warnings) = &config.warnings {
                say(&warnings.to_string());
            }
        }
        take(
            path.display().to_string(),
            config.map(|config| format!("fine, reads {}", config.input.topics.join(", "))),
        );
    }
    if args.config.is_some() || !rules.is_empty() {
        let loaded = load::rules(&rules);
        let words =
            |set: &rules::RuleSet| format!("{} documents, {} of them alert", set.rules().len(), set.plan().trees.len());
        take(named("rules", &rules, "the library"), loaded.map(|set| words(&set)));
    }
    for path in &args.mapping {
        let loaded = mappings::load(path);
        take(
            path.display().to_string(),
            loaded.map(|mapping| format!("a format named {}", parsers::Parser::name(mapping))),
        );
    }
    for path in &assets {
        take(path.display().to_string(), load::asset_rows(path).map(|rows| format!("{} assets", rows.len())));
    }
    if geo.0.is_some() || geo.1.is_some() {
        take("geo".to_owned(), load::geo(geo.0.as_deref(), geo.1.as_deref()).map(|_| "opened".to_owned()));
    }
    fine.iter().for_each(|line| say(line));
    let Some(last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|failure| say(&format!("{failure}\n")));
    Err(last)
}

fn configuration(path: &PathBuf) -> Result<Config, Failure> {
    let text = fs::read_to_string(path).map_err(Failure::unreadable("configuration", path))?;
    Config::load(path, &text).map_err(Failure::Config)
}

fn named(what: &str, paths: &[PathBuf], otherwise: &str) -> String {
    if paths.is_empty() {
        return format!("{what} ({otherwise})");
    }
    format!("{what} ({})", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))
}
