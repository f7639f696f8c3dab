//! How people sign in to a server.

mod form;

use crate::{Role, Secret};

pub(super) use form::{OidcForm, RolesForm, SignInForm};

/// How people sign in to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Whether by a password.
    pub password: bool,
    /// By whom else they are vouched for.
    pub oidc: Option<Oidc>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { password: true, oidc: None }
    }
}

/// An identity provider that speaks OpenID Connect, and what is made of those whom it vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// What it calls itself: an address.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// By what it knows this server; a client that keeps no secret has none.
    pub client_secret: Option<Secret>,
    /// What people call it.
    pub label: String,
    /// What it is asked about people, `openid` among it.
    pub scopes: Vec<String>,
    /// Whether an address counts although the provider does not call it verified.
    pub trust_email: bool,
    /// The role of those whom nobody invited; `None` to refuse them.
    pub new_people: Option<Role>,
    /// The part behind the `@` of the addresses of such people, in lower case.
    pub allowed_domains: Vec<String>,
    /// Who gets which role, if the provider decides that.
    pub roles: Option<RoleClaim>,
}

/// Roles by a claim: what the provider says of a person, such as the groups that they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleClaim {
    /// The claim's name.
    pub claim: String,
    /// Values with the role that each stands for.
    pub values: Vec<(String, Role)>,
}

impl RoleClaim {
    /// The highest role that one of these values stands for.
    pub fn highest<'a>(&self, given: impl IntoIterator<Item = &'a str>) -> Option<Role> {
        let role = |given: &str| {
            let roles = self.values.iter().filter(|(value, _)| value == given);
            roles.map(|(_, role)| *role).max()
        };
        given.into_iter().filter_map(role).max()
    }
}
