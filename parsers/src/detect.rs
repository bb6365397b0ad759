//! Which family is this record of? By structure alone, line by line.
//!
//! A mixed source interleaves families, so the decision must be cheap and must not depend on the lines before (they
//! may lie in another batch). Each family tests marks of its own; what would cost a pass over the body is computed
//! once for all of them: the headers, and which well-known keys a JSON object has ([`Keys`]).
//!
//! What a source sent so far saves work and decides nothing: [`Detector`] remembers which family was certain of a line
//! that began alike and asks that one first. Since no line is [`Confidence::Certain`] for two families (the golden test
//! holds that), its yes is the answer that asking all of them gives.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::lex::json;
use crate::lex::keys::KeyMap;
use crate::{Accepts, FAMILIES, Memory, Record, Shape};

/// How sure a family is that a record is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It can be read so, but so can much else.
    Possible,
    /// Several marks of the family, none of them its alone.
    Likely,
    /// A mark that no other family has.
    Certain,
}

impl Confidence {
    /// As a percentage for people: 30, 70, 100.
    pub fn percent(self) -> u8 {
        match self {
            Confidence::Possible => 30,
            Confidence::Likely => 70,
            Confidence::Certain => 100,
        }
    }
}

/// Which well-known top-level keys a JSON object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys(u128);

macro_rules! keys {
    // What stands behind `@` is a remark: a key's place in the list is its bit. Keys that tell the same may share one.
    ($($name:ident = $text:literal $(| $more:literal)* $(@ $remark:literal)?),+ $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum Bit { $($name),+ }
        impl Keys {
            $(#[doc = concat!("`", $text, "`" $(, ", `", $more, "`")*)] pub const $name: Keys = Keys(1 << Bit::$name as u8);)+
        }
        static KEYS: KeyMap<u8, 512> = KeyMap::new(&[$(($text, Bit::$name as u8) $(, ($more, Bit::$name as u8))*),+]);
    };
}

keys! {
    TIMESTAMP = "timestamp" @ 0, EVENT_TYPE = "event_type" @ 1, SRC_IP = "src_ip" @ 2, FLOW_ID = "flow_id" @ 3,
    ZEEK_PATH = "_path" @ 4, ZEEK_ORIG = "id.orig_h" @ 5, ZEEK_ID = "id" @ 6, UID = "uid" @ 7, CONN_STATE = "conn_state" @ 8, TS = "ts" @ 9,
    AT_TIMESTAMP = "@timestamp" @ 10, WINLOG = "winlog" @ 11, WINLOG_EVENT_ID = "winlog.event_id" @ 12, EVENT_ID = "EventID" @ 13,
    CHANNEL = "Channel" @ 14, PROVIDER = "ProviderName" @ 15, SOURCE_NAME = "SourceName" @ 16, WIN_EVENT = "Event" @ 17,
    ECS = "ecs" @ 18, ECS_VERSION = "ecs.version" @ 19, EVENT = "event" @ 20, SOURCE = "source" @ 21, DESTINATION = "destination" @ 22,
    MESSAGE = "message" @ 23, AGENT = "agent" @ 24, HOST = "host" @ 25, STATS = "stats" @ 26, CLASS_UID = "class_uid" @ 27,
    METADATA = "metadata" @ 28, EVENT_SOURCE = "eventSource" @ 29, EVENT_NAME = "eventName" @ 30, ACTOR = "actor" @ 31,
    RULE = "rule" @ 32, DECODER = "decoder" @ 33, HOST_IDENTIFIER = "hostIdentifier" @ 34, RECORDS = "records" @ 35, AWS_RECORDS = "Records" @ 36,
    LOG_EVENTS = "logEvents" @ 37, EVENTS = "events" @ 38, VALUE = "value" @ 39, SOURCE_IP = "source.ip" @ 40, EVENT_KIND = "event.kind" @ 41,
    EVENT_CATEGORY = "event.category" @ 42, LOG_NAME = "LogName" @ 43, EVENT_CODE = "EventCode" @ 44, CAP_EVENT_TYPE = "EventType" @ 45,
    EVENT_SIMPLE_NAME = "event_simpleName" @ 46, CATEGORY = "category" @ 47, PUBLISHED = "published" @ 48, WINLOG_CHANNEL = "winlog.channel" @ 49,
    NETWORK = "network" @ 50, WINLOG_PROVIDER = "winlog.provider_name" @ 51, PROVIDER_2 = "Provider_Name" @ 52, RESP_H = "id.resp_h" @ 53,
    ITEMS = "items" @ 125, ENTRIES = "entries" @ 126, RESULTS = "results" @ 127, CAP_RESULTS = "Results" @ 124,
    VERSION = "version" @ 54, ACCOUNT_ID = "account_id" @ 55, INTERFACE_ID = "interface_id" @ 56, OLD_EVENT_ID = "event_id" @ 57, EVENT_DATA = "event_data" @ 58,
    SRC_AP = "src_ap" @ 100, PKT_GEN = "pkt_gen" @ 101, GID = "gid" @ 102, SID = "sid" @ 103,
    EVENT_TYPE_CAMEL = "eventType" @ 127, TXID = "txid" @ 126, ACCESS_DEVICE = "access_device" @ 125, AUTH_DEVICE = "auth_device" @ 124,
    SURFACED_AUTH = "surfaced_auth" @ 123, ISO_TIMESTAMP = "isotimestamp" @ 122, AUTH_STAGE = "auth_stage" @ 121,
    SERVER_SECTION = "server_section" @ 120, ACTIVITY_ID = "activity_id" @ 119, TELEPHONY_ID = "telephony_id" @ 118, KIND = "kind" @ 117, OPERATION_NAME = "operationName" @ 116,
    PROPERTIES = "properties" @ 115, CREATED_DATE_TIME = "createdDateTime" @ 114, APP_DISPLAY_NAME = "appDisplayName" @ 113,
    ACTIVITY_DISPLAY_NAME = "activityDisplayName" @ 112, INITIATED_BY = "initiatedBy" @ 111, RISK_EVENT_TYPE = "riskEventType" @ 110,
    RISK_STATE = "riskState" @ 109, AAD_TENANT_ID = "AADTenantId" @ 108,
    MAC_ADDRESS = "macAddress", FLOW_TUPLES = "flowRecords" | "flow.0" | "flowTuple", JSON_PAYLOAD = "jsonPayload", CONNECTION = "connection",
    FLOW_END = "IPV4_SRC_ADDR" | "IPV6_SRC_ADDR" | "src4_addr" | "src6_addr" | "ip_src" | "src_addr" | "SrcAddr" | "sourceIPv4Address" | "sourceIPv6Address",
    NETFLOW = "netflow", SAMPLER = "sampler_address" | "SamplerAddress" | "export_sysid", FLOW = "flow", NODE_NAME = "node_name", VERDICT = "verdict",
    TABLE_RESOURCE = "_ResourceId", TRAIL = "digestS3Object" | "insightDetails",
    DEVICE_VENDOR = "deviceVendor" @ 100, SENTINEL_VENDOR = "DeviceVendor" @ 101,
}

/// Inside a text its quotes would be escaped.
static WINLOG_OBJECT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"winlog\":{"));

impl Keys {
    /// No key.
    pub const NONE: Keys = Keys(0);

    /// Those that may hold an array of records.
    pub const WRAPPERS: Keys = Keys::RECORDS
        .and(Keys::AWS_RECORDS)
        .and(Keys::LOG_EVENTS)
        .and(Keys::EVENTS)
        .and(Keys::VALUE)
        .and(Keys::ITEMS)
        .and(Keys::ENTRIES)
        .and(Keys::RESULTS)
        .and(Keys::CAP_RESULTS);

    /// Whether it has all of `wanted`.
    #[inline]
    pub const fn has(self, wanted: Keys) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Whether it has one of `wanted`.
    #[inline]
    pub const fn has_any(self, wanted: Keys) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both sets together.
    #[inline]
    pub const fn and(self, other: Keys) -> Keys {
        Keys(self.0 | other.0)
    }

    /// Reads the top-level keys of an object, as far as it takes: where those seen already decide, the rest is not read.
    pub fn of(object: &[u8]) -> Keys {
        let mut keys = Keys::NONE;
        let Ok(members) = json::members(object) else { return keys };
        for (at, member) in members.map_while(Result::ok).enumerate() {
            if let Some(bit) = KEYS.get(member.key) {
                keys.0 |= 1 << bit;
                // Beats begin with the time and end with what decides: a search is ten times faster than reading up to there.
                if at == 0 && keys == Keys::AT_TIMESTAMP && WINLOG_OBJECT.find(object).is_some() {
                    keys.0 |= Keys::WINLOG.0;
                }
                if keys.decide() || keys.are_ecs() && !in_windows_terms(object) {
                    break;
                }
            }
        }
        keys
    }

    /// Enough for a document that is ECS, if it has no member that only Windows' own shipper writes further on.
    #[inline]
    fn are_ecs(self) -> bool {
        self.has(Keys::AT_TIMESTAMP.and(Keys::EVENT)) && self.has_any(Keys::SOURCE.and(Keys::DESTINATION))
    }

    #[inline]
    fn decide(self) -> bool {
        self.has(Keys::TIMESTAMP.and(Keys::EVENT_TYPE).and(Keys::FLOW_ID))
            || self.has(Keys::ZEEK_PATH)
            || self.has_any(Keys::ZEEK_ORIG.and(Keys::WINLOG))
    }
}

fn in_windows_terms(object: &[u8]) -> bool {
    static WINLOG: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"winlog"));
    WINLOG.find(object).is_some()
}

/// Slots of the memory of hints, for texts and for objects: some times the number of ways in which one source's lines begin.
const HINTS: usize = 128;

/// What detection has said so far of one source: to be told to people, and to ask the likeliest family first.
#[derive(Clone, Debug)]
pub struct Detector {
    records: Vec<[u64; 3]>,
    unknown: u64,
    /// For texts and for objects, by how a record begins: that beginning, and the place of the family that was certain.
    hints: [[Hint; HINTS]; 2],
}

/// A beginning ([`beginning`]) and the family that was certain of it: its place in the list and one, 0 for none.
type Hint = (u128, u16);

impl Default for Detector {
    fn default() -> Detector {
        Detector { records: vec![[0; 3]; FAMILIES.len()], unknown: 0, hints: [[(0, 0); HINTS]; 2] }
    }
}

/// A family that detection chose.
pub type Choice = (usize, Confidence);

/// The families that read text, and those that read objects, each with its place in the list.
static BY_SHAPE: LazyLock<[Vec<usize>; 2]> = LazyLock::new(|| {
    let reading = |other: Accepts| (0..FAMILIES.len()).filter(|&at| FAMILIES[at].accepts() != other).collect();
    [reading(Accepts::Objects), reading(Accepts::Lines)]
});

impl Detector {
    /// The family that is surest of a record, the first of the list where several are. `memories` are the families', in
    /// the list's order. It is what [`Detector::search`] says, sooner.
    #[inline]
    pub fn choose(&mut self, record: &Record<'_>, memories: &[Memory]) -> Option<Choice> {
        let begins = beginning(record);
        let slot = (begins as u64 ^ (begins >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HINTS.ilog2());
        let hint = &mut self.hints[usize::from(record.shape == Shape::Object)][slot as usize];
        let known = usize::from(hint.1).wrapping_sub(1);
        if hint.0 == begins
            && let (Some(family), Some(memory)) = (FAMILIES.get(known), memories.get(known))
            && family.detect(record, memory) == Some(Confidence::Certain)
        {
            return Some((known, Confidence::Certain));
        }
        let choice = Detector::search(record, memories);
        if let Some((index, Confidence::Certain)) = choice {
            *hint = (begins, u16::try_from(index + 1).unwrap_or(0));
        }
        choice
    }

    /// The same without anything remembered: all families that read this shape are asked, up to the first that is certain.
    pub fn search(record: &Record<'_>, memories: &[Memory]) -> Option<Choice> {
        let mut best: Option<Choice> = None;
        for &index in &BY_SHAPE[usize::from(record.shape == Shape::Object)] {
            let Some(memory) = memories.get(index) else { continue };
            match FAMILIES[index].detect(record, memory) {
                Some(Confidence::Certain) => return Some((index, Confidence::Certain)),
                Some(confidence) if best.is_none_or(|(_, known)| confidence > known) => {
                    best = Some((index, confidence))
                }
                Some(_) | None => {}
            }
        }
        best
    }

    /// Counts a choice.
    #[inline]
    pub fn count(&mut self, choice: Option<Choice>) {
        match choice {
            Some((index, confidence)) => self.records[index][confidence as usize] += 1,
            None => self.unknown += 1,
        }
    }

    /// What this source sends: families with the number of records taken for theirs and the confidence that most of these had,
    /// the most frequent first; and the number of records that no family knew.
    pub fn verdict(&self) -> (Vec<(&'static str, u64, Confidence)>, u64) {
        let mut found: Vec<_> = self
            .records
            .iter()
            .zip(FAMILIES)
            .filter_map(|(counts, family)| {
                let total = counts.iter().sum::<u64>();
                let [possible, likely, certain] = *counts;
                let confidence = if certain >= likely.max(possible) {
                    Confidence::Certain
                } else if likely >= possible {
                    Confidence::Likely
                } else {
                    Confidence::Possible
                };
                (total > 0).then_some((family.name(), total, confidence))
            })
            .collect();
        found.sort_by_key(|(_, total, _)| std::cmp::Reverse(*total));
        (found, self.unknown)
    }
}

/// Alike for records that begin alike: an object's well-known keys; a text's program and its first bytes, digits as one.
#[inline]
fn beginning(record: &Record<'_>) -> u128 {
    if record.shape == Shape::Object {
        return record.keys.0;
    }
    let app = record.header.app;
    let program = match app.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => app.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    // 0x30 is what the ten digits, and six signs that hardly begin a line, have in common
    let body = record
        .body
        .first_chunk()
        .map_or([0; 4], |four: &[u8; 4]| four.map(|b| if b & 0xf0 == 0x30 { 0x30 } else { b }));
    u128::from(program) << 64 | (app.len() as u128 & 0xffff) << 32 | u128::from(u32::from_le_bytes(body))
}
