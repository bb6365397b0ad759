//! Windows events as Windows itself renders them: `<Event>` elements, one or several, with or without a root.

use super::super::xml::{self, Reader, Token};
use super::{Coding, Field, Slot, WinEvent, data_slot, order, unclosed};
use crate::Refusal;

/// Reads the next event of a rendered document; says whether there was one.
///
/// # Errors
/// An event that never closes.
pub fn read_xml<'a>(
    body: &'a [u8],
    reader: &mut Reader<'a>,
    event: &mut WinEvent<'a>,
    mut other: impl FnMut(&[u8], Field<'a>),
) -> Result<bool, Refusal> {
    if !reader.any(|token| matches!(token, Token::Open { name: b"Event", .. })) {
        return Ok(false);
    }
    // The element that text belongs to, and the name of the data field.
    let (mut inside, mut name) = (&b""[..], &b""[..]);
    let mut part = Part::System;
    let mut nameless = 0;
    for token in reader.by_ref() {
        match token {
            Token::Open { name: b"EventData", .. } => part = Part::EventData,
            Token::Open { name: b"UserData", .. } => part = Part::UserData,
            Token::Open { name: b"RenderingInfo", .. } => part = Part::Rendering,
            Token::Close { name: b"Event" } => return Ok(true),
            Token::Open { name: element, attributes } | Token::Empty { name: element, attributes } => {
                (inside, name) = (element, b"");
                match (part, element) {
                    (Part::System, b"Provider") => {
                        event.put(
                            Slot::Provider,
                            Field::of_xml(xml::attribute(attributes, b"Name").unwrap_or_default()),
                        );
                    }
                    (Part::System, b"TimeCreated") => {
                        let stamp = xml::attribute(attributes, b"SystemTime").unwrap_or_default();
                        event.put(Slot::TimeCreated, Field::of_xml(stamp));
                    }
                    (Part::EventData, b"Data") => match xml::attribute(attributes, b"Name") {
                        Some(known) => name = known,
                        None => {
                            name = order::names(event.code()).nth(nameless).map_or(&b""[..], str::as_bytes);
                            nameless += 1;
                        }
                    },
                    (Part::UserData, _) => name = element,
                    (Part::System | Part::EventData | Part::Rendering, _) => {}
                }
            }
            Token::Text(text) | Token::Literal(text) => {
                let literal = matches!(token, Token::Literal(_));
                let field = Field { raw: text, coding: if literal { Coding::Plain } else { Coding::Xml } };
                if !name.is_empty() {
                    match data_slot(name) {
                        Some(slot) => event.put(slot, field),
                        None => other(name, field),
                    }
                } else if part == Part::System
                    && let Some(slot) = system_element(inside)
                {
                    event.put(slot, field);
                } else if part == Part::Rendering {
                    match inside {
                        b"Message" => event.put(Slot::Message, field),
                        b"Task" => event.put(Slot::Action, field),
                        _ => {}
                    }
                }
            }
            Token::Close { .. } => (inside, name) = (b"", b""),
        }
    }
    Err(unclosed(body, "<Event>"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    EventData,
    UserData,
    Rendering,
}

fn system_element(name: &[u8]) -> Option<Slot> {
    Some(match name {
        b"EventID" => Slot::EventId,
        b"Channel" => Slot::Channel,
        b"Computer" => Slot::Computer,
        b"Keywords" => Slot::Keywords,
        b"EventRecordID" => Slot::RecordId,
        _ => return None,
    })
}
