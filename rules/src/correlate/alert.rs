//! From an episode to the alert that a person reads at three in the morning: what happened, how much of it, to whom,
//! from where, why it matters, how sure it is, what to look at next.
//!
//! Everything in here is a function of the episode and the rule's text, never of arrival: two runs that agree on the
//! episode agree on each letter of the alert, but for the revision and the names of the sources.

use super::event::{Evidence, Rows};
use super::state::Episode;
use super::step::order;
use crate::hit::{ValueRef, values};
use crate::plan::{Member, Metric, Node, NodeKind, Tree};
use schemas::{Alert, AlertId, AlertState, AlertStatus, AlertValue, Attack, Entity, EntityKind, Level};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Most events that an alert shows.
pub const EVIDENCE_MAX: usize = 16;
/// Most values of one field that an alert shows.
const SHOWN_MAX: usize = 10;
/// Most values of one field that the sentence names.
const NAMED_MAX: usize = 3;

/// What alerts of a tree have in common.
#[derive(Debug)]
pub struct Frame {
    rule_id: Arc<str>,
    rule_version: Arc<str>,
    title: Arc<str>,
    attack: Arc<[Attack]>,
    condition: String,
}

impl Frame {
    /// Of a tree.
    pub fn new(tree: &Tree) -> Frame {
        Frame {
            rule_id: tree.rule.id.as_str().into(),
            rule_version: tree.rule.version.as_str().into(),
            title: tree.rule.title.as_str().into(),
            attack: super::attack::of_tags(&tree.rule.tags).into(),
            condition: tree.nodes.last().map_or(String::new(), |root| condition_text(tree, root)),
        }
    }
}

/// Which telling of an episode it is.
#[derive(Debug)]
pub struct Telling {
    pub revision: u32,
    pub status: AlertStatus,
    pub supersedes: Vec<AlertId>,
}

/// Identity of an episode: a hash over rule, version, tenant, key and beginning, each with its length before it.
pub fn alert_id(tree: &Tree, tenant: &str, key: &[u8], begin_us: i64) -> AlertId {
    let mut hash = Sha256::new();
    for part in [tree.rule.id.as_bytes(), tree.rule.version.as_bytes(), tenant.as_bytes(), key, &begin_us.to_be_bytes()]
    {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = AlertId([0; 16]);
    id.0.copy_from_slice(&hash.finalize()[..16]);
    id
}

/// What an alert is made from, besides its episode.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub tree: &'a Tree,
    pub frame: &'a Frame,
    pub tenant: &'a Arc<str>,
    /// Names of sources, by [`super::event::Origin::source`].
    pub sources: &'a [Arc<str>],
    pub rows: Rows<'a>,
}

/// Makes the alert.
pub fn build(scene: Scene<'_>, key: &[u8], episode: &Episode, telling: Telling) -> Alert {
    let Scene { tree, frame, tenant, sources, rows } = scene;
    let evidence = shown(episode);
    // A detection alone keeps events that lack a part of its key; there is nothing to tell of that part.
    let parts = tree.group_by.iter().zip(values(key)).filter(|(_, value)| *value != ValueRef::Absent);
    let group: Vec<(String, String)> = parts.map(|(field, value)| (field.clone(), value.to_string())).collect();
    let told = told(tree, rows, &evidence);
    let state = if episode.degraded { AlertState::Degraded } else { AlertState::Exact };
    let raw = |evidence: &Evidence| rows.parts(&evidence.event.payload).raw.map(<[u8]>::to_vec);
    let document = |evidence: &&Evidence| schemas::Evidence {
        source: sources.get(evidence.event.origin.source as usize).cloned().unwrap_or_default(),
        partition: evidence.event.origin.partition,
        offset: evidence.event.origin.offset,
        sub: evidence.event.origin.sub,
        time: evidence.time_us,
        raw: raw(evidence),
    };
    Alert {
        alert_id: alert_id(tree, tenant, key, episode.begin_us),
        revision: telling.revision,
        status: telling.status,
        supersedes: telling.supersedes,
        rule_id: Arc::clone(&frame.rule_id),
        rule_version: Arc::clone(&frame.rule_version),
        title: Arc::clone(&frame.title),
        level: tree.rule.level,
        risk: risk(tree.rule.level, &told),
        confidence: confidence(state, &told),
        tenant: Arc::clone(tenant),
        message: message(tree, episode, &group, &told),
        entities: entities(&group, &told),
        group,
        first_seen: episode.first_us,
        last_seen: episode.seen_us,
        triggered_at: episode.begin_us,
        count: episode.count,
        values: figures(tree, episode),
        attack: Arc::clone(&frame.attack),
        state,
        evidence_total: episode.count.max(evidence.len() as u64),
        evidence: evidence.iter().map(document).collect(),
        context: context(tree, frame, &told),
    }
}

/// The sample: of each leaf the newest at the beginning, and the newest at the end; in the order of time, each once.
fn shown(episode: &Episode) -> Vec<&Evidence> {
    let mut shown: Vec<&Evidence> = episode.opening.iter().chain(&episode.latest).collect();
    shown.sort_by(|one, other| order(one, other));
    shown.dedup_by(|one, other| one.event.is_same(&other.event));
    if shown.len() > EVIDENCE_MAX {
        shown.drain(..shown.len() - EVIDENCE_MAX);
    }
    shown
}

/// What the evidence says of each context field: distinct values in the order of the evidence.
fn told(tree: &Tree, rows: Rows<'_>, evidence: &[&Evidence]) -> Vec<(String, Vec<String>)> {
    let mut told: Vec<(String, Vec<String>)> = tree.context.iter().map(|field| (field.clone(), Vec::new())).collect();
    for evidence in evidence {
        let context = rows.parts(&evidence.event.payload).context;
        for ((_, list), value) in told.iter_mut().zip(values(context)) {
            let text = value.to_string();
            if value != ValueRef::Absent && list.len() < SHOWN_MAX && !list.contains(&text) {
                list.push(text);
            }
        }
    }
    told.retain(|(_, list)| !list.is_empty());
    told
}

/// The list of one context field; empty where the evidence says nothing.
fn list_of<'a>(told: &'a [(String, Vec<String>)], field: &str) -> &'a [String] {
    told.iter().find(|(name, _)| name == field).map_or(&[], |(_, list)| list)
}

/// The level as a number, raised where what it concerns matters much and lowered where it matters little.
fn risk(level: Level, told: &[(String, Vec<String>)]) -> u8 {
    let base: i32 = match level {
        Level::Informational => 10,
        Level::Low => 30,
        Level::Medium => 50,
        Level::High => 75,
        Level::Critical => 90,
    };
    let grades = || told.iter().filter(|(field, _)| field.ends_with("_criticality")).flat_map(|(_, list)| list);
    let has = |grade: &str| grades().any(|found| found == grade);
    let stake = match (has("critical"), has("high"), has("medium"), has("low")) {
        (true, ..) => 10,
        (false, true, ..) => 5,
        (false, false, false, true) => -10,
        (false, false, ..) => 0,
    };
    let expected = list_of(told, "expected");
    let explained = if !expected.is_empty() && expected.iter().all(|word| word == "expected") { -20 } else { 0 };
    (base + stake + explained).clamp(1, 100) as u8
}

/// How sure: a condition that was met is met, so what can be wrong is what the events were taken for, and what was lost.
fn confidence(state: AlertState, told: &[(String, Vec<String>)]) -> u8 {
    let weakest = |field: &str| list_of(told, field).iter().filter_map(|text| text.parse::<u8>().ok()).max();
    let guessed = [weakest("service_confidence"), weakest("orientation_confidence")].into_iter().flatten().min();
    let sure = match guessed {
        // A guess about the service weighs half: the counts are right whatever the service was.
        Some(percent) => 45 + percent.min(100) / 2,
        None => 90,
    };
    match state {
        AlertState::Exact => sure.min(95),
        AlertState::Degraded => sure.min(60),
    }
}

fn entities(group: &[(String, String)], told: &[(String, Vec<String>)]) -> Vec<Entity> {
    let mut entities: Vec<Entity> = Vec::new();
    let grouped = group.iter().map(|(field, value)| (field.as_str(), value.as_str()));
    let listed = told.iter().flat_map(|(field, list)| list.iter().map(move |value| (field.as_str(), value.as_str())));
    for (field, value) in grouped.chain(listed) {
        let kind = EntityKind::of_field(field);
        if kind == EntityKind::Other || entities.iter().any(|known| known.kind == kind && known.value == value) {
            continue;
        }
        // What the inventory says of an end is certain to belong to this value only where the end has one value.
        let end = field.split_once('_').filter(|(end, _)| matches!(*end, "src" | "dst")).map(|(end, _)| end);
        let alone = list_of(told, field).len() <= 1;
        let detail = match end {
            Some(end) if alone => ["role", "criticality", "asset_zone", "owner"]
                .iter()
                .filter_map(|what| match list_of(told, &format!("{end}_{what}")) {
                    [only] => Some(((*what).to_string(), only.clone())),
                    _ => None,
                })
                .collect(),
            Some(_) | None => Vec::new(),
        };
        entities.push(Entity { kind, field: field.to_string(), value: value.to_string(), detail });
    }
    entities
}

fn context(tree: &Tree, frame: &Frame, told: &[(String, Vec<String>)]) -> Vec<(String, AlertValue)> {
    let mut context = vec![("condition".to_string(), AlertValue::Text(frame.condition.clone()))];
    let mut text = |name: &str, value: &str| {
        if !value.is_empty() {
            context.push((name.to_string(), AlertValue::Text(value.to_string())));
        }
    };
    text("description", &tree.rule.description);
    let mut list = |name: &str, values: &[String]| {
        if !values.is_empty() {
            context.push((name.to_string(), AlertValue::List(values.to_vec())));
        }
    };
    list("falsepositives", &tree.rule.falsepositives);
    list("next", &tree.rule.next);
    list("references", &tree.rule.references);
    told.iter().for_each(|(field, values)| list(field, values));
    context
}

fn number(value: f64) -> AlertValue {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        AlertValue::Integer(value as i64)
    } else {
        AlertValue::Float(value)
    }
}

/// The numbers that met the condition.
fn figures(tree: &Tree, episode: &Episode) -> Vec<(String, AlertValue)> {
    let Some(root) = tree.nodes.last() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    match &root.kind {
        NodeKind::EventCount { .. } => out.push(("events".to_string(), number(episode.count as f64))),
        NodeKind::ValueCount { dimensions, .. } => {
            for (at, dimension) in dimensions.iter().enumerate() {
                let fields = slot_name(tree, dimension.slot);
                out.push((format!("distinct {fields}"), number(episode.peaks.get(at).copied().unwrap_or(0.0))));
                let shown = |bytes: &[u8]| values(bytes).map(|value| value.to_string()).collect::<Vec<_>>().join(" ");
                let list =
                    episode.values.get(at).map_or(Vec::new(), |list| list.iter().map(|bytes| shown(bytes)).collect());
                out.push((fields, AlertValue::List(list)));
            }
        }
        NodeKind::Metric { slot, metric, .. } => {
            let name = format!("{} {}", metric_name(*metric), slot_name(tree, *slot));
            out.push((name.clone(), number(episode.figures.first().copied().unwrap_or(0.0))));
            out.push((format!("largest {name}"), number(episode.peaks.first().copied().unwrap_or(0.0))));
        }
        NodeKind::Temporal { members, .. } | NodeKind::TemporalOrdered { members } => {
            for (member, count) in members.iter().zip(&episode.members) {
                out.push((noun(tree, *member), number(*count as f64)));
            }
        }
    }
    out
}

fn metric_name(metric: Metric) -> String {
    match metric {
        Metric::Sum => "sum of".to_string(),
        Metric::Mean => "mean of".to_string(),
        Metric::Percentile(50.0) => "median of".to_string(),
        Metric::Percentile(percent) => format!("percentile {percent} of"),
    }
}

fn slot_name(tree: &Tree, slot: u16) -> String {
    tree.slots.get(usize::from(slot)).map_or(String::new(), |fields| fields.join(" + "))
}

/// How a sentence calls many events of a member.
fn noun(tree: &Tree, member: Member) -> String {
    match member {
        Member::Leaf(leaf) => tree.leaves.get(usize::from(leaf)).map_or_else(String::new, |leaf| match &leaf.noun {
            Some(noun) => noun.clone(),
            None => format!("events of “{}”", leaf.title),
        }),
        Member::Node(node) => match tree.nodes.get(usize::from(node)) {
            None => String::new(),
            Some(node) => match node.kind.members() {
                [only] => noun(tree, *only),
                _ => format!("events of “{}”", node.title),
            },
        },
    }
}

fn nouns(tree: &Tree, members: &[Member]) -> String {
    let mut nouns: Vec<String> = members.iter().map(|member| noun(tree, *member)).collect();
    nouns.dedup();
    nouns.join(" or ")
}

/// `12 failed logins`, `1 failed login`: of one, the last word that ends in s loses it.
fn counted(count: u64, noun: &str) -> String {
    if count != 1 || noun.contains('“') {
        return format!("{count} {noun}");
    }
    let mut words: Vec<&str> = noun.split(' ').collect();
    if let Some(plural) = words.iter_mut().rfind(|word| word.ends_with('s') && !word.ends_with("ss")) {
        *plural = &plural[..plural.len() - 1];
    }
    format!("1 {}", words.join(" "))
}

/// What a sentence calls different values of a slot.
fn kinds(tree: &Tree, slot: u16) -> String {
    let fields = tree.slots.get(usize::from(slot)).map_or(&[][..], |fields| fields);
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    match names[..] {
        ["dst_port" | "server_port" | "src_port" | "client_port"] => "ports".to_string(),
        ["src_ip" | "client_ip" | "dst_ip" | "server_ip"] => "addresses".to_string(),
        ["src_asset" | "dst_asset" | "host" | "src_host" | "dst_host"] => "hosts".to_string(),
        ["user" | "src_user"] => "accounts".to_string(),
        ["dns_query"] => "names".to_string(),
        ["src_ip" | "client_ip", "src_port" | "client_port"] => "connections".to_string(),
        _ => format!("values of {}", names.join(" + ")),
    }
}

/// `10m`, `1h`, `90s` as a rule writes it.
pub fn span(us: i64) -> String {
    let seconds = us / 1_000_000;
    match seconds {
        _ if us % 1_000_000 != 0 => format!("{}ms", us / 1000),
        0 => "0s".to_string(),
        _ if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        _ if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// How long it took, as a person says it: two units at most.
fn took(us: i64) -> String {
    let seconds = (us.max(0) + 500_000) / 1_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => "an instant".to_string(),
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}

/// Fields that name the end that something comes from, and the one that it goes to; the best name first.
const FROM: [&str; 4] = ["src_asset", "src_host", "src_ip", "client_ip"];
const TO: [&str; 5] = ["dst_asset", "dst_host", "host", "dst_ip", "server_ip"];

/// The sentence: how much of what, to whom, from where, in what time.
fn message(tree: &Tree, episode: &Episode, group: &[(String, String)], told: &[(String, Vec<String>)]) -> String {
    let Some(root) = tree.nodes.last() else {
        return String::new();
    };
    let count = episode.count;
    // A rule about single events says it by its title, all others by counting.
    let titled = match &root.kind {
        NodeKind::EventCount { members, .. } => match members[..] {
            [Member::Leaf(leaf)] => tree.leaves.get(usize::from(leaf)).filter(|leaf| leaf.noun.is_none()),
            _ => None,
        },
        _ => None,
    };
    let mut message = match (titled, &root.kind) {
        (Some(leaf), _) if count == 1 => leaf.title.clone(),
        (Some(leaf), _) => format!("{}, {count} times", leaf.title),
        (None, NodeKind::EventCount { members, .. }) => counted(count, &nouns(tree, members)),
        (None, NodeKind::ValueCount { members, dimensions }) => {
            let peaks = dimensions.iter().zip(&episode.peaks);
            let parts: Vec<String> =
                peaks.map(|(dimension, peak)| format!("{peak} different {}", kinds(tree, dimension.slot))).collect();
            format!("{} in {}", parts.join(" and "), counted(count, &nouns(tree, members)))
        }
        (None, NodeKind::Metric { members, metric, slot, .. }) => {
            let figure = episode.figures.first().copied().unwrap_or(0.0);
            let name = format!("{} {}", metric_name(*metric), slot_name(tree, *slot));
            format!("{name} {figure} over {}", counted(count, &nouns(tree, members)))
        }
        (None, NodeKind::Temporal { members, .. }) => joined(tree, members, &episode.members, " and "),
        (None, NodeKind::TemporalOrdered { members }) => joined(tree, members, &episode.members, ", then "),
    };
    if titled.is_some() {
        message.push(':');
    }
    let ends = [("from", &FROM[..]), (if titled.is_some() { "to" } else { "on" }, &TO[..])];
    for (word, fields) in ends {
        if let Some(names) = end_names(root, tree, group, told, fields) {
            message.push_str(&format!(" {word} {names}"));
        }
    }
    for (field, value) in
        group.iter().filter(|(field, _)| !FROM.contains(&field.as_str()) && !TO.contains(&field.as_str()))
    {
        match field.as_str() {
            "dst_port" | "server_port" => message.push_str(&format!(", port {value}")),
            _ => message.push_str(&format!(", {field} {value}")),
        }
    }
    if message.ends_with(':') {
        message.pop();
    }
    if count > 1 {
        message.push_str(&format!(", in {}", took(episode.seen_us - episode.first_us)));
    }
    if episode.degraded {
        message.push_str(" (some state was lost under pressure: counts may be too low)");
    }
    message
}

/// Who is at one end: as the group says, or else as the evidence does, unless that end is what was counted.
fn end_names(
    root: &Node,
    tree: &Tree,
    group: &[(String, String)],
    told: &[(String, Vec<String>)],
    fields: &[&str],
) -> Option<String> {
    let is_end = |field: &str| fields.contains(&field);
    if let Some((_, value)) = group.iter().find(|(field, _)| is_end(field)) {
        return Some(value.clone());
    }
    if let NodeKind::ValueCount { dimensions, .. } = &root.kind {
        let slots = dimensions.iter().filter_map(|dimension| tree.slots.get(usize::from(dimension.slot)));
        if slots.flatten().any(|field| is_end(field)) {
            return None;
        }
    }
    let list = fields.iter().map(|field| list_of(told, field)).find(|list| !list.is_empty())?;
    let named: Vec<&str> = list.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = if list.len() > NAMED_MAX { " and others" } else { "" };
    Some(format!("{}{more}", named.join(", ")))
}

fn joined(tree: &Tree, members: &[Member], counts: &[u64], with: &str) -> String {
    let parts: Vec<String> = members
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(member, count)| counted(*count, &noun(tree, *member)))
        .collect();
    parts.join(with)
}

/// The condition in words, with those of the correlations it refers to.
fn condition_text(tree: &Tree, node: &Node) -> String {
    let within = span(node.timespan_us);
    let own = match &node.kind {
        NodeKind::EventCount { members, condition } => format!("{condition} {} within {within}", nouns(tree, members)),
        NodeKind::ValueCount { members, dimensions } => {
            let parts: Vec<String> = dimensions
                .iter()
                .map(|dimension| format!("{} different {}", dimension.condition, kinds(tree, dimension.slot)))
                .collect();
            format!("{} in {} within {within}", parts.join(" and "), nouns(tree, members))
        }
        NodeKind::Metric { members, metric, slot, condition } => {
            let name = format!("{} {}", metric_name(*metric), slot_name(tree, *slot));
            format!("{name} {condition} in {} within {within}", nouns(tree, members))
        }
        NodeKind::Temporal { members, expression } => {
            let names: Vec<&str> = members.iter().map(|member| name_of(tree, *member)).collect();
            format!("{} within {within}", expression_text(expression, &names))
        }
        NodeKind::TemporalOrdered { members } => {
            let names: Vec<&str> = members.iter().map(|member| name_of(tree, *member)).collect();
            format!("{} within {within}", names.join(", then "))
        }
    };
    let inner = node.kind.members().iter().filter_map(|member| match member {
        Member::Leaf(_) => None,
        Member::Node(inner) => tree.nodes.get(usize::from(*inner)),
    });
    inner.fold(own, |text, inner| format!("{text}; {}: {}", inner.name, condition_text(tree, inner)))
}

fn name_of(tree: &Tree, member: Member) -> &str {
    match member {
        Member::Leaf(leaf) => tree.leaves.get(usize::from(leaf)).map_or("", |leaf| &leaf.name),
        Member::Node(node) => tree.nodes.get(usize::from(node)).map_or("", |node| &node.name),
    }
}

fn expression_text(expression: &crate::plan::Expression, names: &[&str]) -> String {
    use crate::plan::Expression;
    let list = |parts: &[Expression], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| expression_text(part, names)).collect();
        format!("({})", parts.join(word))
    };
    match expression {
        Expression::Member(member) => names.get(usize::from(*member)).map_or(String::new(), |name| (*name).to_string()),
        Expression::AtLeast(count) if usize::from(*count) == names.len() => names.join(" and "),
        Expression::AtLeast(count) => format!("at least {count} of {}", names.join(", ")),
        Expression::And(parts) => list(parts, " and "),
        Expression::Or(parts) => list(parts, " or "),
        Expression::Not(part) => format!("not {}", expression_text(part, names)),
    }
}
