//! Names of what DNS itself numbers.
//!
//! Sensors that read packets or Windows' client write the numbers of the protocol; rules and people use the names. Source:
//! IANA, Domain Name System (DNS) Parameters.

/// The name of a record type; `None` for one that is not met in logs.
pub fn record_type(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "ANY",
        _ => return None,
    })
}
