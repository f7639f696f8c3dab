//! How people sign in.

use ebb_core::{
    Role, Secret,
    config::{Oidc, RoleClaim, SignIn},
};
use insta::assert_snapshot;

use super::{SHOP, project, with};

#[test]
fn a_provider_has_defaults_for_all_but_its_address_and_its_name_for_the_server() {
    let silent = project(&[("ebb.yaml", SHOP)]);
    assert_eq!(silent.sign_in, SignIn { password: true, oidc: None });
    let short = "sign_in: { oidc: { issuer: 'https://login.test:8443/x', client_id: ebb } }\n";
    let short = project(&[("ebb.yaml", &format!("{SHOP}{short}"))]);
    let defaults = Oidc {
        issuer: "https://login.test:8443/x".to_owned(),
        client_id: "ebb".to_owned(),
        client_secret: None,
        label: "login.test".to_owned(),
        scopes: ["openid", "email", "profile"].map(str::to_owned).into(),
        trust_email: false,
        new_people: None,
        allowed_domains: Vec::new(),
        roles: None,
    };
    assert_eq!(short.sign_in, SignIn { password: true, oidc: Some(defaults.clone()) });
    let long = "sign_in:
  password: false
  oidc:
    issuer: http://127.0.0.1:9
    client_id: ebb
    client_secret: ${file:secret.txt}
    label: Example
    scopes: [email, groups]
    trust_email: true
    new_people: viewer
    allowed_domains: [Example.COM]
    roles: { claim: realm.roles, owner: [admins], editor: [a, b] }
";
    let long = project(&[("ebb.yaml", &format!("{SHOP}{long}")), ("secret.txt", "hunter2\n")]);
    let expected = Oidc {
        issuer: "http://127.0.0.1:9".to_owned(),
        client_secret: Some(Secret::new("hunter2")),
        label: "Example".to_owned(),
        scopes: ["openid", "email", "groups"].map(str::to_owned).into(),
        trust_email: true,
        new_people: Some(Role::Viewer),
        allowed_domains: vec!["example.com".to_owned()],
        roles: Some(RoleClaim {
            claim: "realm.roles".to_owned(),
            values: [("admins", Role::Owner), ("a", Role::Editor), ("b", Role::Editor)]
                .map(|(value, role)| (value.to_owned(), role))
                .into(),
        }),
        ..defaults
    };
    assert!(!format!("{:?}", long.sign_in).contains("hunter2"));
    assert_eq!(long.sign_in, SignIn { password: false, oidc: Some(expected) });
}

#[test]
fn what_lets_in_nobody_or_anybody_is_a_mistake() {
    assert_snapshot!(with("sign_in: { password: false }\n"), @r"
    error[C504]: nobody could sign in: `sign_in` takes no password and names no provider
       at: ebb.yaml:8:22
     help: Name a provider under `sign_in.oidc`, or take passwords
    ");
    let more = "sign_in:
  oidc: { issuer: 'http://login.test', client_id: ebb, new_people: editor, roles: {} }
";
    assert_snapshot!(with(more), @r"
    error[C504]: `sign_in.oidc.issuer` is not an address that begins with `https://`
       at: ebb.yaml:9:9
     help: Write it as the provider calls itself, such as `https://login.example.com`
    error[C504]: `sign_in.oidc.new_people` lets in whomever the provider knows
       at: ebb.yaml:9:9
     help: Name the domains of their addresses: `allowed_domains: [example.com]`
    error[C504]: `sign_in.oidc.roles` gives nobody a role
       at: ebb.yaml:9:9
     help: Add values of the claim: `roles: { editor: [analytics] }`
    ");
    let more = "sign_in:
  oidc: { issuer: https://login.test, client_id: ebb, new_people: guest, allowed_domains: ['@x.test'] }
";
    assert_snapshot!(with(more), @r"
    error[C504]: `sign_in.oidc.new_people` cannot be `guest`
       at: ebb.yaml:9:67
     help: Allowed: `viewer`, `editor`, `owner`
    ");
}
