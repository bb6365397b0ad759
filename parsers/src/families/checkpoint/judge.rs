//! Kind, verdict, counters and evidence: what the keys of a log mean together.

use schemas::{Action, EventKind, Field, Initiator, Outcome, PortState, Row, Transport, key};

use super::keys::Noted;
use super::{LOGIN, Line, REST, THREAT, TRAFFIC};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, split_once};

/// What the action's word says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Verdict(Action),
    LogIn,
    LogOut,
    LogInFailed,
    /// Keys, updates, addresses: no traffic.
    Other,
}

/// In lower case.
static ACTIONS: KeyMap<Word, 128> = KeyMap::new(&[
    ("accept", Word::Verdict(Action::Allow)),
    ("encrypt", Word::Verdict(Action::Allow)),
    ("decrypt", Word::Verdict(Action::Allow)),
    ("bypass", Word::Verdict(Action::Allow)),
    ("https bypass", Word::Verdict(Action::Allow)),
    ("inspect", Word::Verdict(Action::Allow)),
    ("https inspect", Word::Verdict(Action::Allow)),
    ("allow", Word::Verdict(Action::Allow)),
    ("monitor", Word::Verdict(Action::Allow)),
    ("inform user", Word::Verdict(Action::Allow)),
    ("inform", Word::Verdict(Action::Allow)),
    ("detect", Word::Verdict(Action::Alert)),
    ("drop", Word::Verdict(Action::Drop)),
    ("reject", Word::Verdict(Action::Reset)),
    ("block", Word::Verdict(Action::Deny)),
    ("prevent", Word::Verdict(Action::Deny)),
    ("deny", Word::Verdict(Action::Deny)),
    ("quarantine", Word::Verdict(Action::Deny)),
    ("ask user", Word::Verdict(Action::Deny)),
    ("ask", Word::Verdict(Action::Deny)),
    ("redirect", Word::Verdict(Action::Deny)),
    ("log in", Word::LogIn),
    ("login", Word::LogIn),
    ("log out", Word::LogOut),
    ("logout", Word::LogOut),
    ("failed log in", Word::LogInFailed),
    ("key install", Word::Other),
    ("keyinst", Word::Other),
    ("update", Word::Other),
    ("vpn routing", Word::Other),
    ("ip changed", Word::Other),
    ("authcrypt", Word::Other),
    ("ctl", Word::Other),
]);

fn word(action: &[u8]) -> Option<Word> {
    let mut lower = [0u8; 16];
    let lower = lower.get_mut(..action.len())?;
    lower.copy_from_slice(action);
    lower.make_ascii_lowercase();
    ACTIONS.get(lower)
}

/// Blades that tell of what they saw, not of connections.
fn is_threat(product: &[u8]) -> bool {
    const BLADES: [&[u8]; 12] = [
        b"SmartDefense",
        b"IPS",
        b"Anti Malware",
        b"Anti-Malware",
        b"Anti-Bot",
        b"Anti-Virus",
        b"New Anti Virus",
        b"Anti-Spam",
        b"Threat Emulation",
        b"Threat Extraction",
        b"DDoS Protector",
        b"Forensics",
    ];
    BLADES.contains(&product)
}

impl Line<'_, '_> {
    pub(super) fn judge(&self, row: &mut Row<'_>) {
        let action = match (self.note(Noted::Action), self.note(Noted::Operation)) {
            (b"" | b"Accept", operation @ (b"Log In" | b"Log Out")) => operation,
            (action, _) => action,
        };
        row.text(key::EVENT_ACTION, action);
        let said = word(action);
        let status = self.note(Noted::AuthStatus);
        let failed = [&b"Failed"[..], b"Failure", b"failed"].iter().any(|prefix| status.starts_with(prefix));
        self.counters(row);
        let product = self.note(Noted::Product);
        match said {
            Some(Word::LogIn | Word::LogInFailed | Word::LogOut) if product == b"Identity Awareness" => {
                // a name for an address, learned elsewhere
                row.log_source(&REST);
                row.set(key::KIND, EventKind::Other);
                row.set(key::OUTCOME, if failed { Outcome::Failure } else { Outcome::Success });
            }
            Some(word @ (Word::LogIn | Word::LogInFailed)) => {
                row.log_source(&LOGIN);
                row.set(key::KIND, EventKind::Auth);
                let failed = failed || word == Word::LogInFailed;
                row.set(key::OUTCOME, if failed { Outcome::Failure } else { Outcome::Success });
            }
            Some(Word::LogOut) => {
                row.log_source(&LOGIN);
                row.set(key::KIND, EventKind::Auth);
                row.set(key::ACTION, Action::End);
            }
            Some(Word::Verdict(verdict)) if is_threat(product) || row.has(Field::SignatureId) => {
                row.log_source(&THREAT);
                row.set(key::KIND, EventKind::Alert);
                row.set(key::ACTION, verdict);
            }
            Some(Word::Verdict(verdict)) if has_ends(row) => self.traffic(verdict, row),
            None if action.is_empty() && is_threat(product) && has_ends(row) => {
                row.log_source(&THREAT);
                row.set(key::KIND, EventKind::Alert);
                row.set(key::ACTION, Action::Alert);
            }
            Some(Word::Verdict(_) | Word::Other) | None => {
                row.log_source(&REST);
                row.set(key::KIND, EventKind::Other);
            }
        }
        row.text(key::REASON, self.note(Noted::OutOfState));
    }

    /// A connection.
    fn traffic(&self, verdict: Action, row: &mut Row<'_>) {
        row.log_source(&TRAFFIC);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::ACTION, verdict);
        let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
        let udp = row.get(key::TRANSPORT) == Some(Transport::UDP);
        if !self.note(Noted::OutOfState).is_empty() {
            // what remains of a session. The answer to a SYN that went another way shows who began.
            if row.get_text(key::TCP_FLAGS) == Some(b"SYN-ACK") {
                row.set(key::INITIATOR, Initiator::Destination);
            }
            return;
        }
        row.set(key::INITIATOR, Initiator::Source);
        if !row.has(Field::DstPort) {
            return;
        }
        // blades that look into connections stop what was opened already
        let product = self.note(Noted::Product);
        let at_first_packet = product.is_empty() || product.starts_with(b"VPN") || product == b"Multi-product";
        if tcp && row.get(key::BYTES_IN).is_some_and(|bytes| bytes > 0) {
            row.set(key::PORT_STATE, PortState::Open);
        } else if (tcp || udp) && at_first_packet && matches!(verdict, Action::Drop | Action::Reset) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    }

    /// `client_inbound` came from the client, `client_outbound` went to it; the server's side is the same once more.
    fn counters(&self, row: &mut Row<'_>) {
        let number = |note: Noted| schemas::parse_u64(self.note(note));
        let out = number(Noted::ClientIn).or_else(|| number(Noted::ServerOut));
        let back = number(Noted::ClientOut).or_else(|| number(Noted::ServerIn));
        row.set_opt(key::BYTES_OUT, out);
        row.set_opt(key::BYTES_IN, back);
        if out.is_none() && back.is_none() && !row.has(Field::BytesOut) {
            row.set_opt(key::BYTES_TOTAL, number(Noted::Bytes));
        }
        let out = number(Noted::ClientInPackets).or_else(|| number(Noted::ServerOutPackets));
        let back = number(Noted::ClientOutPackets).or_else(|| number(Noted::ServerInPackets));
        row.set_opt(key::PACKETS_OUT, out);
        row.set_opt(key::PACKETS_IN, back);
        if out.is_none() && back.is_none() {
            row.set_opt(key::PACKETS_TOTAL, number(Noted::Packets));
        }
    }
}

fn has_ends(row: &Row<'_>) -> bool {
    (row.has(Field::SrcIp) || row.has(Field::SrcHost)) && (row.has(Field::DstIp) || row.has(Field::DstHost))
}

/// Seconds, or `H:MM:SS`, in µs.
pub(super) fn elapsed(text: &[u8]) -> Option<u64> {
    let mut seconds: u64 = 0;
    // hours, minutes, seconds: three at most
    for part in text.splitn(3, |b| *b == b':') {
        seconds = seconds.checked_mul(60)?.checked_add(decimal(part)?)?;
    }
    seconds.checked_mul(1_000_000).filter(|us| *us <= i64::MAX as u64)
}

/// `avery`, or `Avery Example (avery)`: who it is to people, and the account.
pub(super) fn user(name: &[u8], value: &[u8], row: &mut Row<'_>) {
    if row.has(Field::User) {
        row.extra(name, value);
        return;
    }
    if let [inner @ .., b')'] = value
        && let Some((full, account)) = split_once(inner, b'(')
        && !account.trim_ascii().is_empty()
        && !full.trim_ascii().is_empty()
    {
        row.text(key::USER, account.trim_ascii());
        row.extra_fixed("user_full_name", full.trim_ascii());
        return;
    }
    row.text(key::USER, value);
}
