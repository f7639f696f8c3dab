//! The closed list of failure codes: one line each, one help page each in `docs/errors`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What the engine does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Try the same again, later.
    Retry,
    /// This record will never work; the others go on.
    RejectRow,
    /// The mapping cannot go on until somebody mends something; what was delivered is committed.
    PauseSync,
    /// This sync ends; the next one may work.
    StopRun,
}

macro_rules! codes {
    ($($variant:ident $code:literal $remedy:ident $title:literal, $help:literal;)+) => {
        /// A failure's stable code. `S1xx` source, `D2xx` destination, `M3xx` mapping, `R4xx` run,
        /// `C5xx` configuration, `A6xx` access to a server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $variant,)+ }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as users see it, such as `D204`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What the code means, in some words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What to do about it, when the failure itself does not say.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }

            /// The code's help page, in Markdown.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $code, ".md"
                    )),)+
                }
            }

            /// What the engine does about it. Exhaustive on purpose: a new code does not compile
            /// until someone decides.
            pub const fn remedy(self) -> Remedy {
                match self { $(Self::$variant => Remedy::$remedy,)+ }
            }
        }
    };
}

codes! {
    SourceUnreachable "S101" StopRun "the source cannot be reached",
        "Check host, port and network of the source, and that the database is running";
    SourceAuth "S102" PauseSync "the source refused the credentials",
        "Correct user and password in the source's settings, then test the connection";
    SourcePermission "S103" PauseSync "the source's user lacks a permission",
        "Grant the user read access to the model's tables and write access to the managed schema";
    SourceTls "S104" PauseSync "the source's certificate was not accepted",
        "Renew the certificate, or name its authority with `sslrootcert`; `sslmode` says how strict to be";
    SourceQuery "S105" PauseSync "the source could not run the model's SQL",
        "Run the query in the warehouse's own client, correct it and preview the model";
    SourceTimeout "S106" StopRun "a statement took longer than the source's time-out",
        "Raise `statement_timeout` in the source's settings or make the query cheaper";
    SourceLost "S107" StopRun "the connection to the source was lost",
        "Run the sync again; it goes on where it stopped";
    ModelNotQuery "S108" PauseSync "the model is not one query",
        "Keep one SELECT without a second statement and without anything that changes data";
    ModelColumnMissing "S109" PauseSync "the model lacks a column that the configuration names",
        "Add the column to the query, or correct `id` or `timestamp` of the model";
    IdentifierType "S110" PauseSync "the identifier column has a type that cannot identify",
        "Choose a column of whole numbers, text, UUID, date or time, or cast it in the query";
    ModelColumns "S111" PauseSync "the model has too many columns, or a column name that is too long or doubled",
        "Name the columns that the mapping needs instead of `*`";
    SourceMissing "S112" PauseSync "the source's database file does not exist",
        "Correct `path` in the source's settings";
    SourceStateNewer "S113" PauseSync "the tracked state was written by a newer version",
        "Use the newer version of Ebb, or reset the mapping";
    SourceFull "S114" StopRun "the source has no room left",
        "Free space in the warehouse; nothing was lost";
    SourceSettings "S115" PauseSync "the source's settings do not fit its kind",
        "Compare the settings with the guide of the source's kind";

    DestinationUnreachable "D201" Retry "the destination did not answer",
        "Check the address and the network; the records are sent again by the next sync";
    DestinationBusy "D202" Retry "the destination asked to slow down",
        "Nothing, unless it lasts: then lower the destination's rate limit";
    DestinationDown "D203" Retry "the destination answered with an error of its own",
        "Look at the destination's status page; the records are sent again by the next sync";
    DestinationAuth "D204" PauseSync "the destination refused the credentials",
        "Renew the key or token in the destination's settings, then sync again";
    DestinationRejected "D205" RejectRow "the destination refused the record",
        "Compare the sample's payload with the answer, and correct the mapping or the data";
    DestinationAnswer "D206" StopRun "the destination answered in a way that nobody expects",
        "Look at the sample's answer; the address may be wrong";
    DestinationDisabled "D207" PauseSync "the destination is switched off",
        "Switch the destination on; in a project file, with `enabled: true`";
    DestinationManifest "D208" PauseSync "the destination's manifest is not valid",
        "Correct the manifest at the place that is named";
    DestinationSettings "D209" PauseSync "the destination's settings are not complete or not valid",
        "Complete the destination's settings; the catalog lists those of its kind";
    DestinationTls "D210" PauseSync "the destination's certificate was not accepted",
        "Renew the destination's certificate, or correct the address";
    DestinationAddress "D211" RejectRow "the destination's address is inside the network that Ebb runs in",
        "Use an address of the Internet, or ask who runs the server to allow the range with `network.allow`";

    MappingInvalid "M301" PauseSync "the mapping cannot be compiled",
        "Correct the directive at the place that is named";
    PayloadInvalid "M302" RejectRow "the record does not fit the action's fields",
        "Correct the data in the model, or map another column to the field";
    MappingFailed "M303" RejectRow "a directive failed on the record",
        "Send the record as a test; guard the directive with `@if`";
    UnknownAction "M304" PauseSync "the destination has no such action",
        "Choose one of the actions that the catalog lists for the destination's kind";
    UnknownField "M305" PauseSync "the action has no such field",
        "Choose one of the fields that the catalog lists for the action";

    MappingDisabled "M306" PauseSync "the mapping is switched off",
        "Switch the mapping on; in a project file, with `enabled: true`";
    ConsentColumn "M307" PauseSync "the model has no boolean column that tells of a consent",
        "Add the column to the query, or correct `consent` of the source";

    NullIdentifier "R401" RejectRow "the record has no identifier",
        "Filter such rows out of the model, or give them an identifier";
    DuplicateIdentifier "R402" RejectRow "several rows have this identifier",
        "Make the identifier unique in the model, for example with DISTINCT or GROUP BY";
    RecordTooLarge "R403" RejectRow "the record is larger than the limit",
        "Select fewer or shorter columns, or raise the limit";
    ColumnTooLarge "R404" RejectRow "a column's value is larger than the limit",
        "Shorten the value in the model, or raise the limit";
    UsageLimit "R405" PauseSync "the usage limit is reached",
        "Nothing: syncs go on by themselves in the next month. `usage` in a project file sets the limit";
    GivenUp "R406" RejectRow "the record failed too often",
        "Mend the cause, then replay the sync or reset the mapping to send the record again";
    SyncRunning "R407" StopRun "a sync of this mapping is running",
        "Wait for it to end, or cancel it";
    Held "R408" PauseSync "the sync is held for approval",
        "Look at what would be sent; if that is meant, approve the sync";
    RecipeChanged "R409" PauseSync "the checksum's recipe changed since the last sync",
        "Rebase to take the new checksums over without sending, or approve the sync to send";
    Canceled "R410" StopRun "the sync was canceled",
        "Sync again to deliver the rest";
    PartDamaged "R411" StopRun "a staged part is damaged or missing",
        "Sync again: what was not delivered is found by the next diff";
    PartsExpired "R412" StopRun "the sync's parts are no longer kept",
        "Replay within the retention, or reset the mapping to send all records";
    StagingFull "R413" StopRun "staging has no room left or cannot be written",
        "Free space where the state folder lies, then run the sync again; nothing was lost";
    StateNewer "R414" StopRun "the state folder was written by a newer version",
        "Use that version of Ebb, or name another folder with `state`";
    StateUnavailable "R415" StopRun "the control database cannot be used",
        "Check that the state folder exists, is writable and has room";
    SyncNotFound "R416" StopRun "no such sync",
        "Choose one of the list of syncs";
    Interrupted "R417" StopRun "the sync was interrupted",
        "Sync again; nothing was lost";
    RecordNotFound "R418" StopRun "the model has no such record",
        "Choose one of the records that the model's preview shows";
    NotSent "R419" StopRun "the record was not sent because the sync ended before",
        "Mend what ended the sync; the next sync sends the record";
    ConsentMissing "R420" RejectRow "the record has no consent to what the destination demands",
        "Nothing, if that is so: the record is sent once its consent column becomes true";
    AlertNotSent "R421" StopRun "an alert could not be sent to its channel",
        "Correct the channel's settings, and send a test alert; what was not sent is tried again for a day";
    BackfillUnsent "R422" PauseSync "the mapping sends no updates, so a backfill would send nothing again",
        "Let `records` of the mapping include updates; or reset it, then every record is sent as added";

    FileMissing "C501" PauseSync "a file that the configuration names cannot be read",
        "Create the file or correct its path";
    ConfigSyntax "C502" PauseSync "a configuration file is not valid YAML",
        "Correct the line that is named";
    ConfigKey "C503" PauseSync "a configuration file has an unknown key",
        "Remove the key or correct its spelling; the schema of project files names all keys";
    ConfigValue "C504" PauseSync "a configuration value has the wrong type or is not allowed",
        "Give a value that is allowed there; the schema of project files names them";
    ConfigDuplicate "C505" PauseSync "a name is given twice",
        "Rename or remove one of them";
    ConfigName "C506" PauseSync "a name refers to nothing",
        "Define it, or correct its spelling";
    ConfigLimit "C507" PauseSync "a limit of the configuration is exceeded",
        "Make it smaller, or split it";
    SecretMissing "C508" PauseSync "a variable or file that a value refers to is missing",
        "Set the variable in the environment of `ebb`, or create the file";
    ProjectMissing "C509" PauseSync "there is no project here",
        "Run `ebb init DIR` first, or name the folder with `--project`";
    FeatureMissing "C510" PauseSync "this build of Ebb lacks a feature",
        "Build Ebb with the feature that is named";
    ProjectExists "C511" PauseSync "there is a file already where a new one would be written",
        "Name another folder, or move the file away";

    SignedOut "A601" StopRun "nobody is signed in",
        "Sign in, or send an API token as `Authorization: Bearer TOKEN`";
    Forbidden "A602" StopRun "the role does not allow this",
        "Ask an owner for the role that is named";
    SignInRefused "A603" StopRun "e-mail address or password is wrong",
        "Try again, or ask an owner for a new invitation";
    TooManyTries "A604" StopRun "there were too many tries",
        "Wait a minute, then try again";
    LinkExpired "A605" StopRun "the link was used already or has expired",
        "Ask an owner for a new invitation";
    FormExpired "A606" StopRun "the form is out of date",
        "Load the page again, then send the form";
    EditConflict "A607" StopRun "somebody else changed this meanwhile",
        "Load it again and repeat the change";
    FromFiles "A608" StopRun "it comes from files and is changed there",
        "Change the file in the project folder, or give the new one another name";
    AddressUnknown "A609" StopRun "there is nothing at this address",
        "Correct the address; `/api/v1/openapi.json` lists those of the API";
    RequestInvalid "A610" StopRun "the request cannot be understood",
        "Compare it with the API's reference at `/api/reference`";
    InUse "A611" StopRun "something else needs it",
        "Change or remove what needs it first";
    VersionMissing "A612" StopRun "the request does not say which version it changes",
        "Load it first, and send its `ETag` as `If-Match`";
    ProviderUnavailable "A613" StopRun "the identity provider does not answer as it should",
        "Try again; if it lasts, ask who runs the server to check `sign_in.oidc` and the provider";
    SignInStale "A614" StopRun "the sign-in is out of date or began in another browser",
        "Begin again at the sign-in page";
    IdentityRefused "A615" StopRun "what the identity provider says cannot be trusted",
        "Try again; if it lasts, ask who runs the server to compare `sign_in.oidc` with the provider's settings";
    StrangerRefused "A616" StopRun "nobody here is known by this account",
        "Ask an owner to invite you with the address that the identity provider has of you";
    PasswordsOff "A617" StopRun "nobody signs in by a password here",
        "Sign in by the identity provider";
    RequestTooLarge "A618" StopRun "the request is too large",
        "Send less at once";
    RequestUnfinished "A619" StopRun "the same request has begun and not ended",
        "Wait and send it again; if it stays so, look what came of it, and use a new key";
}

impl Code {
    /// The name under which the field knows a discard reason, where it has one.
    pub const fn reason(self) -> Option<&'static str> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only these have a name of the field")]
        match self {
            Self::NullIdentifier => Some("ErrRecordNullUniqueID"),
            Self::DuplicateIdentifier => Some("ErrRecordDuplicate"),
            Self::RecordTooLarge => Some("ErrRecordTooLarge"),
            Self::ColumnTooLarge => Some("ErrColumnTooLarge"),
            Self::PayloadInvalid => Some("ErrPayloadInvalid"),
            Self::UsageLimit => Some("ErrUsageLimit"),
            Self::ConsentMissing => Some("ErrConsent"),
            _ => None,
        }
    }

    /// Whether a record that is discarded so was never sent: something in it was wrong before.
    pub const fn is_before_sending(self) -> bool {
        matches!(
            self,
            Self::NullIdentifier
                | Self::DuplicateIdentifier
                | Self::RecordTooLarge
                | Self::ColumnTooLarge
                | Self::ConsentMissing
                | Self::PayloadInvalid
                | Self::MappingFailed
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom(format!("`{text}` is not a code")))
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_has_a_page_of_its_own_and_a_form_that_is_read_back() {
        for code in Code::ALL {
            let title = format!("# {code}: {}\n", code.title());
            assert!(code.page().starts_with(&title), "{title}");
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
    }
}
