//! osquery's result log: differential (one row a line), batch (`diffResults`) and snapshots, each row an event; status lines.
//!
//! A query has any name, so what a row is about is told by its columns: a port with an address and no remote end is a
//! listener, a remote end a conversation, `tty` and `host` a login. `action` says whether a row has come (`added`) or gone;
//! a snapshot tells what there is. For a socket that is merely seen it is not known who began.
//!
//! The user is that of the login or process, else the decoration `username`. Source: osquery, `docs/wiki/deployment/logging.md`,
//! `specs/*.table`.

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::detect::Keys;
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, port};
use crate::lex::{kv, time};
use crate::logins::{attempt, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "osquery",
        vendor: "osquery",
        product: "osquery",
        dataset,
        categories,
        products: &["osquery"],
        services: &["osquery"],
    }
}

static RESULT: LogSource = source("osquery.result", &[]);
static CONNECTION: LogSource = source("osquery.result", &["network_connection"]);
static LOGIN: LogSource = source("osquery.result", &["authentication"]);
static PROCESS: LogSource = source("osquery.result", &["process_creation"]);
static STATUS: LogSource = source("osquery.status", &[]);

/// Columns that are concluded from, one slot each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Note {
    Pid,
    Port,
    Address,
    Protocol,
    Name,
    Path,
    LocalAddress,
    LocalPort,
    RemoteAddress,
    RemotePort,
    State,
    Action,
    Status,
    Success,
    User,
    Host,
    Tty,
    Type,
    Time,
    CommandLine,
    Message,
    Count,
}

#[rustfmt::skip]
static COLUMNS: KeyMap<Note, 64> = KeyMap::new(&[
    ("pid", Note::Pid), ("port", Note::Port), ("address", Note::Address), ("protocol", Note::Protocol), ("name", Note::Name), ("path", Note::Path),
    ("local_address", Note::LocalAddress), ("local_port", Note::LocalPort), ("remote_address", Note::RemoteAddress),
    ("remote_port", Note::RemotePort), ("state", Note::State), ("action", Note::Action), ("syscall", Note::Action), ("status", Note::Status),
    ("success", Note::Success), ("user", Note::User), ("username", Note::User), ("host", Note::Host), ("tty", Note::Tty), ("terminal", Note::Tty),
    ("type", Note::Type), ("time", Note::Time), ("cmdline", Note::CommandLine), ("message", Note::Message),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "osquery"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["osqueryd"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let known = keys.has(Keys::HOST_IDENTIFIER) && keys.has_any(Keys::CALENDAR_TIME.and(Keys::UNIX_TIME));
        known.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let head = Head::read(record)?;
        let mut shared = None;
        let mut one = |columns: &[u8], action: &'static str, row: &mut Row<'_>| -> Result<(), Refusal> {
            let own = match &shared {
                None => {
                    let own = head.write(record, row)?;
                    shared = Some((row.shared(), own));
                    own
                }
                Some((shared, own)) => {
                    row.another()?;
                    row.say_again(shared);
                    *own
                }
            };
            own.write(row);
            columns_of(columns, action, &head, row)
        };
        match head.what {
            What::Status => {
                head.write(record, row)?.write(row);
                row.log_source(&STATUS);
                row.set(key::KIND, EventKind::Other);
                row.text(key::LEVEL, head.severity);
                head.message.with(|text| row.text(key::MESSAGE, text));
            }
            What::Columns(columns) => {
                let action = match head.action {
                    b"added" => "added",
                    b"removed" => "removed",
                    b"snapshot" | b"" => "snapshot",
                    other => {
                        let expected = "added, removed or snapshot";
                        return Err(record.refuse(other, RejectKind::bad_value("action", other, expected)));
                    }
                };
                one(columns, action, row)?;
            }
            What::Snapshot(list) => rows(record, list, |columns| one(columns, "snapshot", row))?,
            What::Difference(object) => {
                for (name, action) in [(&b"added"[..], "added"), (b"removed", "removed")] {
                    if let Some(Value::Array(list)) = json::member(object, name) {
                        rows(record, list, |columns| one(columns, action, row))?;
                    }
                }
            }
        }
        if shared.is_none() && head.what != What::Status {
            // a query that found nothing
            return Ok(Parsed::Nothing);
        }
        Ok(Parsed::Events)
    }
}

fn rows<'a>(
    record: &Record<'_>,
    list: &'a [u8],
    mut each: impl FnMut(&'a [u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for element in json::elements(list)? {
        match element? {
            Value::Object(columns) => each(columns)?,
            other => return Err(record.refuse(other.scalar(), RejectKind::Missing { what: "the columns of a row" })),
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What<'a> {
    Columns(&'a [u8]),
    Snapshot(&'a [u8]),
    Difference(&'a [u8]),
    Status,
}

/// What all rows of a record share.
struct Head<'a> {
    what: What<'a>,
    name: Value<'a>,
    host: Value<'a>,
    unix: &'a [u8],
    calendar: &'a [u8],
    action: &'a [u8],
    decorations: &'a [u8],
    severity: &'a [u8],
    message: Value<'a>,
}

impl<'a> Head<'a> {
    fn read(record: &Record<'a>) -> Result<Head<'a>, Refusal> {
        let mut head = Head {
            what: What::Status,
            name: Value::Null,
            host: Value::Null,
            unix: b"",
            calendar: b"",
            action: b"",
            decorations: b"",
            severity: b"",
            message: Value::Null,
        };
        let mut members = json::members(record.body)?;
        for member in members.by_ref() {
            let member = member?;
            match (member.key, member.value) {
                (b"name", value) => head.name = value,
                (b"hostIdentifier", value) => head.host = value,
                (b"unixTime", value) => head.unix = value.scalar(),
                (b"calendarTime", value) => head.calendar = value.scalar(),
                (b"action", value) => head.action = value.scalar(),
                (b"decorations", Value::Object(object)) => head.decorations = object,
                (b"columns", Value::Object(object)) => head.what = What::Columns(object),
                (b"snapshot", Value::Array(list)) => head.what = What::Snapshot(list),
                (b"diffResults", Value::Object(object)) => head.what = What::Difference(object),
                (b"severity", value) => head.severity = value.scalar(),
                (b"message", value) => head.message = value,
                _ => {}
            }
        }
        if members.extent() == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        if head.host == Value::Null || head.unix.is_empty() && head.calendar.is_empty() {
            return Err(record.not_this_family("`hostIdentifier` with `unixTime` or `calendarTime`"));
        }
        if head.what == What::Status && head.message == Value::Null {
            return Err(RejectKind::Missing { what: "columns, snapshot or diffResults" }.into());
        }
        Ok(head)
    }

    /// Writes what no column overwrites, and gives the rest.
    fn write(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<Own<'a>, Refusal> {
        let us = if self.unix.is_empty() { record.time.bsd(self.calendar) } else { time::epoch(self.unix) };
        let text = if self.unix.is_empty() { self.calendar } else { self.unix };
        let us =
            us.ok_or_else(|| record.refuse(text, RejectKind::bad_value("unixTime", text, "seconds since 1970")))?;
        let mut user = Value::Null;
        self.host.with(|name| row.text(key::HOST, name));
        self.name.with(|name| row.extra_fixed("query", name));
        if !self.decorations.is_empty() {
            for member in json::members(self.decorations)? {
                let member = member?;
                match member.key {
                    b"username" => user = member.value,
                    name => member.value.with(|text| row.extra(name, text)),
                }
            }
        }
        Ok(Own { us, user })
    }
}

/// What each row says at first, and may say otherwise by a column of its own.
#[derive(Clone, Copy)]
struct Own<'a> {
    us: i64,
    user: Value<'a>,
}

impl Own<'_> {
    fn write(&self, row: &mut Row<'_>) {
        set_time(row, self.us);
        self.user.with(|name| row.text(key::USER, name));
    }
}

/// One row's columns.
fn columns_of(object: &[u8], action: &'static str, head: &Head<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut notes = [Value::Null; Note::Count as usize];
    for member in json::members(object)? {
        let member = member?;
        match COLUMNS.get(member.key) {
            Some(note) if notes[note as usize] == Value::Null => notes[note as usize] = member.value,
            _ => member.value.with(|text| row.extra(member.key, text)),
        }
    }
    let columns = Columns { notes };
    row.fixed(key::EVENT_ACTION, action);
    row.set_opt(key::PROCESS_ID, decimal(columns.raw(Note::Pid)));
    let is_event = head.name.scalar().ends_with(b"_events") || columns.has(Note::Action);
    if columns.has(Note::RemotePort) || columns.has(Note::LocalPort) {
        columns.socket(row);
    } else if columns.has(Note::Port) && columns.has(Note::Protocol) && columns.has(Note::Address) {
        columns.listener(action, row);
    } else if columns.is_there(Note::Tty)
        && [Note::Host, Note::User, Note::Message].iter().any(|note| columns.is_there(*note))
    {
        columns.login(action, row);
    } else if columns.has(Note::CommandLine) && columns.has(Note::Pid) {
        row.log_source(&PROCESS);
        row.set(key::KIND, EventKind::Process);
        if action != "snapshot" {
            row.set(key::ACTION, if action == "added" { Action::Start } else { Action::End });
        }
        columns.text(Note::CommandLine, |text| row.text(key::PROCESS_COMMAND, text));
        columns.program(row);
    } else {
        row.log_source(&RESULT);
        row.set(key::KIND, if action == "snapshot" { EventKind::Inventory } else { EventKind::Other });
        columns.keep(&[], row);
    }
    if is_event && let Some(us) = time::epoch(columns.raw(Note::Time)).filter(|us| *us > 0) {
        set_time(row, us);
    }
    Ok(())
}

struct Columns<'a> {
    notes: [Value<'a>; Note::Count as usize],
}

/// Names of the columns that become extras where no conclusion was drawn from them.
#[rustfmt::skip]
const NAMES: [(Note, &str); 18] = [
    (Note::Port, "port"), (Note::Address, "address"), (Note::Protocol, "protocol"), (Note::Name, "name"), (Note::Path, "path"),
    (Note::LocalAddress, "local_address"), (Note::RemoteAddress, "remote_address"), (Note::State, "state"), (Note::Action, "action"),
    (Note::Status, "status"), (Note::Success, "success"), (Note::User, "account"), (Note::Host, "remote_host"), (Note::Tty, "tty"), (Note::Type, "type"),
    (Note::Time, "row_time"), (Note::CommandLine, "cmdline"), (Note::Message, "row_message"),
];

impl<'a> Columns<'a> {
    /// The bytes of a column; empty if there is none, or it is empty.
    fn raw(&self, note: Note) -> &'a [u8] {
        self.notes[note as usize].scalar()
    }

    fn has(&self, note: Note) -> bool {
        !self.raw(note).is_empty()
    }

    fn is_there(&self, note: Note) -> bool {
        self.notes[note as usize] != Value::Null
    }

    fn text(&self, note: Note, use_it: impl FnOnce(&[u8])) {
        self.notes[note as usize].with(use_it);
    }

    /// What no field took.
    fn keep(&self, taken: &[Note], row: &mut Row<'_>) {
        for (note, name) in NAMES.iter().filter(|(note, _)| !taken.contains(note)) {
            self.text(*note, |text| row.extra_fixed(name, text));
        }
    }

    fn program(&self, row: &mut Row<'_>) {
        self.text(Note::Path, |path| {
            row.text(key::PROCESS_PATH, path);
            row.text(key::PROCESS_NAME, path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(path));
        });
        self.text(Note::Name, |name| row.text(key::PROCESS_NAME, name));
    }

    fn transport(&self, row: &mut Row<'_>) {
        let transport = Transport::parse(self.raw(Note::Protocol));
        row.set_opt(key::TRANSPORT, transport.filter(|transport| transport.0 != 0));
    }

    /// A port on which a process listens; port 0 is a socket of another kind.
    fn listener(&self, action: &str, row: &mut Row<'_>) {
        self.transport(row);
        self.program(row);
        row.log_source(&RESULT);
        self.text(Note::Address, |text| row.extra_fixed("listen_address", text));
        match port(self.raw(Note::Port)).filter(|port| *port > 0) {
            Some(number) => {
                row.set(key::KIND, EventKind::Listener);
                row.set(key::DST_PORT, number);
                row.set(key::PORT_STATE, if action == "removed" { PortState::Closed } else { PortState::Open });
                if action != "snapshot" {
                    row.set(key::ACTION, if action == "added" { Action::Start } else { Action::End });
                }
            }
            None => row.set(key::KIND, EventKind::Other),
        }
    }

    /// `process_open_sockets`, `socket_events`, `bpf_socket_events`.
    fn socket(&self, row: &mut Row<'_>) {
        self.transport(row);
        self.text(Note::Path, |path| {
            row.text(key::PROCESS_PATH, path);
            row.text(key::PROCESS_NAME, path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(path));
        });
        self.text(Note::Name, |name| row.text(key::PROCESS_NAME, name));
        let own = Ip::parse(self.raw(Note::LocalAddress)).filter(|ip| !ip.to_std().is_unspecified());
        let own_port = port(self.raw(Note::LocalPort)).filter(|port| *port > 0);
        let peer = Ip::parse(self.raw(Note::RemoteAddress)).filter(|ip| !ip.to_std().is_unspecified());
        let peer_port = port(self.raw(Note::RemotePort)).filter(|port| *port > 0);
        let (act, state) = (self.raw(Note::Action), self.raw(Note::State));
        row.text(key::CONN_STATE, if state.is_empty() { self.raw(Note::Status) } else { state });
        row.log_source(&CONNECTION);
        if matches!(act, b"bind" | b"listen") || state == b"LISTEN" {
            row.log_source(&RESULT);
            row.set(key::KIND, EventKind::Listener);
            row.set_opt(key::DST_PORT, own_port);
            self.text(Note::LocalAddress, |text| row.extra_fixed("listen_address", text));
            // what is bound need not listen yet
            if act != b"bind" {
                row.set(key::PORT_STATE, PortState::Open);
            }
            return;
        }
        row.set(key::KIND, if peer.is_some() { EventKind::Flow } else { EventKind::Other });
        let came_in = matches!(act, b"accept" | b"accept4");
        let (source, destination) =
            if came_in { ((peer, peer_port), (own, own_port)) } else { ((own, own_port), (peer, peer_port)) };
        row.set_opt(key::SRC_IP, source.0);
        row.set_opt(key::SRC_PORT, source.1);
        row.set_opt(key::DST_IP, destination.0);
        row.set_opt(key::DST_PORT, destination.1);
        if came_in || act == b"connect" {
            row.set(key::INITIATOR, Initiator::Source);
            row.set(key::ACTION, Action::Start);
            let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
            let succeeded = self.raw(Note::Status) == b"succeeded" || self.raw(Note::Success) == b"1";
            if tcp && succeeded {
                row.set(key::PORT_STATE, PortState::Open);
            }
        } else if act == b"close" {
            row.set(key::ACTION, Action::End);
        }
    }

    /// `logged_in_users`, `last`, `user_events`.
    fn login(&self, action: &str, row: &mut Row<'_>) {
        let kind = self.raw(Note::Type);
        // of `last` 7 is a login and 8 its end; others are the system's own records
        let is_login = matches!(kind, b"user" | b"7" | b"active" | b"1112");
        if is_login && action == "added" {
            attempt(row, &LOGIN, Outcome::Success);
            row.set(key::ACTION, Action::Start);
        } else {
            row.log_source(&LOGIN);
            row.set(key::KIND, if action == "snapshot" { EventKind::Inventory } else { EventKind::Other });
            if action == "removed" || kind == b"8" || kind == b"dead" {
                row.set(key::ACTION, Action::End);
            }
        }
        if self.has(Note::User) {
            row.clear(Field::User);
            self.text(Note::User, |name| row.text(key::USER, name));
        }
        let host = self.raw(Note::Host);
        if !host.is_empty() && !host.starts_with(b":") {
            set_source(row, host);
        }
        if let Some(us) = time::epoch(self.raw(Note::Time)).filter(|us| *us > 0 && action == "added") {
            set_time(row, us);
        }
        // a record of the audit log
        self.text(Note::Message, |text| {
            for pair in kv::pairs(text) {
                match (pair.key, pair.value) {
                    (b"acct", name) => row.text(key::USER, name),
                    (b"addr", b"?") => {}
                    (b"addr", address) => set_source(row, address),
                    (b"res", b"failed" | b"0") => row.set(key::OUTCOME, Outcome::Failure),
                    (b"res", _) => row.set(key::OUTCOME, Outcome::Success),
                    _ => {}
                }
            }
        });
        self.text(Note::Tty, |text| row.extra_fixed("tty", text));
        self.text(Note::Type, |text| row.extra_fixed("type", text));
        self.text(Note::Message, |text| row.text(key::MESSAGE, text));
    }
}
