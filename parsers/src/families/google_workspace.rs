//! Google Workspace audit logs as the Reports API gives them: one activity is one JSON object with one or more events, and
//! each event becomes a row.
//!
//! Who acted, when and from where is said once for all of them; what happened stands in a list of parameters of which each
//! has a name and one of several kinds of value. Source: Google, Admin SDK Reports API, `activities.list`; "Login Audit
//! Activity Events" and "SAML Audit Activity Events".

use schemas::{Action, EventKind, Field, LogSource, Outcome, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::{self, Member, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::contains;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

macro_rules! sources {
    ($($name:literal $categories:expr),+ $(,)?) => {
        /// One stream an application; the last is any other.
        static SOURCES: &[LogSource] = &[$(LogSource {
            family: "google_workspace",
            vendor: "Google",
            product: "Workspace",
            dataset: concat!("google_workspace.", $name),
            categories: &$categories,
            products: &["google_workspace"],
            services: &["google_workspace.admin", $name],
        }),+];
        static NAMES: &[&str] = &[$($name),+];
    };
}

sources! {
    "login" ["authentication"], "saml" ["authentication"], "token" [], "admin" [], "drive" [], "user_accounts" [], "groups" [],
    "rules" [], "device" [], "other" [],
}

notes! { Time, Application, Email, ProfileId, CallerType, ActorKey, Ip, Kind }

#[rustfmt::skip]
static PATHS: Paths<Note, 64> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "kind" Note(N::Kind), "etag" Leave, "id.time" Note(N::Time), "id.applicationName" Note(N::Application), "id.uniqueQualifier" Extra,
    "id.customerId" Field(Tenant), "actor.email" Note(N::Email), "actor.profileId" Note(N::ProfileId), "actor.callerType" Note(N::CallerType),
    "actor.key" Note(N::ActorKey), "ownerDomain" Extra, "ipAddress" Note(N::Ip), "networkInfo.ipAsn" Field(SrcAsn),
    "networkInfo.regionCode" Field(SrcCountry), "networkInfo.subdivisionCode" Leave,
    }
};

/// What becomes of a parameter.
#[derive(Clone, Copy)]
enum Parameter {
    Field(Field),
    /// Says why a login failed.
    Failure,
    /// The account that the event is about, where nobody acted.
    Affected,
}

static PARAMETERS: KeyMap<Parameter, 64> = KeyMap::new(&[
    ("login_type", Parameter::Field(Field::AuthMethod)),
    ("login_failure_type", Parameter::Failure),
    ("failure_type", Parameter::Failure),
    ("affected_email_address", Parameter::Affected),
    ("user_email", Parameter::Affected),
    ("USER_EMAIL", Parameter::Affected),
    ("network_info_ip_asn", Parameter::Field(Field::SrcAsn)),
    ("user_agent", Parameter::Field(Field::UserAgent)),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "google_workspace"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["gsuite", "google_reports", "google_workspace_login"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        if !keys.has(Keys::KIND.and(Keys::ZEEK_ID)) || !keys.has_any(Keys::EVENTS.and(Keys::ACTOR)) {
            return None;
        }
        // `kind` comes first in what Google writes; anything else that has these three members is no activity.
        contains(record.body.get(..512).unwrap_or(record.body), b"admin#reports#activity")
            .then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut events = Value::Null;
        for member in json::members(record.body)? {
            if let Member { key: b"events", value, .. } = member? {
                events = value;
            }
        }
        let list = match events {
            Value::Array(list) => list,
            Value::Text(_) | Value::Number(_) | Value::True | Value::False | Value::Null | Value::Object(_) => {
                // also what is cut off before its events
                document::read(record, row, &PATHS, &[b""], |_, _, _| {})?;
                return Err(record.not_this_family("an activity with `id` and `events`"));
            }
        };
        let mut shared = None;
        for event in json::elements(list)? {
            let Value::Object(event) = event? else {
                return Err(record.refuse(list, RejectKind::bad_value("events", b"", "objects")));
            };
            match &shared {
                None => {
                    activity(record, row)?;
                    shared = Some(row.shared());
                }
                Some(shared) => {
                    row.another()?;
                    row.say_again(shared);
                }
            }
            happened(record, event, row)?;
        }
        if shared.is_none() {
            return Err(record.refuse(list, RejectKind::Missing { what: "an event in `events`" }));
        }
        Ok(Parsed::Events)
    }
}

/// What all events of an activity share.
fn activity(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut notes = Notes::<NOTES>::default();
    document::read(record, row, &PATHS, &[b"events."], |note, value, _| notes.take(note, value))?;
    if !notes.has(Note::Time) {
        return Err(RejectKind::Missing { what: "id.time" }.into());
    }
    document::time(record, row, "id.time", notes.value(Note::Time))?;
    let application = notes.raw(Note::Application);
    let at = NAMES.iter().position(|name| name.as_bytes() == application).unwrap_or(NAMES.len() - 1);
    row.log_source(&SOURCES[at]);
    document::extra(row, "applicationName", notes.value(Note::Application));
    document::address(record, row, key::SRC_IP, "ipAddress", notes.value(Note::Ip))?;
    document::text(row, key::USER, notes.value(Note::Email));
    document::extra(row, "actor.key", notes.value(Note::ActorKey));
    document::text(row, key::USER_ID, notes.value(Note::ProfileId));
    document::extra(row, "actor.callerType", notes.value(Note::CallerType));
    Ok(())
}

/// One event: its name, and what its parameters say. It overwrites nothing of what is shared.
fn happened(record: &Record<'_>, event: &[u8], row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut name = Value::Null;
    for member in json::members(event)? {
        match member? {
            Member { key: b"name", value, .. } => name = value,
            Member { key: b"type", value, .. } => document::extra(row, "type", value),
            Member { key: b"parameters", value: Value::Array(list), .. } => {
                for parameter in json::elements(list)? {
                    if let Value::Object(parameter) = parameter? {
                        take(record, parameter, row)?;
                    }
                }
            }
            Member { .. } => {}
        }
    }
    if name.scalar().is_empty() {
        return Err(record.refuse(event, RejectKind::Missing { what: "the event's name" }));
    }
    document::text(row, key::EVENT_CODE, name);
    document::text(row, key::EVENT_ACTION, name);
    judge(name.scalar(), row);
    Ok(())
}

fn take(record: &Record<'_>, parameter: &[u8], row: &mut Row<'_>) -> Result<(), Refusal> {
    let (mut name, mut value) = (Value::Null, Value::Null);
    for member in json::members(parameter)? {
        let member = member?;
        match member.key {
            b"name" => name = member.value,
            b"value" | b"intValue" | b"boolValue" | b"multiValue" | b"multiIntValue" => value = member.value,
            _ => {}
        }
    }
    match PARAMETERS.get(name.scalar()) {
        Some(Parameter::Field(field)) => document::set(record, row, field, value)?,
        Some(Parameter::Failure) => document::text(row, key::REASON, value),
        Some(Parameter::Affected) if !row.has(Field::User) => document::text(row, key::USER, value),
        Some(Parameter::Affected) | None => match value {
            Value::Array(list) => {
                name.with(|name| {
                    for one in json::elements(list)? {
                        one?.with(|text| row.extra(name, text));
                    }
                    Ok::<(), Refusal>(())
                })?;
            }
            Value::False => {}
            value => value.with(|text| name.with(|name| row.extra(name, text))),
        },
    }
    Ok(())
}

/// Which events are logins. A challenge that was shown is none; one that was passed or failed is part of one.
fn judge(name: &[u8], row: &mut Row<'_>) {
    let (kind, outcome) = match name {
        b"login_success" => (EventKind::Auth, Some(Outcome::Success)),
        b"login_failure" => (EventKind::Auth, Some(Outcome::Failure)),
        b"login_verification" | b"login_challenge" => (EventKind::Auth, Some(Outcome::Unknown)),
        b"logout" => {
            row.set(key::ACTION, Action::End);
            (EventKind::Auth, Some(Outcome::Success))
        }
        b"risky_sensitive_action_allowed" | b"risky_sensitive_action_blocked" => (EventKind::Alert, None),
        _ if name.starts_with(b"suspicious_")
            || name.starts_with(b"account_disabled_")
            || name.ends_with(b"_attack_warning") =>
        {
            (EventKind::Alert, None)
        }
        b"action_complete" | b"rule_match" | b"rule_trigger" => (EventKind::Alert, None),
        b"authorize" => (EventKind::Other, Some(Outcome::Success)),
        _ => (EventKind::Other, None),
    };
    row.set(key::KIND, kind);
    row.set_opt(key::OUTCOME, outcome);
    if kind == EventKind::Alert {
        row.set(key::ACTION, Action::Alert);
        row.text(key::SIGNATURE, name);
    }
}
