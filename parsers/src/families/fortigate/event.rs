//! The device's own life: logins of administrators and users, VPN, leases, settings.

use schemas::{EventKind, Field, Ip, Outcome, Row, key};

use super::keys::Noted;
use super::{EVENT, LOGIN, Line, address};
use crate::lex::text::{contains, decimal, split_once};

impl<'r> Line<'_, 'r> {
    /// The device's own life: logins, tunnels, settings.
    #[inline(never)]
    pub(super) fn event(&self, row: &mut Row<'_>) {
        let remote = address(self.note(Noted::RemoteIp))
            .or_else(|| in_parentheses(self.note(Noted::Ui)))
            .or_else(|| address(self.note(Noted::Ui)))
            .or_else(|| in_parentheses(self.note(Noted::UserFrom)))
            .or_else(|| address(self.note(Noted::Ip)));
        let local = address(self.note(Noted::LocalIp));
        // of a tunnel to another gateway this device began
        let (remote, local) = if self.note(Noted::TunnelDirection) == b"outbound" && local.is_some() {
            turn_ports(row);
            (local, remote)
        } else {
            (remote, local)
        };
        if !row.has(Field::SrcIp) {
            row.set_opt(key::SRC_IP, remote);
        }
        if !row.has(Field::DstIp) {
            row.set_opt(key::DST_IP, local);
        }
        // whom an address was leased to
        row.text(key::SRC_HOST, self.note(Noted::HostName));
        // the address that a VPN client got
        row.set_opt(key::NAT_SRC_IP, address(self.note(Noted::TunnelIp)));
        if let Some(seconds) = decimal(self.note(Noted::Duration)) {
            row.set(key::DURATION, seconds.min(u64::from(u32::MAX)) * 1_000_000);
        }
        row.set_opt(key::REPEAT, decimal(self.note(Noted::Count)).filter(|count| *count > 0));
        row.text(key::CONN_STATE, self.note(Noted::Status));
        match self.login() {
            Some(outcome) => {
                row.log_source(&LOGIN);
                row.set(key::KIND, EventKind::Auth);
                row.set_opt(key::OUTCOME, outcome);
                row.text(key::AUTH_METHOD, self.method());
            }
            None => {
                row.log_source(&EVENT);
                row.set(key::KIND, EventKind::Other);
                let mapped =
                    matches!(self.note(Noted::Action), b"FSSO-logon" | b"FSSO-logoff" | b"auth-logon" | b"auth-logout");
                row.set_opt(key::OUTCOME, mapped.then_some(Outcome::Success));
            }
        }
        if !row.has(Field::Message) {
            row.text(key::MESSAGE, self.note(Noted::Description));
        } else {
            row.extra_fixed("logdesc", self.note(Noted::Description));
        }
    }

    /// Whether it is somebody's logon (or logoff, then without an outcome). A mapping of a name to an address that
    /// was learned elsewhere (FSSO, `auth-logon`) is none, nor is a tunnel between two gateways.
    fn login(&self) -> Option<Option<Outcome>> {
        let status = match self.note(Noted::Status) {
            b"success" | b"successful" => Some(Outcome::Success),
            b"failed" | b"failure" | b"deny" | b"denied" => Some(Outcome::Failure),
            _ => None,
        };
        match (self.note(Noted::Subtype), self.note(Noted::Action)) {
            (_, b"login") => Some(Some(status.unwrap_or(Outcome::Unknown))),
            (_, b"logout") => Some(None),
            (b"user", b"authentication") => Some(Some(status.unwrap_or(Outcome::Unknown))),
            (b"vpn", b"ssl-login-fail" | b"ssl-web-deny") => Some(Some(Outcome::Failure)),
            (b"vpn", b"ssl-web-pass") => Some(Some(Outcome::Success)),
            (b"vpn", b"negotiate") if contains(self.note(Noted::Description), b"XAUTH") => status.map(Some),
            (b"vpn", b"tunnel-up") if self.note(Noted::TunnelType).starts_with(b"ssl") => Some(Some(Outcome::Success)),
            (b"vpn", b"tunnel-down") if self.note(Noted::TunnelType).starts_with(b"ssl") => Some(None),
            _ => {
                let text = self.note(Noted::Description);
                if text.starts_with(b"User login/logout successful") {
                    Some(Some(Outcome::Success))
                } else if text.starts_with(b"User login") && contains(text, b"failed") {
                    Some(Some(Outcome::Failure))
                } else {
                    None
                }
            }
        }
    }

    /// `ssh` of `ssh(192.0.2.7)`, `HTTPS` of `HTTPS(10.1.1.6)`.
    fn method(&self) -> &'r [u8] {
        let text = match self.note(Noted::AuthProto) {
            b"" => self.note(Noted::Ui),
            protocol => protocol,
        };
        let word = text.split(|byte| *byte == b'(').next().unwrap_or(text);
        // of a lockout it is the address alone
        if Ip::parse(word).is_some() { b"" } else { word }
    }
}

/// `remport` was read as the source's and `locport` as the destination's.
fn turn_ports(row: &mut Row<'_>) {
    let (remote, local) = (row.get(key::SRC_PORT), row.get(key::DST_PORT));
    row.clear(Field::SrcPort);
    row.clear(Field::DstPort);
    row.set_opt(key::SRC_PORT, local);
    row.set_opt(key::DST_PORT, remote);
}

/// `ssh(192.0.2.7)`, `GUI(192.0.2.7)`.
fn in_parentheses(text: &[u8]) -> Option<Ip> {
    let (_, inner) = split_once(text, b'(')?;
    Ip::parse(inner.strip_suffix(b")")?)
}
