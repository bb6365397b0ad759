//! Attributes as OpenTelemetry's JSON writes them: `[{"key":"host.name","value":{"stringValue":"h"}}]`.
//!
//! A value is an object whose one member names its type; 64-bit integers are texts. Lists and maps are handed on as their
//! bytes. Source: OpenTelemetry protocol, "JSON Protobuf Encoding"; `opentelemetry/proto/common/v1/common.proto`.

use super::json::{self, Text, Value};
use super::scan;

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its key, as it stands between its quotes.
    pub key: &'a [u8],
    /// Its value; a list or map is an array or object of such values again.
    pub value: Value<'a>,
}

/// The attributes of the array that `text` begins with; what is none is passed over.
pub fn attributes(text: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let mut at = json::blanks(text, 0);
    let mut before = b'[';
    std::iter::from_fn(move || {
        loop {
            at = json::blanks(text, at);
            if text.get(at) != Some(&before) {
                return None;
            }
            before = b',';
            at = json::blanks(text, at + 1);
            if let Some((attribute, end)) = usual(text, at) {
                at = end;
                return Some(attribute);
            }
            let (element, end) = json::value_at(text, at).ok()??;
            at = end;
            if let Value::Object(object) = element
                && let Some(attribute) = attribute(object)
            {
                return Some(attribute);
            }
        }
    })
}

/// The attribute that begins at `at` and where it ends, if it is a scalar and written as every exporter writes it: read once from left
/// to right, where a container is else read once for its end and again for what is in it.
#[inline]
fn usual(text: &[u8], at: usize) -> Option<(Attribute<'_>, usize)> {
    let follows = |at: usize, part: &[u8]| text.get(at..)?.starts_with(part).then_some(at + part.len());
    let key = follows(at, b"{\"key\":\"")?;
    let key_end = scan::find2(text, key, b'"', b'\\');
    let kind = follows(key_end, b"\",\"value\":{\"")?;
    let kind_end = scan::find2(text, kind, b'"', b'\\');
    if !matches!(&text[kind..kind_end], b"stringValue" | b"boolValue" | b"intValue" | b"doubleValue") {
        return None;
    }
    let (value, value_end) = json::value_at(text, follows(kind_end, b"\":")?).ok()??;
    if matches!(value, Value::Object(_) | Value::Array(_)) {
        return None;
    }
    Some((Attribute { key: &text[key..key_end], value }, follows(value_end, b"}}")?))
}

fn attribute(object: &[u8]) -> Option<Attribute<'_>> {
    let (mut key, mut value) = (None, Value::Null);
    for member in json::members(object).ok()?.map_while(Result::ok) {
        match (member.key, member.value) {
            (b"key", Value::Text(Text { raw, .. })) => key = Some(raw),
            (b"value", found) => value = any(found),
            _ => {}
        }
    }
    Some(Attribute { key: key?, value })
}

/// What an `AnyValue` holds: a scalar, the array inside `arrayValue`, the attributes inside `kvlistValue`. Other writers put
/// the value itself there.
pub fn any(value: Value<'_>) -> Value<'_> {
    let Value::Object(object) = value else { return value };
    let Some(Ok(member)) = json::members(object).ok().and_then(|mut members| members.next()) else {
        return Value::Null;
    };
    match (member.key, member.value) {
        (b"stringValue" | b"boolValue" | b"intValue" | b"doubleValue" | b"bytesValue", scalar) => scalar,
        (b"string_value" | b"bool_value" | b"int_value" | b"double_value", scalar) => scalar,
        (b"arrayValue" | b"kvlistValue" | b"array_value" | b"kvlist_value", Value::Object(list)) => {
            json::member(list, b"values").unwrap_or(Value::Null)
        }
        _ => Value::Null,
    }
}

/// What the `resource` of an object says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The name of its host.
    pub host: &'a [u8],
    /// The name of its service.
    pub service: &'a [u8],
    /// All of its attributes, from the bracket on; empty if they are more than [`RESOURCE_MAX`] bytes.
    pub attributes: &'a [u8],
}

/// Longest attributes of a resource that are read again for each of its records: a few times what agents send.
pub const RESOURCE_MAX: usize = 16 * 1024;

/// Reads the resource in `object`.
pub fn resource(object: &[u8]) -> Resource<'_> {
    let mut found = Resource::default();
    if let Some(Value::Object(resource)) = json::member(object, b"resource")
        && let Some(Value::Array(list)) = json::member(resource, b"attributes")
    {
        for attribute in attributes(list) {
            match attribute.key {
                b"host.name" => found.host = attribute.value.scalar(),
                b"service.name" => found.service = attribute.value.scalar(),
                _ => {}
            }
        }
        found.attributes = if list.len() <= RESOURCE_MAX { list } else { b"" };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn attributes_are_the_same_in_the_usual_form_and_in_any(
            parts in proptest::collection::vec(("[a.\\\\n]{0,3}", 0..7usize, "[a-z\\\\n0-9]{0,5}"), 0..5), cut in 0usize..300
        ) {
            let attribute = |(key, kind, value): &(String, usize, String)| match kind {
                0 => format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#),
                1 => format!(r#"{{"key":"{key}","value":{{"intValue":"7"}}}}"#),
                2 => format!(r#"{{"key":"{key}","value":{{"boolValue":true}}}}"#),
                3 => format!(r#"{{"key":"{key}","value":{{"doubleValue":1.5,"x":2}}}}"#),
                4 => format!(r#"{{"key":"{key}","value":{{"arrayValue":{{"values":[{{"stringValue":"{value}"}}]}}}}}}"#),
                5 => format!(r#"{{"key":"{key}","value":{{"stringValue":{{}}}}}}"#),
                _ => format!(r#"{{"key":"{key}"}}"#),
            };
            let text = format!("[{}]", parts.iter().map(attribute).collect::<Vec<_>>().join(","));
            let text = &text.as_bytes()[..text.len().min(cut)];
            let slowly: Vec<_> = json::elements(text)
                .into_iter()
                .flatten()
                .map_while(Result::ok)
                .filter_map(|element| if let Value::Object(object) = element { super::attribute(object) } else { None })
                .collect();
            proptest::prop_assert_eq!(attributes(text).collect::<Vec<_>>(), slowly);
        }
    }

    #[test]
    fn a_value_is_what_its_one_member_holds() {
        let text = br#"[{"key":"a","value":{"stringValue":"x"}},{"key":"b","value":{"intValue":"7"}},{"x":1},{"key":"c","value":{"boolValue":true}},{"key":"d","value":{"arrayValue":{"values":[{"stringValue":"y"}]}}},{"key":"e"}]"#;
        let found: Vec<_> = attributes(text).map(|one| (one.key, one.value.scalar())).collect();
        assert_eq!(found, [(&b"a"[..], &b"x"[..]), (b"b", b"7"), (b"c", b"true"), (b"d", b""), (b"e", b"")]);
        let object = br#"{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h"}}]},"scopeLogs":[]}"#;
        let found = resource(object);
        assert_eq!((found.host, found.service), (&b"h"[..], &b""[..]));
        assert_eq!(attributes(found.attributes).count(), 1);
        assert_eq!(attributes(b"{}").count(), 0);
    }
}
