//! What the configuration reader accepts, and how it refuses: all mistakes at once, each at its place.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use parsers::{Format, Zone};
use pipeline::config::{Config, Form, Mechanism, Start};
use pipeline::yaml::finding::Colour;
use schemas::Plausible;

/// A folder with the files that the examples refer to.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["assets.csv", "country.mmdb", "password", "ca.pem"] {
        std::fs::write(dir.path().join(name), "x\n").unwrap();
    }
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    dir
}

fn load(dir: &Path, text: &str) -> Result<Config, String> {
    Config::load(&dir.join("portolan.yaml"), text)
        .map_err(|errors| errors.0.render(Colour::Plain).replace(&format!("{}/", dir.display()), ""))
}

/// The titles of all findings, in the order of the text.
fn titles(text: &str) -> Vec<String> {
    let dir = folder();
    let errors = Config::load(&dir.path().join("portolan.yaml"), text).expect_err("mistakes");
    errors.0.findings().iter().map(|finding| finding.title.clone()).collect()
}

const LEAST: &str = "kafka: {brokers: [localhost:9092]}\ninput: {topics: [logs]}\nlake: {path: lake}\n";

#[test]
fn five_mistakes_are_reported_at_once_with_place_text_and_suggestion() {
    let dir = folder();
    let text = "\
kafka:
  brokers: [broker.example.com]
input:
  topics: [logs]
  latenes: 2m
  start: earlyest
lake:
  path: lake
  epoch: 10
assets: [asset.csv]
";
    insta::assert_snapshot!(load(dir.path(), text).unwrap_err(), @r"
    error: `kafka.brokers[0]`: not `host:port`
     --> portolan.yaml:2:13
      |
    2 |   brokers: [broker.example.com]
      |             ^^^^^^^^^^^^^^^^^^ not `host:port`
      |
      = help: the port is missing; write `broker.example.com:9092`

    error: unknown key `latenes`
     --> portolan.yaml:5:3
      |
    5 |   latenes: 2m
      |   ^^^^^^^ not a key of `input`
      |
      = help: did you mean `lateness`?

    error: `input.start` does not know the word `earlyest`
     --> portolan.yaml:6:10
      |
    6 |   start: earlyest
      |          ^^^^^^^^ unknown word
      |
      = help: did you mean `earliest`? It may be `earliest`, `latest`

    error: `lake.epoch` must be a length of time
     --> portolan.yaml:9:10
      |
    9 |   epoch: 10
      |          ^^ found `10`
      |
      = help: add the unit: `10s`, `10m` or `10ms`

    error: `assets[0]`: no such file
      --> portolan.yaml:10:10
       |
    10 | assets: [asset.csv]
       |          ^^^^^^^^^ no such file
       |
       = help: did you mean `assets.csv`, which stands in the same folder?
    ");
}

#[test]
fn the_least_configuration_has_the_documented_defaults() {
    let config = load(folder().path(), LEAST).unwrap();
    assert_eq!(config.kafka.group, "portolan");
    assert_eq!((config.input.format, config.input.start), (Format::Auto, Start::Earliest));
    assert_eq!((config.input.lateness, config.input.idle_after), (Duration::from_secs(120), Duration::from_secs(30)));
    assert_eq!((config.topics.hits.as_str(), config.topics.hits_partitions), ("portolan-hits", 8));
    assert_eq!((config.topics.alerts.as_str(), config.topics.events), ("portolan-alerts", None));
    assert_eq!((config.output.alerts, config.output.events), (Form::Canonical, Form::Ecs));
    assert_eq!((config.lake.keep_raw, config.lake.epoch), (false, Duration::from_secs(10)));
    assert_eq!(config.state.budget_bytes, 512 << 20);
}

#[test]
fn a_full_configuration_is_read_whole() {
    let dir = folder();
    let text = "\
kafka:
  brokers: [a.example.com:9093, '[2001:db8::1]:9093']
  group: soc
  tls: {ca_file: ca.pem}
  sasl: {mechanism: SCRAM-SHA-512, username: portolan, password_file: password}
  properties: {fetch.min.bytes: 65536}
input:
  topics: [fw, win]
  format: auto
  start: latest
  zone: Europe/Berlin
  zone_names: {CST: +08:00}
  plausible: {earliest: 2020-01-01}
  lateness: 5m
  idle_after: 10s
  sources:
    - {topic: win, format: auto, zone: '+02:00', plausible: {ahead: 1h}, tenant: b}
    - {topic: fw, zone_names: {}}
topics: {hits: h, hits_partitions: 3, alerts: a, events: e}
output: {alerts: ecs, events: ocsf}
lake: {path: lake, keep_raw: true, epoch: 30s}
rules: [rules]
assets: [assets.csv]
geo: {country: country.mmdb}
networks: [198.51.100.0/24, '2001:db8::/32']
state: {budget: 1GiB}
workers: 4
tenant: a
";
    let config = load(dir.path(), text).unwrap();
    let sasl = config.kafka.sasl.as_ref().unwrap();
    assert_eq!((sasl.mechanism, sasl.password.reveal()), (Mechanism::ScramSha512, "x"));
    let properties = config.kafka.client_properties();
    assert!(properties.contains(&("security.protocol".to_owned(), "sasl_ssl".to_owned())));
    assert!(properties.contains(&("fetch.min.bytes".to_owned(), "65536".to_owned())));
    assert_eq!(config.input.sources[0].tenant.as_deref(), Some("b"));
    let [win, fw] = config.input.sources.as_slice() else { panic!("two sources") };
    let day_2020 = 1_577_836_800_000_000;
    assert!(matches!((&win.times.zone, &fw.times.zone), (Zone::Fixed(7_200), Zone::Named(_))));
    assert_eq!((win.times.zone_names.as_slice(), fw.times.zone_names.len()), (&[("CST".to_owned(), 28_800)][..], 0));
    assert_eq!(win.times.plausible, Plausible { earliest_us: day_2020, ahead_us: 3_600_000_000 });
    assert_eq!(fw.times.plausible, Plausible { earliest_us: day_2020, ahead_us: 86_400_000_000 });
    assert_eq!(config.assets, [dir.path().join("assets.csv")]);
    assert_eq!(config.networks.len(), 2);
    assert_eq!((config.workers.get(), config.state.budget_bytes), (4, 1 << 30));
    assert!(config.warnings.is_none());
    assert!(!format!("{config:?}").contains("Secret(\"x"), "the password is in the debug output");
}

#[test]
fn what_is_missing_is_named_and_a_misspelt_key_is_not_also_missing() {
    assert_eq!(titles(""), ["`kafka` is missing", "`input` is missing", "`lake` is missing"]);
    assert_eq!(titles(&LEAST.replace("lake:", "lak:")), ["unknown key `lak`"]);
    assert_eq!(titles("- a\n"), ["`the document` must be a mapping"]);
}

#[test]
fn a_syntax_error_is_one_finding_and_nothing_is_guessed_after_it() {
    assert_eq!(titles("kafka: {brokers: [a:9092}\ninput: x\n"), ["this is not valid YAML"]);
}

#[test]
fn a_topic_is_never_both_read_and_written() {
    let text = LEAST.replace("[logs]", "[logs, portolan-alerts]");
    assert_eq!(titles(&text), ["the topic `portolan-alerts` is read and written"]);
}

#[test]
fn secrets_in_the_wrong_place_are_refused_and_not_repeated() {
    let text = LEAST.replace(
        "{brokers: [localhost:9092]}",
        "{brokers: [localhost:9092], sasl: {mechanism: PLAIN, username: u, password: hunter2}, properties: {sasl.password: hunter2}}",
    );
    let shown = load(folder().path(), &text).unwrap_err();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("unknown key `password`") && shown.contains("password_file"), "{shown}");
    assert!(shown.contains("the property `sasl.password` can't be set here"), "{shown}");
}

#[test]
fn properties_that_would_break_a_promise_are_refused() {
    let text = LEAST.replace("9092]}", "9092], properties: {enable.auto.commit: true, linger.ms: 5}}");
    assert_eq!(titles(&text), ["the property `enable.auto.commit` can't be set here"]);
}

#[test]
fn a_password_in_clear_text_over_the_network_is_a_warning() {
    let sasl = "9092], sasl: {mechanism: PLAIN, username: u, password_file: password}}";
    let config = load(folder().path(), &LEAST.replace("9092]}", sasl)).unwrap();
    let warnings = config.warnings.unwrap().render(Colour::Plain);
    assert!(warnings.starts_with("warning: the password goes over the network in clear text"), "{warnings}");
}

#[test]
fn every_value_of_the_wrong_kind_has_its_own_advice() {
    for (wrong, advice) in [
        ("workers: four", "write digits only"),
        ("workers: 0", "the nearest is `1`"),
        ("state: {budget: 512}", "add the unit: `512MiB`"),
        ("state: {budget: 1KiB}", "the nearest is `16MiB`"),
        ("networks: [10.0.0.1/8]", "did you mean `10.0.0.0/8`?"),
        ("networks: [10.0.0.1]", "add the prefix: `10.0.0.1/32`"),
        ("networks: 10.0.0.0/8", "write `[10.0.0.0/8]`"),
        ("output: {alerts: ecss}", "did you mean `ecs`?"),
        ("topics: {alerts: 'my alerts'}", "' ' is not allowed"),
        ("topics: {hits: portolan-alerts}", "give each its own topic"),
        ("geo: {country: contry.mmdb}", "did you mean `country.mmdb`"),
        ("assets: [rules]", "name the file in it"),
        ("rules: [no-such]", "no such file"),
        ("tenant: [a]", "write one value after the colon"),
        ("tenant: ''", "nothing between the quotes"),
        ("colour: true", "known here: "),
    ] {
        let shown = load(folder().path(), &format!("{LEAST}{wrong}\n")).unwrap_err();
        assert!(shown.contains(advice), "{wrong} should be answered with {advice}:\n{shown}");
        assert_eq!(shown.matches("error: ").count(), 1, "{shown}");
    }
    for (wrong, advice) in [
        ("zone: Europe/Berlim", "did you mean `Europe/Berlin`?"),
        ("zone_names: {CST: China}", "write hours and minutes east of Greenwich"),
        ("zone_names: {C: +08:00}", "write two letters or more"),
        ("zone_names: {CST: +08:00, cst: -06:00}", "remove one"),
        ("zone_names: [CST]", "write `name: value` lines"),
        ("plausible: {earliest: 1980}", "write a day as `1980-01-01`"),
        ("plausible: {ahead: 367d}", "the nearest is `366d`"),
        ("plausible: {ahed: 1d}", "did you mean `ahead`?"),
        ("sources: [{topic: logs, plausible: {earliest: 2020-02-30}}]", "write a day"),
        ("format: autoo", "did you mean `auto`?"),
        ("sources: [{topic: log}]", "did you mean `logs`?"),
        ("lateness: 2d", "the nearest is `1d`"),
    ] {
        let text = LEAST.replace("topics: [logs]", &format!("topics: [logs], {wrong}"));
        let shown = load(folder().path(), &text).unwrap_err();
        assert!(shown.contains(advice), "{wrong} should be answered with {advice}:\n{shown}");
    }
}
