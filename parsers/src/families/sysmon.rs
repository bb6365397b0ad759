//! Sysmon, on Windows and on Linux: processes, connections, DNS questions, and the rest as it is.
//!
//! `time` is `UtcTime`, when it happened; the record's own time is that of writing, some milliseconds later. A connection's
//! source is who began it for TCP; for UDP Sysmon takes the first packet that it saw, so there it is not said who began.
//!
//! Source: OTRF/OSSEM-DD, `windows/sysmon/events`.

use schemas::{
    Action, Direction, EventKind, Field as Column, Initiator, LogSource, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::winevent::{Slot, WinEvent};
use crate::transport::{Accepts, Record, set_time};
use crate::windows::{
    Fault, account, common, dns_answer, dns_result, each_event, is_sysmon, leave, process_id, program, put, text,
};
use crate::{Confidence, Memory, Parsed, Parser, Refusal};

/// The family.
pub struct Family;

const NAME: &str = "sysmon";

/// One sort of event: the same of Sysmon on Windows and on Linux.
struct Sort {
    windows: LogSource,
    linux: LogSource,
}

macro_rules! sort {
    ($name:ident, $categories:expr) => {
        static $name: Sort = Sort {
            windows: source("Sysmon", &["windows"], $categories),
            linux: source("Sysmon for Linux", &["linux"], $categories),
        };
    };
}

const fn source(
    product: &'static str,
    products: &'static [&'static str],
    categories: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: NAME,
        vendor: "Microsoft",
        product,
        dataset: "sysmon",
        categories,
        products,
        services: &["sysmon"],
    }
}

sort!(PROCESS, &["process_creation"]);
sort!(ENDED, &["process_termination"]);
sort!(NETWORK, &["network_connection"]);
sort!(DNS, &["dns_query"]);
sort!(FILE, &["file_event"]);
sort!(REGISTRY, &["registry_event", "registry_set"]);
sort!(IMAGE, &["image_load"]);
sort!(PIPE, &["pipe_created"]);
sort!(OTHER, &[]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sysmon_xml", "sysmon_linux"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    fn sees_sequences(&self) -> bool {
        true
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        (is_sysmon(record) == Some(true)).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        each_event(record, memory, row, |event, row| {
            if !event.is_from(b"Sysmon") {
                return Err(RejectKind::NotThisFamily { expected: "an event of Sysmon" }.into());
            }
            write(event, record, row)
        })
    }
}

fn write<'a>(event: &mut WinEvent<'a>, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let code = common(event, record, row)?;
    let happened = event.take(Slot::UtcTime);
    if let Some((mut stamp, _)) = crate::lex::time::iso(happened.raw()) {
        // Written without a zone; it is UTC whatever the source's zone.
        stamp.offset = stamp.offset.or(Some(0));
        if let Some(us) = record.time.resolve(&stamp) {
            set_time(row, us);
        }
    }
    let path = event.first(&[Slot::Image, Slot::EcsProgram]);
    program(row, path);
    let pid = event.first(&[Slot::ProcessId, Slot::EcsProcessId]);
    process_id(row, pid);
    let user = event.first(&[Slot::User, Slot::EcsUser, Slot::AccountName, Slot::SystemAccount]);
    account(row, user);
    if !row.has(Column::UserDomain) {
        text(row, key::USER_DOMAIN, event.peek(Slot::EcsUserDomain).or(|| event.peek(Slot::SystemDomain)));
    }
    let (kind, source) = match code {
        1 | 5 => {
            row.set(key::ACTION, if code == 1 { Action::Start } else { Action::End });
            let (command, parent) = (event.take(Slot::CommandLine), event.take(Slot::ParentImage));
            text(row, key::PROCESS_COMMAND, command);
            text(row, key::PARENT_PATH, parent);
            let command = event.take(Slot::ParentCommandLine);
            text(row, key::PARENT_COMMAND, command);
            (EventKind::Process, if code == 1 { &PROCESS } else { &ENDED })
        }
        3 => {
            connection(event, row)?;
            (EventKind::Flow, &NETWORK)
        }
        22 => {
            question(event, row);
            (EventKind::Dns, &DNS)
        }
        7 => (EventKind::Other, &IMAGE),
        11 | 15 | 23 | 26 => (EventKind::Other, &FILE),
        12..=14 => (EventKind::Other, &REGISTRY),
        17 | 18 => (EventKind::Other, &PIPE),
        _ => (EventKind::Other, &OTHER),
    };
    row.set(key::KIND, kind);
    let linux = event.is_from(b"Linux-Sysmon");
    row.log_source(if linux { &source.linux } else { &source.windows });
    leave(event, row);
    Ok(())
}

fn connection<'a>(event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let ends: [(Column, &[Slot]); 4] = [
        (Column::SrcIp, &[Slot::SourceIp, Slot::EcsSourceIp]),
        (Column::SrcPort, &[Slot::SourcePort, Slot::EcsSourcePort]),
        (Column::DstIp, &[Slot::DestinationIp, Slot::EcsDestinationIp]),
        (Column::DstPort, &[Slot::DestinationPort, Slot::EcsDestinationPort]),
    ];
    for (column, slots) in ends {
        put(row, column, event.first(slots))?;
    }
    let names = (event.take(Slot::SourceHostname), event.take(Slot::DestinationHostname));
    text(row, key::SRC_HOST, names.0);
    text(row, key::DST_HOST, names.1);
    let transport = Transport::parse(event.first(&[Slot::Protocol, Slot::EcsTransport]).raw());
    row.set_opt(key::TRANSPORT, transport);
    let initiated = match event.take(Slot::Initiated).raw() {
        b"true" | b"True" => true,
        b"false" | b"False" => false,
        _ => return Ok(()),
    };
    row.set(key::DIRECTION, if initiated { Direction::Outbound } else { Direction::Inbound });
    if transport == Some(Transport::TCP) {
        row.set(key::INITIATOR, Initiator::Source);
        if !initiated {
            row.set(key::PORT_STATE, PortState::Open);
        }
    }
    Ok(())
}

fn question(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let name = event.first(&[Slot::QueryName, Slot::EcsQuestion]);
    text(row, key::DNS_QUERY, name);
    let status = event.take(Slot::QueryStatus);
    match dns_result(status.raw()) {
        Some(name) => row.fixed(key::DNS_RCODE, name),
        None => text(row, key::DNS_RCODE, status),
    }
    let results = event.take(Slot::QueryResults);
    if !results.is_absent() {
        // `type:  5 www.example.net;::ffff:192.0.2.1;`
        results.with(|results| row.list(key::DNS_ANSWERS, results.split(|byte| *byte == b';').filter_map(dns_answer)));
    }
}
