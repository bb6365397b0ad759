//! `portolan rules list | test | lint`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_table::{ContentArrangement, Table, presets};
use enrichers::{Geo, Options, Tables};
use rules::scan::RawSample;
use rules::{RuleKind, RuleSummary};
use schemas::{Alert, Word};
use serde_json::json;

use crate::cli::{Cli, RuleTestArgs, RulesArgs, RulesCommand};
use crate::correlate;
use crate::error::Failure;
use crate::load;
use crate::out::{Out, say};
use crate::rule_tests::{self, Case, RuleTest};
use crate::source::{Block, Received, file};
use crate::stages::{Engine, Reading, Worker};
use crate::text::{Paint, Tone, neutral};

/// Runs the subcommand.
///
/// # Errors
/// Mistakes in rules or their events; a test that fails.
pub fn run(cli: &Cli, command: &RulesCommand) -> Result<(), Failure> {
    match command {
        RulesCommand::List(args) => list(args),
        RulesCommand::Test(args) => test(cli, args),
        RulesCommand::Lint(args) => lint(args),
    }
}

fn kind(rule: &RuleSummary) -> &'static str {
    match rule.kind {
        RuleKind::Detection => "detection",
        RuleKind::Correlation => "correlation",
        RuleKind::Filter => "filter",
    }
}

/// Those that alert, the gravest first; with --json every document.
fn list(args: &RulesArgs) -> Result<(), Failure> {
    let set = load::rules(&args.rules)?;
    let mut out = Out::stdout();
    if args.json {
        for rule in set.rules() {
            let line = json!({
                "id": rule.id, "name": rule.name, "title": rule.title, "level": rule.level.as_str(), "status": rule.status,
                "kind": kind(rule), "alerts": rule.tree.is_some(), "tags": rule.tags, "file": &*rule.file, "line": rule.line,
            });
            out.line(&line.to_string())?;
        }
        return out.flush().map(|_| ());
    }
    let mut shown: Vec<&RuleSummary> = set.rules().iter().filter(|rule| rule.tree.is_some()).collect();
    shown.sort_by(|a, b| (b.level, &a.file, a.line).cmp(&(a.level, &b.file, b.line)));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["level", "kind", "title", "file"]);
    for rule in &shown {
        table.add_row([rule.level.as_str(), kind(rule), &neutral(&rule.title), &neutral(&rule.file)]);
    }
    out.line(&table.trim_fmt())?;
    out.flush()?;
    say(&format!("{} rules that alert, of {} documents", shown.len(), set.rules().len()));
    Ok(())
}

/// What is allowed but unwise goes to stdout and is no failure; what is wrong ends with code 2.
fn lint(args: &RulesArgs) -> Result<(), Failure> {
    let set = load::rules(&args.rules)?;
    let mut out = Out::stdout();
    for warning in set.lint() {
        let line = if args.json {
            let (file, place) = (&*warning.file, warning.at);
            json!({"file": file, "line": place.line, "column": place.column, "found": warning.found, "advice": warning.kind.to_string()}).to_string()
        } else {
            neutral(&warning.to_string()).into_owned()
        };
        out.line(&line)?;
    }
    out.flush()?;
    say(&format!("{} documents, no mistakes, {} things to look at", set.rules().len(), set.lint().len()));
    Ok(())
}

/// What came of a case.
struct Verdict {
    case: Case,
    alerts: u64,
    refused: Vec<String>,
}

impl Verdict {
    fn passed(&self) -> bool {
        self.refused.is_empty() && self.case.expected.is_met_by(self.alerts)
    }

    fn words(&self) -> String {
        match self.refused.first() {
            Some(reason) => format!("{} of its lines are refused, the first one: {reason}", self.refused.len()),
            None => format!("expected {}, got {}", self.case.expected.words(), self.alerts),
        }
    }
}

fn test(cli: &Cli, args: &RuleTestArgs) -> Result<(), Failure> {
    let mut files: Vec<PathBuf> = file::list(&args.rules)?;
    files.retain(|path| is_rule(path));
    let rules = load::rules(&files)?;
    let mut alerting: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in rules.rules() {
        *alerting.entry(&rule.file).or_default() += usize::from(rule.tree.is_some());
    }
    let (mut out, paint) = (Out::stdout(), Paint::for_stdout(cli.color));
    let (mut passed, mut failed, mut unread) = (0, 0, Vec::new());
    for path in &files {
        let name = path.to_string_lossy().into_owned();
        if alerting.get(name.as_str()).is_none_or(|count| *count == 0) {
            continue;
        }
        let events = path.with_extension("events.yaml");
        let verdicts = match fs::read_to_string(&events) {
            Ok(text) => match rule_tests::read(&events, &text) {
                Ok(test) => cases(&files, &name, &events, test)?,
                Err(report) => {
                    unread.push(report.to_string());
                    continue;
                }
            },
            Err(error) => {
                failed += 1;
                tell(
                    &mut out,
                    args,
                    paint,
                    &name,
                    "no events beside it",
                    &format!("{}: {error}", events.display()),
                    false,
                )?;
                continue;
            }
        };
        for verdict in &verdicts {
            let fine = verdict.passed();
            *(if fine { &mut passed } else { &mut failed }) += 1;
            tell(&mut out, args, paint, &name, &verdict.case.name, &verdict.words(), fine)?;
        }
    }
    out.flush()?;
    if !unread.is_empty() {
        return Err(Failure::Rules(unread));
    }
    let what = format!("{passed} cases passed, {failed} failed");
    if failed > 0 {
        return Err(Failure::Found { what });
    }
    say(&what);
    Ok(())
}

fn tell(
    out: &mut Out,
    args: &RuleTestArgs,
    paint: Paint,
    file: &str,
    case: &str,
    words: &str,
    fine: bool,
) -> Result<(), Failure> {
    if args.json {
        out.line(&json!({"file": file, "case": case, "passed": fine, "words": words}).to_string())?;
        return Ok(());
    }
    let mark = if fine { paint.tone(Tone::Good, "ok  ") } else { paint.tone(Tone::Alarm, "FAIL") };
    out.line(&format!("{mark}  {}: {}", neutral(file), neutral(case)))?;
    if !fine {
        out.line(&format!("        {}", neutral(words)))?;
    }
    Ok(())
}

/// A rule file, not its events.
fn is_rule(path: &Path) -> bool {
    let name = path.to_string_lossy();
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.ends_with(".events.yaml")
}

/// Runs the cases of one rule file. All rules are loaded, since a correlation may refer to another file's; only the alerts of this
/// file's rules count.
fn cases(files: &[PathBuf], name: &str, events: &Path, test: RuleTest) -> Result<Vec<Verdict>, Failure> {
    let assets = enrichers::read_csv(test.assets.as_bytes()).map_err(|errors| Failure::assets(events, errors));
    let assets = if test.assets.is_empty() { Vec::new() } else { assets? };
    let tables = Tables::new(assets, Geo::none(), &Options::default());
    let rules = load::rules(files)?;
    let own: Vec<String> =
        rules.rules().iter().filter(|rule| &*rule.file == name).map(|rule| rule.id.clone()).collect();
    let titles: Vec<String> =
        rules.rules().iter().filter(|rule| &*rule.file == name).map(|rule| rule.title.clone()).collect();
    let engine = Arc::new(Engine::new(rules, tables, Arc::from(""), RawSample::None));
    let reading = Reading { format: test.format, times: test.times, mappings: Vec::new(), tenant: Arc::from("") };
    let is_own =
        |alert: &Alert| own.iter().any(|id| *id == *alert.rule_id) || titles.iter().any(|title| *title == *alert.title);
    Ok(test.cases.into_iter().map(|case| verdict(&engine, &reading, case, &is_own)).collect())
}

fn verdict(engine: &Arc<Engine>, reading: &Reading, case: Case, is_own: &dyn Fn(&Alert) -> bool) -> Verdict {
    let block = block(&case);
    let (mut hits, mut refused) = (Vec::new(), Vec::new());
    let worked: Result<(), Infallible> =
        Worker::new(engine).work(&block, reading, &mut engine.session(reading), |made| {
            hits.push(made.hits.clone());
            refused.extend(made.rejects.iter().map(|record| format!("line {}: {}", record.offset, record.reject)));
            Ok(())
        });
    let Ok(()) = worked;
    let alerts = correlate::all(engine, &hits, 1);
    let alerts = alerts.iter().filter(|alert| is_own(alert)).count() as u64;
    Verdict { case, alerts, refused }
}

/// The lines of a case as if a file had held them.
fn block(case: &Case) -> Block {
    let mut bytes = Vec::new();
    let mut records = Vec::with_capacity(case.lines.len());
    for (index, line) in case.lines.iter().enumerate() {
        let (start, len) = (bytes.len(), line.text.len());
        records.push(Received { start, len, offset: index as u64 + 1, received_us: line.received_us });
        bytes.extend_from_slice(line.text.as_bytes());
        bytes.push(b'\n');
    }
    Block { source: Arc::from(case.name.as_str()), partition: 0, bytes: Arc::new(bytes), records, damaged: Vec::new() }
}
