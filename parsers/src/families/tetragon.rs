//! Cilium Tetragon: what processes did, and the kernel functions that policies watch. One JSON object an event.
//!
//! A socket's `saddr` is the own end. For a connection that is made it is the source; for one that is accepted the other end
//! is, and for a socket that begins to listen there is no other end. `tcp_connect` is an attempt: what became of it only
//! the socket's state could tell.
//!
//! Source: cilium/tetragon, `api/v1/tetragon/{tetragon,events}.proto`.

use schemas::{
    Action, Direction, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key,
};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes};
use crate::lex::text::{Scratch, port};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "tetragon",
        vendor: "Cilium",
        product: "Tetragon",
        dataset: "tetragon.events",
        categories,
        products: &["tetragon", "linux"],
        services: &["tetragon"],
    }
}

static PROCESS: LogSource = source(&["process_creation"]);
static NETWORK: LogSource = source(&["network_connection"]);
static OTHER: LogSource = source(&[]);

notes! {
    Time, Binary, Arguments, ParentBinary, ParentArguments, Function, Family, Protocol, SourceAddress, SourcePort, DestinationAddress,
    DestinationPort, State, SockaddrAddress, SockaddrPort, Subsystem, Event, Message
}

/// Paths below the event's own member, whose name is the event's kind.
#[rustfmt::skip]
static PATHS: Paths<Note, 128> = {
    use Field::*;
    use self::Note as N;
    document::paths! {
    "node_name" Field(Host), "time" Note(N::Time), "cluster_name" Extra,
    "process.pid" Field(ProcessId), "process.uid" Field(UserId), "process.cwd" Extra, "process.binary" Note(N::Binary),
    "process.arguments" Note(N::Arguments), "process.exec_id" Leave, "process.parent_exec_id" Leave, "process.flags" Leave, "process.tid" Leave,
    "process.auid" Extra, "process.start_time" Extra, "process.refcnt" Leave, "process.docker" Extra, "process.user.name" Field(User),
    "process.pod.namespace" Extra, "process.pod.name" Extra, "process.pod.container.name" Extra, "process.pod.container.id" Extra,
    "process.pod.container.image.name" Extra, "process.pod.workload" Extra,
    "parent.pid" Extra, "parent.binary" Note(N::ParentBinary), "parent.arguments" Note(N::ParentArguments),
    "function_name" Note(N::Function), "action" Extra, "return_action" Extra, "policy_name" Field(RuleName), "message" Field(Message), "tags" Extra,
    "args.sock_arg.family" Note(N::Family), "args.sock_arg.type" Leave, "args.sock_arg.protocol" Note(N::Protocol),
    "args.sock_arg.saddr" Note(N::SourceAddress), "args.sock_arg.daddr" Note(N::DestinationAddress), "args.sock_arg.sport" Note(N::SourcePort),
    "args.sock_arg.dport" Note(N::DestinationPort), "args.sock_arg.state" Note(N::State), "args.sock_arg.cookie" Leave,
    "args.sock_arg.mark" Leave, "args.sock_arg.priority" Leave,
    "args.sockaddr_arg.family" Note(N::Family), "args.sockaddr_arg.addr" Note(N::SockaddrAddress), "args.sockaddr_arg.port" Note(N::SockaddrPort),
    "args.skb_arg.saddr" Note(N::SourceAddress), "args.skb_arg.daddr" Note(N::DestinationAddress), "args.skb_arg.sport" Note(N::SourcePort),
    "args.skb_arg.dport" Note(N::DestinationPort), "args.skb_arg.proto" Note(N::Protocol), "args.skb_arg.protocol" Note(N::Protocol),
    "subsys" Note(N::Subsystem), "event" Note(N::Event), "status" Extra, "signal" Extra, "path" Extra,
    }
};

/// What is left out: the parent's own details, and its ancestors.
const LEFT: &[&[u8]] =
    &[b"parent.", b"ancestors.", b"process.pod.", b"process.ns", b"process.cap", b"process.process_credentials"];

/// The members that hold an event.
const EVENTS: &[&str] = &[
    "process_exec",
    "process_exit",
    "process_kprobe",
    "process_tracepoint",
    "process_loader",
    "process_uprobe",
    "process_lsm",
    "process_throttle",
    "rate_limit_info",
];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "tetragon"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["cilium_tetragon"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.body.starts_with(b"{\"process_") || record.keys.has(Keys::NODE_NAME) {
            let body = &record.body[..record.body.len().min(40)];
            let known = EVENTS.iter().any(|event| body.get(2..).is_some_and(|body| body.starts_with(event.as_bytes())));
            return known.then_some(Confidence::Certain);
        }
        None
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes: Notes<'_, NOTES> = Notes::default();
        let known = std::cell::Cell::new(None);
        document::read_by(
            record,
            row,
            |path| {
                let kind =
                    EVENTS.iter().find(|kind| path.starts_with(kind.as_bytes()) && path.get(kind.len()) == Some(&b'.'));
                let path = match kind {
                    Some(kind) => {
                        known.set(Some(*kind));
                        &path[kind.len() + 1..]
                    }
                    None => path,
                };
                match PATHS.get(path) {
                    None if LEFT.iter().any(|prefix| path.starts_with(prefix)) => Some((document::Put::Leave, "")),
                    found => found,
                }
            },
            |note, _, value, _| notes.take(note, value),
        )?;
        let Some(event) = known.get() else {
            return Err(record.not_this_family("`process_exec`, `process_kprobe` or another event of Tetragon"));
        };
        conclude(event, record, &notes, row)?;
        Ok(Parsed::Events)
    }
}

fn conclude(
    event: &'static str,
    record: &Record<'_>,
    notes: &Notes<'_, NOTES>,
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    if !notes.has(Note::Time) {
        return Err(RejectKind::Missing { what: "time" }.into());
    }
    document::time(record, row, "time", notes.value(Note::Time))?;
    row.fixed(key::EVENT_CODE, event);
    notes.value(Note::Binary).with(|path| {
        row.text(key::PROCESS_PATH, path);
        row.text(key::PROCESS_NAME, path.rsplit(|byte| *byte == b'/').next().unwrap_or(path));
        command(path, notes.value(Note::Arguments), |line| row.text(key::PROCESS_COMMAND, line));
    });
    notes.value(Note::ParentBinary).with(|path| {
        row.text(key::PARENT_PATH, path);
        command(path, notes.value(Note::ParentArguments), |line| row.text(key::PARENT_COMMAND, line));
    });
    match event {
        "process_exec" | "process_exit" => {
            row.log_source(&PROCESS);
            row.set(key::KIND, EventKind::Process);
            row.set(key::ACTION, if event == "process_exec" { Action::Start } else { Action::End });
            row.fixed(key::EVENT_ACTION, event);
            return Ok(());
        }
        _ => {}
    }
    row.log_source(&OTHER);
    row.set(key::KIND, EventKind::Other);
    let function = notes.raw(Note::Function);
    row.text(key::EVENT_ACTION, if function.is_empty() { notes.raw(Note::Event) } else { function });
    document::extra(row, "subsys", notes.value(Note::Subsystem));
    if notes.has(Note::SourceAddress) || notes.has(Note::SockaddrAddress) {
        socket(function, notes, row);
    }
    Ok(())
}

/// A program's path and its arguments as one line.
fn command(path: &[u8], arguments: crate::lex::json::Value<'_>, use_it: impl FnOnce(&[u8])) {
    let mut line = Scratch::default();
    line.extend(path);
    arguments.with(|text| {
        if !text.is_empty() {
            line.push(b' ');
            line.extend(text);
        }
    });
    use_it(line.bytes());
}

fn socket(function: &[u8], notes: &Notes<'_, NOTES>, row: &mut Row<'_>) {
    let number = |note| port(document::whole(notes.value(note)));
    let real = |note| Ip::parse(notes.raw(note)).filter(|ip| !ip.to_std().is_unspecified());
    let mut own = (real(Note::SourceAddress), number(Note::SourcePort).filter(|port| *port > 0));
    let mut peer = (real(Note::DestinationAddress), number(Note::DestinationPort).filter(|port| *port > 0));
    let protocol = notes.raw(Note::Protocol);
    let transport = Transport::parse(protocol.strip_prefix(b"IPPROTO_").unwrap_or(protocol));
    let transport = transport.or_else(|| function.starts_with(b"tcp_").then_some(Transport::TCP));
    row.set_opt(key::TRANSPORT, transport);
    document::text(row, key::CONN_STATE, notes.value(Note::State));
    match function {
        b"inet_csk_listen_start" | b"security_socket_listen" | b"security_socket_bind" | b"__sys_bind" => {
            if notes.has(Note::SockaddrAddress) {
                own = (real(Note::SockaddrAddress), number(Note::SockaddrPort));
            }
            row.set(key::KIND, EventKind::Listener);
            row.set_opt(key::DST_PORT, own.1);
            row.set_opt(key::HOST_IP, own.0.filter(|ip| !ip.to_std().is_loopback()));
            // what is bound need not listen yet
            if !function.ends_with(b"bind") {
                row.set(key::PORT_STATE, PortState::Open);
                row.set(key::ACTION, Action::Start);
            }
            return;
        }
        _ => {}
    }
    if notes.has(Note::SockaddrAddress) {
        peer = (real(Note::SockaddrAddress), number(Note::SockaddrPort));
    }
    let came_in = matches!(function, b"inet_csk_accept" | b"security_socket_accept" | b"__sys_accept4");
    row.log_source(&NETWORK);
    row.set(key::KIND, EventKind::Flow);
    let (from, to) = if came_in { (peer, own) } else { (own, peer) };
    row.set_opt(key::SRC_IP, from.0);
    row.set_opt(key::SRC_PORT, from.1);
    row.set_opt(key::DST_IP, to.0);
    row.set_opt(key::DST_PORT, to.1);
    match function {
        _ if came_in => {
            row.set(key::ACTION, Action::Start);
            row.set(key::DIRECTION, Direction::Inbound);
            row.set(key::INITIATOR, Initiator::Source);
            row.set(key::PORT_STATE, PortState::Open);
        }
        b"tcp_connect" | b"security_socket_connect" | b"__sys_connect" => {
            row.set(key::ACTION, Action::Start);
            row.set(key::DIRECTION, Direction::Outbound);
            row.set(key::INITIATOR, Initiator::Source);
        }
        b"tcp_close" => row.set(key::ACTION, Action::End),
        _ => {}
    }
}
