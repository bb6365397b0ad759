//! Sessions: how they ended, what was translated, and what that proves about the port that was called.

use schemas::{Action, EventKind, Initiator, PortState, Row, Transport, key};

use super::keys::Noted;
use super::{Line, TRAFFIC, address, is_stopped};
use crate::lex::text::decimal;

impl Line<'_, '_> {
    /// Sessions. `src` is who began.
    pub(super) fn traffic(&self, row: &mut Row<'_>) {
        row.log_source(&TRAFFIC);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        row.text(key::HTTP_HOST, self.note(Noted::HostName));
        self.set_app(row);
        row.extra_fixed("appcat", self.note(Noted::AppCategory));
        let word = match self.note(Noted::Action) {
            // before FortiOS 5.0
            b"" => self.note(Noted::Status),
            word => word,
        };
        row.text(key::CONN_STATE, word);
        if let Some(seconds) = decimal(self.note(Noted::Duration)) {
            let us = seconds.min(u64::from(u32::MAX)) * 1_000_000;
            row.set(key::DURATION, us);
            if let (Some(now), false) = (row.get(key::TIME), word == b"start") {
                row.set(key::START, now - us as i64);
                // sessions that go on are told of from time to time
                let log_id = self.note(Noted::LogId);
                let goes_on = log_id.len() == 10 && matches!(&log_id[4..], b"000020" | b"000021" | b"000022");
                row.set_opt(key::END, (!goes_on).then_some(now));
            }
        }
        self.translation(row);
        let stopped = is_stopped(self.note(Noted::UtmAction));
        let action = match word {
            _ if stopped => Some(Action::Deny),
            b"accept" => Some(Action::Allow),
            b"close" | b"client-rst" | b"server-rst" => Some(Action::Close),
            b"timeout" => Some(Action::Timeout),
            b"deny" | b"blocked" | b"violation" => Some(Action::Deny),
            b"start" => Some(Action::Start),
            _ => None,
        };
        row.set_opt(key::ACTION, action);
        row.set_opt(key::PORT_STATE, port_state(word, row));
    }

    /// The addresses after translation, unless the log says that there was none.
    fn translation(&self, row: &mut Row<'_>) {
        let disposition = self.note(Noted::TranDisposition);
        row.extra_fixed("trandisp", disposition);
        if disposition == b"noop" {
            return;
        }
        row.set_opt(key::NAT_SRC_IP, address(self.note(Noted::TransIp)));
        row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(self.note(Noted::TransPort)));
        row.set_opt(key::NAT_DST_IP, address(self.note(Noted::TranIp)));
        row.set_opt(key::NAT_DST_PORT, schemas::parse_port(self.note(Noted::TranPort)));
    }
}

/// What the end of a session proves about the port that was called.
fn port_state(word: &[u8], row: &Row<'_>) -> Option<PortState> {
    let answered = row.get(key::PACKETS_IN);
    let bytes_in = row.get(key::BYTES_IN);
    let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
    let udp = row.get(key::TRANSPORT) == Some(Transport::UDP);
    match word {
        b"deny" => Some(PortState::Filtered),
        b"ip-conn" => Some(PortState::Filtered),
        b"accept" if udp && answered.is_some_and(|packets| packets > 0) => Some(PortState::Open),
        b"close" if answered? >= 2 => Some(PortState::Open),
        b"timeout" if tcp && answered.or(bytes_in)? == 0 => Some(PortState::Filtered),
        b"timeout" if tcp && bytes_in? > 60 => Some(PortState::Open),
        b"client-rst" if answered? >= 1 => Some(PortState::Open),
        b"server-rst" => {
            let refused = answered? <= 1 && row.get(key::PACKETS_OUT)? <= 2 && bytes_in? <= 60;
            if refused { Some(PortState::Closed) } else { (bytes_in? > 60).then_some(PortState::Open) }
        }
        _ => None,
    }
}
