//! Microsoft Entra ID (Azure AD): sign-ins of people, services and machines, directory audit, risk detections, provisioning.
//!
//! The same facts come in three shapes: Azure Monitor's resource log (an envelope with `category` and `properties`), the
//! Graph API's object (what is inside `properties`), and Log Analytics' row (flat, names in Pascal case). The look-up takes
//! `properties.` off and makes the first letter small, so that one table reads all three.
//!
//! A sign-in happened at `createdDateTime`; `time` is when it was written, and the same sign-in is written again when more is
//! known of it (same `id`). Its result is a number: some codes say that the password was right and something else is still
//! to be done (a second factor, a consent), which is neither success nor failure. Source: Microsoft, "Microsoft Entra
//! authentication and authorization error codes"; Graph v1.0, `signIn`, `directoryAudit`, `riskDetection`; Azure Monitor
//! tables `SigninLogs`, `AuditLogs`.

use schemas::{Action, EventKind, Field, LogSource, Outcome, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, Put, notes, paths};
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::time::us_date;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

pub(super) struct Family;

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "entra_signin",
        vendor: "Microsoft",
        product: "Entra ID",
        dataset,
        categories,
        products: &["azure"],
        services,
    }
}

static SIGN_IN: LogSource = source("entra.signin", &["authentication"], &["signinlogs"]);
static AUDIT: LogSource = source("entra.audit", &[], &["auditlogs"]);
static RISK: LogSource = source("entra.risk", &[], &["riskdetection"]);
static OTHER: LogSource = source("entra.other", &[], &[]);

notes! {
    Time, Created, Generated, Activity, Detected, Category, Operation, ActivityName, ResultType, ErrorCode, Description, FailureReason, Result,
    ResultReason, Upn, DisplayName, Identity, UserId, ServiceName, ServiceId, Address, Country, AuditUpn, AuditName, AuditId, AuditApp,
    AuditAppId, AuditAddress, RiskEvent, RiskType, RiskLevel, RiskState, StatusText, ServicePrincipal
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "time" Note(N::Time), "timeGenerated" Note(N::Generated), "createdDateTime" Note(N::Created), "activityDateTime" Note(N::Activity),
    "detectedDateTime" Note(N::Detected), "lastUpdatedDateTime" Extra, "riskLastUpdatedDateTime" Note(N::Detected),
    "category" Note(N::Category), "properties.category" Extra, "operationName" Note(N::Operation), "activityDisplayName" Note(N::ActivityName),
    "operationVersion" Leave, "level" Leave, "resultSignature" Leave, "durationMs" Leave, "resourceId" Leave, "resourceProvider" Leave,
    "resultType" Note(N::ResultType), "resultDescription" Note(N::Description), "status" Note(N::StatusText),
    "status.errorCode" Note(N::ErrorCode), "status.failureReason" Note(N::FailureReason), "status.additionalDetails" Extra,
    "result" Note(N::Result), "resultReason" Note(N::ResultReason), "tenantId" Field(Tenant), "aADTenantId" Field(Tenant),
    "id" Extra, "correlationId" Extra, "properties.correlationId" Leave, "sessionId" Field(SessionId), "uniqueTokenIdentifier" Extra, "originalRequestId" Extra,
    // who
    "userPrincipalName" Note(N::Upn), "userDisplayName" Note(N::DisplayName), "identity" Note(N::Identity), "userId" Note(N::UserId),
    "servicePrincipalName" Note(N::ServiceName), "servicePrincipalId" Note(N::ServiceId), "userType" Extra, "alternateSignInName" Extra,
    // from where, by what
    "ipAddress" Note(N::Address), "iPAddress" Note(N::Address), "callerIpAddress" Note(N::Address), "location" Note(N::Country),
    "location.countryOrRegion" Note(N::Country), "locationDetails.countryOrRegion" Note(N::Country), "location.city" Extra, "location.state" Leave,
    "location.geoCoordinates.latitude" Leave, "location.geoCoordinates.longitude" Leave, "location.geoCoordinates.altitude" Leave,
    "autonomousSystemNumber" Field(SrcAsn), "userAgent" Field(UserAgent), "deviceDetail.displayName" Field(SrcHost),
    "deviceDetail.deviceId" Extra, "deviceDetail.operatingSystem" Extra, "deviceDetail.browser" Extra, "deviceDetail.isCompliant" Extra,
    "deviceDetail.isManaged" Extra, "deviceDetail.trustType" Extra,
    "appDisplayName" Extra, "appId" Extra, "resourceDisplayName" Extra, "clientAppUsed" Extra, "isInteractive" Extra,
    "authenticationRequirement" Extra, "authenticationProtocol" Extra, "incomingTokenType" Extra, "conditionalAccessStatus" Extra,
    "authenticationDetails.authenticationMethod" Field(AuthMethod), "authenticationDetails.authenticationStepResultDetail" Extra,
    "mfaDetail.authMethod" Extra, "mfaDetail.authDetail" Leave, "networkLocationDetails.networkType" Extra, "flaggedForReview" IfTrue,
    // risk
    "riskState" Note(N::RiskState), "riskLevelDuringSignIn" Extra, "riskLevelAggregated" Extra, "riskDetail" Extra,
    "riskEventType" Note(N::RiskEvent), "riskType" Note(N::RiskType), "riskLevel" Note(N::RiskLevel), "detectionTimingType" Extra,
    "additionalInfo" Extra, "activity" Extra, "source" Extra, "riskEventTypes" Extra, "riskEventTypes_v2" Leave,
    // audit
    "initiatedBy.user.userPrincipalName" Note(N::AuditUpn), "initiatedBy.user.displayName" Note(N::AuditName),
    "initiatedBy.user.id" Note(N::AuditId), "initiatedBy.user.ipAddress" Note(N::AuditAddress),
    "initiatedBy.app.displayName" Note(N::AuditApp), "initiatedBy.app.servicePrincipalId" Note(N::AuditAppId),
    "initiatedBy.app.servicePrincipalName" Note(N::ServicePrincipal), "initiatedBy.app.appId" Extra,
    "targetResources.userPrincipalName" Extra, "targetResources.displayName" Extra, "targetResources.id" Extra, "targetResources.type" Extra,
    "targetResources.modifiedProperties.displayName" Extra, "targetResources.modifiedProperties.oldValue" Extra,
    "targetResources.modifiedProperties.newValue" Extra, "loggedByService" Extra, "operationType" Extra, "aADOperationType" Extra,
    "additionalDetails.key" Extra, "additionalDetails.value" Extra,
    }
};

/// The policies that were looked at, one by one, and how the token was made.
const LEFT: &[&[u8]] = &[
    b"appliedConditionalAccessPolicies.",
    b"appliedConditionalAccessPolicies",
    b"conditionalAccessPolicies",
    b"authenticationProcessingDetails.",
    b"authenticationRequirementPolicies.",
    b"authenticationDetails.",
    b"sessionLifetimePolicies.",
    b"networkLocationDetails.",
    b"processingTimeInMilliseconds",
    b"tenantGeo",
    b"initiatedBy.user.",
];

/// What a result's number means for the login.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The credentials were right and something else is to be done: neither success nor failure.
    Interrupted,
    /// It has no bearing on who somebody is.
    Other,
}

/// Codes that are neither 0 nor a failure.
static CODES: KeyMap<Verdict, 128> = {
    use Verdict::{Interrupted, Other};
    KeyMap::new(&[
        ("50064", Interrupted),
        ("50072", Interrupted),
        ("50074", Interrupted),
        ("50076", Interrupted),
        ("50078", Interrupted),
        ("50079", Interrupted),
        ("50097", Interrupted),
        ("50125", Interrupted),
        ("50127", Interrupted),
        ("50129", Interrupted),
        ("50132", Interrupted),
        ("50133", Interrupted),
        ("50140", Interrupted),
        ("50143", Interrupted),
        ("50158", Interrupted),
        ("50173", Interrupted),
        ("50199", Interrupted),
        ("51006", Interrupted),
        ("52004", Interrupted),
        ("16000", Interrupted),
        ("16001", Interrupted),
        ("16003", Interrupted),
        ("165900", Interrupted),
        ("81010", Interrupted),
        ("81012", Interrupted),
        ("81014", Interrupted),
        ("50196", Other),
        ("65001", Other),
        ("65004", Other),
        ("90094", Other),
        ("90095", Other),
    ])
};

/// The table's entry for a path in any of the three shapes.
fn find(path: &[u8]) -> Option<(Put<Note>, &'static str)> {
    if let Some(found) = PATHS.get(path) {
        return Some(found);
    }
    let bare = path.strip_prefix(b"properties.").unwrap_or(path);
    let mut small = [0u8; 96];
    let name = match (bare.first(), small.get_mut(..bare.len())) {
        (Some(first), Some(room)) if first.is_ascii_uppercase() => {
            room.copy_from_slice(bare);
            room[0] = first.to_ascii_lowercase();
            &*room
        }
        _ => bare,
    };
    match PATHS.get(name) {
        None if LEFT.iter().any(|prefix| name.starts_with(prefix)) => Some((Put::Leave, "")),
        found => found,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "entra_signin"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["entra", "azure_ad", "azure_signin", "entra_audit", "aad"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let resource = keys.has(Keys::CATEGORY.and(Keys::OPERATION_NAME).and(Keys::PROPERTIES));
        if resource {
            let category = json::member(record.body, b"category").map_or(&b""[..], Value::scalar);
            return is_ours(category).then_some(Confidence::Certain);
        }
        let sign_in = keys.has(Keys::CREATED_DATE_TIME.and(Keys::APP_DISPLAY_NAME));
        let audit = keys.has(Keys::ACTIVITY_DISPLAY_NAME.and(Keys::INITIATED_BY));
        let risk = keys.has(Keys::RISK_EVENT_TYPE.and(Keys::RISK_STATE));
        let row = keys.has(Keys::AAD_TENANT_ID);
        (sign_in || audit || risk || row).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event(Notes::default());
        document::read_by(record, row, find, |note, _, value, _| event.0.take(note, value))?;
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

/// Categories of Entra's resource logs.
fn is_ours(category: &[u8]) -> bool {
    category.ends_with(b"SignInLogs")
        || category == b"SigninLogs"
        || matches!(
            category,
            b"AuditLogs"
                | b"UserRiskEvents"
                | b"RiskyUsers"
                | b"ServicePrincipalRiskEvents"
                | b"RiskyServicePrincipals"
                | b"ProvisioningLogs"
                | b"B2CRequestLogs"
        )
}

struct Event<'a>(Notes<'a, NOTES>);

impl<'a> Event<'a> {
    fn conclude(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        let risky = notes.has(Note::RiskEvent) || notes.has(Note::RiskType);
        let detection = risky && notes.has(Note::Detected);
        if notes.has(Note::ErrorCode) || notes.has(Note::Created) && !detection {
            self.sign_in(record, row)?;
        } else if detection || notes.raw(Note::Category).starts_with(b"Risky") {
            self.risk(record, row)?;
        } else if notes.has(Note::ActivityName) || notes.raw(Note::Category) == b"AuditLogs" {
            self.audit(record, row)?;
        } else if is_ours(notes.raw(Note::Category)) {
            row.log_source(&OTHER);
            self.time(record, row, &[Note::Time, Note::Generated])?;
            self.actor(row);
        } else {
            return Err(record.not_this_family("a sign-in, an audit record or a risk detection"));
        }
        let operation = notes.first([Note::ActivityName, Note::Operation]);
        document::text(row, key::EVENT_ACTION, operation);
        document::address(record, row, key::SRC_IP, "ipAddress", notes.value(Note::Address))?;
        document::address(record, row, key::SRC_IP, "initiatedBy.user.ipAddress", notes.value(Note::AuditAddress))?;
        // Of the envelope `location` is the country, too; of Log Analytics it may be an object's text.
        if notes.raw(Note::Country).len() == 2 {
            document::text(row, key::SRC_COUNTRY, notes.value(Note::Country));
        }
        document::extra(row, "category", notes.value(Note::Category));
        if !row.has(Field::Time) {
            return Err(RejectKind::Missing { what: "createdDateTime, activityDateTime or time" }.into());
        }
        Ok(())
    }

    /// The first of several times that is there. One of the exporters writes `8/22/2022 6:07:16 PM`, in UTC.
    fn time(&self, record: &Record<'a>, row: &mut Row<'_>, notes: &[Note]) -> Result<(), Refusal> {
        let value = self.0.first(notes.iter().copied());
        if let Some(mut stamp) = us_date(value.scalar()) {
            stamp.offset = Some(0);
            if let Some(us) = record.time.resolve(&stamp) {
                set_time(row, us);
                return Ok(());
            }
        }
        document::time(record, row, "time", value)
    }

    fn actor(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        let names = [Note::Upn, Note::AuditUpn, Note::AuditName, Note::ServiceName, Note::ServicePrincipal];
        document::text(row, key::USER, notes.first(names));
        if !row.has(Field::User) {
            let names = [Note::AuditApp, Note::AuditId, Note::DisplayName, Note::Identity];
            document::text(row, key::USER, notes.first(names));
        } else {
            document::extra(row, "userDisplayName", notes.first([Note::DisplayName, Note::AuditName, Note::Identity]));
        }
        let ids = [Note::UserId, Note::AuditId, Note::ServiceId, Note::AuditAppId];
        document::text(row, key::USER_ID, notes.first(ids));
    }

    fn sign_in(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&SIGN_IN);
        row.set(key::KIND, EventKind::Auth);
        self.time(record, row, &[Note::Created, Note::Time, Note::Generated])?;
        self.actor(row);
        let code = notes.first([Note::ErrorCode, Note::ResultType]);
        document::text(row, key::STATUS_CODE, code);
        document::text(row, key::EVENT_CODE, code);
        let outcome = match (code.scalar(), CODES.get(code.scalar())) {
            (b"", _) => None,
            (b"0", _) => Some(Outcome::Success),
            (_, Some(_)) => Some(Outcome::Unknown),
            (code, None) if code.iter().all(u8::is_ascii_digit) => Some(Outcome::Failure),
            (_, None) => Some(Outcome::Unknown),
        };
        row.set_opt(key::OUTCOME, outcome);
        if outcome != Some(Outcome::Success) {
            document::text(row, key::REASON, notes.first([Note::FailureReason, Note::Description]));
        }
        if notes.raw(Note::RiskState) != b"none" {
            document::extra(row, "riskState", notes.value(Note::RiskState));
        }
        Ok(())
    }

    fn audit(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&AUDIT);
        self.time(record, row, &[Note::Activity, Note::Time, Note::Generated])?;
        self.actor(row);
        row.set_opt(
            key::OUTCOME,
            match notes.raw(Note::Result) {
                b"success" => Some(Outcome::Success),
                b"failure" => Some(Outcome::Failure),
                b"timeout" | b"unknownFutureValue" => Some(Outcome::Unknown),
                _ => None,
            },
        );
        document::text(row, key::REASON, notes.first([Note::ResultReason, Note::Description]));
        Ok(())
    }

    /// What Identity Protection found. It was found at `detectedDateTime`; the resource log is written again for every change
    /// of the finding's state, and then its own time is that of the change.
    fn risk(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&RISK);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        self.time(record, row, &[Note::Time, Note::Generated, Note::Detected, Note::Activity])?;
        self.actor(row);
        document::text(row, key::SIGNATURE, notes.first([Note::RiskEvent, Note::RiskType]));
        document::text(row, key::LEVEL, notes.value(Note::RiskLevel));
        document::extra(row, "riskState", notes.value(Note::RiskState));
        document::extra(row, "detectedDateTime", notes.value(Note::Detected));
        document::extra(row, "activityDateTime", notes.value(Note::Activity));
        Ok(())
    }
}
