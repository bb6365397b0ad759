//! Data fields out of the text for people in other languages than English: by the order of the values, since the labels are not known.
//!
//! ```text
//! Konto, für das die Anmeldung fehlgeschlagen ist:
//!         Kontoname:              jdoe
//! ```
//! The texts of an event are translations of one template, so that the n-th value is the same in all of them. It takes the lines of
//! the text: where an agent has made one line of it nothing is read. Nor is anything where there are more or fewer values than
//! the template has, so that a version that is not known is not misread.
//!
//! Source: the manifest of Microsoft-Windows-Security-Auditing, its messages in their versions.

use super::message::{is_label, piece};
use super::{Field, Slot, WinEvent};

/// Values of a text that are looked at; the longest template has 28.
const ITEMS: usize = 32;

/// What the values of an event are, by how many there are.
fn template(code: u32, count: usize) -> Option<&'static [Slot]> {
    use Slot::*;
    const SUBJECT: [Slot; 4] = [SubjectUserSid, SubjectUserName, SubjectDomainName, SubjectLogonId];
    const TARGET: [Slot; 4] = [TargetUserSid, TargetUserName, TargetDomainName, TargetLogonId];
    const ORIGIN: [Slot; 5] = [ProcessId, ProcessName, WorkstationName, IpAddress, SourcePort];
    static LOGON_2008: [Slot; 20] = join([&SUBJECT, &[LogonType], &TARGET, &[Ignored], &ORIGIN, &METHOD]);
    static LOGON_2012: [Slot; 21] =
        join([&SUBJECT, &[LogonType, ImpersonationLevel], &TARGET, &[Ignored], &ORIGIN, &METHOD]);
    static LOGON_2016: [Slot; 27] =
        join([&SUBJECT, &[LogonType], &[Ignored; 4], &TARGET, &[Ignored; 4], &ORIGIN_METHOD]);
    static LOGON_2022: [Slot; 28] =
        join([&SUBJECT, &[LogonType], &[Ignored; 5], &TARGET, &[Ignored; 4], &ORIGIN_METHOD]);
    static FAILED: [Slot; 21] = join([
        &SUBJECT,
        &[LogonType, TargetUserSid, TargetUserName, TargetDomainName],
        &[FailureReason, Status, SubStatus],
        &ORIGIN,
        &METHOD,
        &[],
    ]);
    const METHOD: [Slot; 5] = [Ignored, AuthenticationPackageName, Ignored, Ignored, Ignored];
    const ORIGIN_METHOD: [Slot; 10] = join([&ORIGIN, &METHOD, &[], &[], &[], &[]]);
    static OFF: [Slot; 5] = join([&TARGET, &[LogonType], &[], &[], &[], &[]]);
    static LOCKED: [Slot; 7] = join([&SUBJECT, &[TargetUserSid, TargetUserName, TargetDomainName], &[], &[], &[], &[]]);
    static TICKET: [Slot; 14] = join([
        &[TargetUserName, TargetDomainName, TargetSid, ServiceName, Ignored],
        &[ClientAddress, IpPort, Ignored, Status],
        &[Ignored; 5],
        &[],
        &[],
        &[],
    ]);
    static SERVICE: [Slot; 11] = join([
        &[TargetUserName, TargetDomainName, Ignored, ServiceName, Ignored],
        &[ClientAddress, IpPort, Ignored, Ignored, Status, Ignored],
        &[],
        &[],
        &[],
        &[],
    ]);
    static REFUSED: [Slot; 11] = join([
        &[TargetUserSid, TargetUserName, ServiceName],
        &[ClientAddress, IpPort, Ignored, Status],
        &[Ignored; 4],
        &[],
        &[],
        &[],
    ]);
    static VALIDATED: [Slot; 4] = [Ignored, TargetUserName, Workstation, Status];
    let templates: &[&'static [Slot]] = match code {
        4624 => &[&LOGON_2008, &LOGON_2012, &LOGON_2016, &LOGON_2022],
        4625 => &[&FAILED],
        4634 => &[&OFF],
        4740 => &[&LOCKED],
        4768 => &[&TICKET],
        4769 => &[&SERVICE],
        4771 => &[&REFUSED],
        4776 => &[&VALIDATED],
        _ => return None,
    };
    templates.iter().find(|template| template.len() == count).copied()
}

const fn join<const N: usize>(parts: [&[Slot]; 6]) -> [Slot; N] {
    let mut all = [Slot::Ignored; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut inside = 0;
        while inside < parts[part].len() {
            all[at] = parts[part][inside];
            at += 1;
            inside += 1;
        }
        part += 1;
    }
    assert!(at == N);
    all
}

impl<'a> WinEvent<'a> {
    /// Reads what a text in another language says, if its event is one of those whose templates are known. Fields that are there stay.
    pub(super) fn fill_by_order(&mut self) {
        let read = super::bit(Slot::SubjectUserName) | super::bit(Slot::TargetUserName);
        if self.open & read != 0 {
            return;
        }
        let Some(code) = self.code().filter(|code| (4624..=4776).contains(code)) else { return };
        let message = self.peek(Slot::Message);
        let Some((values, count)) = values(message) else { return };
        let Some(template) = template(code, count) else { return };
        for (slot, raw) in template.iter().zip(values) {
            if *slot != Slot::Ignored && !raw.is_empty() && self.open & super::bit(*slot) == 0 {
                self.put(*slot, Field { raw, coding: message.coding });
            }
        }
    }
}

/// The values of a text in their order, those that are empty too. `None` if they are too many, or the first one's label is English.
fn values(message: Field<'_>) -> Option<([&[u8]; ITEMS], usize)> {
    let (mut values, mut count) = ([&b""[..]; ITEMS], 0);
    let mut rest = message.raw;
    let (mut indented, mut begins, mut label, mut value) = (false, true, &b""[..], &b""[..]);
    loop {
        let (part, end) = piece(rest, message.coding);
        let text = part.trim_ascii();
        let ends_line = end.is_none_or(|(_, is_line_end)| is_line_end);
        indented |= begins && text.is_empty() && !ends_line;
        begins = false;
        if !text.is_empty() {
            if label.is_empty() {
                label = text;
            } else if value.is_empty() {
                value = text;
            }
        }
        if ends_line {
            // a label at the margin without a value is a heading
            if let [name @ .., b':'] = label
                && (indented || !value.is_empty())
            {
                if count == 0 && is_label(name.trim_ascii_end()) {
                    return None;
                }
                *values.get_mut(count)? = value;
                count += 1;
            }
            (indented, begins, label, value) = (false, true, b"", b"");
        }
        match end {
            Some((length, _)) => rest = &rest[part.len() + length..],
            None => return Some((values, count)),
        }
    }
}
