//! What follows from an event's members together: who began, what was let through, what a port has proved, who logged in.

use schemas::{Action, EventKind, Field, Initiator, Ip, Outcome, PortState, RejectKind, Row, Transport, key};

use super::Event;
use super::kinds::{OTHER, Order, TYPES, Type};
use super::paths::Note;
use crate::lex::scan;
use crate::lex::text::{decimal, hexadecimal};
use crate::{Record, Refusal, set_time};

/// A bit for each of some notes, as [`Event::has_any`] takes them.
const fn bits(notes: &[Note]) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < notes.len() {
        bits |= 1 << notes[at] as u32;
        at += 1;
    }
    bits
}

const _: () = assert!(Note::Count as usize <= 64, "a bit a note");

const COUNTERS: u64 = bits(&[Note::BytesToServer, Note::BytesToClient, Note::PacketsToServer, Note::PacketsToClient]);
const TIMES: u64 = bits(&[Note::Start, Note::End]);
const FLAGS: u64 = bits(&[Note::FlagsToServer, Note::FlagsToClient, Note::Flags]);
const SESSIONS: u64 = bits(&[Note::TlsVersion, Note::ServerSoftware, Note::HttpStatus]);
const LOGINS: u64 = bits(&[
    Note::Credentials,
    Note::Kerberos,
    Note::Krb5Type,
    Note::FtpCommand,
    Note::RfbResult,
    Note::LdapOperation,
    Note::SqlState,
    Note::Pop3Command,
    Note::MqttUser,
    Note::MqttReturn,
]);

impl Event<'_> {
    /// What follows from the members together.
    pub(super) fn conclude(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let name = self.note(Note::EventType);
        if name.is_empty() {
            return Err(record.not_this_family("a member `event_type`"));
        }
        let kind = TYPES.iter().find(|known| scan::same(known.name.as_bytes(), name)).unwrap_or(&OTHER);
        row.log_source(&kind.source);
        row.set(key::KIND, kind.kind);
        self.text(row, key::EVENT_CODE, Note::EventType);
        let stamp = self.note(Note::Timestamp);
        match record.time.any(stamp) {
            Some(us) => set_time(row, us),
            None if stamp.is_empty() || stamp == b"ts-error" => {}
            None => {
                let expected = "a time such as 2026-05-04T09:12:31.004217+0200";
                return Err(record.refuse(stamp, RejectKind::bad_value("timestamp", stamp, expected)));
            }
        }
        if !matches!(self.note(Note::AppProto), b"" | b"failed" | b"unknown") {
            self.text(row, key::APP_PROTO, Note::AppProto);
        } else if kind.is_protocol() {
            row.fixed(key::APP_PROTO, kind.name);
        }
        let initiator = self.initiator(kind.order, row);
        row.set_opt(key::INITIATOR, initiator);
        if self.has_any(COUNTERS) {
            self.counters(initiator, row);
        }
        if self.has_any(TIMES) {
            self.times(record, row);
        }
        if self.has_any(FLAGS) {
            self.flags(row);
        }
        self.verdict(kind, row);
        for answer in self.answers.values.get() {
            answer.with(|text| row.add(key::DNS_ANSWERS, text));
        }
        if self.has_any(SESSIONS) {
            self.sessions(row);
        }
        if initiator != Some(Initiator::Destination) {
            row.set_opt(key::PORT_STATE, self.port_state(name, row));
        }
        if self.has_any(LOGINS) {
            self.login(row);
        }
        Ok(())
    }

    /// Which end began, where the line knows.
    fn initiator(&self, order: Order, row: &Row<'_>) -> Option<Initiator> {
        let (src, dst) = (row.get(key::SRC_PORT), row.get(key::DST_PORT));
        match order {
            Order::None => None,
            Order::Flow if self.has(Note::FlagsToServer) => {
                // A flow picked up in its middle may be turned round: only a SYN of the client proves it.
                let syn = hexadecimal(self.note(Note::FlagsToServer))? & SYN != 0;
                syn.then_some(Initiator::Source)
            }
            Order::Flow => {
                let doubtful = self.has(Note::BytesToServer) && src < Some(1024) && dst >= Some(1024) && src.is_some();
                (!doubtful).then_some(Initiator::Source)
            }
            Order::Names => match self.note(Note::DnsType) {
                b"query" | b"request" => Some(Initiator::Source),
                // Versions 4, 5 and 8 write the packet's order, 6 and 7 the flow's.
                b"answer" | b"response" if is_names_port(src) && !is_names_port(dst) => Some(Initiator::Destination),
                b"answer" | b"response" if is_names_port(dst) && !is_names_port(src) => Some(Initiator::Source),
                _ => None,
            },
            Order::Packet => {
                if self.has(Note::FlowSrcIp) {
                    let same = Ip::parse(self.note(Note::FlowSrcIp)) == row.get(key::SRC_IP)
                        && (!self.has(Note::FlowSrcPort)
                            || decimal(self.note(Note::FlowSrcPort)) == src.map(u64::from));
                    return Some(if same { Initiator::Source } else { Initiator::Destination });
                }
                match (self.note(Note::Direction), self.note(Note::RdpType)) {
                    (b"to_server", _) | (_, b"initial_request" | b"connect_request") => Some(Initiator::Source),
                    (b"to_client", _) | (_, b"initial_response" | b"connect_response") => Some(Initiator::Destination),
                    _ => match served_port(self.note(Note::EventType)) {
                        served if served.is_some() && src == served && dst != served => Some(Initiator::Destination),
                        served if served.is_some() && dst == served && src != served => Some(Initiator::Source),
                        _ => None,
                    },
                }
            }
        }
    }

    /// Octets and packets of the flow.
    fn counters(&self, initiator: Option<Initiator>, row: &mut Row<'_>) {
        let turned = initiator == Some(Initiator::Destination);
        let pair = |to_server, to_client| if turned { (to_client, to_server) } else { (to_server, to_client) };
        let (out, back) = pair(Note::BytesToServer, Note::BytesToClient);
        row.set_opt(key::BYTES_OUT, self.number(out));
        row.set_opt(key::BYTES_IN, self.number(back));
        let (out, back) = pair(Note::PacketsToServer, Note::PacketsToClient);
        row.set_opt(key::PACKETS_OUT, self.number(out));
        row.set_opt(key::PACKETS_IN, self.number(back));
    }

    fn times(&self, record: &Record<'_>, row: &mut Row<'_>) {
        let start = record.time.iso(self.note(Note::Start));
        let end = record.time.iso(self.note(Note::End));
        row.set_opt(key::START, start);
        row.set_opt(key::END, end);
        let lasted = start.zip(end).and_then(|(start, end)| u64::try_from(end.checked_sub(start)?).ok());
        row.set_opt(key::DURATION, lasted);
    }

    fn flags(&self, row: &mut Row<'_>) {
        match (self.note(Note::FlagsToServer), self.note(Note::FlagsToClient)) {
            // `00` on both sides means that the session was not tracked, not that there were no flags.
            (b"00", b"00") => {}
            (b"", b"") if self.note(Note::Flags) == b"00" => {}
            (b"", b"") => self.text(row, key::TCP_FLAGS, Note::Flags),
            (to_server, to_client) if to_server.len() <= 4 && to_client.len() <= 4 => {
                let mut both = [0u8; 9];
                both[..to_server.len()].copy_from_slice(to_server);
                both[to_server.len()] = b'/';
                let length = to_server.len() + 1 + to_client.len();
                both[to_server.len() + 1..length].copy_from_slice(to_client);
                row.text(key::TCP_FLAGS, &both[..length]);
            }
            _ => {}
        }
    }

    /// What Suricata did: `allowed` of an alert only says that the rule did not block, so it is no verdict.
    fn verdict(&self, kind: &Type, row: &mut Row<'_>) {
        match kind.name {
            "alert" => {
                let dropped = self.note(Note::VerdictAction) == b"drop" || self.has(Note::Reject);
                let blocked = self.note(Note::AlertAction) == b"blocked";
                row.set(key::ACTION, if dropped || blocked { Action::Deny } else { Action::Alert });
                self.text(row, key::EVENT_ACTION, Note::AlertAction);
            }
            "drop" => row.set(key::ACTION, Action::Deny),
            _ => {
                if self.note(Note::FlowAction) == b"drop" {
                    row.set(key::ACTION, Action::Deny);
                }
                self.text(row, key::EVENT_ACTION, Note::RdpType);
            }
        }
    }

    fn sessions(&self, row: &mut Row<'_>) {
        if self.note(Note::TlsVersion) != b"UNDETERMINED" {
            self.text(row, key::TLS_VERSION, Note::TlsVersion);
        }
        self.text(row, key::SERVER_SOFTWARE, Note::ServerSoftware);
        row.set_opt(key::HTTP_STATUS, self.number(Note::HttpStatus));
    }

    /// What the event proves about the destination's port, if the destination is the server.
    fn port_state(&self, name: &[u8], row: &Row<'_>) -> Option<PortState> {
        let answered = self.number(Note::PacketsToClient).is_some_and(|packets| packets > 0);
        match name {
            b"flow" => match row.get(key::TRANSPORT)? {
                Transport::TCP => {
                    let to_server = hexadecimal(self.note(Note::FlagsToServer))?;
                    let to_client = hexadecimal(self.note(Note::FlagsToClient))?;
                    match () {
                        _ if to_client & (SYN | ACK) == SYN | ACK => Some(PortState::Open),
                        _ if to_client & RST != 0 && to_client & SYN == 0 && to_server & SYN != 0 => {
                            Some(PortState::Closed)
                        }
                        _ if to_server & SYN != 0 && to_client == 0 && !answered => Some(PortState::Filtered),
                        _ => None,
                    }
                }
                Transport::UDP => answered.then_some(PortState::Open),
                _ => None,
            },
            b"drop" if self.note(Note::Direction) == b"to_server" => Some(PortState::Filtered),
            b"http" => self.has(Note::HttpStatus).then_some(PortState::Open),
            b"tls" => {
                let hello = self.has(Note::TlsVersion) && self.note(Note::TlsVersion) != b"UNDETERMINED";
                (hello || row.has(Field::TlsSubject)).then_some(PortState::Open)
            }
            b"ssh" => self.has(Note::ServerSoftware).then_some(PortState::Open),
            b"dns" => matches!(self.note(Note::DnsType), b"answer" | b"response").then_some(PortState::Open),
            b"smb" => self.has(Note::SmbStatus).then_some(PortState::Open),
            b"ftp" => self.has(Note::FtpCode).then_some(PortState::Open),
            b"ldap" => self.has(Note::LdapResult).then_some(PortState::Open),
            b"pop3" => self.has(Note::Pop3Success).then_some(PortState::Open),
            b"pgsql" | b"dcerpc" | b"modbus" | b"dnp3" => {
                (self.has(Note::Response) || self.has(Note::SqlState)).then_some(PortState::Open)
            }
            _ => None,
        }
    }

    /// Logins that a protocol's own answer decides. Anything less is no login.
    fn login(&self, row: &mut Row<'_>) {
        let outcome = if (self.has(Note::Credentials) || self.has(Note::Kerberos))
            && is_session_setup(self.note(Note::SmbCommand))
        {
            self.text(row, key::USER, Note::Credentials);
            match self.note(Note::SmbStatus) {
                b"STATUS_SUCCESS" => Some(Outcome::Success),
                b"" | b"STATUS_MORE_PROCESSING_REQUIRED" => return,
                _ => Some(Outcome::Failure),
            }
        } else if self.has(Note::Krb5Type) {
            match (self.note(Note::Krb5Type), self.note(Note::Krb5Error)) {
                (b"KRB_AS_REP" | b"KRB_TGS_REP", _) => Some(Outcome::Success),
                // The usual first step of every login.
                (_, b"KDC_ERR_PREAUTH_REQUIRED") => None,
                (b"KRB_ERROR", _) => {
                    self.text(row, key::REASON, Note::Krb5Error);
                    Some(Outcome::Failure)
                }
                _ => None,
            }
        } else if self.has(Note::FtpCommand) {
            match (self.note(Note::FtpCommand), self.note(Note::FtpCode)) {
                (b"USER", _) => {
                    self.text(row, key::USER, Note::FtpData);
                    return;
                }
                (b"PASS", b"230") => Some(Outcome::Success),
                (b"PASS", b"530") => Some(Outcome::Failure),
                (b"PASS", _) => return,
                _ => {
                    self.text(row, key::EVENT_ACTION, Note::FtpCommand);
                    self.notes[Note::FtpData as usize].with(|text| row.extra_fixed("ftp.command_data", text));
                    return;
                }
            }
        } else if self.has(Note::RfbResult) {
            Some(if self.note(Note::RfbResult) == b"OK" { Outcome::Success } else { Outcome::Failure })
        } else if self.note(Note::LdapOperation) == b"bind_request" && self.has(Note::LdapResult) {
            Some(if self.note(Note::LdapResult) == b"success" { Outcome::Success } else { Outcome::Failure })
        } else if matches!(self.note(Note::SqlState), b"28P01" | b"28000") {
            Some(Outcome::Failure)
        } else if self.has(Note::Pop3Command) {
            match self.note(Note::Pop3Command) {
                b"USER" => {
                    self.text(row, key::USER, Note::Pop3Argument);
                    return;
                }
                b"PASS" => match self.note(Note::Pop3Success) {
                    b"true" => Some(Outcome::Success),
                    b"false" => Some(Outcome::Failure),
                    _ => return,
                },
                _ => {
                    self.text(row, key::EVENT_ACTION, Note::Pop3Command);
                    return;
                }
            }
        } else if self.has(Note::MqttUser) || self.has(Note::MqttReturn) {
            self.text(row, key::USER, Note::MqttUser);
            // Source: MQTT 3.1.1, table 3.1: bad user name or password, not authorised.
            match self.note(Note::MqttReturn) {
                b"4" | b"5" => Some(Outcome::Failure),
                b"0" if self.has(Note::MqttUser) => Some(Outcome::Success),
                _ => return,
            }
        } else {
            return;
        };
        row.set(key::KIND, EventKind::Auth);
        row.set_opt(key::OUTCOME, outcome);
    }
}

const SYN: u64 = 0x02;
const RST: u64 = 0x04;
const ACK: u64 = 0x10;

/// The port at which a protocol is served: Suricata writes its events in the packet's order, so the end there is the server.
fn served_port(event_type: &[u8]) -> Option<u16> {
    Some(match event_type {
        b"krb5" => 88,
        b"rdp" => 3389,
        b"rfb" => 5900,
        b"snmp" => 161,
        b"sip" => 5060,
        b"nfs" => 2049,
        b"quic" => 443,
        b"tftp" => 69,
        b"ntp" => 123,
        b"ike" | b"ikev2" => 500,
        _ => return None,
    })
}

fn is_names_port(port: Option<u16>) -> bool {
    matches!(port, Some(53 | 5353 | 5355 | 853))
}

fn is_session_setup(command: &[u8]) -> bool {
    matches!(command, b"SMB2_COMMAND_SESSION_SETUP" | b"SMB1_COMMAND_SESSION_SETUP_ANDX")
}
