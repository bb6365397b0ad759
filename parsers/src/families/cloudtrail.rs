//! AWS CloudTrail: management, data, sign-in and network activity events; Insights; digests of delivered files.
//!
//! Every event is an act of an identity at a service: the name of the act is the event's code, a call that ended with an error is
//! a failure. Logins and the taking of roles are authentication; all else is audit. The account is the user's name, of a taken role
//! the role's (the session's name stays beside it, since whoever takes a role may choose it). `sourceIPAddress` may be the name of a
//! service that acts for somebody, which is no address. A session token that a call returned is not kept. Source: AWS CloudTrail User
//! Guide, "CloudTrail record contents", "userIdentity element", "AWS Management Console sign-in events".

use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::Value;
use crate::lex::text::{rsplit_once, split_once};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "cloudtrail",
        vendor: "AWS",
        product: "CloudTrail",
        dataset,
        categories,
        products: &["aws"],
        services: &["cloudtrail"],
    }
}

static SIGN_IN: LogSource = source("aws.cloudtrail", &["authentication"]);
static AUDIT: LogSource = source("aws.cloudtrail", &[]);
static INSIGHT: LogSource = source("aws.cloudtrail.insight", &[]);
static DIGEST: LogSource = source("aws.cloudtrail.digest", &[]);

notes! {
    Time, Name, Service, Address, IdentityType, UserName, IssuerName, Principal, Arn, InvokedBy, OtherUser, OnBehalf, ErrorCode, ErrorMessage, SignIn, Mfa,
    InsightName, InsightType, InsightError, DigestEnd, DigestObject, EventType, SessionMfa
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "eventTime" Note(N::Time), "eventName" Note(N::Name), "eventSource" Note(N::Service), "awsRegion" Extra, "eventVersion" Leave,
    "sourceIPAddress" Note(N::Address), "userAgent" Field(UserAgent), "errorCode" Note(N::ErrorCode), "errorMessage" Note(N::ErrorMessage),
    "eventID" Extra, "requestID" Extra, "sharedEventID" Extra, "eventType" Note(N::EventType), "eventCategory" Extra, "recipientAccountId" Extra,
    "readOnly" Extra, "managementEvent" Leave, "apiVersion" Leave, "vpcEndpointId" Extra, "vpcEndpointAccountId" Extra,
    "userIdentity.type" Note(N::IdentityType), "userIdentity.userName" Note(N::UserName), "userIdentity.principalId" Note(N::Principal),
    "userIdentity.arn" Note(N::Arn), "userIdentity.accountId" Extra, "userIdentity.accessKeyId" Extra, "userIdentity.invokedBy" Note(N::InvokedBy),
    "userIdentity.identityProvider" Extra, "userIdentity.onBehalfOf.userId" Note(N::OnBehalf),
    "userIdentity.sessionContext.sessionIssuer.userName" Note(N::IssuerName), "userIdentity.sessionContext.sessionIssuer.arn" Extra,
    "userIdentity.sessionContext.sessionIssuer.type" Leave, "userIdentity.sessionContext.sessionIssuer.principalId" Leave,
    "userIdentity.sessionContext.sessionIssuer.accountId" Leave, "userIdentity.sessionContext.attributes.creationDate" Leave,
    "userIdentity.sessionContext.attributes.mfaAuthenticated" Note(N::SessionMfa),
    "additionalEventData.UserName" Note(N::OtherUser), "additionalEventData.MFAUsed" Note(N::Mfa), "additionalEventData.MobileVersion" Leave,
    "additionalEventData.LoginTo" Extra,
    "responseElements.ConsoleLogin" Note(N::SignIn), "responseElements.CheckMfa" Note(N::SignIn), "responseElements.SwitchRole" Note(N::SignIn),
    "responseElements.ExitRole" Note(N::SignIn), "responseElements.RenewRole" Note(N::SignIn),
    "responseElements.PasswordRecoveryRequested" Note(N::SignIn), "responseElements.PasswordRecoveryCompleted" Note(N::SignIn),
    "responseElements.PasswordUpdated" Note(N::SignIn), "responseElements.EmailUpdated" Note(N::SignIn),
    "serviceEventDetails.UserAuthentication" Note(N::SignIn), "serviceEventDetails.CredentialVerification" Note(N::SignIn),
    "serviceEventDetails.CredentialChallenge" Note(N::SignIn), "serviceEventDetails.UserAuthentication.result" Note(N::SignIn),
    "responseElements.credentials.sessionToken" Leave, "responseElements.credentials.secretAccessKey" Leave, "responseElements.accessKey.secretAccessKey" Leave,
    "tlsDetails.tlsVersion" Field(TlsVersion), "tlsDetails.cipherSuite" Extra, "tlsDetails.clientProvidedHostHeader" Field(HttpHost),
    "insightDetails.eventName" Note(N::InsightName), "insightDetails.insightType" Note(N::InsightType), "insightDetails.errorCode" Note(N::InsightError),
    "insightDetails.eventSource" Note(N::Service), "insightDetails.state" Extra,
    "awsAccountId" Extra, "digestStartTime" Extra, "digestEndTime" Note(N::DigestEnd), "digestS3Object" Note(N::DigestObject), "digestS3Bucket" Extra,
    }
};

/// Of a digest: the list of the files that it vouches for, and the signature of the one before.
const LEFT: &[&[u8]] = &[b"logFiles.", b"previousDigest"];

/// Acts that log somebody in or give them a role.
const LOGINS: &[&[u8]] = &[
    b"ConsoleLogin",
    b"CheckMfa",
    b"SwitchRole",
    b"ExitRole",
    b"RenewRole",
    b"AssumeRole",
    b"AssumeRoleWithSAML",
    b"AssumeRoleWithWebIdentity",
    b"AssumeRoot",
    b"GetFederationToken",
    b"GetSessionToken",
    b"UserAuthentication",
    b"CredentialVerification",
    b"CredentialChallenge",
    b"Authenticate",
    b"Federate",
    b"Logout",
];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cloudtrail"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["aws_cloudtrail"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        (keys.has(Keys::EVENT_SOURCE.and(Keys::EVENT_NAME)) || keys.has(Keys::TRAIL)).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        document::read(record, row, &PATHS, LEFT, |note, value, _| notes.take(note, value))?;
        document::extra(row, "eventSource", notes.value(Note::Service));
        document::extra(row, "eventType", notes.value(Note::EventType));
        if notes.has(Note::DigestObject) {
            document::time(record, row, "digestEndTime", notes.value(Note::DigestEnd))?;
            row.log_source(&DIGEST);
            row.set(key::KIND, EventKind::Other);
            row.fixed(key::EVENT_ACTION, "digest");
            // it is written once the files have been delivered
            row.set(key::OUTCOME, Outcome::Success);
            document::extra(row, "digestS3Object", notes.value(Note::DigestObject));
            return Ok(Parsed::Events);
        }
        document::time(record, row, "eventTime", notes.value(Note::Time))?;
        if notes.has(Note::InsightType) {
            row.log_source(&INSIGHT);
            row.set(key::KIND, EventKind::Alert);
            row.set(key::ACTION, Action::Alert);
            document::text(row, key::SIGNATURE, notes.value(Note::InsightType));
            // of errors that became more it is the error that they are about
            document::text(row, key::EVENT_CODE, notes.first([Note::InsightError, Note::InsightType]));
            document::text(row, key::EVENT_ACTION, notes.value(Note::InsightName));
            document::text(row, key::STATUS_CODE, notes.value(Note::InsightError));
            return Ok(Parsed::Events);
        }
        let name = notes.raw(Note::Name);
        // queues and streams that invoke functions have records with the same two members: `aws:sqs`
        if name.is_empty() && !notes.has(Note::EventType) || notes.raw(Note::Service).starts_with(b"aws:") {
            return Err(record.not_this_family("`eventName` and `eventSource` of a CloudTrail event"));
        }
        let is_login = LOGINS.contains(&name);
        row.log_source(if is_login { &SIGN_IN } else { &AUDIT });
        row.set(key::KIND, if is_login { EventKind::Auth } else { EventKind::Other });
        document::text(row, key::EVENT_CODE, notes.value(Note::Name));
        document::text(row, key::EVENT_ACTION, notes.value(Note::Name));
        document::text(row, key::STATUS_CODE, notes.value(Note::ErrorCode));
        document::text(row, key::REASON, notes.value(Note::ErrorMessage));
        row.set(key::OUTCOME, outcome(&notes));
        origin(row, notes.value(Note::Address));
        identity(row, &notes);
        if notes.raw(Note::Mfa) == b"Yes" {
            row.fixed(key::AUTH_METHOD, "mfa");
        }
        document::extra(row, "mfaAuthenticated", notes.value(Note::SessionMfa));
        Ok(Parsed::Events)
    }
}

fn outcome(notes: &Notes<'_, NOTES>) -> Outcome {
    match notes.raw(Note::SignIn) {
        b"Success" => Outcome::Success,
        b"Failure" => Outcome::Failure,
        _ if notes.has(Note::ErrorCode) || notes.has(Note::ErrorMessage) => Outcome::Failure,
        _ => Outcome::Success,
    }
}

/// The address of the caller, or the name of the service that calls for somebody.
fn origin(row: &mut Row<'_>, value: Value<'_>) {
    let text = value.scalar();
    match Ip::parse(text) {
        Some(ip) if ip != Ip::v4([0, 0, 0, 0]) => row.set(key::SRC_IP, ip),
        _ if text.contains(&b'.') && text.iter().any(u8::is_ascii_lowercase) => {
            document::text(row, key::SRC_HOST, value)
        }
        _ => document::extra(row, "sourceIPAddress", value),
    }
}

/// Who acted.
fn identity(row: &mut Row<'_>, notes: &Notes<'_, NOTES>) {
    document::extra(row, "userIdentity.type", notes.value(Note::IdentityType));
    document::extra(row, "userIdentity.arn", notes.value(Note::Arn));
    document::extra(row, "userIdentity.invokedBy", notes.value(Note::InvokedBy));
    document::text(row, key::USER_ID, notes.first([Note::Principal, Note::OnBehalf]));
    // written in place of a name that may be a mistyped password
    let hidden = notes.raw(Note::UserName) == b"HIDDEN_DUE_TO_SECURITY_REASONS";
    if notes.has(Note::UserName) && !hidden {
        document::text(row, key::USER, notes.value(Note::UserName));
    } else if notes.has(Note::IssuerName) {
        document::text(row, key::USER, notes.value(Note::IssuerName));
    } else if notes.raw(Note::IdentityType) == b"Root" {
        row.fixed(key::USER, "root");
    } else if notes.has(Note::OtherUser) {
        document::text(row, key::USER, notes.value(Note::OtherUser));
    } else if matches!(notes.raw(Note::IdentityType), b"AssumedRole" | b"FederatedUser")
        && let Some((before, name)) = rsplit_once(notes.raw(Note::Arn), b'/')
    {
        // `…:assumed-role/ROLE/SESSION`, `…:federated-user/NAME`
        let role = rsplit_once(before, b'/').map(|(_, role)| role);
        row.text(key::USER, role.unwrap_or(name));
    }
    if let Some((_, session)) = split_once(notes.raw(Note::Principal), b':') {
        row.extra_fixed("sessionName", session);
    }
}
