//! Okta System Log: one JSON object an event, as the API, an event hook or a log stream gives it.
//!
//! What a login is, is told by the event's type: a policy that was evaluated has a result, too, but nobody has logged in by
//! it. A lockout is written with the result `FAILURE`. Source: Okta, System Log API, LogEvent object.

use schemas::{Action, EventKind, Field, LogSource, Outcome, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

static SYSTEM: LogSource = LogSource {
    family: "okta",
    vendor: "Okta",
    product: "Okta",
    dataset: "okta.system",
    categories: &["authentication"],
    products: &["okta"],
    services: &["okta"],
};

notes! { Published, EventType, Result, SessionId, UserId, Zone }

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "published" Note(N::Published), "eventType" Note(N::EventType), "displayMessage" Field(Message), "severity" Field(Level),
    "uuid" Extra, "version" Leave, "legacyEventType" Extra, "outcome.result" Note(N::Result), "outcome.reason" Field(Reason),
    "actor.alternateId" Field(User), "actor.id" Note(N::UserId), "actor.type" Extra, "actor.displayName" Extra,
    "client.ipAddress" Address(key::SRC_IP), "client.zone" Note(N::Zone), "client.device" Extra, "client.id" Extra,
    "client.userAgent.rawUserAgent" Field(UserAgent), "client.userAgent.os" Leave, "client.userAgent.browser" Leave,
    "client.geographicalContext.country" Extra, "client.geographicalContext.city" Extra, "client.geographicalContext.state" Extra,
    "client.geographicalContext.postalCode" Leave, "client.geographicalContext.geolocation.lat" Leave,
    "client.geographicalContext.geolocation.lon" Leave,
    "device.name" Field(SrcHost), "device.id" Extra, "device.os_platform" Extra, "device.managed" Extra, "device.registered" Extra,
    "securityContext.asNumber" Field(SrcAsn), "securityContext.asOrg" Field(SrcAsOrg), "securityContext.isp" Extra,
    "securityContext.domain" Extra, "securityContext.isProxy" IfTrue,
    "authenticationContext.externalSessionId" Note(N::SessionId), "authenticationContext.rootSessionId" Extra,
    "authenticationContext.credentialType" Field(AuthMethod), "authenticationContext.authenticationStep" Leave,
    "request.ipChain.ip" Extra, "request.ipChain.version" Leave, "request.ipChain.source" Leave,
    "target.id" Extra, "target.type" Extra, "target.alternateId" Extra, "target.displayName" Extra,
    "transaction.id" Extra, "transaction.type" Extra,
    }
};

/// Copies of the client's place for every hop, and what changed in detail.
const LEFT: &[&[u8]] = &[b"request.ipChain.geographicalContext.", b"target.detailEntry.", b"actor.detailEntry."];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "okta"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["okta_system"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let all = Keys::PUBLISHED.and(Keys::EVENT_TYPE_CAMEL).and(Keys::ACTOR);
        record.keys.has(all).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        document::read(record, row, &PATHS, LEFT, |note, value, _| notes.take(note, value))?;
        let name = notes.raw(Note::EventType);
        if name.is_empty() {
            return Err(record.not_this_family("a member `eventType`"));
        }
        if !notes.has(Note::Published) {
            return Err(RejectKind::Missing { what: "published" }.into());
        }
        document::time(record, row, "published", notes.value(Note::Published))?;
        row.log_source(&SYSTEM);
        document::text(row, key::EVENT_CODE, notes.value(Note::EventType));
        document::text(row, key::EVENT_ACTION, notes.value(Note::EventType));
        for (note, field) in [(Note::SessionId, key::SESSION_ID), (Note::UserId, key::USER_ID)] {
            if notes.raw(note) != b"unknown" {
                document::text(row, field, notes.value(note));
            }
        }
        // The word `null` is what Okta writes for no zone.
        document::extra(row, "client.zone", notes.value(Note::Zone));
        let kind = kind(name);
        row.set(key::KIND, kind);
        if kind == EventKind::Alert {
            document::text(row, key::SIGNATURE, notes.value(Note::EventType));
            row.set(key::ACTION, Action::Alert);
        }
        let result = notes.raw(Note::Result);
        document::extra(row, "outcome.result", notes.value(Note::Result));
        row.set_opt(key::OUTCOME, if is_refusal(name) { Some(Outcome::Failure) } else { outcome(result) });
        if name == b"user.session.end" || name == b"user.session.clear" {
            row.set(key::ACTION, Action::End);
        }
        Ok(Parsed::Events)
    }
}

/// What sort of event a type is. A policy's verdict and a change of an account are no logins.
fn kind(name: &[u8]) -> EventKind {
    const LOGINS: &[&[u8]] = &[
        b"user.session.",
        b"user.authentication.",
        b"user.account.lock",
        b"user.account.unlock",
        b"user.mfa.attempt_bypass",
        b"user.mfa.okta_verify",
        b"app.generic.unauth_app_access_attempt",
        b"system.push.send_factor_verify_push",
    ];
    const FINDINGS: &[&[u8]] =
        &[b"security.", b"user.risk.", b"user.account.report_suspicious_activity", b"system.org.rate_limit.violation"];
    match () {
        _ if LOGINS.iter().any(|prefix| name.starts_with(prefix)) => EventKind::Auth,
        _ if FINDINGS.iter().any(|prefix| name.starts_with(prefix)) && contains_finding(name) => EventKind::Alert,
        _ => EventKind::Other,
    }
}

/// Of `security.` the detections; the rest of it is administration (`security.zone.make_blacklist`).
fn contains_finding(name: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[b".detected", b".detect", b".change", b"_by_enduser", b".violation"];
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Types that say themselves that the login was refused, whatever became of telling so.
fn is_refusal(name: &[u8]) -> bool {
    name.starts_with(b"user.mfa.okta_verify.deny_push") || name == b"app.generic.unauth_app_access_attempt"
}

fn outcome(result: &[u8]) -> Option<Outcome> {
    Some(match result {
        b"" => return None,
        b"SUCCESS" | b"ALLOW" => Outcome::Success,
        b"FAILURE" | b"DENY" => Outcome::Failure,
        _ => Outcome::Unknown,
    })
}
