//! The lexers that all families share: one grammar per file, byte slices in, byte slices out.
//!
//! A family never splits or unquotes text itself: quoting rules, time formats and header damage are the
//! same for many vendors, and a fix belongs in one place. No lexer knows a vendor's key or a column.
//! All of them take hostile bytes, run in linear time, stop at named caps and never allocate; a text that has
//! to be unescaped goes into a buffer that is used again ([`buffer`]).

pub mod buffer;
pub mod cef;
pub mod csv;
pub mod dhcp;
pub mod dns;
pub mod endpoint;
pub mod few;
pub mod json;
pub mod keys;
pub mod kv;
pub mod leef;
pub mod openssh;
pub mod otlp;
pub mod pattern;
pub mod scan;
pub mod syslog;
pub mod text;
pub mod time;
pub mod trail;
pub mod weblog;
pub mod winevent;
pub mod xml;
