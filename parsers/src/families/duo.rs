//! Duo Security: authentication logs of the Admin API (versions 1 and 2), administrators' actions, activity, telephony, Trust
//! Monitor, and the Authentication Proxy's `authevents.log`. One JSON object an event.
//!
//! The source is the device that asks for access; the other device in the record is the phone on which somebody said yes, and
//! its address is no end of anything. Duo is the second factor: that a password was right was decided elsewhere. Source:
//! Duo, Admin API, "Logs"; Authentication Proxy Reference, "Authentication events".

use schemas::{Action, EventKind, Field, LogSource, Outcome, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::text::contains;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "duo",
        vendor: "Cisco",
        product: "Duo",
        dataset,
        categories,
        products: &["cisco", "duo"],
        services: &["duo"],
    }
}

static AUTHENTICATION: LogSource = source("duo.auth", &["authentication"]);
static PROXY: LogSource = source("duo.auth_proxy", &["authentication"]);
static ADMINISTRATOR: LogSource = source("duo.admin", &[]);
static ACTIVITY: LogSource = source("duo.activity", &[]);
static TELEPHONY: LogSource = source("duo.telephony", &[]);
static TRUST: LogSource = source("duo.trust_monitor", &[]);

notes! {
    Timestamp, Iso, Ts, SurfacedTimestamp, EventType, Result, AccessIp, Ip, ClientIp, UserName, UserText, Factor, Application, Integration,
    ActionText, ActionName, Stage, Status, Description, Object, Credits, Context, PriorityEvent, ActorName, OutcomeResult, HostName, Host,
    ServerSection, Txid
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "timestamp" Note(N::Timestamp), "isotimestamp" Note(N::Iso), "ts" Note(N::Ts), "surfaced_timestamp" Note(N::SurfacedTimestamp),
    "event_type" Note(N::EventType), "result" Note(N::Result), "reason" Field(Reason), "factor" Note(N::Factor), "txid" Note(N::Txid),
    "access_device.ip" Note(N::AccessIp), "access_device.ip.address" Note(N::AccessIp), "access_device.hostname" Field(SrcHost), "access_device.os" Extra, "access_device.browser" Extra,
    "access_device.location.country" Extra, "access_device.location.city" Extra, "access_device.location.state" Extra,
    "access_device.epkey" Extra, "access_device.is_encryption_enabled" Leave, "access_device.is_firewall_enabled" Leave,
    "access_device.is_password_set" Leave, "access_device.flash_version" Leave, "access_device.java_version" Leave,
    "auth_device.ip" Extra, "auth_device.name" Extra, "auth_device.location.country" Extra, "auth_device.location.city" Leave,
    "auth_device.location.state" Leave,
    "user" Note(N::UserText), "user.name" Note(N::UserName), "username" Note(N::UserName), "user.key" Field(UserId), "user.groups" Extra,
    "email" Extra, "alias" Extra, "application" Note(N::Application), "application.name" Note(N::Application), "application.key" Extra,
    "integration" Note(N::Integration), "ip" Note(N::Ip), "device" Extra, "new_enrollment" IfTrue,
    // the proxy's own log
    "auth_stage" Note(N::Stage), "status" Note(N::Status), "client_ip" Note(N::ClientIp), "hostname" Note(N::HostName), "msg" Field(Message),
    "server_section" Note(N::ServerSection), "server_section_ikey" Extra,
    // administration
    "action" Note(N::ActionText), "action.name" Note(N::ActionName), "action.details" Extra, "description" Note(N::Description),
    "object" Note(N::Object), "host" Note(N::Host), "actor.name" Note(N::ActorName), "actor.key" Field(UserId), "actor.type" Extra,
    "outcome.result" Note(N::OutcomeResult), "target.name" Extra, "target.type" Extra,
    // telephony and findings
    "credits" Note(N::Credits), "context" Note(N::Context), "phone" Extra, "type" Extra, "priority_event" Note(N::PriorityEvent),
    "surfaced_auth.access_device.ip" Note(N::AccessIp), "surfaced_auth.user.name" Note(N::UserName), "surfaced_auth.user.key" Field(UserId),
    "surfaced_auth.application.name" Note(N::Application), "surfaced_auth.factor" Note(N::Factor), "surfaced_auth.reason" Extra,
    "surfaced_auth.result" Extra, "surfaced_auth.auth_device.ip" Leave, "surfaced_auth.timestamp" Leave, "surfaced_auth.isotimestamp" Leave,
    "explanations.summary" Field(Message), "explanations.type" Extra, "priority_reasons.label" Extra, "sekey" Extra,
    }
};

const LEFT: &[&[u8]] =
    &[b"access_device.security_agents", b"surfaced_auth.access_device.", b"surfaced_auth.auth_device.", b"old_target."];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "duo"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["duo_auth", "duo_admin", "cisco_duo"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let authentication = keys.has(Keys::TXID) && keys.has_any(Keys::ACCESS_DEVICE.and(Keys::AUTH_DEVICE));
        let trust = keys.has(Keys::SURFACED_AUTH);
        let administration = keys.has(Keys::ISO_TIMESTAMP.and(Keys::TIMESTAMP));
        let proxy = keys.has(Keys::AUTH_STAGE.and(Keys::SERVER_SECTION));
        if authentication || trust || administration || proxy {
            return Some(Confidence::Certain);
        }
        (keys.has(Keys::ACCESS_DEVICE) || keys.has(Keys::ACTIVITY_ID.and(Keys::ACTOR)) || keys.has(Keys::TELEPHONY_ID))
            .then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event(Notes::default());
        document::read(record, row, &PATHS, LEFT, |note, value, _| event.0.take(note, value))?;
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Event<'a>(Notes<'a, NOTES>);

impl Event<'_> {
    fn conclude(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        for (name, note) in [
            ("surfaced_timestamp", Note::SurfacedTimestamp),
            ("ts", Note::Ts),
            // whole seconds in one, their text in the other; some versions have microseconds in the text
            ("isotimestamp", Note::Iso),
            ("timestamp", Note::Timestamp),
        ] {
            if notes.has(note) {
                document::time(record, row, name, notes.value(note))?;
                break;
            }
        }
        document::address(record, row, key::SRC_IP, "access_device.ip", notes.value(Note::AccessIp))?;
        document::address(record, row, key::SRC_IP, "ip", notes.value(Note::Ip))?;
        document::address(record, row, key::SRC_IP, "client_ip", notes.value(Note::ClientIp))?;
        // What Duo writes where the application does not tell who asks.
        if row.get(key::SRC_IP).is_some_and(|ip| ip == schemas::Ip::v4([0; 4])) {
            row.clear(Field::SrcIp);
        }
        if notes.raw(Note::ActionText) == b"admin_lockout" {
            // Duo itself did it; the account concerned is the object.
            document::account(row, notes.value(Note::Object));
        }
        document::account(row, notes.first([Note::UserName, Note::UserText, Note::ActorName]));
        document::text(row, key::SESSION_ID, notes.value(Note::Txid));
        document::extra(row, "application", notes.first([Note::Application, Note::Integration]));
        match () {
            _ if notes.has(Note::SurfacedTimestamp) => self.finding(row),
            _ if notes.has(Note::Stage) => self.proxy(row),
            _ if notes.has(Note::Result) || notes.raw(Note::EventType) == b"authentication" => self.login(row),
            _ if notes.has(Note::ActionName) => self.activity(row),
            _ if notes.has(Note::ActionText) => self.administrator(row),
            _ if notes.has(Note::Context) || notes.has(Note::Credits) => self.telephony(row),
            _ => return Err(record.not_this_family("`result`, `action`, `auth_stage` or `context` of a Duo log")),
        }
        if !row.has(Field::Time) {
            return Err(RejectKind::Missing { what: "timestamp" }.into());
        }
        Ok(())
    }

    fn login(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&AUTHENTICATION);
        row.set(key::KIND, EventKind::Auth);
        document::text(row, key::EVENT_CODE, notes.value(Note::EventType));
        document::text(row, key::EVENT_ACTION, notes.value(Note::Result));
        document::text(row, key::AUTH_METHOD, notes.value(Note::Factor));
        document::text(row, key::HOST, notes.value(Note::Host));
        let is = |word: &[u8]| notes.raw(Note::Result).eq_ignore_ascii_case(word);
        row.set(
            key::OUTCOME,
            match () {
                _ if is(b"success") || is(b"allow") => Outcome::Success,
                _ if is(b"denied") || is(b"deny") || is(b"failure") || is(b"fraud") || is(b"error") => Outcome::Failure,
                _ => Outcome::Unknown,
            },
        );
    }

    /// Each login is written twice, once for the password and once for the second factor.
    fn proxy(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&PROXY);
        row.set(key::KIND, EventKind::Auth);
        document::text(row, key::EVENT_ACTION, notes.value(Note::Stage));
        document::text(row, key::AUTH_METHOD, notes.value(Note::Factor));
        document::text(row, key::HOST, notes.value(Note::HostName));
        document::extra(row, "server_section", notes.value(Note::ServerSection));
        row.set(
            key::OUTCOME,
            match notes.raw(Note::Status) {
                b"Allow" | b"allow" => Outcome::Success,
                b"Reject" | b"reject" | b"Error" | b"error" => Outcome::Failure,
                _ => Outcome::Unknown,
            },
        );
    }

    /// Actions of administrators; their logins are told by the action's name, and the address stands in a JSON text.
    fn administrator(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&ADMINISTRATOR);
        let action = notes.raw(Note::ActionText);
        document::text(row, key::EVENT_CODE, notes.value(Note::ActionText));
        document::text(row, key::EVENT_ACTION, notes.value(Note::ActionText));
        document::extra(row, "object", notes.value(Note::Object));
        document::text(row, key::HOST, notes.value(Note::Host));
        let description = notes.value(Note::Description);
        description.with(|inside| {
            let Ok(members) = crate::lex::json::members(inside) else {
                row.text(key::MESSAGE, inside);
                return;
            };
            for member in members.map_while(Result::ok) {
                let value = member.value;
                match member.key {
                    b"ip_address" => row.set_opt(key::SRC_IP, schemas::Ip::parse(value.scalar())),
                    b"email" if !row.has(Field::User) => value.with(|text| row.text(key::USER, text)),
                    b"error" => value.with(|text| row.text(key::REASON, text)),
                    b"factor" => value.with(|text| row.text(key::AUTH_METHOD, text)),
                    name => value.with(|text| row.extra(name, text)),
                }
            }
        });
        let login = action.starts_with(b"admin_login") || contains(action, b"_authentication");
        if login || action == b"admin_lockout" {
            row.set(key::KIND, EventKind::Auth);
            let failed = action.ends_with(b"_error") || action.ends_with(b"_lockout") || action.ends_with(b"_failed");
            row.set(key::OUTCOME, if failed { Outcome::Failure } else { Outcome::Success });
        }
    }

    fn activity(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&ACTIVITY);
        let action = notes.raw(Note::ActionName);
        document::text(row, key::EVENT_CODE, notes.value(Note::ActionName));
        document::text(row, key::EVENT_ACTION, notes.value(Note::ActionName));
        if action.starts_with(b"admin_login") {
            row.set(key::KIND, EventKind::Auth);
        }
        row.set_opt(
            key::OUTCOME,
            match notes.raw(Note::OutcomeResult) {
                b"SUCCESS" | b"success" => Some(Outcome::Success),
                b"FAILURE" | b"failure" => Some(Outcome::Failure),
                b"" => None,
                _ => Some(Outcome::Unknown),
            },
        );
    }

    fn telephony(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&TELEPHONY);
        document::text(row, key::EVENT_ACTION, notes.value(Note::Context));
        document::extra(row, "credits", notes.value(Note::Credits));
    }

    fn finding(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&TRUST);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        row.fixed(key::SIGNATURE, "Duo Trust Monitor");
        document::text(row, key::AUTH_METHOD, notes.value(Note::Factor));
        document::extra(row, "priority_event", notes.value(Note::PriorityEvent));
    }
}
