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
pub struct Keys([u128; 2]);

macro_rules! keys {
    // A number behind a key is let be: the bit of each is its place in the list. Keys that tell the same may share one.
    ($($name:ident = $text:literal $(| $more:literal)* $(@ $bit:literal)?),+ $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($name),+ }
        impl Keys {
            $(#[doc = concat!("`", $text, "`" $(, ", `", $more, "`")*)] pub const $name: Keys = Keys::bit(Place::$name as u8);)+
        }
        static KEYS: KeyMap<u8, 1024> = KeyMap::new(&[$(($text, Place::$name as u8) $(, ($more, Place::$name as u8))*),+]);
        const _: () = assert!([$($text),+].len() <= 256, "a bit a key");
    };
}

keys! {
    TIMESTAMP = "timestamp", EVENT_TYPE = "event_type", SRC_IP = "src_ip", FLOW_ID = "flow_id",
    ZEEK_PATH = "_path", ZEEK_ORIG = "id.orig_h", ZEEK_ID = "id", UID = "uid", CONN_STATE = "conn_state", TS = "ts",
    AT_TIMESTAMP = "@timestamp", WINLOG = "winlog", WINLOG_EVENT_ID = "winlog.event_id", EVENT_ID = "EventID",
    CHANNEL = "Channel", PROVIDER = "ProviderName", SOURCE_NAME = "SourceName", WIN_EVENT = "Event",
    ECS = "ecs", ECS_VERSION = "ecs.version", EVENT = "event", SOURCE = "source", DESTINATION = "destination",
    MESSAGE = "message", AGENT = "agent", HOST = "host", STATS = "stats", CLASS_UID = "class_uid",
    METADATA = "metadata", EVENT_SOURCE = "eventSource", EVENT_NAME = "eventName", ACTOR = "actor",
    RULE = "rule", DECODER = "decoder", HOST_IDENTIFIER = "hostIdentifier", RECORDS = "records", AWS_RECORDS = "Records",
    LOG_EVENTS = "logEvents", EVENTS = "events", VALUE = "value", SOURCE_IP = "source.ip", EVENT_KIND = "event.kind",
    EVENT_CATEGORY = "event.category", LOG_NAME = "LogName", EVENT_CODE = "EventCode", CAP_EVENT_TYPE = "EventType",
    EVENT_SIMPLE_NAME = "event_simpleName", CATEGORY = "category", PUBLISHED = "published", WINLOG_CHANNEL = "winlog.channel",
    NETWORK = "network", WINLOG_PROVIDER = "winlog.provider_name", PROVIDER_2 = "Provider_Name", RESP_H = "id.resp_h",
    ITEMS = "items", ENTRIES = "entries", RESULTS = "results", CAP_RESULTS = "Results",
    VERSION = "version", ACCOUNT_ID = "account_id", INTERFACE_ID = "interface_id", OLD_EVENT_ID = "event_id", EVENT_DATA = "event_data",
    SRC_AP = "src_ap", PKT_GEN = "pkt_gen", GID = "gid", SID = "sid",
    EVENT_TYPE_CAMEL = "eventType", TXID = "txid", ACCESS_DEVICE = "access_device", AUTH_DEVICE = "auth_device",
    SURFACED_AUTH = "surfaced_auth", ISO_TIMESTAMP = "isotimestamp", AUTH_STAGE = "auth_stage",
    SERVER_SECTION = "server_section", ACTIVITY_ID = "activity_id", TELEPHONY_ID = "telephony_id", KIND = "kind", OPERATION_NAME = "operationName",
    PROPERTIES = "properties", CREATED_DATE_TIME = "createdDateTime", APP_DISPLAY_NAME = "appDisplayName",
    ACTIVITY_DISPLAY_NAME = "activityDisplayName", INITIATED_BY = "initiatedBy", RISK_EVENT_TYPE = "riskEventType",
    RISK_STATE = "riskState", AAD_TENANT_ID = "AADTenantId",
    MAC_ADDRESS = "macAddress", FLOW_TUPLES = "flowRecords" | "flow.0" | "flowTuple", JSON_PAYLOAD = "jsonPayload", CONNECTION = "connection",
    FLOW_END = "IPV4_SRC_ADDR" | "IPV6_SRC_ADDR" | "src4_addr" | "src6_addr" | "ip_src" | "SrcAddr" | "sourceIPv4Address" | "sourceIPv6Address",
    NETFLOW = "netflow" | "netflow.type", SAMPLER = "sampler_address" | "SamplerAddress" | "export_sysid" | "time_flow_start_ns" | "time_received_ns" | "writer_id", FLOW = "flow", VERDICT = "verdict",
    TABLE_RESOURCE = "_ResourceId", AWS_ENDS = "srcaddr" | "pkt_srcaddr" | "pkt-srcaddr", TRAIL = "digestS3Object" | "insightDetails",
    DEVICE_VENDOR = "deviceVendor", SHORT_MESSAGE = "short_message", GRAYLOG_ID = "gl2_message_id", SPLUNK_TIME = "_time", SPLUNK_TYPE = "sourcetype", DEST = "dest", DEST_IP = "dest_ip", VENDOR_PRODUCT = "vendor_product", OTEL_TIME = "timeUnixNano", OTEL_OBSERVED = "observedTimeUnixNano", OTEL_SEVERITY = "severityNumber", OTEL_ATTRIBUTES = "LogAttributes", HIT = "_source", CATEGORY_UID = "category_uid", SENTINEL_VENDOR = "DeviceVendor",
    WINLOGBEAT_EVENT_ID = "winlogbeat_event_id", WINLOGBEAT_WINLOG_EVENT_ID = "winlogbeat_winlog_event_id",
    CAP_TIMESTAMP = "Timestamp", ACTION_TYPE = "ActionType", REPORT_ID = "ReportId", INCIDENT_ID = "incidentId", DETECTION_SOURCE = "detectionSource",
    INCIDENT_NAME = "incidentName",
    CALENDAR_TIME = "calendarTime", UNIX_TIME = "unixTime", OUTPUT_FIELDS = "output_fields", NODE_NAME = "node_name",
    ERROR_SEVERITY = "error_severity", SAMBA_AUTHENTICATION = "Authentication", SAMBA_AUTHORIZATION = "Authorization",
    AID = "aid", CID = "cid", AIP = "aip",
    CB_SERVER = "cb_server", CB_VERSION = "cb_version", ORG_KEY = "org_key", DEVICE_NAME = "device_name", ACTOR_IP = "actor_ip",
    LOGIN_NAME = "loginName", ORG_NAME = "orgName",
    DOTTED_EVENT_TYPE = "event.type", ENDPOINT_NAME = "endpoint.name", THREAT_INFO = "threatInfo", AGENT_DETECTION_INFO = "agentDetectionInfo", ACTIVITY_TYPE = "activityType", CREATED_AT = "createdAt",
    DETECTED_AT = "detectedAt", ATTACK_SURFACES = "attackSurfaces", MANAGER = "manager", FULL_LOG = "full_log", SCAN_TIME = "scan_time", LOCAL = "local",
    LOGUID = "loguid",
    COMPUTER_NAME = "computerName", REGISTRATION_TOKEN = "registrationToken", VULN_COUNT = "vuln_count", LAST_SYNC = "last_sync_ts", INCIDENT_WEB_URL = "incidentWebUrl", EVENT_TIMESTAMP = "event_timestamp", MD5 = "md5", FEED_ID = "feed_id",
    JOURNAL_TIME = "__REALTIME_TIMESTAMP", JOURNAL_CURSOR = "__CURSOR",
}

/// Inside a text its quotes would be escaped.
static WINLOG_OBJECT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"winlog\":{"));

impl Keys {
    /// No key.
    pub const NONE: Keys = Keys([0; 2]);

    const fn bit(place: u8) -> Keys {
        let bit = 1 << (place & 127);
        if place < 128 { Keys([bit, 0]) } else { Keys([0, bit]) }
    }

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
        self.0[0] & wanted.0[0] == wanted.0[0] && self.0[1] & wanted.0[1] == wanted.0[1]
    }

    /// Whether it has one of `wanted`.
    #[inline]
    pub const fn has_any(self, wanted: Keys) -> bool {
        self.0[0] & wanted.0[0] | self.0[1] & wanted.0[1] != 0
    }

    /// Both sets together.
    #[inline]
    pub const fn and(self, other: Keys) -> Keys {
        Keys([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Reads the top-level keys of an object, as far as it takes: where those seen already decide, the rest is not read.
    pub fn of(object: &[u8]) -> Keys {
        let mut keys = Keys::NONE;
        let mut is_first = true;
        // searched for once, however often its keys are said
        let mut more_terms = None;
        json::keys(object, |key| {
            if let Some(bit) = KEYS.get(key) {
                keys = keys.and(Keys::bit(bit));
                // Beats begin with the time and end with what decides: a search is ten times faster than reading up to there.
                if is_first && keys == Keys::AT_TIMESTAMP && WINLOG_OBJECT.find(object).is_some() {
                    keys = keys.and(Keys::WINLOG);
                }
                if keys.decide() || keys.are_ecs() && !*more_terms.get_or_insert_with(|| has_more_terms(object)) {
                    return false;
                }
            }
            is_first = false;
            true
        });
        keys
    }

    /// Enough for a document that is ECS, if it has no member that only one shipper writes further on.
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

/// Whether a shipper's own member stands somewhere, by which the document is another family's.
fn has_more_terms(object: &[u8]) -> bool {
    static WINLOG: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"winlog"));
    static NETFLOW: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"netflow"));
    WINLOG.find(object).is_some() || NETFLOW.find(object).is_some()
}

/// Slots of the memory of hints, for texts and for objects: some times the number of ways in which one source's lines begin.
const HINTS: usize = 128;

/// What detection has said so far of one source: to be told to people, and to ask the likeliest family first.
#[derive(Clone, Debug)]
pub struct Detector {
    records: Vec<[u64; 3]>,
    /// Of configured mappings, which stand behind the list.
    mapped: Vec<&'static str>,
    unknown: u64,
    /// For texts and for objects, by how a record begins: that beginning, and the place of the family that was certain.
    hints: [[Hint; HINTS]; 2],
}

/// A beginning ([`beginning`]) and the family that was certain of it: its place in the list and one, 0 for none.
type Hint = (u128, u16);

impl Default for Detector {
    fn default() -> Detector {
        Detector { records: vec![[0; 3]; FAMILIES.len()], mapped: Vec::new(), unknown: 0, hints: [[(0, 0); HINTS]; 2] }
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

    /// Takes note of families that stand behind the list.
    pub fn know(&mut self, names: impl Iterator<Item = &'static str>) {
        self.mapped.extend(names);
        self.records.resize(FAMILIES.len() + self.mapped.len(), [0; 3]);
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
            .zip(FAMILIES.iter().map(|family| family.name()).chain(self.mapped.iter().copied()))
            .filter_map(|(counts, name)| {
                let total = counts.iter().sum::<u64>();
                let [possible, likely, certain] = *counts;
                let confidence = if certain >= likely.max(possible) {
                    Confidence::Certain
                } else if likely >= possible {
                    Confidence::Likely
                } else {
                    Confidence::Possible
                };
                (total > 0).then_some((name, total, confidence))
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
        // two sets may fold to one number: a hint that is wrong is found out
        let [low, high] = record.keys.0;
        return low ^ high.rotate_left(61);
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
