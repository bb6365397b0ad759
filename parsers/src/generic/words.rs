//! Words that vendor-neutral formats leave to their senders: what was done, how it ended, what sort of event it is.
//!
//! The dictionaries of CEF, LEEF, CIM and GELF fix keys, not values, so each sender writes verdicts in words of its own.
//! These tables hold the words that mean one thing wherever they stand; any other word decides nothing.

use schemas::{Action, Direction, Outcome};

use crate::lex::keys::KeyMap;

/// Longest word that a table holds.
const WORD_MAX: usize = 24;

static ACTIONS: KeyMap<Action, 256> = KeyMap::new(&[
    ("allow", Action::Allow),
    ("allowed", Action::Allow),
    ("permit", Action::Allow),
    ("permitted", Action::Allow),
    ("accept", Action::Allow),
    ("accepted", Action::Allow),
    ("pass", Action::Allow),
    ("passed", Action::Allow),
    ("forward", Action::Allow),
    ("forwarded", Action::Allow),
    ("bypass", Action::Allow),
    ("bypassed", Action::Allow),
    ("granted", Action::Allow),
    ("not blocked", Action::Allow),
    ("not-blocked", Action::Allow),
    ("deny", Action::Deny),
    ("denied", Action::Deny),
    ("block", Action::Deny),
    ("blocked", Action::Deny),
    ("reject", Action::Deny),
    ("rejected", Action::Deny),
    ("refuse", Action::Deny),
    ("refused", Action::Deny),
    ("prevent", Action::Deny),
    ("prevented", Action::Deny),
    ("drop", Action::Drop),
    ("dropped", Action::Drop),
    ("discard", Action::Drop),
    ("discarded", Action::Drop),
    ("reset", Action::Reset),
    ("rst", Action::Reset),
    ("tcp-rst", Action::Reset),
    ("close", Action::Close),
    ("closed", Action::Close),
    ("teardown", Action::Close),
    ("timeout", Action::Timeout),
    ("timed out", Action::Timeout),
    ("alert", Action::Alert),
    ("alerted", Action::Alert),
    ("detect", Action::Alert),
    ("detected", Action::Alert),
    ("detectonly", Action::Alert),
    ("ids:reset", Action::Alert),
    ("log", Action::Alert),
    ("logged", Action::Alert),
    ("monitor", Action::Alert),
    ("monitored", Action::Alert),
    ("notified", Action::Alert),
    ("start", Action::Start),
    ("started", Action::Start),
    ("open", Action::Start),
    ("opened", Action::Start),
    ("built", Action::Start),
    ("end", Action::End),
    ("ended", Action::End),
    ("stop", Action::End),
    ("stopped", Action::End),
    ("nat", Action::Nat),
]);

static OUTCOMES: KeyMap<Outcome, 128> = KeyMap::new(&[
    ("success", Outcome::Success),
    ("successful", Outcome::Success),
    ("successfully", Outcome::Success),
    ("succeeded", Outcome::Success),
    ("succeed", Outcome::Success),
    ("ok", Outcome::Success),
    ("pass", Outcome::Success),
    ("passed", Outcome::Success),
    ("accept", Outcome::Success),
    ("accepted", Outcome::Success),
    ("granted", Outcome::Success),
    ("allow", Outcome::Success),
    ("allowed", Outcome::Success),
    ("true", Outcome::Success),
    ("yes", Outcome::Success),
    ("1", Outcome::Success),
    ("failure", Outcome::Failure),
    ("failures", Outcome::Failure),
    ("failed", Outcome::Failure),
    ("fail", Outcome::Failure),
    ("fails", Outcome::Failure),
    ("unsuccessful", Outcome::Failure),
    ("deny", Outcome::Failure),
    ("denied", Outcome::Failure),
    ("reject", Outcome::Failure),
    ("rejected", Outcome::Failure),
    ("block", Outcome::Failure),
    ("blocked", Outcome::Failure),
    ("invalid", Outcome::Failure),
    ("incorrect", Outcome::Failure),
    ("error", Outcome::Failure),
    ("locked", Outcome::Failure),
    ("false", Outcome::Failure),
    ("no", Outcome::Failure),
    ("0", Outcome::Failure),
    ("unknown", Outcome::Unknown),
    ("attempt", Outcome::Unknown),
    ("pending", Outcome::Unknown),
    ("partial", Outcome::Unknown),
]);

static DIRECTIONS: KeyMap<Direction, 64> = KeyMap::new(&[
    ("inbound", Direction::Inbound),
    ("incoming", Direction::Inbound),
    ("ingress", Direction::Inbound),
    ("in", Direction::Inbound),
    ("0", Direction::Inbound),
    ("outbound", Direction::Outbound),
    ("outgoing", Direction::Outbound),
    ("egress", Direction::Outbound),
    ("out", Direction::Outbound),
    ("1", Direction::Outbound),
    ("internal", Direction::Internal),
    ("lateral", Direction::Internal),
    ("external", Direction::External),
]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Login,
    /// The end of a session.
    Logoff,
    Threat,
    /// `log`, `sign`: with `in`, `on`, `out` or `off` behind.
    Half,
    Into,
    OutOf,
}

static TOPICS: KeyMap<About, 256> = KeyMap::new(&[
    ("login", About::Login),
    ("logins", About::Login),
    ("logon", About::Login),
    ("signin", About::Login),
    ("authentication", About::Login),
    ("authenticate", About::Login),
    ("authenticated", About::Login),
    ("auth", About::Login),
    ("logoff", About::Logoff),
    ("logout", About::Logoff),
    ("signout", About::Logoff),
    ("log", About::Half),
    ("logged", About::Half),
    ("logging", About::Half),
    ("sign", About::Half),
    ("signed", About::Half),
    ("in", About::Into),
    ("on", About::Into),
    ("out", About::OutOf),
    ("off", About::OutOf),
    ("threat", About::Threat),
    ("threats", About::Threat),
    ("attack", About::Threat),
    ("attacks", About::Threat),
    ("intrusion", About::Threat),
    ("ips", About::Threat),
    ("ids", About::Threat),
    ("idp", About::Threat),
    ("malware", About::Threat),
    ("antimalware", About::Threat),
    ("malicious", About::Threat),
    ("virus", About::Threat),
    ("antivirus", About::Threat),
    ("spyware", About::Threat),
    ("grayware", About::Threat),
    ("riskware", About::Threat),
    ("ransomware", About::Threat),
    ("trojan", About::Threat),
    ("worm", About::Threat),
    ("botnet", About::Threat),
    ("callback", About::Threat),
    ("exploit", About::Threat),
    ("exploits", About::Threat),
    ("phishing", About::Threat),
    ("infection", About::Threat),
    ("infected", About::Threat),
    ("suspicious", About::Threat),
    ("anomaly", About::Threat),
    ("violation", About::Threat),
    ("violations", About::Threat),
    ("vulnerability", About::Threat),
    ("appfw", About::Threat),
    ("alert", About::Threat),
    ("detection", About::Threat),
    ("detections", About::Threat),
    ("incident", About::Threat),
    ("malop", About::Threat),
]);

/// Hands `word` in lower case to `use_it`; `None` if it is longer than any that is known.
#[inline]
fn lowered<R>(word: &[u8], use_it: impl FnOnce(&[u8]) -> Option<R>) -> Option<R> {
    let mut buffer = [0; WORD_MAX];
    let room = buffer.get_mut(..word.len())?;
    room.copy_from_slice(word);
    room.make_ascii_lowercase();
    use_it(room)
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// What a device did, by its own word. The whole text counts before its first word, so that `not blocked` is no block.
pub fn action(text: &[u8]) -> Option<Action> {
    let text = text.trim_ascii();
    let first = || lowered(first_word(text), |word| ACTIONS.get(word));
    lowered(text, |word| ACTIONS.get(word)).or_else(first)
}

/// How an act ended, by its sender's own word. ArcSight's categories begin with a slash.
pub fn outcome(text: &[u8]) -> Option<Outcome> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"/").unwrap_or(text);
    let first = || lowered(first_word(text), |word| OUTCOMES.get(word));
    lowered(text, |word| OUTCOMES.get(word)).or_else(first)
}

/// Direction by its word, or CEF's 0 and 1.
pub fn direction(text: &[u8]) -> Option<Direction> {
    lowered(text, |word| DIRECTIONS.get(word))
}

/// What an event's own words say that it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// A logon.
    pub login: bool,
    /// The end of a session.
    pub logoff: bool,
    /// Something that was detected.
    pub threat: bool,
    /// Success or failure, if a word says so. Failure counts before success.
    pub outcome: Option<Outcome>,
}

/// Reads the words of `texts`: of each the first 160 bytes, since what an event is stands at its beginning. `CamelCase`,
/// `snake_case` and blanks part words alike.
pub fn topic(texts: &[&[u8]]) -> Topic {
    let mut topic = Topic::default();
    for text in texts {
        let mut half = false;
        for word in words(&text[..text.len().min(160)]) {
            let (about, outcome) =
                lowered(word, |word| Some((TOPICS.get(word), OUTCOMES.get(word)))).unwrap_or((None, None));
            let was_half = std::mem::replace(&mut half, about == Some(About::Half));
            match about {
                Some(About::Login) => topic.login = true,
                Some(About::Logoff) => topic.logoff = true,
                Some(About::Threat) => topic.threat = true,
                Some(About::Into) if was_half => topic.login = true,
                Some(About::OutOf) if was_half => topic.logoff = true,
                _ => {}
            }
            if let Some(found @ (Outcome::Success | Outcome::Failure)) = outcome
                && topic.outcome != Some(Outcome::Failure)
                && word.len() > 3
            {
                topic.outcome = Some(found);
            }
        }
    }
    topic
}

/// Runs of letters; a capital after a small letter begins a new one.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.iter().position(u8::is_ascii_alphabetic)?;
        rest = &rest[begin..];
        let mut end = 1;
        while let Some(byte) = rest.get(end)
            && byte.is_ascii_alphabetic()
            && !(byte.is_ascii_uppercase() && rest[end - 1].is_ascii_lowercase())
        {
            end += 1;
        }
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_whole_before_its_first_word() {
        assert_eq!(action(b"Blocked"), Some(Action::Deny));
        assert_eq!(action(b"not blocked"), Some(Action::Allow));
        assert_eq!(action(b"drop-all-packets"), Some(Action::Drop));
        assert_eq!(action(b"IDS:Reset"), Some(Action::Alert));
        assert_eq!(action(b"updated"), None);
        assert_eq!(outcome(b"/Success"), Some(Outcome::Success));
        assert_eq!(outcome(b"Failure: bad password"), Some(Outcome::Failure));
    }

    #[test]
    fn an_event_is_about_what_its_words_say() {
        let failed = topic(&[b"User failed to log on"]);
        assert!(failed.login && !failed.threat);
        assert_eq!(failed.outcome, Some(Outcome::Failure));
        assert!(topic(&[b"ServerAuthenticationSuccess"]).login);
        assert!(topic(&[b"User Signed Out"]).logoff);
        assert!(topic(&[b"JS_EXPLOIT.SMDN"]).threat);
        assert_eq!(topic(&[b"Connection log", b"in progress"]), Topic::default());
    }
}
