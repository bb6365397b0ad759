//! Windows events as JSON objects: every shape that shippers give them, told apart by the paths alone.

use super::super::json::{self, Extent, JsonTrail, Scalar};
use super::super::keys::KeyMap;
use super::super::text::contains;
use super::{DATA, Field, Slot, WinEvent, data_slot, unclosed};
use crate::Refusal;

/// Paths of what is no data field, in all shapes. What only the shipper is interested in is `Ignored`.
static PATHS: KeyMap<Slot, 512> = KeyMap::new(&[
    ("winlog.event_id", Slot::EventId),
    ("event_id", Slot::EventId),
    ("EventID", Slot::EventId),
    ("EventCode", Slot::EventId),
    ("event.code", Slot::EventId),
    ("Event.System.EventID", Slot::EventId),
    ("System.EventID", Slot::EventId),
    ("data.win.system.eventID", Slot::EventId),
    ("winlogbeat_winlog_event_id", Slot::EventId),
    ("winlogbeat_event_id", Slot::EventId),
    ("winlogbeat_event_code", Slot::EventId),
    ("winlogbeat_winlog_provider_name", Slot::Provider),
    ("winlogbeat_source_name", Slot::Provider),
    ("winlogbeat_winlog_channel", Slot::Channel),
    ("winlogbeat_log_name", Slot::Channel),
    ("winlogbeat_winlog_computer_name", Slot::Computer),
    ("winlogbeat_computer_name", Slot::Computer),
    ("winlogbeat_event_outcome", Slot::Outcome),
    ("winlogbeat_winlog_record_id", Slot::RecordId),
    ("winlogbeat_winlog_keywords", Slot::Keywords),
    ("Provider", Slot::Provider),
    ("EventSourceName", Slot::Provider),
    ("System.Provider.Name", Slot::Provider),
    ("Event.System.Provider_attributes.Name", Slot::Provider),
    ("Event.System.TimeCreated_attributes.SystemTime", Slot::TimeCreated),
    ("System.TimeCreated.SystemTime", Slot::TimeCreated),
    ("System.Channel", Slot::Channel),
    ("System.Computer", Slot::Computer),
    ("System.Keywords", Slot::Keywords),
    ("Event.System.EventRecordID", Slot::RecordId),
    ("System.EventRecordID", Slot::RecordId),
    ("EventRecordID", Slot::RecordId),
    ("record_id", Slot::RecordId),
    ("event_record_id", Slot::RecordId),
    ("Event.RenderingInfo.Message", Slot::Message),
    ("Event.RenderingInfo.Task", Slot::Action),
    ("description", Slot::Message),
    ("Description", Slot::Message),
    ("winlog.provider_name", Slot::Provider),
    ("winlog.event_data.provider_name", Slot::Provider),
    ("event.provider", Slot::Provider),
    ("provider_name", Slot::Provider),
    ("source_name", Slot::Provider),
    ("SourceName", Slot::Provider),
    ("ProviderName", Slot::Provider),
    ("Provider_Name", Slot::Provider),
    ("Event.System.Provider.Name", Slot::Provider),
    ("data.win.system.providerName", Slot::Provider),
    ("winlog.channel", Slot::Channel),
    ("log_name", Slot::Channel),
    ("channel", Slot::Channel),
    ("Channel", Slot::Channel),
    ("LogName", Slot::Channel),
    ("Event.System.Channel", Slot::Channel),
    ("data.win.system.channel", Slot::Channel),
    ("winlog.computer_name", Slot::Computer),
    ("computer_name", Slot::Computer),
    ("ComputerName", Slot::Computer),
    ("Computer", Slot::Computer),
    ("computer", Slot::Computer),
    ("Hostname", Slot::Computer),
    ("HOSTNAME", Slot::Computer),
    ("Event.System.Computer", Slot::Computer),
    ("data.win.system.computer", Slot::Computer),
    ("host.name", Slot::HostName),
    ("host.hostname", Slot::HostName),
    ("winlog.time_created", Slot::TimeCreated),
    ("TimeCreated", Slot::TimeCreated),
    ("time_created", Slot::TimeCreated),
    ("TimeGenerated", Slot::TimeCreated),
    ("Event.System.TimeCreated.SystemTime", Slot::TimeCreated),
    ("data.win.system.systemTime", Slot::TimeCreated),
    ("EventTime", Slot::LocalTime),
    ("@timestamp", Slot::Timestamp),
    ("timestamp", Slot::Timestamp),
    ("event.outcome", Slot::Outcome),
    ("winlog.outcome", Slot::Outcome),
    ("winlog.keywords", Slot::Keywords),
    ("keywords", Slot::Keywords),
    ("Keywords", Slot::Keywords),
    ("Event.System.Keywords", Slot::Keywords),
    ("data.win.system.keywords", Slot::Keywords),
    ("event.action", Slot::Action),
    ("winlog.task", Slot::Action),
    ("task", Slot::Action),
    ("Category", Slot::Action),
    ("log.level", Slot::Severity),
    ("winlog.level", Slot::Severity),
    ("level", Slot::Severity),
    ("Severity", Slot::Severity),
    ("message", Slot::Message),
    ("Message", Slot::Message),
    ("data.win.system.message", Slot::Message),
    ("winlog.user.name", Slot::SystemAccount),
    ("winlog.user.domain", Slot::SystemDomain),
    ("Domain", Slot::SystemDomain),
    ("ExecutionProcessID", Slot::SystemProcess),
    ("ThreadID", Slot::ThreadId),
    ("user.name", Slot::EcsUser),
    ("user.domain", Slot::EcsUserDomain),
    ("source.ip", Slot::EcsSourceIp),
    ("source.port", Slot::EcsSourcePort),
    ("destination.ip", Slot::EcsDestinationIp),
    ("destination.port", Slot::EcsDestinationPort),
    ("network.transport", Slot::EcsTransport),
    ("process.executable", Slot::EcsProgram),
    ("process.pid", Slot::EcsProcessId),
    ("dns.question.name", Slot::EcsQuestion),
    ("winlog.record_id", Slot::RecordId),
    ("record_number", Slot::RecordId),
    ("RecordNumber", Slot::RecordId),
    ("host", Slot::Ignored),
    ("port", Slot::Ignored),
    ("tags", Slot::Ignored),
    ("type", Slot::Ignored),
    ("@version", Slot::Ignored),
    ("Version", Slot::Ignored),
    ("Task", Slot::Ignored),
    ("Level", Slot::Ignored),
    ("Opcode", Slot::Ignored),
    ("OpcodeValue", Slot::Ignored),
    ("EventTypeOrignal", Slot::Ignored),
    ("SeverityValue", Slot::Ignored),
    ("SourceModuleName", Slot::Ignored),
    ("SourceModuleType", Slot::Ignored),
    ("EventReceivedTime", Slot::Ignored),
    ("ProviderGuid", Slot::Ignored),
    ("ActivityID", Slot::Ignored),
    ("UserID", Slot::Ignored),
    ("AccountType", Slot::Ignored),
]);

/// The name of a data field, where the path is that of one; `None` where it is not.
#[inline]
fn data_name(path: &[u8]) -> Option<&[u8]> {
    match path {
        [b'w', b'i', b'n', b'l', b'o', b'g', b'.', rest @ ..] => {
            if let Some(name) = rest.strip_prefix(b"event_data.") {
                return Some(name);
            }
            rest.starts_with(b"user_data.").then(|| last(rest))
        }
        // Graylog flattens with underscores
        [b'w', b'i', b'n', b'l', b'o', b'g', b'b', b'e', b'a', b't', b'_', rest @ ..] => {
            rest.strip_prefix(b"winlog_event_data_").or_else(|| rest.strip_prefix(b"event_data_"))
        }
        [b'e', ..] => path.strip_prefix(b"event_data."),
        [b'u', ..] => path.starts_with(b"user_data.").then(|| last(path)),
        [b'E', ..] => path
            .strip_prefix(b"EventData.")
            .or_else(|| path.strip_prefix(b"Event.EventData."))
            .or_else(|| (path.starts_with(b"Event.UserData.") || path.starts_with(b"UserData.")).then(|| last(path))),
        [b'U', ..] => path.starts_with(b"UserData.").then(|| last(path)),
        [b'd', ..] => path.strip_prefix(b"data.win.eventdata."),
        _ => None,
    }
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'.').next().unwrap_or(path)
}

/// Whether the elements of an array are data fields in their order. Source: Fluent Bit, Fluentd, evtx_dump.
fn is_in_order(path: &[u8]) -> bool {
    matches!(
        path,
        b"StringInserts" | b"event_data" | b"Event.EventData.Data" | b"Event.EventData.Data.#text" | b"EventData.Data"
    )
}

/// Runs `with` over a path without what evtx_dump puts between an element and its attributes or text.
#[inline]
fn plain<R>(path: &[u8], with: impl FnOnce(&[u8]) -> R) -> R {
    const ATTRIBUTES: &[u8] = b"#attributes.";
    // only its own objects have such members, and they begin with `Event`
    if !matches!(path.first(), Some(b'E' | b'#')) {
        return with(path);
    }
    let path = path.strip_suffix(b".#text").unwrap_or(path);
    let Some(at) = memchr::memchr(b'#', path).filter(|at| path[*at..].starts_with(ATTRIBUTES)) else {
        return with(path);
    };
    let mut copy = [0u8; 128];
    let rest = &path[at + ATTRIBUTES.len()..];
    match copy.get_mut(..at + rest.len()) {
        Some(copy) => {
            copy[..at].copy_from_slice(&path[..at]);
            copy[at..].copy_from_slice(rest);
            with(copy)
        }
        None => with(path),
    }
}

/// Most data fields that are read by their order.
const IN_ORDER_MAX: usize = 40;

/// What a path means.
#[derive(Clone, Copy, Default)]
pub enum Meaning {
    Slot(Slot),
    /// A data field without a slot; its name is the path from there on.
    Other(u16),
    /// The same if the shape is the flat one.
    OtherIfFlat,
    /// One of data fields that have only their order.
    InOrder,
    /// Of evtx_dump: to be looked up without what it adds.
    Attribute,
    #[default]
    Nothing,
}

/// What a source's events have looked like.
pub type EventTrail = JsonTrail<Meaning>;

fn meaning(path: &[u8]) -> Meaning {
    if is_in_order(path) {
        return Meaning::InOrder;
    }
    plain(path, |plain| if plain.len() < path.len() { Meaning::Attribute } else { meaning_of_plain(path) })
}

fn meaning_of_plain(path: &[u8]) -> Meaning {
    if let Some(name) = data_name(path).filter(|name| *name != b"xmlns") {
        return match data_slot(name).or_else(|| PATHS.get(path)) {
            Some(slot) => Meaning::Slot(slot),
            // every name is the end of its path
            None => Meaning::Other((path.len() - name.len()) as u16),
        };
    }
    if let Some(slot) = PATHS.get(path) {
        return Meaning::Slot(slot);
    }
    if !path.contains(&b'.') || path.starts_with(b"winlog.") {
        return DATA.get(path).map_or(Meaning::OtherIfFlat, Meaning::Slot);
    }
    Meaning::Nothing
}

/// Reads a JSON object of any shape. Data fields without a slot are given to `other` with their names.
///
/// # Errors
/// What is no JSON, with its offset; an object that never closes, since what an event means may lie in what is missing.
#[inline]
pub fn read_json<'a>(
    body: &'a [u8],
    trail: &mut EventTrail,
    event: &mut WinEvent<'a>,
    mut other: impl FnMut(&[u8], Field<'a>),
) -> Result<(), Refusal> {
    // Top-level keys are data in the flat shape only; which shape it is, is asked when it matters.
    let mut flat = None;
    let mut in_order = false;
    let extent = json::walk_by(body, trail, meaning, |path, meaning, value| {
        let field = Field::of_json(value);
        match meaning {
            Meaning::Slot(slot) => event.put(slot, field),
            Meaning::Other(from) => other(path.bytes().get(usize::from(from)..).unwrap_or_default(), field),
            Meaning::OtherIfFlat => {
                if *flat.get_or_insert_with(|| !contains(body, b"\"winlog")) {
                    other(path.bytes(), field);
                }
            }
            Meaning::InOrder => in_order = true,
            Meaning::Attribute => plain(path.bytes(), |path| match meaning_of_plain(path) {
                Meaning::Slot(slot) => event.put(slot, field),
                Meaning::Other(from) => other(path.get(usize::from(from)..).unwrap_or_default(), field),
                Meaning::OtherIfFlat if *flat.get_or_insert_with(|| !contains(body, b"\"winlog")) => other(path, field),
                Meaning::OtherIfFlat | Meaning::InOrder | Meaning::Attribute | Meaning::Nothing => {}
            }),
            Meaning::Nothing => {}
        }
        Ok::<(), json::Error>(())
    })?;
    if extent == Extent::Truncated {
        return Err(unclosed(body, "the JSON object"));
    }
    if in_order {
        read_in_order(body, event, other)?;
    }
    Ok(())
}

/// The event's number may stand behind its data, so these are read in a second pass.
#[cold]
fn read_in_order<'a>(
    body: &'a [u8],
    event: &mut WinEvent<'a>,
    other: impl FnMut(&[u8], Field<'a>),
) -> Result<(), Refusal> {
    let mut values = [Field::of_json(Scalar::NULL); IN_ORDER_MAX];
    let mut count = 0;
    json::walk(body, |path, value| {
        if is_in_order(path)
            && let Some(slot) = values.get_mut(count)
        {
            *slot = Field::of_json(value.into());
            count += 1;
        }
        Ok::<(), json::Error>(())
    })?;
    event.put_in_order(values.into_iter().take(count), other);
    Ok(())
}
