//! The dictionary of CEF: its keys, their long names in JSON, and the columns that Microsoft Sentinel makes of them.
//!
//! Source: ArcSight, Common Event Format, revision 25, "ArcSight Extension Dictionary"; Microsoft, "CommonSecurityLog" table.

use schemas::Field as F;

use crate::generic::aliases::plainly;
use crate::generic::{Note as N, Put, Put::*, keys};
use crate::lex::keys::KeyMap;

/// What a key means, whoever sends it. `in` and `out` are missing: see [`super::vendors`].
pub static DICTIONARY: KeyMap<Put, 1024> = KeyMap::new(keys! {
    Note(N::Src) => "src" "sourceAddress" "SourceIP" "src_ip" "sourceIp";
    Note(N::Dst) => "dst" "destinationAddress" "DestinationIP" "dst_ip" "destinationIp";
    To(F::SrcPort) => "spt" "sourcePort" "SourcePort" "src_port";
    To(F::DstPort) => "dpt" "destinationPort" "DestinationPort" "dst_port";
    To(F::SrcHost) => "shost" "sourceHostName" "SourceHostName" "sourceHostname";
    To(F::DstHost) => "dhost" "destinationHostName" "DestinationHostName" "destinationHostname";
    To(F::SrcMac) => "smac" "sourceMacAddress" "SourceMACAddress" "src_mac";
    To(F::DstMac) => "dmac" "destinationMacAddress" "DestinationMACAddress" "dst_mac";
    Note(N::NatSrc) => "sourceTranslatedAddress" "SourceTranslatedAddress";
    Note(N::NatDst) => "destinationTranslatedAddress" "DestinationTranslatedAddress";
    Maybe(F::NatSrcPort) => "sourceTranslatedPort" "SourceTranslatedPort";
    Maybe(F::NatDstPort) => "destinationTranslatedPort" "DestinationTranslatedPort";
    Note(N::Transport) => "proto" "transportProtocol" "Protocol" "protocol";
    To(F::AppProto) => "app" "applicationProtocol" "ApplicationProtocol";
    Note(N::Direction) => "deviceDirection" "CommunicationDirection";
    Maybe(F::InInterface) => "deviceInboundInterface" "DeviceInboundInterface";
    Maybe(F::OutInterface) => "deviceOutboundInterface" "DeviceOutboundInterface";
    Note(N::Action) => "act" "deviceAction" "DeviceAction";
    Note(N::Outcome) => "outcome" "eventOutcome" "EventOutcome" "categoryOutcome";
    To(F::Reason) => "reason" "Reason";
    Note(N::SrcUser) => "suser" "sourceUserName" "SourceUserName";
    Note(N::DstUser) => "duser" "destinationUserName" "DestinationUserName";
    Note(N::User) => "username" "User";
    Note(N::SrcUserId) => "suid" "sourceUserId" "SourceUserID";
    Note(N::DstUserId) => "duid" "destinationUserId" "DestinationUserID";
    Note(N::SrcDomain) => "sntdom" "sourceNtDomain" "SourceNTDomain";
    Note(N::DstDomain) => "dntdom" "destinationNtDomain" "DestinationNTDomain";
    Note(N::Host) => "dvchost" "deviceHostName" "DeviceName" "MachineName";
    Note(N::HostAddress) => "dvc" "deviceAddress" "DeviceAddress" "MachineIP";
    Note(N::Noticed) => "rt" "deviceReceiptTime" "ReceiptTime";
    Note(N::Time) => "event_timestamp" "Date";
    Note(N::Start) => "start" "startTime" "StartTime";
    Note(N::End) => "end" "endTime" "EndTime";
    Note(N::Zone) => "dtz" "deviceTimeZone";
    Maybe(F::Repeat) => "cnt" "baseEventCount" "EventCount";
    Note(N::Category) => "cat" "deviceEventCategory" "DeviceEventCategory";
    To(F::Message) => "msg" "message" "Message";
    To(F::Url) => "request" "requestUrl" "requestURL" "RequestURL";
    To(F::HttpMethod) => "requestMethod" "RequestMethod" "method" "requestmethod";
    To(F::UserAgent) => "requestClientApplication" "RequestClientApplication";
    Note(N::Process) => "sproc" "sourceProcessName" "SourceProcessName";
    Maybe(F::ProcessId) => "spid" "sourceProcessId" "SourceProcessId";
    // the members that stand for the seven header fields
    To(F::Vendor) => "deviceVendor" "DeviceVendor";
    To(F::Product) => "deviceProduct" "DeviceProduct";
    To(F::EventCode) => "signatureId" "deviceEventClassId" "DeviceEventClassID";
    Note(N::Name) => "name" "Name" "Activity";
    Note(N::Severity) => "severity" "agentSeverity" "LogSeverity" "cefSeverity";
    Leave => "cefVersion" "_cefVer" "CefVersion" "Type" "TenantId" "SourceSystem" "TimeGenerated" "art" "mrt" "at" "av" "atz" "aid" "agt"
        "ahost" "amac" "agentZoneURI" "agentDnsDomain" "eventId" "deviceVersion" "DeviceVersion";
});

/// Where the label of a custom field says what its value is. Letters and digits of the label, in lower case.
pub static LABELS: KeyMap<Put, 256> = KeyMap::new(keys! {
    Maybe(F::RuleName) => "rule" "rulename" "policy" "policyname" "firewallrule" "accessrule" "aclname" "securitypolicy";
    Maybe(F::RuleId) => "ruleid" "ruleuid" "rulenumber" "policyid";
    Maybe(F::SessionId) => "sessionid" "connectionid";
    Note(N::Seconds) => "duration" "durationinseconds" "sessionduration" "elapsedtimeinseconds";
    Maybe(F::SrcZone) => "sourcezone" "srczone" "fromzone" "inzone";
    Maybe(F::DstZone) => "destinationzone" "dstzone" "tozone" "outzone";
    Maybe(F::TcpFlags) => "tcpflags";
    Maybe(F::Vlan) => "vlan" "vlanid";
    Maybe(F::Signature) => "signature" "signaturename" "attackname" "threatname" "virus" "virusname" "malwarename" "sname";
    Maybe(F::SignatureId) => "sid" "signatureid" "attackid" "threatid";
    Maybe(F::PacketsOut) => "packetssent";
    Maybe(F::PacketsIn) => "packetsreceived";
    Maybe(F::LogonType) => "logontype";
    Maybe(F::HttpStatus) => "responsecode" "httpstatus" "httpstatuscode";
    Maybe(F::Reason) => "failurereason" "denyreason";
    Maybe(F::AuthMethod) => "authenticationmethod" "authmethod";
    Maybe(F::Ja3) => "ja3" "ja3hash";
    Note(N::Host) => "machinename";
    Note(N::Dst) => "productendpointip" "applicationcontroleventclientipaddressv4";
    Note(N::User) => "incidentsourceadaccount";
});

/// A custom field: `cs1`, `deviceCustomString1Label`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custom {
    /// Which sort of them, the short and the long name alike.
    pub sort: u8,
    /// Its number.
    pub number: u8,
    /// Whether the key is that of its label.
    pub is_label: bool,
}

/// [`Custom::sort`] of addresses.
pub const ADDRESS: u8 = 3;

static SORTS: KeyMap<u8, 32> = KeyMap::new(&[
    ("cs", 0),
    ("devicecustomstring", 0),
    ("cn", 1),
    ("devicecustomnumber", 1),
    ("cfp", 2),
    ("devicecustomfloatingpoint", 2),
    ("c6a", ADDRESS),
    ("devicecustomipv6address", ADDRESS),
    ("devicecustomdate", 4),
    ("flexstring", 5),
    ("flexnumber", 6),
    ("flexdate", 7),
]);

/// Reads the key of a custom field.
pub fn custom(key: &[u8]) -> Option<Custom> {
    let (key, is_label) = match key.strip_suffix(b"Label") {
        Some(key) => (key, true),
        None => (key, false),
    };
    let digits = key.iter().rev().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (base, digits) = key.split_at(key.len() - digits);
    let number = digits.iter().fold(0, |number, digit| number * 10 + (digit - b'0'));
    let mut lower = [0; 32];
    let lower = lower.get_mut(..base.len())?;
    lower.copy_from_slice(base);
    lower.make_ascii_lowercase();
    (!digits.is_empty()).then_some(())?;
    Some(Custom { sort: SORTS.get(lower)?, number, is_label })
}

/// What the value under a label is, if its label says so.
pub fn labelled(label: &[u8]) -> Option<Put> {
    plainly(label, |plain| LABELS.get(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_field_has_a_sort_a_number_and_perhaps_a_label() {
        assert_eq!(custom(b"cs1"), Some(Custom { sort: 0, number: 1, is_label: false }));
        assert_eq!(custom(b"deviceCustomString10Label"), Some(Custom { sort: 0, number: 10, is_label: true }));
        assert_eq!(custom(b"c6a2"), Some(Custom { sort: ADDRESS, number: 2, is_label: false }));
        assert_eq!((custom(b"cs"), custom(b"Label"), custom(b"cntLabel"), custom(b"xs1")), (None, None, None, None));
        assert!(labelled(b"Rule Name").is_some() && labelled(b"Host ID").is_none());
    }
}
