//! Windows event records in all the shapes that shippers give them: one reading, one set of names.
//!
//! ```text
//! winlogbeat / ECS   {"winlog":{"event_id":…,"event_data":{"IpAddress":…}},"event":{…}}   also dotted, and before 7.0
//! flat               {"EventID":…,"Hostname":…,"IpAddress":…}                            NXLog, Vector, Mordor
//! nested             {"Event":{"System":{…},"EventData":{…}}}, Wazuh's data.win.*
//!                    evtx_dump's `#attributes` and `#text`
//! rendered           <Event><System>…</System><EventData><Data Name='IpAddress'>…
//! in text            Snare's columns, Splunk's `EventCode=…`, QRadar's `AgentDevice=…`, `Provider: 4625: …`, the text for people
//! ```
//! It knows what Windows calls its data fields, and nothing of columns or of what an event means: two families do that.
//! One pass over the bytes; a field that is not in [`Slot`] is handed out at once. Measured against a walk by members of
//! nested objects, which reads the innermost three times.
//! One file a shape: `objects`, `documents`, `lines`, and `message` for the text for people; `order` names data that has lost its names.
//!
//! Source of the names: the providers' manifests.

mod documents;
mod lines;
mod localised;
mod message;
mod objects;
mod order;

use schemas::RejectKind;

pub use self::documents::read_xml;
pub use self::lines::{is_event_text, read_text};
pub use self::objects::{EventTrail, read_json};
use super::json::{self, Kind, Scalar};
use super::keys::KeyMap;
use super::time::{TimeContext, iso, us_date};
use super::xml;
use crate::Refusal;

macro_rules! slots {
    (system { $($system:ident),+ $(,)? } data { $($data:ident),+ $(,)? }) => {
        /// What of an event has a place of its own: first what the system and the shipper say, then data fields by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are those of the events")]
        pub enum Slot { $($system,)+ $($data),+ }
        const COUNT: usize = [$(Slot::$system,)+ $(Slot::$data),+].len();
        const SYSTEM: usize = [$(Slot::$system),+].len();
        const NAMES: [&str; COUNT] = [$(stringify!($system),)+ $(stringify!($data)),+];
        static DATA: KeyMap<Slot, 512> = KeyMap::new(&[$((stringify!($data), Slot::$data)),+]);
        /// Each slot as a list of its own.
        static ONE_EACH: [[Slot; 1]; COUNT] = [$([Slot::$system],)+ $([Slot::$data]),+];
        #[cfg(test)]
        const ALL: [Slot; COUNT] = [$(Slot::$system,)+ $(Slot::$data),+];
    };
}

slots! {
    system {
        Ignored, Provider, Channel, EventId, Computer, HostName, TimeCreated, Timestamp, LocalTime, Outcome, Keywords,
        Action, Severity, Message, SystemAccount, SystemDomain, SystemProcess, ThreadId, EcsUser, EcsUserDomain, EcsSourceIp,
        EcsSourcePort, EcsDestinationIp, EcsDestinationPort, EcsTransport, EcsProgram, EcsProcessId, EcsQuestion, RecordId,
    }
    data {
        SubjectUserSid, SubjectUserName, SubjectDomainName, SubjectLogonId, TargetUserSid, TargetSid, TargetUserName,
        TargetDomainName, TargetLogonId, LogonType, LogonProcessName, AuthenticationPackageName, PackageName, LmPackageName,
        WorkstationName, Workstation, ProcessId, ProcessID, ProcessName, NewProcessId, NewProcessName,
        ParentProcessName, CommandLine, IpAddress, IpPort, Status, SubStatus, FailureReason,
        TargetServerName, AccountName, AccountDomain, LogonID, ClientName, ClientAddress, SessionName, SourceAddress,
        SourcePort, DestAddress, DestPort, Protocol, Direction, Application, LayerName, ServiceName, ServiceSid, TicketOptions, TicketEncryptionType, PreAuthType,
        ElevatedToken, ImpersonationLevel, VirtualAccount, RestrictedAdminMode, TargetLinkedLogonId, PrivilegeList, ShareName,
        RelativeTargetName, AccessMask, CallingStationID, ClientIPAddress, ReasonCode, Reason, EventType, UtcTime, Image, User,
        SourceIp, SourceHostname, DestinationIp, DestinationHostname, DestinationPort, Initiated, QueryName, QueryStatus,
        QueryResults, ParentImage, ParentProcessId, ParentCommandLine, ParentUser, ProcessGuid, RuleName, Hashes, Address, Param1,
        Param2, Param3, IPString, ClientIP, Requester, ContextInfo,
        UserName, Connection, AuthFailureMessage, ErrorCode, ImagePath, RuleId, ModifyingUser,
        Username,
    }
}

const _: () = assert!(COUNT <= 128, "a bit a slot");

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Json,
    Xml,
}

/// A value as it stands in the record; empty if the record has none.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    raw: &'a [u8],
    coding: Coding,
}

const EMPTY: Field<'static> = Field { raw: b"", coding: Coding::Plain };

impl<'a> Field<'a> {
    #[inline(always)]
    fn of_json(value: Scalar<'a>) -> Field<'a> {
        Field { raw: value.raw, coding: if value.kind == Kind::Escaped { Coding::Json } else { Coding::Plain } }
    }

    fn of_xml(raw: &'a [u8]) -> Field<'a> {
        Field { raw, coding: Coding::Xml }
    }

    /// Hands the text to `use_it`, escapes and entities resolved. Without any, it is a slice of the record.
    #[inline]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self.coding {
            Coding::Plain => use_it(self.raw),
            Coding::Json => json::Text { raw: self.raw, escaped: true }.with(use_it),
            Coding::Xml => xml::with_text(self.raw, use_it),
        }
    }

    /// The bytes as they stand in the record: right for numbers, addresses, names and codes, which need no escapes.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether the event says nothing here: empty, `-`, or a blank.
    #[inline]
    pub fn is_absent(self) -> bool {
        matches!(self.raw, b"" | b"-" | b" ")
    }

    /// This field, or another where it says nothing.
    #[inline]
    pub fn or(self, other: impl FnOnce() -> Field<'a>) -> Field<'a> {
        if self.is_absent() { other() } else { self }
    }
}

/// One event with its fields in their places.
///
/// It is filled in place and never moved: copying two kilobytes an event cost more than reading ten fields.
pub struct WinEvent<'a> {
    raw: [&'a [u8]; COUNT],
    /// Fields that are there and have not been taken.
    open: u128,
    /// Fields with escapes of JSON in them, and such as stand in XML.
    json: u128,
    xml: u128,
}

impl Default for WinEvent<'_> {
    #[inline]
    fn default() -> Self {
        WinEvent { raw: [b""; COUNT], open: 0, json: 0, xml: 0 }
    }
}

#[inline]
const fn bit(slot: Slot) -> u128 {
    1 << slot as u32
}

impl<'a> WinEvent<'a> {
    /// A field; it counts as used and does not come again in [`WinEvent::rest`].
    #[inline]
    pub fn take(&mut self, slot: Slot) -> Field<'a> {
        self.open &= !bit(slot);
        self.peek(slot)
    }

    /// A field, left where it is.
    #[inline]
    pub fn peek(&self, slot: Slot) -> Field<'a> {
        self.field(slot as usize)
    }

    #[inline]
    fn field(&self, at: usize) -> Field<'a> {
        let coding = match (self.json >> at & 1, self.xml >> at & 1) {
            (1, _) => Coding::Json,
            (_, 1) => Coding::Xml,
            _ => Coding::Plain,
        };
        Field { raw: self.raw[at], coding }
    }

    /// Takes a field away, as if it had not been there.
    pub fn remove(&mut self, slot: Slot) -> Field<'a> {
        let field = self.take(slot);
        self.raw[slot as usize] = b"";
        field
    }

    /// The first of several fields that says something; that one counts as used.
    #[inline]
    pub fn first(&mut self, slots: &[Slot]) -> Field<'a> {
        match slots.iter().find(|slot| !self.peek(**slot).is_absent()) {
            Some(slot) => self.take(*slot),
            None => EMPTY,
        }
    }

    /// The data fields that nobody has taken, with their names.
    pub fn rest(&self) -> impl Iterator<Item = (&'static str, Field<'a>)> + '_ {
        let mut open = self.open >> SYSTEM << SYSTEM;
        std::iter::from_fn(move || {
            while open != 0 {
                let at = open.trailing_zeros() as usize;
                open &= open - 1;
                let field = self.field(at);
                if !field.is_absent() {
                    return Some((NAMES[at], field));
                }
            }
            None
        })
    }

    /// Whether it has any data field, those excepted that NXLog writes of the record itself under a data field's name.
    pub fn has_data(&self) -> bool {
        const RECORD: u128 = bit(Slot::EventType) | bit(Slot::AccountName) | bit(Slot::ProcessID);
        (self.open & !RECORD) >> SYSTEM != 0
    }

    /// Fills data fields by their order, for shapes that lost their names.
    fn put_in_order(&mut self, values: impl Iterator<Item = Field<'a>>, mut other: impl FnMut(&[u8], Field<'a>)) {
        let code = self.code();
        for (value, name) in values.zip(order::names(code)) {
            match data_slot(name.as_bytes()) {
                Some(slot) => self.put(slot, value),
                None => other(name.as_bytes(), value),
            }
        }
    }

    /// The event's number. Several exist in more than one provider.
    pub fn code(&self) -> Option<u32> {
        let text = self.peek(Slot::EventId).raw();
        u32::try_from(super::text::decimal(text)?).ok()
    }

    /// Whether it is an event of this provider, by the end of its name; by the channel's where no provider is named.
    #[inline]
    pub fn is_from(&self, provider: &[u8]) -> bool {
        match self.peek(Slot::Provider).raw() {
            b"" => {
                let channel = self.peek(Slot::Channel).raw();
                channel.split(|byte| *byte == b'/').next().unwrap_or(channel).ends_with(provider)
            }
            name => name.ends_with(provider),
        }
    }

    /// When it was logged: a stamp with a zone before one without, the system's before the shipper's.
    pub fn time(&self, context: &TimeContext) -> Option<i64> {
        let stamps = [Slot::TimeCreated, Slot::LocalTime, Slot::Timestamp].map(|slot| self.peek(slot).raw());
        for text in stamps {
            if let Some((stamp, length)) = iso(text)
                && stamp.offset.is_some()
            {
                return if length == text.len() { context.resolve(&stamp) } else { context.iso(text) };
            }
        }
        stamps.into_iter().filter(|stamp| !stamp.is_empty()).find_map(|stamp| {
            // Splunk's own form has the month first
            context.any(stamp).or_else(|| context.resolve(&us_date(stamp)?))
        })
    }

    #[inline(always)]
    fn put(&mut self, slot: Slot, field: Field<'a>) {
        if self.open & bit(slot) == 0 && !field.raw.is_empty() {
            self.raw[slot as usize] = field.raw;
            self.open |= bit(slot);
            match field.coding {
                Coding::Plain => {}
                Coding::Json => self.json |= bit(slot),
                Coding::Xml => self.xml |= bit(slot),
            }
        }
    }
}

/// The slot of a data field. Wazuh and WinRM write the first letter of a name small.
#[inline]
fn data_slot(name: &[u8]) -> Option<Slot> {
    match DATA.get(name) {
        None if name.first().is_some_and(u8::is_ascii_lowercase) => {
            let mut copy = [0u8; 64];
            let copy = copy.get_mut(..name.len())?;
            copy.copy_from_slice(name);
            copy.first_mut()?.make_ascii_uppercase();
            DATA.get(copy)
        }
        found => found,
    }
}

#[cold]
fn unclosed(body: &[u8], what: &'static str) -> Refusal {
    Refusal { at: body.len(), kind: RejectKind::Unclosed { what } }
}

#[cfg(test)]
mod tests {
    use super::super::xml::Reader;
    use super::*;

    fn field(event: &WinEvent<'_>, slot: Slot) -> String {
        event.peek(slot).with(|text| String::from_utf8_lossy(text).into_owned())
    }

    #[test]
    fn all_json_shapes_give_the_same_fields() {
        for body in [
            r#"{"@timestamp":"2026-05-04T07:12:31Z","winlog":{"event_id":"4625","computer_name":"srv1.example.org","event_data":{"IpAddress":"192.0.2.10"}}}"#,
            r#"{"winlog.event_id":4625,"winlog.computer_name":"srv1.example.org","winlog.event_data.IpAddress":"192.0.2.10","@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"event_id":4625,"computer_name":"srv1.example.org","event_data":{"IpAddress":"192.0.2.10"},"@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"EventID":4625,"Hostname":"srv1.example.org","IpAddress":"192.0.2.10","EventTime":"2026-05-04 09:12:31","@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"Event":{"System":{"EventID":4625,"Computer":"srv1.example.org","TimeCreated":{"SystemTime":"2026-05-04T07:12:31.0000000Z"}},"EventData":{"IpAddress":"192.0.2.10"}}}"#,
            r#"{"data":{"win":{"system":{"eventID":"4625","computer":"srv1.example.org","systemTime":"2026-05-04T07:12:31.0000000Z"},"eventdata":{"ipAddress":"192.0.2.10"}}}}"#,
        ] {
            let mut event = WinEvent::default();
            read_json(body.as_bytes(), &mut EventTrail::default(), &mut event, |_, _| ()).expect("JSON");
            assert_eq!(event.code(), Some(4625), "{body}");
            assert_eq!(field(&event, Slot::Computer), "srv1.example.org", "{body}");
            assert_eq!(field(&event, Slot::IpAddress), "192.0.2.10", "{body}");
            assert_eq!(event.time(&TimeContext::utc(0)), Some(1_777_878_751_000_000), "{body}");
        }
    }

    #[test]
    fn rendered_events_are_read_by_name_by_order_and_from_user_data() {
        let text = b"<Events><Event xmlns='x'><System><Provider Name='P'/><EventID Qualifiers=''>4776</EventID></System><EventData><Data>NTLM</Data><Data/><Data Name='Status'>0x0</Data></EventData></Event>\
<Event><System><EventID>21</EventID></System><UserData><EventXML xmlns='y'><User>CORP\\a&amp;b</User><SessionID>2</SessionID></EventXML></UserData></Event></Events>";
        let mut reader = Reader::new(text);
        let mut others = Vec::new();
        let mut first = WinEvent::default();
        assert!(read_xml(text, &mut reader, &mut first, |_, _| ()).expect("whole"));
        assert_eq!(
            (field(&first, Slot::PackageName), field(&first, Slot::TargetUserName)),
            ("NTLM".into(), String::new())
        );
        assert_eq!((field(&first, Slot::Status), field(&first, Slot::Provider)), ("0x0".into(), "P".into()));
        let mut second = WinEvent::default();
        assert!(read_xml(text, &mut reader, &mut second, |name, _| others.push(name.to_vec())).expect("whole"));
        assert_eq!(field(&second, Slot::User), "CORP\\a&b");
        assert_eq!(others, [b"SessionID"]);
        assert!(!read_xml(text, &mut reader, &mut WinEvent::default(), |_, _| ()).expect("whole"));
    }

    #[test]
    fn the_text_for_people_is_read_where_there_is_nothing_else() {
        let body = br#"{"EventID":4625,"Message":"An account failed.\r\n\r\nSubject:\r\n\tAccount Name:\t\t-\r\n\tAccount Domain:\t-\r\n\r\nAccount For Which Logon Failed:\r\n\tAccount Name:\t\tjdoe\r\n\tAccount Domain:\t\tEXAMPLE\r\n\tSource Network Address:\t192.0.2.10\r\n"}"#;
        let mut event = WinEvent::default();
        read_json(body, &mut EventTrail::default(), &mut event, |_, _| ()).expect("JSON");
        assert!(!event.has_data());
        event.fill_from_message();
        assert_eq!(field(&event, Slot::SubjectUserName), "-");
        assert_eq!(
            (field(&event, Slot::TargetUserName), field(&event, Slot::TargetDomainName)),
            ("jdoe".into(), "EXAMPLE".into())
        );
        assert_eq!(field(&event, Slot::IpAddress), "192.0.2.10");
    }

    #[test]
    fn what_nobody_takes_remains() {
        let mut event = WinEvent::default();
        read_json(
            br#"{"EventID":1,"Image":"x","User":"-","RuleName":"y"}"#,
            &mut EventTrail::default(),
            &mut event,
            |_, _| (),
        )
        .expect("JSON");
        assert_eq!(event.take(Slot::Image).raw(), b"x");
        let rest: Vec<_> = event.rest().map(|(name, _)| name).collect();
        assert_eq!(rest, ["RuleName"]);
        assert!(ALL.iter().enumerate().all(|(at, slot)| *slot as usize == at));
    }
}
