//! Names that programs without a schema give to the same facts, for formats whose fields anyone may add.
//!
//! Compared without regard to case, dots, dashes and underscores, so that `src_ip`, `srcIp` and `src.ip` are one. Only names that
//! mean one thing wherever they stand are here: `remote_ip` is the source of a logon and nothing sure elsewhere, `ip` is not here.

use schemas::Field as F;

use super::Put::{self, Maybe, Note};
use super::{Note as N, keys};
use crate::lex::keys::KeyMap;

static ALIASES: KeyMap<Put, 512> = KeyMap::new(keys! {
    Note(N::Src) => "srcip" "sourceip" "sourceaddress" "sourceipaddress" "sourceipaddr" "srcaddr" "src" "clientip" "clientaddress"
        "clientaddr" "callerip" "callingip" "attackerip" "saddr" "orighost" "fromip" "userip";
    Note(N::Peer) => "remoteip" "remoteaddr" "remoteaddress" "remotehost" "rhost" "ipaddress";
    Note(N::Dst) => "dstip" "destip" "destinationip" "destinationaddress" "destinationipaddress" "dstaddr" "dst" "dest" "serverip"
        "serveraddress" "targetip" "daddr" "resphost";
    Maybe(F::SrcPort) => "srcport" "sourceport" "clientport" "spt" "sport";
    Maybe(F::DstPort) => "dstport" "destport" "destinationport" "serverport" "targetport" "dpt" "dport";
    Maybe(F::SrcHost) => "srchost" "sourcehost" "sourcehostname" "clienthostname";
    Maybe(F::DstHost) => "dsthost" "desthost" "destinationhost" "destinationhostname";
    Maybe(F::SrcMac) => "srcmac" "sourcemac";
    Maybe(F::DstMac) => "dstmac" "destmac" "destinationmac";
    Note(N::NatSrc) => "natsrcip" "srctranslatedip" "sourcenatip";
    Note(N::NatDst) => "natdstip" "dsttranslatedip" "desttranslatedip" "destinationnatip";
    Note(N::Transport) => "proto" "protocol" "transport" "ipprotocol" "l4proto" "networktransport";
    Maybe(F::AppProto) => "app" "application" "appproto" "service" "networkprotocolname" "networkprotocol";
    Note(N::Direction) => "direction" "networkdirection";
    Note(N::Action) => "action" "act" "disposition" "verdict" "decision" "deviceaction" "policyaction" "eventaction";
    Note(N::Outcome) => "outcome" "result" "success" "eventoutcome" "authresult" "loginresult";
    Maybe(F::Reason) => "reason" "failurereason" "eventreason" "errormessage" "exceptionmessage";
    Maybe(F::StatusCode) => "errorcode" "statuscode" "errortype";
    Note(N::User) => "user" "username" "account" "accountname" "targetusername" "login" "loginname" "userprincipalname" "enduserid";
    Note(N::SrcUser) => "suser" "srcuser" "actor" "actorname" "subjectusername";
    Note(N::DstDomain) => "userdomain" "domain" "targetdomainname";
    Note(N::DstUserId) => "userid" "uid";
    Note(N::Host) => "hostname" "devicename" "devname" "computername";
    Note(N::HostAddress) => "hostip" "deviceip";
    Maybe(F::BytesOut) => "bytesout" "bytessent" "sentbytes" "sourcebytes";
    Maybe(F::BytesIn) => "bytesin" "bytesreceived" "receivedbytes" "destinationbytes";
    Maybe(F::BytesTotal) => "bytes" "totalbytes" "networkbytes";
    Maybe(F::PacketsTotal) => "packets" "totalpackets";
    Maybe(F::RuleName) => "rule" "rulename" "policy" "policyname";
    Maybe(F::RuleId) => "ruleid" "policyid";
    Maybe(F::SessionId) => "sessionid";
    Maybe(F::EventCode) => "eventid" "eventcode";
    Note(N::Name) => "eventname" "event";
    Note(N::Category) => "category" "eventcategory" "eventtype";
    Maybe(F::Signature) => "signature" "attack" "threatname";
    Maybe(F::SignatureId) => "signatureid";
    Maybe(F::AuthMethod) => "authmethod" "authenticationmethod";
    Maybe(F::DnsQuery) => "dnsquery" "queryname" "dnsquestionname";
    Maybe(F::HttpMethod) => "httpmethod" "requestmethod" "httprequestmethod";
    Maybe(F::HttpHost) => "httphost" "urldomain";
    Maybe(F::HttpStatus) => "httpstatus" "httpstatuscode" "httpresponsestatuscode";
    Maybe(F::Url) => "url" "uri" "requesturl" "urlfull" "urloriginal" "httpurl" "httptarget";
    Maybe(F::UserAgent) => "useragent" "httpuseragent" "useragentoriginal";
    Maybe(F::ProcessName) => "processname" "processexecutablename" "applicationname" "programname";
    Maybe(F::ProcessPath) => "processpath" "processexecutable" "processexecutablepath" "exe";
    Maybe(F::ProcessId) => "processid" "pid" "processpid";
    Maybe(F::ProcessCommand) => "commandline" "processcommandline";
    Maybe(F::InInterface) => "ininterface" "ingressinterface";
    Maybe(F::OutInterface) => "outinterface" "egressinterface";
    Maybe(F::SrcZone) => "srczone" "sourcezone";
    Maybe(F::DstZone) => "dstzone" "destzone" "destinationzone";
    Maybe(F::Vlan) => "vlan" "vlanid";
    Maybe(F::CommunityId) => "communityid" "networkcommunityid";
    Maybe(F::Dataset) => "dataset" "eventdataset";
});

/// Hands `key` in lower case without anything but letters and digits to `use_it`. `None` if it is longer than any that is
/// known.
pub fn plainly<R>(key: &[u8], use_it: impl FnOnce(&[u8]) -> Option<R>) -> Option<R> {
    let mut plain = [0; 32];
    let mut length = 0;
    for byte in key.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *plain.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    use_it(&plain[..length])
}

/// What a key that a program made up is likely to hold.
pub fn alias(key: &[u8]) -> Option<Put> {
    plainly(key, |plain| ALIASES.get(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter_but_the_name_does() {
        for key in ["src_ip", "srcIp", "SRC-IP", "src.ip"] {
            assert!(matches!(alias(key.as_bytes()), Some(Note(N::Src))), "{key}");
        }
        assert!(alias(b"ip").is_none() && alias(b"").is_none() && alias(&[b'a'; 100]).is_none());
    }
}
