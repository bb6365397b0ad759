//! The numbers of OCSF 1.8: classes, activities, severities, dispositions and the like.
//!
//! Source: `ocsf/ocsf-schema` tag 1.8.0, `events/`, `profiles/security_control.json`, `dictionary.json`.

use crate::batch::FlowBatch;
use crate::fields::key;
use crate::words::{Action, EventKind, PortState};

/// A class of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// 4001 Network Activity.
    Network,
    /// 4003 DNS Activity.
    Dns,
    /// 3002 Authentication.
    Authentication,
    /// 2004 Detection Finding.
    Finding,
    /// 1007 Process Activity.
    Process,
    /// 0 Base Event.
    Base,
}

impl Class {
    pub(super) const ALL: &'static [Class] =
        &[Class::Network, Class::Dns, Class::Authentication, Class::Finding, Class::Process, Class::Base];

    pub(super) fn uid(self) -> u64 {
        match self {
            Class::Network => 4_001,
            Class::Dns => 4_003,
            Class::Authentication => 3_002,
            Class::Finding => 2_004,
            Class::Process => 1_007,
            Class::Base => 0,
        }
    }

    pub(super) fn activity(self, kind: EventKind, batch: &FlowBatch, row: usize) -> u64 {
        let action = batch.get(row, key::ACTION);
        match self {
            // 7 Listen; 1 Open, 2 Close, 3 Reset, 4 Fail, 5 Refuse, 6 Traffic
            Class::Network if kind == EventKind::Listener => 7,
            Class::Network => match action {
                Some(Action::Start) => 1,
                Some(Action::End | Action::Close | Action::Timeout) => 2,
                Some(Action::Reset) => 3,
                Some(Action::Deny | Action::Drop) => match batch.get(row, key::PORT_STATE) {
                    Some(PortState::Closed) => 5,
                    Some(PortState::Open | PortState::Filtered) | None => 4,
                },
                Some(Action::Allow | Action::Alert | Action::Nat) | None => 6,
            },
            Class::Dns => {
                let answered = batch.has(row, crate::Field::DnsRcode) || batch.has(row, crate::Field::DnsAnswers);
                if answered { 2 } else { 1 }
            }
            Class::Authentication => match (action, batch.text(row, key::EVENT_CODE)) {
                (Some(Action::End | Action::Close | Action::Timeout), _) => 2,
                (_, Some(b"4634" | b"4647")) => 2,
                (_, Some(b"4768")) => 3,
                (_, Some(b"4769")) => 4,
                (_, Some(b"4770")) => 5,
                (_, Some(b"4771")) => 6,
                _ => 1,
            },
            Class::Finding => 1,
            // 1 Launch, 2 Terminate
            Class::Process => match action {
                Some(Action::End | Action::Close | Action::Timeout) => 2,
                _ => 1,
            },
            Class::Base => 99,
        }
    }
}

/// The device's own word decides; without one an event is informational, and an alert's severity unknown.
pub(super) fn severity(kind: EventKind, batch: &FlowBatch, row: usize) -> u64 {
    const WORDS: &[(&str, u64)] = &[
        ("informational", 1),
        ("information", 1),
        ("info", 1),
        ("notice", 1),
        ("notification", 1),
        ("debug", 1),
        ("low", 2),
        ("minor", 2),
        ("warning", 3),
        ("warn", 3),
        ("medium", 3),
        ("moderate", 3),
        ("error", 4),
        ("err", 4),
        ("high", 4),
        ("major", 4),
        ("critical", 5),
        ("crit", 5),
        ("alert", 5),
        ("emergency", 6),
        ("emerg", 6),
        ("fatal", 6),
    ];
    let word = batch.text(row, key::LEVEL);
    let known = word.and_then(|word| WORDS.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(word)));
    match (known, kind) {
        (Some((_, id)), _) => *id,
        (None, EventKind::Alert | EventKind::Other) => 0,
        (None, _) => 1,
    }
}

/// `action_id` of profile security_control: 1 Allowed, 2 Denied, 3 Observed, 4 Modified.
pub(super) fn action(action: Option<Action>) -> u64 {
    match action {
        Some(Action::Allow | Action::Start | Action::End | Action::Close | Action::Timeout) => 1,
        Some(Action::Deny | Action::Drop | Action::Reset) => 2,
        Some(Action::Alert) => 3,
        Some(Action::Nat) => 4,
        None => 0,
    }
}

/// `disposition_id` of the same profile.
pub(super) fn disposition(action: Option<Action>) -> u64 {
    match action {
        Some(Action::Allow | Action::Start | Action::End | Action::Close | Action::Timeout) => 1,
        Some(Action::Deny) => 2,
        Some(Action::Drop) => 6,
        Some(Action::Nat) => 7,
        Some(Action::Alert) => 19,
        Some(Action::Reset) => 21,
        None => 0,
    }
}

/// A response code by name or number; the id is the number of the DNS itself.
pub(super) fn rcode(code: &[u8]) -> u64 {
    const NAMES: &[(&str, u64)] = &[
        ("NOERROR", 0),
        ("FORMERR", 1),
        ("SERVFAIL", 2),
        ("NXDOMAIN", 3),
        ("NOTIMP", 4),
        ("REFUSED", 5),
        ("YXDOMAIN", 6),
        ("YXRRSET", 7),
        ("NXRRSET", 8),
        ("NOTAUTH", 9),
        ("NOTZONE", 10),
        ("BADVERS", 16),
        ("BADSIG", 16),
        ("BADKEY", 17),
        ("BADTIME", 18),
        ("BADMODE", 19),
        ("BADNAME", 20),
        ("BADALG", 21),
        ("BADTRUNC", 22),
        ("BADCOOKIE", 23),
    ];
    let named = NAMES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(code)).map(|(_, id)| *id);
    named.or_else(|| crate::parse_u64(code).filter(|number| *number <= 25)).unwrap_or(99)
}

pub(super) fn auth_protocol(method: &[u8]) -> u64 {
    const NAMES: &[(&str, u64)] = &[
        ("NTLM", 1),
        ("NTLMv1", 1),
        ("NTLMv2", 1),
        ("Kerberos", 2),
        ("Digest", 3),
        ("OpenID", 4),
        ("SAML", 5),
        ("OAuth", 6),
        ("PAP", 7),
        ("CHAP", 8),
        ("EAP", 9),
        ("RADIUS", 10),
        ("Basic", 11),
        ("LDAP", 12),
    ];
    NAMES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(method)).map_or(99, |(_, id)| *id)
}

/// The numbers of Windows, but for System, which is 0 there and 1 here; 6 was never given out.
pub(super) fn logon_type(windows: u64) -> u64 {
    match windows {
        0 => 1,
        known @ (2..=5 | 7..=13) => known,
        _ => 99,
    }
}
