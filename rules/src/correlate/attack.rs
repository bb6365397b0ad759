//! From Sigma tags to what ATT&CK calls them.
//!
//! Only the names that rules about networks and logins use are here; a technique that is not keeps its id and has no
//! name. Source: MITRE ATT&CK Enterprise v18.1, tactics as renamed in v19.

use schemas::Attack;

/// (shortname in tags, id, name).
const TACTICS: &[(&str, &str, &str)] = &[
    ("reconnaissance", "TA0043", "Reconnaissance"),
    ("resource-development", "TA0042", "Resource Development"),
    ("initial-access", "TA0001", "Initial Access"),
    ("execution", "TA0002", "Execution"),
    ("persistence", "TA0003", "Persistence"),
    ("privilege-escalation", "TA0004", "Privilege Escalation"),
    ("defense-evasion", "TA0005", "Defense Evasion"),
    ("stealth", "TA0005", "Stealth"),
    ("defense-impairment", "TA0112", "Defense Impairment"),
    ("credential-access", "TA0006", "Credential Access"),
    ("discovery", "TA0007", "Discovery"),
    ("lateral-movement", "TA0008", "Lateral Movement"),
    ("collection", "TA0009", "Collection"),
    ("command-and-control", "TA0011", "Command and Control"),
    ("exfiltration", "TA0010", "Exfiltration"),
    ("impact", "TA0040", "Impact"),
];

/// (id, name, shortname of its first tactic).
const TECHNIQUES: &[(&str, &str, &str)] = &[
    ("T1018", "Remote System Discovery", "discovery"),
    ("T1021", "Remote Services", "lateral-movement"),
    ("T1021.001", "Remote Services: Remote Desktop Protocol", "lateral-movement"),
    ("T1021.002", "Remote Services: SMB/Windows Admin Shares", "lateral-movement"),
    ("T1021.004", "Remote Services: SSH", "lateral-movement"),
    ("T1021.006", "Remote Services: Windows Remote Management", "lateral-movement"),
    ("T1040", "Network Sniffing", "credential-access"),
    ("T1041", "Exfiltration Over C2 Channel", "exfiltration"),
    ("T1046", "Network Service Discovery", "discovery"),
    ("T1048", "Exfiltration Over Alternative Protocol", "exfiltration"),
    ("T1071", "Application Layer Protocol", "command-and-control"),
    ("T1071.001", "Application Layer Protocol: Web Protocols", "command-and-control"),
    ("T1071.004", "Application Layer Protocol: DNS", "command-and-control"),
    ("T1078", "Valid Accounts", "initial-access"),
    ("T1090", "Proxy", "command-and-control"),
    ("T1095", "Non-Application Layer Protocol", "command-and-control"),
    ("T1105", "Ingress Tool Transfer", "command-and-control"),
    ("T1110", "Brute Force", "credential-access"),
    ("T1110.001", "Brute Force: Password Guessing", "credential-access"),
    ("T1110.003", "Brute Force: Password Spraying", "credential-access"),
    ("T1110.004", "Brute Force: Credential Stuffing", "credential-access"),
    ("T1133", "External Remote Services", "initial-access"),
    ("T1190", "Exploit Public-Facing Application", "initial-access"),
    ("T1210", "Exploitation of Remote Services", "lateral-movement"),
    ("T1498", "Network Denial of Service", "impact"),
    ("T1499", "Endpoint Denial of Service", "impact"),
    ("T1505", "Server Software Component", "persistence"),
    ("T1543", "Create or Modify System Process", "persistence"),
    ("T1571", "Non-Standard Port", "command-and-control"),
    ("T1572", "Protocol Tunneling", "command-and-control"),
    ("T1595", "Active Scanning", "reconnaissance"),
    ("T1595.001", "Active Scanning: Scanning IP Blocks", "reconnaissance"),
    ("T1595.002", "Active Scanning: Vulnerability Scanning", "reconnaissance"),
];

/// What the tags say, in their order: one entry for each technique, with the first of the rule's tactics that fits it
/// or else the technique's own; tactics without a technique follow.
pub fn of_tags(tags: &[String]) -> Vec<Attack> {
    let words = || tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
    let tactics: Vec<_> =
        words().filter_map(|word| TACTICS.iter().find(|(short, ..)| *short == word.replace('_', "-"))).collect();
    let mut used = Vec::new();
    let mut found: Vec<Attack> = Vec::new();
    for word in
        words().filter(|word| word.starts_with('t') && word[1..].starts_with(|first: char| first.is_ascii_digit()))
    {
        let id = word.to_ascii_uppercase();
        let known = TECHNIQUES.iter().find(|(technique, ..)| *technique == id);
        let own = known.and_then(|(.., short)| TACTICS.iter().find(|(tactic, ..)| tactic == short));
        let stated = own.and_then(|own| tactics.iter().find(|tactic| tactic.1 == own.1).copied());
        let tactic = stated.or(tactics.first().copied()).or(own);
        used.extend(tactic.map(|tactic| tactic.1));
        found.push(Attack {
            tactic_id: tactic.map_or(String::new(), |tactic| tactic.1.to_string()),
            tactic: tactic.map_or(String::new(), |tactic| tactic.2.to_string()),
            technique: known.map_or(String::new(), |known| known.1.to_string()),
            technique_id: id,
        });
    }
    for tactic in tactics.into_iter().filter(|tactic| !used.contains(&tactic.1)) {
        found.push(Attack { tactic_id: tactic.1.to_string(), tactic: tactic.2.to_string(), ..Attack::default() });
    }
    found
}
