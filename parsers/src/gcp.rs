//! What the logs of Google Cloud's network have in common: a `LogEntry` around a `jsonPayload`, or the payload alone.
//!
//! Both logs of the network (flows, firewall rules) have a `connection` in the payload; which of them it is, its other
//! members tell. Source: Google Cloud, LogEntry; "VPC Flow Logs records"; "Firewall Rules Logging", log format.

use schemas::{Row, Transport, key};

use crate::Record;
use crate::detect::Keys;
use crate::document::is_blank;
use crate::lex::json::{self, Value};

/// Whether the payload has a connection and one of these members.
pub fn has_member(record: &Record<'_>, names: &[&[u8]]) -> bool {
    let payload = if record.keys.has(Keys::JSON_PAYLOAD) {
        match json::member(record.body, b"jsonPayload") {
            Some(Value::Object(payload)) => payload,
            _ => return false,
        }
    } else if record.keys.has(Keys::CONNECTION) {
        record.body
    } else {
        return false;
    };
    let Ok(members) = json::members(payload) else { return false };
    let (mut connection, mut named) = (false, false);
    for member in members.map_while(Result::ok) {
        connection |= member.key == b"connection";
        named |= names.contains(&member.key);
    }
    connection && named
}

/// A path without the envelope's part.
pub fn inner(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"jsonPayload.").unwrap_or(path)
}

/// The connection's protocol, by number.
pub fn transport(row: &mut Row<'_>, value: Value<'_>) {
    if !is_blank(value.scalar()) {
        row.set_opt(key::TRANSPORT, Transport::parse(crate::document::whole(value)));
    }
}
