//! The keys of `sign_in`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Role;

/// How people sign in to a server
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SignInForm {
    /// Whether people may sign in by a password; true if absent
    pub(in crate::config) password: Option<bool>,
    /// An identity provider that speaks OpenID Connect
    pub(in crate::config) oidc: Option<OidcForm>,
}

/// An identity provider that speaks OpenID Connect
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct OidcForm {
    /// What the provider calls itself, such as `https://login.example.com`
    #[schemars(length(min = 1))]
    pub(in crate::config) issuer: String,
    /// What the provider calls this server
    #[schemars(length(min = 1))]
    pub(in crate::config) client_id: String,
    /// By what the provider knows this server; a client that keeps no secret has none
    #[schemars(length(min = 1))]
    pub(in crate::config) client_secret: Option<String>,
    /// What people call the provider; the issuer's host if absent
    #[schemars(length(min = 1))]
    pub(in crate::config) label: Option<String>,
    /// What is asked about people; `[openid, email, profile]` if absent
    pub(in crate::config) scopes: Option<Vec<String>>,
    /// Whether an address counts although the provider does not call it verified; false if absent
    pub(in crate::config) trust_email: Option<bool>,
    /// The role of people whom nobody invited; they are refused if absent
    pub(in crate::config) new_people: Option<Role>,
    /// The domains of the addresses of people whom nobody invited, such as `example.com`
    #[schemars(length(min = 1))]
    pub(in crate::config) allowed_domains: Option<Vec<String>>,
    /// Who gets which role at each sign-in, if the provider decides that
    pub(in crate::config) roles: Option<RolesForm>,
}

/// Who gets which role at each sign-in
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RolesForm {
    /// The claim that decides; `groups` if absent
    #[schemars(length(min = 1))]
    pub(in crate::config) claim: Option<String>,
    /// Values of the claim that make an owner
    pub(in crate::config) owner: Option<Vec<String>>,
    /// Values of the claim that make an editor
    pub(in crate::config) editor: Option<Vec<String>>,
    /// Values of the claim that make a viewer
    pub(in crate::config) viewer: Option<Vec<String>>,
}
