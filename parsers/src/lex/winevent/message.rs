//! Data fields out of the English text for people, for shippers that send nothing else.
//!
//! ```text
//! Account For Which Logon Failed:
//!         Account Name:           jdoe
//! ```
//! Agents make one line of it: tabs and line ends become blanks, `\t` or `#011`. So it is read by its labels: what stands between
//! one label and the next is the first one's value. A label that occurs twice is the subject's first and the target's then; headings
//! are labels without a field. Fields that are there stay.

use super::super::keys::KeyMap;
use super::{Coding, DATA, Field, Slot, WinEvent};

/// Longest label in words and in bytes.
const WORDS_MAX: usize = 7;
const LABEL_MAX: usize = 48;

/// Labels, and the fields that their first and second occurrence are.
static LABELS: KeyMap<&[Slot], 256> = KeyMap::new(&[
    ("Security ID", &[Slot::SubjectUserSid, Slot::TargetUserSid]),
    ("Account Name", &[Slot::SubjectUserName, Slot::TargetUserName]),
    ("Account Domain", &[Slot::SubjectDomainName, Slot::TargetDomainName]),
    ("Logon ID", &[Slot::SubjectLogonId, Slot::TargetLogonId]),
    ("User Name", &[Slot::UserName]),
    ("User", &[Slot::User]),
    ("Domain", &[Slot::AccountDomain]),
    ("Logon Account", &[Slot::TargetUserName]),
    ("Supplied Realm Name", &[Slot::TargetDomainName]),
    ("User ID", &[Slot::TargetSid]),
    ("Caller Computer Name", &[Slot::TargetDomainName]),
    ("Logon Type", &[Slot::LogonType]),
    ("Status", &[Slot::Status]),
    ("Sub Status", &[Slot::SubStatus]),
    ("Error Code", &[Slot::Status]),
    ("Result Code", &[Slot::Status]),
    ("Failure Code", &[Slot::Status]),
    ("Failure Reason", &[Slot::FailureReason]),
    ("Workstation Name", &[Slot::WorkstationName]),
    ("Source Workstation", &[Slot::Workstation]),
    ("Source Network Address", &[Slot::IpAddress]),
    ("Network Address", &[Slot::IpAddress]),
    ("Source Address", &[Slot::SourceAddress]),
    ("Destination Address", &[Slot::DestAddress]),
    ("Destination Port", &[Slot::DestPort]),
    ("Client Address", &[Slot::ClientAddress]),
    ("Client Name", &[Slot::ClientName]),
    ("Caller IP", &[Slot::ClientAddress]),
    ("Client IP", &[Slot::ClientAddress]),
    ("Client IP Address", &[Slot::ClientIPAddress]),
    ("Calling Station Identifier", &[Slot::CallingStationID]),
    ("Reason Code", &[Slot::ReasonCode]),
    ("Reason", &[Slot::Reason]),
    ("Source Port", &[Slot::SourcePort]),
    ("Client Port", &[Slot::IpPort]),
    ("Port", &[Slot::IpPort]),
    ("Protocol", &[Slot::Protocol]),
    ("Direction", &[Slot::Direction]),
    ("Application Name", &[Slot::Application]),
    ("Layer Name", &[Slot::LayerName]),
    ("Authentication Package", &[Slot::AuthenticationPackageName]),
    ("Target Server Name", &[Slot::TargetServerName]),
    ("Service Name", &[Slot::ServiceName]),
    ("Share Name", &[Slot::ShareName]),
    ("Process ID", &[Slot::ProcessId]),
    ("Caller Process ID", &[Slot::ProcessId]),
    ("Process Name", &[Slot::ProcessName]),
    ("Caller Process Name", &[Slot::ProcessName]),
    ("New Process ID", &[Slot::NewProcessId]),
    ("New Process Name", &[Slot::NewProcessName]),
    ("Creator Process Name", &[Slot::ParentProcessName]),
    ("Process Command Line", &[Slot::CommandLine]),
    ("Rule Name", &[Slot::RuleName]),
    ("Rule ID", &[Slot::RuleId]),
    ("Modifying User", &[Slot::ModifyingUser]),
    // headings, and labels whose values nobody wants
    ("Subject", &[]),
    ("Creator Subject", &[]),
    ("Target Subject", &[]),
    ("New Logon", &[]),
    ("Logon Information", &[]),
    ("Account Information", &[]),
    ("Account For Which Logon Failed", &[]),
    ("Account Whose Credentials Were Used", &[]),
    ("Account That Was Locked Out", &[]),
    ("Target Account", &[]),
    ("Target Server", &[]),
    ("New Account", &[]),
    ("Member", &[]),
    ("Group", &[]),
    ("Group Name", &[]),
    ("Group Domain", &[]),
    ("Attributes", &[]),
    ("Privileges", &[]),
    ("Failure Information", &[]),
    ("Process Information", &[]),
    ("Network Information", &[]),
    ("Service Information", &[]),
    ("Service ID", &[]),
    ("Application Information", &[]),
    ("Share Information", &[]),
    ("Share Path", &[]),
    ("Filter Information", &[]),
    ("Filter Run-Time ID", &[]),
    ("Layer Run-Time ID", &[]),
    ("Object Type", &[]),
    ("Access Request Information", &[]),
    ("Access Mask", &[]),
    ("Accesses", &[]),
    ("Additional Information", &[]),
    ("Detailed Authentication Information", &[]),
    ("Certificate Information", &[]),
    ("Certificate Issuer Name", &[]),
    ("Ticket Options", &[]),
    ("Ticket Encryption Type", &[]),
    ("Pre-Authentication Type", &[]),
    ("Restricted Admin Mode", &[]),
    ("Remote Credential Guard", &[]),
    ("Virtual Account", &[]),
    ("Elevated Token", &[]),
    ("Impersonation Level", &[]),
    ("Linked Logon ID", &[]),
    ("Network Account Name", &[]),
    ("Network Account Domain", &[]),
    ("Logon GUID", &[]),
    ("Logon Process", &[]),
    ("Transited Services", &[]),
    ("Package Name (NTLM only)", &[]),
    ("Key Length", &[]),
    ("Session", &[]),
    ("Session ID", &[]),
    ("Session Name", &[]),
    ("Token Elevation Type", &[]),
    ("Mandatory Label", &[]),
    ("Creator Process ID", &[]),
    ("SPN", &[]),
    ("SPN Validation Policy", &[]),
    ("Guidance", &[]),
]);

impl<'a> WinEvent<'a> {
    /// Reads what the text for people says.
    pub fn fill_from_message(&mut self) {
        let message = self.peek(Slot::Message);
        // Of these events the only account is the target.
        let only_target = matches!(self.code(), Some(4634 | 4647 | 4768..=4773 | 4776 | 4777));
        let mut open: Option<&'static [Slot]> = None;
        let mut rest = message.raw;
        loop {
            let (piece, end) = piece(rest, message.coding);
            // the value before the first label belongs to a label of an earlier piece
            let mut value_from = 0;
            for colon in memchr::memchr_iter(b':', piece) {
                // a label's colon stands before a blank or the end: not one of a clock, a path or an address
                if piece.get(colon + 1).is_some_and(|byte| *byte != b' ') {
                    continue;
                }
                let Some((start, slots)) = label(&piece[value_from..colon]) else { continue };
                let value = piece[value_from..value_from + start].trim_ascii();
                self.close(&mut open, value, message.coding, only_target);
                if open.is_some() {
                    // an empty value says that there is none, and that the next occurrence is the next account's
                    self.close(&mut open, b"-", message.coding, only_target);
                }
                (open, value_from) = (Some(slots), colon + 1);
            }
            let value = piece[value_from..].trim_ascii();
            self.close(&mut open, value, message.coding, only_target);
            match end {
                Some((length, is_line_end)) => {
                    // only an address may stand on the line after its label
                    let waits = matches!(open, Some([Slot::ClientAddress, ..]));
                    if is_line_end && !waits && open.is_some() {
                        self.close(&mut open, b"-", message.coding, only_target);
                    }
                    rest = &rest[piece.len() + length..];
                }
                None => return self.fill_by_order(),
            }
        }
    }

    /// Gives an open label its value, if there is one.
    fn close(&mut self, open: &mut Option<&'static [Slot]>, value: &'a [u8], coding: Coding, only_target: bool) {
        if value.is_empty() {
            return;
        }
        let Some(slots) = open.take() else { return };
        let slots = if only_target && slots.len() > 1 { &slots[1..] } else { slots };
        if let Some(slot) = slots.iter().find(|slot| self.open & super::bit(**slot) == 0) {
            self.put(*slot, Field { raw: value, coding });
        }
    }
}

/// Whether it is a label of the English texts.
pub(super) fn is_label(name: &[u8]) -> bool {
    LABELS.get(name).is_some()
}

/// The longest label that a text ends with: where it begins, and its fields.
fn label(text: &[u8]) -> Option<(usize, &'static [Slot])> {
    let end = text.trim_ascii_end().len();
    let mut starts = [0usize; WORDS_MAX];
    let mut count = 0;
    let lowest = end.saturating_sub(LABEL_MAX);
    for at in (lowest..end).rev() {
        if count < WORDS_MAX && (at == 0 || text[at - 1] == b' ') && text[at] != b' ' {
            starts[count] = at;
            count += 1;
        }
    }
    starts[..count].iter().rev().find_map(|start| {
        let name = &text[*start..end];
        // Sysmon's labels are the names of its fields
        let own = || DATA.get(name).map(|slot| &super::ONE_EACH[slot as usize][..]);
        LABELS.get(name).or_else(own).map(|slots| (*start, slots))
    })
}

/// The text up to the next separator, the separator's length and whether it ends a line. `None` at the end of the text.
pub(super) fn piece(text: &[u8], coding: Coding) -> (&[u8], Option<(usize, bool)>) {
    let mut at = 0;
    while at < text.len() {
        let found = match &text[at..] {
            [b'\n' | b'\r', ..] => Some((1, true)),
            [b'\t', ..] => Some((1, false)),
            [b' ', b' ', rest @ ..] => Some((2 + rest.iter().take_while(|byte| **byte == b' ').count(), false)),
            [b'\\', b'n' | b'r', ..] if coding == Coding::Json => Some((2, true)),
            [b'\\', b't', ..] if coding == Coding::Json => Some((2, false)),
            [b'\\', ..] if coding == Coding::Json => {
                at += 2;
                continue;
            }
            // rsyslog's form of control characters
            [b'#', b'0', b'1', b'2' | b'5', ..] => Some((4, true)),
            [b'#', b'0', b'1', b'1', ..] => Some((4, false)),
            _ => None,
        };
        if let Some((length, is_line_end)) = found {
            return (&text[..at], Some((length, is_line_end)));
        }
        at += 1;
    }
    (text, None)
}

/// First sentences of the texts of Security, and the events that begin so. Source: the provider's manifest.
static SENTENCES: KeyMap<&str, 128> = KeyMap::new(&[
    ("An account was successfully logged on", "4624"),
    ("An account failed to log on", "4625"),
    ("An account was logged off", "4634"),
    ("User initiated logoff", "4647"),
    ("A logon was attempted using explicit credentials", "4648"),
    ("Special privileges assigned to new logon", "4672"),
    ("A new process has been created", "4688"),
    ("A service was installed in the system", "4697"),
    ("A user account was created", "4720"),
    ("A user account was enabled", "4722"),
    ("A user account was disabled", "4725"),
    ("A user account was deleted", "4726"),
    ("A member was added to a security-enabled global group", "4728"),
    ("A member was added to a security-enabled local group", "4732"),
    ("A user account was changed", "4738"),
    ("A user account was locked out", "4740"),
    ("A user account was unlocked", "4767"),
    ("A Kerberos authentication ticket (TGT) was requested", "4768"),
    ("A Kerberos service ticket was requested", "4769"),
    ("A Kerberos service ticket was renewed", "4770"),
    ("Kerberos pre-authentication failed", "4771"),
    ("The computer attempted to validate the credentials for an account", "4776"),
    ("The domain controller attempted to validate the credentials for an account", "4776"),
    ("A session was reconnected to a Window Station", "4778"),
    ("A session was disconnected from a Window Station", "4779"),
    ("A network share object was accessed", "5140"),
    ("A network share object was checked to see whether client can be granted desired access", "5145"),
    ("The Windows Filtering Platform has blocked a packet", "5152"),
    (
        "The Windows Filtering Platform has permitted an application or service to listen on a port for incoming connections",
        "5154",
    ),
    ("The Windows Filtering Platform has permitted a connection", "5156"),
    ("The Windows Filtering Platform has allowed a connection", "5156"),
    ("The Windows Filtering Platform has blocked a connection", "5157"),
    ("The Windows Filtering Platform has permitted a bind to a local port", "5158"),
    ("The Windows Filtering Platform has blocked a bind to a local port", "5159"),
    ("Network Policy Server granted access to a user", "6272"),
    ("Network Policy Server denied access to a user", "6273"),
    ("Network Policy Server discarded the request for a user", "6274"),
]);

/// The event that a text for people begins like; `None` for any other text. Only a few first words are looked at for most.
pub(super) fn code_of(text: &[u8]) -> Option<&'static str> {
    let starts: &[&[u8]] = match text.first()? {
        b'A' => &[
            b"An account ",
            b"A user ",
            b"A Kerberos ",
            b"A logon ",
            b"A new ",
            b"A service ",
            b"A session ",
            b"A network ",
            b"A member ",
        ],
        b'K' => &[b"Kerberos pre-"],
        b'N' => &[b"Network Policy Server "],
        b'S' => &[b"Special privileges "],
        b'T' => &[b"The Windows Filtering ", b"The computer attempted", b"The domain controller attempted"],
        b'U' => &[b"User initiated "],
        _ => return None,
    };
    if !starts.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let end = text.iter().take(128).position(|byte| matches!(byte, b'.' | b':' | b'\n' | b'\r' | b'\t' | b'#'))?;
    SENTENCES.get(&text[..end])
}
