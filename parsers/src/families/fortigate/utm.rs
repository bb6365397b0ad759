//! What a security profile saw: virus, web filter, intrusion, application control, names, mail, voice, files.

use schemas::{Action, EventKind, Field, Initiator, Row, key};

use super::keys::Noted;
use super::{DNS, IPS, Line, UTM, WEB, is_stopped};
use crate::lex::text::decimal;

impl Line<'_, '_> {
    /// What a security profile saw. Never a flow: the session has a line of its own.
    #[inline(never)]
    pub(super) fn utm(&self, row: &mut Row<'_>) {
        // before FortiOS 5.4 the type was the profile's, and the subtype what it did
        let subtype = match (self.note(Noted::Type), self.note(Noted::Subtype)) {
            (b"utm" | b"", subtype) if !subtype.is_empty() => subtype,
            (kind, _) => kind,
        };
        let (source, kind) = match subtype {
            b"dns" => (&DNS, EventKind::Dns),
            b"ips" | b"anomaly" | b"virus" | b"attack" => (&IPS, EventKind::Alert),
            b"webfilter" => (&WEB, EventKind::Alert),
            _ => (&UTM, EventKind::Alert),
        };
        row.log_source(source);
        row.set(key::KIND, kind);
        // of an anomaly the destination is one sample, and of a proxy's log the ends are those of the session, too
        row.set(key::INITIATOR, Initiator::Source);
        self.set_app(row);
        if !row.has(Field::SignatureClass) {
            let class = self.note(Noted::AppCategory);
            row.text(key::SIGNATURE_CLASS, if class.is_empty() { subtype } else { class });
        } else {
            row.extra_fixed("appcat", self.note(Noted::AppCategory));
        }
        if subtype == b"app-ctrl" && !row.has(Field::Signature) {
            row.text(key::SIGNATURE, self.note(Noted::App));
            row.text(key::SIGNATURE_ID, self.note(Noted::AppId));
        }
        row.text(key::HTTP_HOST, self.note(Noted::HostName));
        let answers = self.note(Noted::DnsAnswers);
        if !answers.is_empty() {
            let each = answers.split(|byte| matches!(byte, b',' | b' ')).filter(|part| !part.is_empty());
            row.list(key::DNS_ANSWERS, each);
        }
        row.set_opt(key::REPEAT, decimal(self.note(Noted::Count)).filter(|count| *count > 0));
        let action = match self.note(Noted::Action) {
            word if is_stopped(word) => Some(match word {
                b"dropped" | b"drop" | b"drop_session" => Action::Drop,
                b"reset" | b"reset_client" | b"reset_server" => Action::Reset,
                _ => Action::Deny,
            }),
            // the question was answered with the address of a page that says so
            b"redirect" => Some(Action::Deny),
            b"detected" | b"monitored" | b"monitor" | b"analytics" | b"log-only" | b"tagged" => Some(Action::Alert),
            b"pass" | b"passthrough" | b"pass_session" | b"permit" | b"allowed" | b"exempt" | b"exempted"
            | b"allow" => Some(Action::Allow),
            _ => None,
        };
        row.set_opt(key::ACTION, action);
    }
}
