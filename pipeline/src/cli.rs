//! The command line: every command, option and word of it, and the help that a person reads.
//!
//! The names are stable: scripts are built on them. Only what works stands here, so that the help is true.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Form;
use crate::text::ColourChoice;
use crate::times::{ahead_of, day_of, zone_name_of};

/// Exit codes, at the end of every help text.
const EXIT_CODES: &str = "\
Exit codes:
  0    fine
  1    ran and found a failure: a failing rule test, the demo's own check, alerts where --fail-on asks for it
  2    the command line, the configuration, the rules or the assets are wrong
  3    trouble with a file, a disk or a broker
  130  interrupted

stdout is data, stderr is for people. NO_COLOR turns colours off.";

const EXAMPLES: &str = "\
Examples:
  portolan demo                                   the main job on a generated incident, no server needed
  portolan batch /var/log/firewall --out found    an incident's logs from a folder
  portolan run -c portolan.yaml                   between Kafka topics, until it is stopped
  portolan parse --format auto today.log          one JSON object for each event";

/// Network-log correlation: reads the logs of firewalls, IDS, EDR and hosts, and joins what no single log can show.
#[derive(Debug, Parser)]
#[command(name = "portolan", version, max_term_width = 110, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "For people")]
    pub color: ColourChoice,
    /// Print less to stderr: no progress, only warnings and errors.
    #[arg(short, long, global = true, help_heading = "For people")]
    pub quiet: bool,
    /// Print more to stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet", help_heading = "For people")]
    pub verbose: u8,
    /// Form of the program's own log on stderr.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM", help_heading = "For people")]
    pub log_format: LogFormat,
}

/// Form of the program's own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job on a generated incident; needs no server and no files
    ///
    /// Generates two hours of logs of a small company with an attack in them, sends them through an embedded broker and the
    /// streaming path, prints the alerts, and checks that the attack was found and the noise was not. Exit code 1 if that
    /// is not so.
    Demo(DemoArgs),
    /// Read files and folders of logs, and write alerts, a report and a lake
    Batch(BatchArgs),
    /// Read Kafka topics until stopped; write alerts, and a lake
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Turn log lines into JSON, one value a line, in order
    ///
    /// Each input line gives one line of output: an object, an array where one line holds several events, or
    /// {"reject": "why"} for a line that is refused. A line that is understood but no event (a header, a comment) gives an
    /// empty array.
    Parse(ParseArgs),
    /// Show what was refused, grouped by shape; give it back to be read again
    Rejects(RejectsArgs),
    /// Check a configuration, rules and assets without running anything
    Validate(ValidateArgs),
    /// List, test and check rules
    #[command(subcommand)]
    Rules(RulesCommand),
}

/// `portolan demo`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct DemoArgs {
    /// Folder for the lake, the alerts and the raw lines; made anew
    #[arg(long, value_name = "DIR", default_value = "portolan-demo")]
    pub out: PathBuf,
    /// Lines to generate, about
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(20_000..=20_000_000))]
    pub lines: u64,
    /// Another seed gives another company's noise with the same attack
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
}

/// `portolan batch`.
#[derive(Args, Debug)]
#[command(after_help = format!("\
Writes into DIR: alerts.ndjson, rejects.ndjson, summary.json, report.html, lake/ (Delta Lake tables).
The same logs give the same alerts with the same ids, in whatever order the files come.

Examples:
  portolan batch /evidence/logs --assets assets.csv --out found
  zcat asa.log.gz | portolan batch - --format cisco_asa --no-lake
  portolan batch logs --rules my-rules --fail-on high     exit code 1 if something of that level is found

{EXIT_CODES}"))]
pub struct BatchArgs {
    /// Files and folders: plain, gzip or zstd; `-` is stdin
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Rule files and folders; without it the library that comes with the program
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// What the addresses and hosts are: CSV or YAML
    #[arg(long, value_name = "FILE")]
    pub assets: Vec<PathBuf>,
    /// Where the results go; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = "portolan-out")]
    pub out: PathBuf,
    /// Write no lake, only the alerts and the summary
    #[arg(long)]
    pub no_lake: bool,
    /// Keep each event's raw line in the lake
    #[arg(long, conflicts_with = "no_lake")]
    pub keep_raw: bool,
    /// Exit with 1 if there is an alert of this level or a higher one
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub fail_on: Option<LevelArg>,
    /// How the lines are read, and what is known of the network
    #[command(flatten)]
    pub input: InputArgs,
    /// Form of the alerts in alerts.ndjson
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Canonical)]
    pub alerts: Form,
    /// Threads; without it one for each core
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub jobs: Option<u16>,
    /// Name of the tenant, where there are several
    #[arg(long, value_name = "NAME", default_value = "")]
    pub tenant: String,
}

/// How times are read.
#[derive(Args, Debug, Default)]
pub struct TimeArgs {
    /// Zone of times that name none: `UTC`, `Europe/Berlin`, `+02:00`
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub zone: String,
    /// What the logs mean by an abbreviation of a zone, as `CST=+08:00`; may be repeated
    #[arg(long, value_name = "NAME=OFFSET", value_parser = zone_name_of)]
    pub zone_name: Vec<(String, i32)>,
    /// Earlier times are not believed, and their lines' receipt counts; without it 1980-01-01
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    pub earliest: Option<i64>,
    /// Times further ahead of their receipt are not believed; without it 1d
    #[arg(long, value_name = "DURATION", value_parser = ahead_of)]
    pub ahead: Option<Duration>,
}

/// How lines are read, and what is known of the network.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Family of the logs; `auto` looks at each line
    #[arg(long, value_name = "FAMILY", default_value = "auto")]
    pub format: String,
    /// A mapping file: a format of one's own, docs/mappings.md; may be repeated
    #[arg(long, value_name = "FILE")]
    pub mapping: Vec<PathBuf>,
    /// How their times are read
    #[command(flatten)]
    pub times: TimeArgs,
    /// Database of countries, MaxMind format
    #[arg(long, value_name = "FILE")]
    pub geo_country: Option<PathBuf>,
    /// Database of autonomous systems, MaxMind format
    #[arg(long, value_name = "FILE")]
    pub geo_asn: Option<PathBuf>,
    /// A network that is ours besides the private ranges; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub network: Vec<ipnet::IpNet>,
}

/// `portolan run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The configuration; docs/configuration.md describes every key
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// End when all that the input topics hold now has been worked off, and close what is open
    #[arg(long)]
    pub drain: bool,
}

/// `portolan parse`.
#[derive(Args, Debug)]
#[command(after_help = format!("\
Examples:
  portolan parse --format cisco_asa asa.log
  journalctl -o short | portolan parse --format auto --output ecs -

{EXIT_CODES}"))]
pub struct ParseArgs {
    /// Family of the lines; `auto` looks at each line
    #[arg(long, value_name = "FAMILY", default_value = "auto")]
    pub format: String,
    /// A mapping file: a format of one's own, docs/mappings.md; may be repeated
    #[arg(long, value_name = "FILE")]
    pub mapping: Vec<PathBuf>,
    /// Form of the events
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ParseOutput::Ndjson)]
    pub output: ParseOutput,
    /// How their times are read
    #[command(flatten)]
    pub times: TimeArgs,
    /// The file; plain, gzip or zstd; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
}

/// Form of parsed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ParseOutput {
    /// Portolan's own flat names.
    Ndjson,
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
}

/// `portolan rejects`.
#[derive(Args, Debug)]
#[command(after_help = format!("\
A device's new version breaks many lines at once, and all alike: so they are grouped by the line without what differs.

Examples:
  portolan rejects found                                   what a batch run refused, the largest groups first
  portolan rejects /lake --group 2                         lines of a group, and where they are wrong
  portolan rejects found --group 2 --raw | portolan parse --format auto -

{EXIT_CODES}"))]
pub struct RejectsArgs {
    /// rejects.ndjson, the --out folder of a batch run, or the folder of a lake
    #[arg(value_name = "PATH", default_value = "portolan-out")]
    pub path: PathBuf,
    /// Show lines of this group of the list
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub group: Option<u16>,
    /// Groups to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Write the records exactly as they were received: all, or those of --group
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
    /// One JSON object for each group
    #[arg(long, conflicts_with = "group")]
    pub json: bool,
}

/// `portolan validate`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
#[group(required = true, multiple = true)]
pub struct ValidateArgs {
    /// The configuration, with the rules and assets that it names
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Rule files and folders
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Mapping files
    #[arg(long, value_name = "FILE")]
    pub mapping: Vec<PathBuf>,
    /// Asset files
    #[arg(long, value_name = "FILE")]
    pub assets: Vec<PathBuf>,
}

/// `portolan rules …`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List rules: level, id, title, what they need
    #[command(after_help = EXIT_CODES)]
    List(RulesArgs),
    /// Run each rule over the events beside it (RULE.events.yaml): some must fire, some must not
    #[command(after_help = EXIT_CODES)]
    Test(RuleTestArgs),
    /// Check rules for mistakes, and for what is allowed but unwise
    #[command(after_help = EXIT_CODES)]
    Lint(RulesArgs),
}

/// Which rules.
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// Rule files and folders; without any the library that comes with the program
    #[arg(value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// Which rules are tested.
#[derive(Args, Debug)]
pub struct RuleTestArgs {
    /// Rule files and folders; docs/rule-tests.md describes the files beside them
    #[arg(required = true, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Print JSON, one object a case
    #[arg(long)]
    pub json: bool,
}

/// A level, from the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LevelArg {
    /// Anything at all.
    Informational,
    /// Low or higher.
    Low,
    /// Medium or higher.
    Medium,
    /// High or higher.
    High,
    /// Critical only.
    Critical,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_lists_the_exit_codes_in_its_help() {
        fn walk(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(command.has_subcommands() || help.contains("130  interrupted"), "{}: {help}", command.get_name());
            command.get_subcommands_mut().filter(|sub| sub.get_name() != "help").for_each(walk);
        }
        let mut command = Cli::command();
        assert!(command.render_help().to_string().contains("130  interrupted"));
        command.build();
        walk(&mut command);
    }

    #[test]
    fn the_documented_command_lines_are_understood() {
        for line in [
            "portolan demo",
            "portolan batch a b --rules r --assets f --out o --no-lake --format auto",
            "portolan run -c portolan.yaml",
            "portolan parse --format cisco_asa --output ndjson file",
            "portolan parse --zone -05:00 -",
            "portolan parse --zone-name CST=+08:00 --zone-name ist=+02:00 --earliest 2020-01-01 --ahead 1h -",
            "portolan rejects out --group 2 --raw",
            "portolan validate -c f --rules d --assets a",
            "portolan rules list",
            "portolan rules test d",
            "portolan rules lint d --color never",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        assert!(Cli::try_parse_from(["portolan", "validate"]).is_err());
    }
}
