//! What people get to read of alerts: complete, in order, and harmless whatever the logs contain.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use pipeline::report::{Activity, AlertView, Detail, Style, Summary, alert_text, html, summary::TimeRange, view};
use pipeline::text::Paint;
use schemas::{Alert, AlertId, AlertState, AlertStatus, AlertValue, Attack, Entity, EntityKind, Evidence, Level};

const START: i64 = 1_794_902_400_000_000;

fn entity(kind: EntityKind, field: &str, value: &str, detail: &[(&str, &str)]) -> Entity {
    let detail = detail.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Entity { kind, field: field.to_owned(), value: value.to_owned(), detail }
}

fn alert() -> Alert {
    let line = |offset, raw: &[u8]| Evidence {
        source: Arc::from("logs/asa.log"),
        partition: 0,
        offset,
        sub: 0,
        time: START + offset as i64 * 1_000_000,
        raw: Some(raw.to_vec()),
    };
    let text = |text: &str| AlertValue::Text(text.to_owned());
    let list = |items: &[&str]| AlertValue::List(items.iter().map(|item| (*item).to_owned()).collect());
    Alert {
        alert_id: AlertId([0xab; 16]),
        revision: 2,
        status: AlertStatus::Closed,
        supersedes: Vec::new(),
        rule_id: Arc::from("rdp-brute-force-then-success"),
        rule_version: Arc::from("0123456789abcdef"),
        title: Arc::from("Password guessing on RDP that succeeded"),
        level: Level::High,
        risk: 85,
        confidence: 90,
        tenant: Arc::from(""),
        group: vec![("dst_host".to_owned(), "APP01".to_owned())],
        first_seen: START,
        last_seen: START + 250_000_000,
        triggered_at: START + 60_000_000,
        count: 1_234,
        values: vec![
            ("failed logins".to_owned(), AlertValue::Integer(1_230)),
            ("src_port".to_owned(), list(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])),
        ],
        entities: vec![
            entity(EntityKind::Host, "dst_host", "APP01", &[("role", "server"), ("criticality", "high")]),
            entity(EntityKind::Ip, "src_ip", "192.0.2.66", &[]),
        ],
        attack: Arc::from([Attack {
            tactic_id: "TA0006".into(),
            tactic: "Credential Access".into(),
            technique_id: "T1110".into(),
            technique: "Brute Force".into(),
        }]),
        state: AlertState::Exact,
        evidence: vec![line(7, b"Nov 17 08:00:07 fw1 %ASA-6-302013: Built inbound TCP connection"), line(9, b"second")],
        evidence_total: 1_234,
        message: "1230 failed logins, then 1 successful login for dst_host APP01 from 192.0.2.66, in 4m 10s".into(),
        context: vec![
            ("condition".to_owned(), text("failed logins >= 10, then a success, within 10m")),
            ("description".to_owned(), text("Somebody guessed until a password was right.")),
            ("falsepositives".to_owned(), list(&["an administrator who forgot a password"])),
            ("next".to_owned(), list(&["what the account did afterwards", "other targets of the source"])),
            ("dst_role".to_owned(), list(&["server"])),
            ("exposure".to_owned(), list(&["internet"])),
        ],
    }
}

#[test]
fn an_alert_says_what_happened_to_whom_why_how_sure_on_what_evidence_and_what_next() {
    insta::assert_snapshot!(alert_text::print(&[alert()], &Style { width: 100, ..Style::default() }), @r"
        HIGH          Password guessing on RDP that succeeded  over
                      1230 failed logins, then 1 successful login for dst_host APP01 from 192.0.2.66, in 4m
                      10s
                 when 2026-11-17 08:00:00 to 08:04:10 UTC (4m 10s)
                  who dst_host APP01 (role server, criticality high)
                      src_ip 192.0.2.66
                  why Somebody guessed until a password was right.
             how sure 90 of 100; risk 85 of 100
            condition failed logins >= 10, then a success, within 10m
               met by failed logins: 1,230; src_port: 1, 2, 3, 4, 5, 6, 7, 8 and 2 more
               ATT&CK T1110 Brute Force (Credential Access)
                known exposure: internet
             evidence 2 of 1,234
                        08:00:07.000 logs/asa.log:7
                          Nov 17 08:00:07 fw1 %ASA-6-302013: Built inbound TCP connection
                        08:00:09.000 logs/asa.log:9
                          second
          harmless if an administrator who forgot a password
         look at next 1. what the account did afterwards
                      2. other targets of the source
                   id abababababababababababababababab by rdp-brute-force-then-success version
                      0123456789abcdef, revision 2
    ");
}

#[test]
fn brief_alerts_take_few_lines_and_the_gravest_come_first() {
    let low = Alert { level: Level::Low, title: Arc::from("small"), ..alert() };
    let style = Style { detail: Detail::Brief, ..Style::default() };
    let text = alert_text::print(&[low, alert()], &style);
    assert!(text.find("HIGH").unwrap() < text.find("LOW").unwrap());
    assert!(text.lines().count() <= 7, "{text}");
}

/// What a log could try: escapes, carriage returns, markup, direction overrides, quotes.
const HOSTILE: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n</div><script>alert(1)</script>\"'><img src=x onerror=y>\u{202e}{{ 7*7 }}\u{9b}1m";

fn hostile() -> Alert {
    let value = || AlertValue::Text(HOSTILE.into());
    let mut alert = alert();
    alert.title = Arc::from(HOSTILE);
    alert.rule_id = Arc::from(HOSTILE);
    alert.rule_version = Arc::from(HOSTILE);
    alert.tenant = Arc::from(HOSTILE);
    alert.message = HOSTILE.into();
    alert.entities.push(entity(EntityKind::User, HOSTILE, HOSTILE, &[(HOSTILE, HOSTILE)]));
    alert.values.push((HOSTILE.into(), AlertValue::List(vec![HOSTILE.into()])));
    alert.context = ["condition", "description", "falsepositives", "next", "references", HOSTILE]
        .map(|name| (name.to_owned(), value()))
        .to_vec();
    alert.attack = Arc::from([Attack { tactic: HOSTILE.into(), technique: HOSTILE.into(), ..Attack::default() }]);
    alert.evidence[0].raw = Some([HOSTILE.as_bytes(), b"\xff\xfe\x00"].concat());
    alert.evidence[0].source = Arc::from(HOSTILE);
    alert
}

#[test]
fn nothing_in_a_log_can_steer_the_terminal() {
    let text = alert_text::print(&[hostile()], &Style::default());
    let bad = text.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
    assert_eq!(bad, None);
    assert!(text.contains("\\x1b]0;owned\\x07") && text.contains("\\xff\\xfe\\x00"));
    let coloured = alert_text::print(&[hostile()], &Style { paint: Paint::COLOUR, ..Style::default() });
    for escape in coloured.split('\u{1b}').skip(1) {
        let end = escape.find('m').unwrap();
        assert!(escape[1..end].chars().all(|c| c.is_ascii_digit() || c == ';'), "{escape:?}");
    }
}

fn page(alerts: &[Alert]) -> String {
    let mut summary =
        Summary { lines: 10, events: 9, rejects: 1, ..Summary::default() }.with_alerts(alerts).with_seconds(0.5);
    summary.rejects_by_reason.insert(HOSTILE.into(), 1);
    summary.events_by_family.insert("cisco_asa".into(), 9);
    summary.time_range = TimeRange::new(START, START + 7_200_000_000);
    let mut activity = Activity::default();
    activity.add(&[START, START + 1, START + 60_000_000]);
    html::render(&html::Report { summary: &summary, alerts, activity: &activity, inputs: &[HOSTILE.to_owned()] })
}

#[test]
fn nothing_in_a_log_can_become_markup_in_the_report() {
    let page = page(&[alert(), hostile()]);
    assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script"));
    assert!(!page.contains("49") || page.contains("{{ 7*7 }}"), "templates in logs are not evaluated");
    assert!(!page.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'));
}

#[test]
fn the_report_is_one_file_that_asks_the_network_for_nothing() {
    let page = page(&[alert()]);
    for word in ["http://", "https://", "src=\"", "@import", "url(", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("Password guessing on RDP that succeeded") && page.contains("asa.log:7"));
    assert!(page.contains("<svg") && page.contains("Refused lines by reason"));
}

#[test]
fn an_empty_run_has_a_report_too_and_promises_nothing() {
    let summary = Summary::default();
    let page =
        html::render(&html::Report { summary: &summary, alerts: &[], activity: &Activity::default(), inputs: &[] });
    assert!(page.contains("it does not say that nothing happened"));
}

#[test]
fn the_summary_has_stable_names_and_a_printed_form() {
    let mut summary = Summary {
        lines: 200_000,
        bytes: 30_000_000,
        events: 199_000,
        rejects: 1_000,
        hits: 5_000,
        ..Summary::default()
    }
    .with_alerts(&[alert(), alert()])
    .with_seconds(1.25);
    summary.rejects_by_reason.insert("cisco_asa: bad_value".into(), 990);
    summary.rejects_by_reason.insert("auto: not_this_family".into(), 10);
    summary.events_by_family.insert("cisco_asa".into(), 199_000);
    summary.time_range = TimeRange::new(START, START + 7_200_000_000);
    insta::assert_snapshot!(summary.text(Paint::PLAIN), @r"
          lines 200,000 in 1.2 s (160,000 a second)
         events 199,000: cisco_asa 199,000
           from 2026-11-17 08:00:00 to 10:00:00 UTC (2h 00m)
        refused 1,000 (0.50 %): cisco_asa: bad_value 990, auto: not_this_family 10
         alerts 2: 2 high
                    2  Password guessing on RDP that succeeded
    ");
    insta::assert_snapshot!(summary.json(), @r#"
        {
          "lines": 200000,
          "bytes": 30000000,
          "lines_without_event": 0,
          "events": 199000,
          "rejects": 1000,
          "rejects_by_reason": {
            "auto: not_this_family": 10,
            "cisco_asa: bad_value": 990
          },
          "events_by_family": {
            "cisco_asa": 199000
          },
          "time_range": {
            "first": "2026-11-17T08:00:00.000000Z",
            "last": "2026-11-17T10:00:00.000000Z"
          },
          "hits": 5000,
          "alerts": 2,
          "alerts_by_level": {
            "high": 2
          },
          "alerts_by_rule": [
            {
              "rule_id": "rdp-brute-force-then-success",
              "title": "Password guessing on RDP that succeeded",
              "level": "high",
              "alerts": 2
            }
          ],
          "seconds": 1.25,
          "lines_per_second": 160000
        }
    "#);
}

#[test]
fn a_superseded_or_degraded_alert_says_so() {
    let alert = Alert { state: AlertState::Degraded, status: AlertStatus::Superseded, ..alert() };
    let view = AlertView::of(&alert);
    assert!(view.sure.contains("lower bounds") && view.status.contains("replaced"));
    assert_eq!(view::by_level(&[alert]), [("high", 1)]);
}
