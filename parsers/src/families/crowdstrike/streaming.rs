//! Falcon's streaming API: detections, incidents, the host firewall, and who used the console.
//!
//! Times are seconds in some events, milliseconds in others, and counts since 1601 in those of identity protection; the size
//! tells them apart.

use schemas::{Action, EventKind, Initiator, Outcome, RejectKind, Row, key};

use super::{ALERT, AUDIT, Event, NETWORK, Note, OTHER, filetime, set_time};
use crate::lex::json::Value;
use crate::{Record, Refusal, document};

impl<'a> Event<'a> {
    pub(super) fn streamed(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        // The firewall's is that of the host; the audit's own is in whole seconds where the envelope's is not.
        let time = notes.first([Note::Stated, Note::Arrival, Note::Created, Note::Utc]);
        if time == Value::Null {
            return Err(RejectKind::Missing { what: "metadata.eventCreationTime" }.into());
        }
        set_time(record, row, "eventCreationTime", time)?;
        let at = |note| {
            let text = notes.raw(note);
            filetime(text).or_else(|| record.time.any(text)).filter(|us| *us > 0)
        };
        row.set_opt(key::START, at(Note::Started));
        row.set_opt(key::END, at(Note::Ended));
        document::text(row, key::HOST, notes.value(Note::Host));
        document::text(row, key::EVENT_CODE, notes.value(Note::EventType));
        document::text(row, key::EVENT_ACTION, notes.first([Note::Operation, Note::EventType]));
        self.account(row);
        document::account(row, notes.first([Note::SourceAccount, Note::UserId]));
        document::text(row, key::USER_DOMAIN, notes.value(Note::SourceDomain));
        let name = notes.raw(Note::EventType);
        match name {
            b"FirewallMatchEvent" => {
                row.log_source(&NETWORK);
                row.set(key::KIND, EventKind::Flow);
                self.ends(notes.raw(Note::Direction) == b"1", record, row)?;
                row.set(key::INITIATOR, Initiator::Source);
                self.firewall(row);
                self.program(row);
            }
            b"AuthActivityAuditEvent" | b"UserActivityAuditEvent" => self.console(record, row)?,
            _ if name.ends_with(b"DetectionSummaryEvent")
                || matches!(name, b"IncidentSummaryEvent" | b"CustomerIOCEvent" | b"IdentityProtectionEvent") =>
            {
                self.detection(record, row)?;
            }
            _ => {
                row.log_source(&OTHER);
                row.set_opt(key::OUTCOME, self.success());
                self.process(super::What::Other, row);
                if name.starts_with(b"RemoteResponseSession") && name.ends_with(b"EndEvent") {
                    row.set(key::ACTION, Action::End);
                }
            }
        }
        Ok(())
    }

    fn success(&self) -> Option<Outcome> {
        match self.0.raw(Note::Success) {
            b"true" | b"True" => Some(Outcome::Success),
            b"false" | b"False" => Some(Outcome::Failure),
            _ => None,
        }
    }

    fn program(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::program(row, notes.first([Note::Image, Note::FilePath]));
        document::text(row, key::PROCESS_NAME, notes.value(Note::FileName));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::Command));
        row.set_opt(key::PROCESS_ID, notes.number(Note::Pid));
    }

    /// What somebody did in the console; only some of it is a login.
    fn console(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        const LOGINS: &[&[u8]] = &[b"userAuthenticate", b"twoFactorAuthenticate", b"saml2Assert", b"activateUser"];
        let notes = &self.0;
        row.log_source(&AUDIT);
        document::address(record, row, key::SRC_IP, "UserIp", notes.value(Note::UserIp))?;
        if LOGINS.contains(&notes.raw(Note::Operation)) {
            row.set(key::KIND, EventKind::Auth);
        }
        row.set_opt(key::OUTCOME, self.success());
        Ok(())
    }

    fn detection(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        document::text(row, key::SIGNATURE, notes.first([Note::DetectName, Note::NewName, Note::EventType]));
        document::text(row, key::SIGNATURE_CLASS, notes.value(Note::Tactic));
        document::extra(row, "Technique", notes.value(Note::Technique));
        document::set(record, row, schemas::Field::Severity, notes.value(Note::Severity))?;
        document::text(row, key::LEVEL, notes.value(Note::SeverityName));
        self.program(row);
        document::text(row, key::PARENT_PATH, notes.value(Note::ParentImage));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ParentCommand));
        document::address(record, row, key::HOST_IP, "LocalIP", notes.value(Note::LocalIp))?;
        self.ends(notes.raw(Note::Direction) == b"1", record, row)?;
        let source = notes.first([Note::SourceIp, Note::EndpointIp]);
        document::address(record, row, key::SRC_IP, "SourceEndpointIpAddress", source)?;
        document::text(row, key::SRC_HOST, notes.value(Note::SourceHost));
        Ok(())
    }
}
