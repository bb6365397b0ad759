//! Closed vocabularies: columns whose value is one of a few words.
//!
//! A word is one byte in a column, an enum in code and text in every format. The order of a list is the
//! stored number, inside one process only: formats carry the text.

/// A closed vocabulary that fits in a byte column.
pub trait Word: Copy + Eq + Send + Sync + 'static {
    /// Every word's text; the index is the stored byte.
    const WORDS: &'static [&'static str];
    /// The stored byte.
    fn byte(self) -> u8;
    /// The word of a stored byte; `None` if no word has it.
    fn from_byte(byte: u8) -> Option<Self>;
    /// The word as it is written in every format.
    fn as_str(self) -> &'static str {
        Self::WORDS[self.byte() as usize]
    }
    /// Reads a word, without regard to ASCII case. `None` if it is not in the list.
    fn parse(text: &[u8]) -> Option<Self> {
        let at = Self::WORDS.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(text))?;
        Self::from_byte(u8::try_from(at).ok()?)
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $(#[doc = concat!("`", $text, "`")] $variant),+ }
        impl $name {
            /// Every value, in stored order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
        }
        impl Word for $name {
            const WORDS: &'static [&'static str] = &[$($text),+];
            #[inline]
            fn byte(self) -> u8 { self as u8 }
            #[inline]
            fn from_byte(byte: u8) -> Option<Self> { Self::ALL.get(byte as usize).copied() }
        }
    )+};
}

words! {
    /// What sort of event a row is.
    EventKind {
        Flow = "flow", Auth = "auth", Alert = "alert", Dns = "dns", Listener = "listener",
        Process = "process", Inventory = "inventory", Other = "other",
    }
    /// Where an event's time came from.
    TimeSource {
        Record = "record", Received = "received", Implausible = "implausible",
    }
    /// What the device did, in one vocabulary for all vendors. The vendor's own word is `event_action`.
    Action {
        Allow = "allow", Deny = "deny", Drop = "drop", Reset = "reset", Close = "close",
        Timeout = "timeout", Alert = "alert", Start = "start", End = "end", Nat = "nat",
    }
    /// Whether an authentication (or another act without a destination) succeeded.
    Outcome {
        Success = "success", Failure = "failure", Unknown = "unknown",
    }
    /// Direction as seen from the perimeter.
    Direction {
        Inbound = "inbound", Outbound = "outbound", Internal = "internal", External = "external",
    }
    /// What the event proves about the destination port, as graded in the format descriptions.
    PortState {
        Open = "open", Closed = "closed", Filtered = "filtered",
    }
    /// Which end the log itself says has begun the conversation.
    Initiator {
        Source = "source", Destination = "destination",
    }
    /// What decided which end is the client.
    OrientationEvidence {
        Log = "log", Inventory = "inventory", Port = "port", None = "none",
    }
    /// The strongest thing that names the service.
    ServiceEvidence {
        Port = "port", Process = "process", Inventory = "inventory", Banner = "banner",
        Signature = "signature", AppProto = "app_proto",
    }
    /// Yes, no, or only the configuration can tell.
    Plaintext {
        Yes = "yes", No = "no", Mixed = "mixed",
    }
    /// How much an asset matters.
    Criticality {
        Low = "low", Medium = "medium", High = "high", Critical = "critical",
    }
    /// From where the service at the server's end was reached, as this event shows it.
    Exposure {
        Internet = "internet", CrossZone = "cross_zone", SameZone = "same_zone", Outbound = "outbound",
    }
    /// Whether a declared or learned conversation explains the event.
    Expected {
        Expected = "expected", Unexpected = "unexpected", Unknown = "unknown",
    }
    /// Whether an alert's episode goes on.
    AlertStatus {
        Open = "open", Closed = "closed", Superseded = "superseded",
    }
    /// How grave a rule says that its finding is. Source: Sigma specification 2.1, `level`.
    Level {
        Informational = "informational", Low = "low", Medium = "medium", High = "high", Critical = "critical",
    }
    /// Whether anything that belongs to an alert could have been lost under pressure.
    AlertState {
        Exact = "exact", Degraded = "degraded",
    }
    /// True or false, as text in every format that has no booleans of its own.
    Flag {
        False = "false", True = "true",
    }
}

impl From<bool> for Flag {
    fn from(value: bool) -> Flag {
        if value { Flag::True } else { Flag::False }
    }
}

/// An IP protocol by its assigned number. Source: IANA, Assigned Internet Protocol Numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Transport(pub u8);

impl Transport {
    /// ICMP for IPv4, number 1.
    pub const ICMP: Transport = Transport(1);
    /// TCP, number 6.
    pub const TCP: Transport = Transport(6);
    /// UDP, number 17.
    pub const UDP: Transport = Transport(17);
    /// ICMP for IPv6, number 58.
    pub const ICMPV6: Transport = Transport(58);

    /// Reads a name in any case (`TCP`, `icmp6`, `ipv6-icmp`) or a decimal number 0..=255.
    pub fn parse(text: &[u8]) -> Option<Transport> {
        match text {
            b"tcp" | b"TCP" => return Some(Transport::TCP),
            b"udp" | b"UDP" => return Some(Transport::UDP),
            b"icmp" | b"ICMP" => return Some(Transport::ICMP),
            _ => {}
        }
        if text.first().is_some_and(u8::is_ascii_digit) {
            return crate::parse_u64(text).and_then(|n| u8::try_from(n).ok()).map(Transport);
        }
        for (alias, number) in TRANSPORT_ALIASES {
            if alias.as_bytes().eq_ignore_ascii_case(text) {
                return Some(Transport(*number));
            }
        }
        let at = Self::WORDS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(text))?;
        u8::try_from(at).ok().map(Transport)
    }
}

impl Word for Transport {
    const WORDS: &'static [&'static str] = &TRANSPORT_NAMES;
    #[inline]
    fn byte(self) -> u8 {
        self.0
    }
    #[inline]
    fn from_byte(byte: u8) -> Option<Self> {
        Some(Transport(byte))
    }
    fn parse(text: &[u8]) -> Option<Self> {
        Transport::parse(text)
    }
}

/// Spellings that devices use beside the registered ones.
const TRANSPORT_ALIASES: &[(&str, u8)] = &[
    ("icmp6", 58),
    ("icmpv6", 58),
    ("ipv6_icmp", 58),
    ("ip-icmp", 1),
    ("tcp6", 6),
    ("udp6", 17),
    ("ospfigp", 89),
    ("ospf", 89),
    ("ipip", 4),
    ("ipinip", 4),
    ("nos", 94),
    ("pcp", 108),
    ("snp", 109),
    ("icmp4", 1),
    ("ipsec-esp", 50),
    ("ipsec-ah", 51),
];

const TRANSPORT_NAMES: [&str; 256] = {
    let mut names = NUMBERS;
    let mut i = 0;
    while i < ASSIGNED.len() {
        names[ASSIGNED[i].0 as usize] = ASSIGNED[i].1;
        i += 1;
    }
    names
};

const ASSIGNED: &[(u8, &str)] = &[
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ipv4"),
    (5, "st"),
    (6, "tcp"),
    (7, "cbt"),
    (8, "egp"),
    (9, "igp"),
    (12, "pup"),
    (16, "chaos"),
    (17, "udp"),
    (20, "hmp"),
    (22, "xns-idp"),
    (27, "rdp-reliable"),
    (29, "iso-tp4"),
    (33, "dccp"),
    (37, "ddp"),
    (40, "il"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (54, "narp"),
    (55, "mobile"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (80, "iso-ip"),
    (88, "eigrp"),
    (89, "ospfigp"),
    (92, "mtp"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (118, "stp"),
    (124, "isis"),
    (132, "sctp"),
    (133, "fc"),
    (135, "mobility-header"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (139, "hip"),
    (140, "shim6"),
    (143, "ethernet"),
];

macro_rules! numbers {
    ($($n:literal)*) => { const NUMBERS: [&str; 256] = [$(stringify!($n)),*]; };
}

#[rustfmt::skip]
numbers! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
    16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
    32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
    48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
    64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79
    80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95
    96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111
    112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127
    128 129 130 131 132 133 134 135 136 137 138 139 140 141 142 143
    144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159
    160 161 162 163 164 165 166 167 168 169 170 171 172 173 174 175
    176 177 178 179 180 181 182 183 184 185 186 187 188 189 190 191
    192 193 194 195 196 197 198 199 200 201 202 203 204 205 206 207
    208 209 210 211 212 213 214 215 216 217 218 219 220 221 222 223
    224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239
    240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_reads_its_name_its_alias_and_its_number() {
        for (text, number) in
            [("TCP", 6), ("udp", 17), ("IPv6-ICMP", 58), ("icmp6", 58), ("47", 47), ("gre", 47), ("253", 253)]
        {
            assert_eq!(Transport::parse(text.as_bytes()), Some(Transport(number)), "{text}");
        }
        assert_eq!(Transport::parse(b"256"), None);
        assert_eq!(Transport::parse(b"carrier-pigeon"), None);
        assert_eq!(Transport(253).as_str(), "253");
    }

    #[test]
    fn every_word_reads_back_from_its_text_and_byte() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str().to_uppercase().as_bytes()), Some(*action));
            assert_eq!(Action::from_byte(action.byte()), Some(*action));
        }
        assert_eq!(Action::from_byte(200), None);
    }
}
