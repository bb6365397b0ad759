//! Why a logon failed, in words.

use schemas::{Row, key};

use crate::lex::text::{decimal, hexadecimal};
use crate::lex::winevent::{Slot, WinEvent};
use crate::windows::text;

/// A status as a number: hexadecimal in either case, or a signed decimal of 32 bits.
pub(super) fn number(status: &[u8]) -> Option<u32> {
    match status {
        [b'0', b'x' | b'X', ..] => hexadecimal(status).map(|status| status as u32),
        [b'-', digits @ ..] => decimal(digits).map(|digits| (digits as u32).wrapping_neg()),
        digits => decimal(digits).and_then(|digits| u32::try_from(digits).ok()),
    }
}

/// Why a logon failed: the sub-status if there is one, it is the finer of the two.
pub(super) fn failure(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let sub = event.peek(Slot::SubStatus);
    let finer = number(sub.raw()).is_some_and(|status| status != 0);
    let status = event.take(if finer { Slot::SubStatus } else { Slot::Status });
    text(row, key::STATUS_CODE, status);
    match number(status.raw()).and_then(reason) {
        Some(word) => row.fixed(key::REASON, word),
        None => {
            let words = event.first(&[Slot::FailureReason, Slot::Reason]);
            text(row, key::REASON, words);
        }
    }
}

/// NTSTATUS and Kerberos results in words. Sources: [MS-ERREF] 2.3.1, RFC 4120 section 7.5.9.
fn reason(status: u32) -> Option<&'static str> {
    Some(match status {
        0xC000_0064 | 0x6 => "unknown_user",
        0xC000_006A | 0x18 => "bad_password",
        0xC000_006D => "bad_credentials",
        0xC000_006C | 0xC000_0413 | 0xC => "policy",
        0xC000_006E => "restriction",
        0xC000_006F => "time_restriction",
        0xC000_0070 => "workstation_restriction",
        0xC000_0071 | 0x17 => "password_expired",
        0xC000_0072 => "account_disabled",
        0xC000_0193 | 0x1 => "account_expired",
        0xC000_0224 => "must_change",
        0xC000_0234 => "account_locked",
        0xC000_015B => "not_granted",
        0xC000_0133 | 0x25 => "clock_skew",
        0xC000_018C | 0xC000_018D => "trust",
        0xC000_009A | 0xC000_00DC | 0xC000_0192 | 0xC000_005E => "system",
        0x8009_0302 | 0x8009_0308 | 0x8009_030E => "protocol",
        0xC000_0380 | 0xC000_0381 | 0x10 => "smartcard",
        0x12 => "account_revoked",
        0x19 => "preauth_required",
        0x7 => "unknown_service",
        0xE => "encryption_type",
        0x20 => "ticket_expired",
        0x22 => "replay",
        _ => return None,
    })
}
