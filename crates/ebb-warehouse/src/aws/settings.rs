//! Which keys sign requests, and where the requests go.

use std::time::Duration;

use ebb_core::{Code, Failure, Secret};
use url::Url;

use crate::{
    form::{Setting, SettingKind},
    given::Given,
    http::address,
};

/// How to talk to Amazon Web Services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsSettings {
    pub(crate) region: String,
    pub(super) keys: Keys,
    /// The role to take over with the keys.
    pub(super) role: Option<Role>,
    /// Where all requests go instead of to each service's own address.
    pub(super) endpoint: Option<Url>,
    pub(super) connect_timeout: Duration,
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keys {
    Given {
        id: String,
        secret: Secret,
        token: Option<Secret>,
    },
    /// A profile of the shared files `~/.aws/credentials` and `~/.aws/config`.
    Profile(String),
    /// Environment, shared files, web identity, container or machine: the first that has some.
    Surroundings,
}

/// A role, and what it expects to be told, which AWS does not treat as a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
}

impl AwsSettings {
    /// The settings that are read here, beside `connect_timeout`.
    pub(crate) const SETTINGS: [Setting; 8] = [
        Setting::sign_in(
            "region",
            "AWS region",
            "The region of cluster or workgroup, and of the bucket; the one in the host's name if left out",
        ),
        Setting::sign_in(
            "profile",
            "AWS profile",
            "A profile of `~/.aws/credentials` and `~/.aws/config` that has the key",
        ),
        Setting::sign_in(
            "access_key_id",
            "AWS access key ID",
            "The key that asks for passwords and reads the bucket; what AWS's own tools would find if left out",
        ),
        Setting::sign_in("secret_access_key", "AWS secret access key", "The secret of that key")
            .of(SettingKind::Secret),
        Setting::sign_in("session_token", "AWS session token", "What a temporary key has beside")
            .of(SettingKind::Secret),
        Setting::sign_in(
            "role_arn",
            "AWS role",
            "The ARN of a role that is taken over with the key",
        ),
        Setting::sign_in(
            "external_id",
            "External ID",
            "What the role expects to be told by those who take it over",
        ),
        Setting::advanced(
            "aws_endpoint",
            "AWS endpoint",
            "One address that all requests to AWS go to, for a gateway",
        ),
    ];

    /// Reads them; `region` is what else tells the region. Fails with `S115`.
    pub(crate) fn read(given: &Given, region: Option<&str>) -> Result<Self, Failure> {
        let text = |key: &str| given.get(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let region = text("region").or_else(|| region.map(str::to_owned)).ok_or_else(|| {
            refuse("the setting `region` is missing").help("Give it as in `region: eu-central-1`")
        })?;
        let role = match (text("role_arn"), text("external_id")) {
            (Some(arn), external_id) => Some(Role { arn, external_id }),
            (None, None) => None,
            (None, Some(_)) => return Err(refuse("`external_id` is given without `role_arn`")),
        };
        Ok(Self {
            region,
            keys: keys(&text)?,
            role,
            endpoint: given
                .get("aws_endpoint")
                .map(|host| address(host, "https://gateway.example.com"))
                .transpose()?,
            connect_timeout: given.duration("connect_timeout")?,
        })
    }
}

fn keys(text: &impl Fn(&str) -> Option<String>) -> Result<Keys, Failure> {
    let given = (text("access_key_id"), text("secret_access_key"), text("session_token"));
    match (given, text("profile")) {
        ((Some(id), Some(secret), token), None) => {
            Ok(Keys::Given { id, secret: Secret::new(secret), token: token.map(Secret::new) })
        }
        ((None, None, None), Some(profile)) => Ok(Keys::Profile(profile)),
        ((None, None, None), None) => Ok(Keys::Surroundings),
        (_, Some(_)) => Err(refuse("both `profile` and an access key are given")),
        ((_, _, _), None) => Err(refuse("the access key is not complete")
            .help("Give `access_key_id` and `secret_access_key`, and `session_token` if it is a temporary key")),
    }
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}
