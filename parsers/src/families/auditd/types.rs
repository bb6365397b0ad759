//! Types of records by name and number. Source: linux-audit, `lib/libaudit.h` and `lib/msg_typetab.h`.

use crate::lex::text::decimal;

/// A record's type.
#[derive(Clone, Copy)]
pub(super) struct Type<'a> {
    /// `USER_LOGIN`; the number as it stands where no name is known.
    pub name: &'a [u8],
}

impl<'a> Type<'a> {
    /// The type of that name or number.
    pub fn of(text: &'a [u8]) -> Type<'a> {
        let number = decimal(text).and_then(|number| u16::try_from(number).ok());
        let known = number.and_then(|number| NUMBERS.iter().find(|(known, _)| *known == number));
        Type { name: known.map_or(text, |(_, name)| name.as_bytes()) }
    }
}

/// Whether a word is a type's name: capitals and underscores, more than two of them.
pub(super) fn is_name(word: &[u8]) -> bool {
    word.len() > 2 && word.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

#[rustfmt::skip]
static NUMBERS: &[(u16, &str)] = &[
    (1006, "LOGIN"), (1100, "USER_AUTH"), (1101, "USER_ACCT"), (1102, "USER_MGMT"), (1103, "CRED_ACQ"), (1104, "CRED_DISP"),
    (1105, "USER_START"), (1106, "USER_END"), (1107, "USER_AVC"), (1108, "USER_CHAUTHTOK"), (1109, "USER_ERR"), (1110, "CRED_REFR"),
    (1111, "USYS_CONFIG"), (1112, "USER_LOGIN"), (1113, "USER_LOGOUT"), (1114, "ADD_USER"), (1115, "DEL_USER"), (1116, "ADD_GROUP"),
    (1117, "DEL_GROUP"), (1118, "DAC_CHECK"), (1119, "CHGRP_ID"), (1120, "TEST"), (1121, "TRUSTED_APP"), (1122, "USER_SELINUX_ERR"),
    (1123, "USER_CMD"), (1124, "USER_TTY"), (1125, "CHUSER_ID"), (1126, "GRP_AUTH"), (1127, "SYSTEM_BOOT"), (1128, "SYSTEM_SHUTDOWN"),
    (1129, "SYSTEM_RUNLEVEL"), (1130, "SERVICE_START"), (1131, "SERVICE_STOP"), (1132, "GRP_MGMT"), (1133, "GRP_CHAUTHTOK"),
    (1134, "MAC_CHECK"), (1135, "ACCT_LOCK"), (1136, "ACCT_UNLOCK"), (1137, "USER_DEVICE"), (1138, "SOFTWARE_UPDATE"),
    (1200, "DAEMON_START"), (1201, "DAEMON_END"), (1202, "DAEMON_ABORT"), (1203, "DAEMON_CONFIG"), (1205, "DAEMON_ROTATE"),
    (1300, "SYSCALL"), (1302, "PATH"), (1303, "IPC"), (1304, "SOCKETCALL"), (1305, "CONFIG_CHANGE"), (1306, "SOCKADDR"), (1307, "CWD"),
    (1309, "EXECVE"), (1312, "MQ_OPEN"), (1318, "OBJ_PID"), (1319, "TTY"), (1320, "EOE"), (1321, "BPRM_FCAPS"), (1322, "CAPSET"),
    (1323, "MMAP"), (1324, "NETFILTER_PKT"), (1325, "NETFILTER_CFG"), (1326, "SECCOMP"), (1327, "PROCTITLE"), (1328, "FEATURE_CHANGE"),
    (1330, "KERN_MODULE"), (1331, "FANOTIFY"), (1334, "BPF"), (1400, "AVC"), (1401, "SELINUX_ERR"), (1403, "MAC_POLICY_LOAD"),
    (1404, "MAC_STATUS"), (1415, "MAC_IPSEC_EVENT"), (1700, "ANOM_PROMISCUOUS"), (1701, "ANOM_ABEND"), (1702, "ANOM_LINK"),
    (2100, "ANOM_LOGIN_FAILURES"), (2101, "ANOM_LOGIN_TIME"), (2102, "ANOM_LOGIN_SESSIONS"), (2103, "ANOM_LOGIN_ACCT"),
    (2104, "ANOM_LOGIN_LOCATION"), (2207, "RESP_ACCT_LOCK"), (2206, "RESP_ACCT_LOCK_TIMED"), (2404, "CRYPTO_KEY_USER"),
    (2407, "CRYPTO_SESSION"), (2408, "CRYPTO_IKE_SA"), (2409, "CRYPTO_IPSEC_SA"), (2500, "VIRT_CONTROL"), (2501, "VIRT_RESOURCE"),
    (2502, "VIRT_MACHINE_ID"),
];
