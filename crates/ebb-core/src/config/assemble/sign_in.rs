//! How people sign in, from its form.

use super::{Assembly, Code, Failure};
use crate::{
    Role, Secret,
    config::sign_in::{Oidc, OidcForm, RoleClaim, RolesForm, SignIn, SignInForm},
};

/// What is asked about people, unless the project says otherwise.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

impl Assembly<'_> {
    pub(super) fn sign_in(&mut self) -> SignIn {
        let Some(SignInForm { password, oidc }) = self.once("sign_in") else {
            return SignIn::default();
        };
        let sign_in = SignIn { password: password.unwrap_or(true), oidc: oidc.map(provider) };
        self.judge(&sign_in);
        sign_in
    }

    /// Reports what would let in nobody, or anybody.
    fn judge(&mut self, sign_in: &SignIn) {
        if !sign_in.password && sign_in.oidc.is_none() {
            self.refuse_sign_in(
                "password",
                "nobody could sign in: `sign_in` takes no password and names no provider",
                "Name a provider under `sign_in.oidc`, or take passwords",
            );
        }
        let Some(oidc) = &sign_in.oidc else { return };
        let references_alone = oidc.issuer.starts_with("${");
        if !references_alone && !is_safe(&oidc.issuer) {
            self.refuse_sign_in(
                "oidc",
                "`sign_in.oidc.issuer` is not an address that begins with `https://`",
                "Write it as the provider calls itself, such as `https://login.example.com`",
            );
        }
        if oidc.new_people.is_some() && oidc.allowed_domains.is_empty() {
            self.refuse_sign_in(
                "oidc",
                "`sign_in.oidc.new_people` lets in whomever the provider knows",
                "Name the domains of their addresses: `allowed_domains: [example.com]`",
            );
        }
        if oidc.roles.as_ref().is_some_and(|roles| roles.values.is_empty()) {
            self.refuse_sign_in(
                "oidc",
                "`sign_in.oidc.roles` gives nobody a role",
                "Add values of the claim: `roles: { editor: [analytics] }`",
            );
        }
        if let Some(domain) = oidc.allowed_domains.iter().find(|domain| domain.contains(['@', '*']))
        {
            let message = format!("`{domain}` is not a domain");
            self.refuse_sign_in("oidc", &message, "Write the part behind the `@` alone");
        }
    }

    fn refuse_sign_in(&mut self, key: &str, message: &str, help: &'static str) {
        let sections = self.files.iter().filter_map(|file| file.entry("sign_in"));
        let Some(place) = sections.map(|section| section.value.place_of(key)).next() else {
            return;
        };
        self.report(&place, Failure::new(Code::ConfigValue, message).help(help));
    }
}

fn provider(form: OidcForm) -> Oidc {
    let OidcForm { issuer, client_id, client_secret, .. } = form;
    let host = issuer.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
    let label = form.label.unwrap_or_else(|| host.unwrap_or(&issuer).to_owned());
    let mut scopes = form.scopes.unwrap_or_else(|| SCOPES.map(str::to_owned).into());
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let domains = form.allowed_domains.unwrap_or_default();
    Oidc {
        issuer,
        client_id,
        client_secret: client_secret.map(Secret::new),
        label,
        scopes,
        trust_email: form.trust_email.unwrap_or(false),
        new_people: form.new_people,
        allowed_domains: domains.iter().map(|domain| domain.to_lowercase()).collect(),
        roles: form.roles.map(role_claim),
    }
}

fn role_claim(RolesForm { claim, owner, editor, viewer }: RolesForm) -> RoleClaim {
    let of_role = |values: Option<Vec<String>>, role: Role| {
        values.unwrap_or_default().into_iter().map(move |value| (value, role))
    };
    let values = of_role(owner, Role::Owner)
        .chain(of_role(editor, Role::Editor))
        .chain(of_role(viewer, Role::Viewer))
        .collect();
    RoleClaim { claim: claim.unwrap_or_else(|| "groups".to_owned()), values }
}

/// Whether what is asked there can be trusted: by TLS, or on this machine.
fn is_safe(issuer: &str) -> bool {
    let on_this_machine =
        ["http://127.0.0.1", "http://localhost", "http://[::1]"].into_iter().any(|start| {
            issuer
                .strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
    let by_tls = issuer.strip_prefix("https://").is_some_and(|host| !host.is_empty());
    (by_tls || on_this_machine) && !issuer.contains(['?', '#', ' '])
}
