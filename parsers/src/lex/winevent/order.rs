//! The names of data fields by their order, for events that lost their names on the way.
//!
//! Source: the manifests of Microsoft-Windows-Security-Auditing and of the Remote Desktop providers; each event's newest version, since
//! versions only append.

const SUBJECT: &str = "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId";
const PLATFORM: &str = "ProcessID Application Direction SourceAddress SourcePort DestAddress DestPort Protocol FilterRTID LayerName LayerRTID RemoteUserID RemoteMachineID";
const LOCAL: &str = "ProcessId Application SourceAddress SourcePort Protocol FilterRTID LayerName LayerRTID";
const MEMBER: &str = "MemberName MemberSid TargetUserName TargetDomainName TargetSid SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList MembershipExpirationTime";
const ACCOUNT: &str = "TargetUserName TargetDomainName TargetSid SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList SamAccountName DisplayName UserPrincipalName HomeDirectory HomePath ScriptPath ProfilePath UserWorkstations PasswordLastSet AccountExpires PrimaryGroupId AllowedToDelegateTo OldUacValue NewUacValue UserAccountControl UserParameters SidHistory LogonHours";
const NETWORK_POLICY: &str = "FullyQualifiedSubjectUserName SubjectMachineSID SubjectMachineName FullyQualifiedSubjectMachineName MachineInventory CalledStationID CallingStationID NASIPv4Address NASIPv6Address NASIdentifier NASPortType NASPort ClientName ClientIPAddress ProxyPolicyName NetworkPolicyName AuthenticationProvider AuthenticationServer AuthenticationType EAPType AccountSessionIdentifier ReasonCode Reason LoggingResult";

/// What is behind the known names is called as winlogbeat calls it.
const MORE: [&str; 40] = {
    let mut names = [""; 40];
    let all = "param1  param2  param3  param4  param5  param6  param7  param8  param9  param10 param11 param12 param13 param14 param15 param16 param17 param18 param19 param20 param21 param22 param23 param24 param25 param26 param27 param28 param29 param30 param31 param32 param33 param34 param35 param36 param37 param38 param39 param40 ";
    let mut at = 0;
    while at < names.len() {
        let (_, rest) = all.split_at(at * 8);
        let (name, _) = rest.split_at(if at < 9 { 6 } else { 7 });
        names[at] = name;
        at += 1;
    }
    names
};

/// The names of an event's data fields, in order; `param3` is the third of an event, or of its newer columns, that is not known.
pub(super) fn names(code: Option<u32>) -> impl Iterator<Item = &'static str> {
    let parts = code.map_or(["", ""], of);
    let known = parts.into_iter().flat_map(|part| part.split(' ')).filter(|name| !name.is_empty());
    let count = known.clone().count();
    known.chain(MORE.into_iter().skip(count))
}

fn of(code: u32) -> [&'static str; 2] {
    match code {
        4624 => [
            SUBJECT,
            "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType LogonProcessName AuthenticationPackageName WorkstationName LogonGuid TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort ImpersonationLevel RestrictedAdminMode TargetOutboundUserName TargetOutboundDomainName VirtualAccount TargetLinkedLogonId ElevatedToken",
        ],
        4625 => [
            SUBJECT,
            "TargetUserSid TargetUserName TargetDomainName Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
        ],
        4634 => ["", "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType"],
        4647 => ["", "TargetUserSid TargetUserName TargetDomainName TargetLogonId"],
        4648 => [
            SUBJECT,
            "LogonGuid TargetUserName TargetDomainName TargetLogonGuid TargetServerName TargetInfo ProcessId ProcessName IpAddress IpPort",
        ],
        4672 => [SUBJECT, "PrivilegeList"],
        4688 => [
            SUBJECT,
            "NewProcessId NewProcessName TokenElevationType ProcessId CommandLine TargetUserSid TargetUserName TargetDomainName TargetLogonId ParentProcessName MandatoryLabel",
        ],
        4697 => [SUBJECT, "ServiceName ServiceFileName ServiceType ServiceStartType ServiceAccount"],
        4720 => ["", ACCOUNT],
        4728 | 4732 | 4729 | 4733 | 4756 | 4757 => ["", MEMBER],
        4738 => ["Dummy", ACCOUNT],
        4722..=4726 | 4740 | 4767 => [
            "",
            "TargetUserName TargetDomainName TargetSid SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId",
        ],
        4768 => [
            "",
            "TargetUserName TargetDomainName TargetSid ServiceName ServiceSid TicketOptions Status TicketEncryptionType PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber CertThumbprint",
        ],
        4769 => [
            "",
            "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress IpPort Status LogonGuid TransmittedServices",
        ],
        4770 => [
            "",
            "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress IpPort",
        ],
        4771 => [
            "",
            "TargetUserName TargetSid ServiceName TicketOptions Status PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber CertThumbprint",
        ],
        4776 => ["", "PackageName TargetUserName Workstation Status"],
        4778 | 4779 => ["", "AccountName AccountDomain LogonID SessionName ClientName ClientAddress"],
        4825 => ["", "AccountName AccountDomain LogonID ClientAddress"],
        5140 => [SUBJECT, "ObjectType IpAddress IpPort ShareName ShareLocalPath AccessMask AccessList"],
        5145 => [
            SUBJECT,
            "ObjectType IpAddress IpPort ShareName ShareLocalPath RelativeTargetName AccessMask AccessList AccessReason",
        ],
        5152 | 5156 | 5157 => ["", PLATFORM],
        5154 | 5155 | 5158 | 5159 => ["", LOCAL],
        6272..=6274 => ["SubjectUserSid SubjectUserName SubjectDomainName", NETWORK_POLICY],
        // MSSQLSERVER in the Application channel
        18_456 => ["", "TargetUserName Reason ClientAddress"],
        18_453 | 18_454 => ["", "TargetUserName ClientAddress"],
        _ => ["", ""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_manifests() {
        let at = |code, at| names(Some(code)).nth(at);
        assert_eq!(at(4625, 7), Some("Status"));
        assert_eq!(at(4625, 19), Some("IpAddress"));
        assert_eq!(at(4768, 6), Some("Status"));
        assert_eq!(at(4769, 8), Some("Status"));
        assert_eq!(at(4738, 1), Some("TargetUserName"));
        assert_eq!(at(4776, 4), Some("param5"));
        assert_eq!(names(Some(1)).next(), Some("param1"));
        assert_eq!(names(None).nth(39), Some("param40"));
    }
}
