//! Names that are given twice, that refer to nothing, that cannot be names; files that are missing.

use insta::assert_snapshot;

use super::{SHOP, complaint, with};

#[test]
fn a_name_that_is_given_twice_names_both_files() {
    assert_snapshot!(complaint(&[
        ("ebb.yaml", SHOP),
        ("again.yaml", "project: shop\nsources:\n  shop: { kind: postgres }\n"),
        ("models/deep/users.yml", "models:\n  users: { source: shop, query: select 2, id: id }\n"),
    ]), @r"
    error[C505]: `project` is given twice: at `ebb.yaml:1:1` and at `again.yaml:1:1`
       at: again.yaml:1:1
     help: Rename or remove one of them
    error[C505]: the source `shop` is given twice: at `ebb.yaml:3:3` and at `again.yaml:3:3`
       at: again.yaml:3:3
     help: Rename or remove one of them
    error[C505]: the model `users` is given twice: at `ebb.yaml:5:3` and at `models/deep/users.yml:2:3`
       at: models/deep/users.yml:2:3
     help: Rename or remove one of them
    ");
}

#[test]
fn names_that_refer_to_nothing_are_answered_with_those_that_do() {
    assert_snapshot!(complaint(&[
        ("ebb.yaml", SHOP),
        ("models/more.yaml", "models:\n  orders: { source: shp, query: select 1, id: id }\n"),
        ("mappings/a.yaml", "mappings:\n  a:\n    model: user\n    destination: mixpanel\n    action: send\n"),
    ]), @r"
    error[C506]: the mapping `a` names the model `user`, which is not defined
       at: mappings/a.yaml:3:12
     help: Did you mean `users`? Allowed: `orders`, `users`
    error[C506]: the mapping `a` names the destination `mixpanel`, which is not defined
       at: mappings/a.yaml:4:18
     help: Allowed: `hook`
    error[C506]: the model `orders` names the source `shp`, which is not defined
       at: models/more.yaml:2:21
     help: Did you mean `shop`? Allowed: `shop`
    ");
    assert_snapshot!(complaint(&[(
        "ebb.yaml",
        "models: { users: { source: shop, query: select 1, id: id } }\n"
    )]), @r"
    error[C506]: the model `users` names the source `shop`, which is not defined
       at: ebb.yaml:1:28
     help: None is defined yet
    ");
}

#[test]
fn names_have_a_shape() {
    let long = "a".repeat(51);
    assert_snapshot!(with(&format!(
        "mappings:
  Users: {{ model: users, destination: hook, action: send }}
  _users: {{ model: users, destination: hook, action: send }}
  'users to hook': {{ model: users, destination: hook, action: send }}
  {long}: {{ model: users, destination: hook, action: send }}
  1-ok_: {{ model: users, destination: hook, action: send }}
"
    )), @r"
    error[C504]: `Users` cannot be the name of a mapping
       at: ebb.yaml:9:3
     help: Allowed: `a` to `z`, `0` to `9`, `-` and `_`, at most 50 of them, the first a letter or digit
    error[C504]: `_users` cannot be the name of a mapping
       at: ebb.yaml:10:3
     help: Allowed: `a` to `z`, `0` to `9`, `-` and `_`, at most 50 of them, the first a letter or digit
    error[C504]: `users to hook` cannot be the name of a mapping
       at: ebb.yaml:11:3
     help: Allowed: `a` to `z`, `0` to `9`, `-` and `_`, at most 50 of them, the first a letter or digit
    error[C507]: the name of the mapping `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 51 characters, 50 are allowed
       at: ebb.yaml:12:3
     help: Shorten the name
    ");
}

#[test]
fn nothing_is_named_as_the_page_on_which_it_is_made() {
    assert_snapshot!(with(
        "mappings:
  new: { model: users, destination: hook, action: send }
  new-users: { model: users, destination: hook, action: send }
"
    ), @r"
    error[C504]: `new` cannot be the name of a mapping
       at: ebb.yaml:9:3
     help: Choose another name: `new` is the page on which a mapping is made
    ");
}

#[test]
fn a_model_has_its_query_in_one_place() {
    assert_snapshot!(complaint(&[
        ("ebb.yaml", "\
sources: { shop: { kind: sqlite } }
models:
  both: { source: shop, sql: models/users.sql, query: select 1, id: id }
  neither: { source: shop, id: id }
  near: { source: shop, sql: models/user.sql, id: id }
  far: { source: shop, sql: queries/orders.sql, id: id }
  folder: { source: shop, sql: models, id: id }
  blank: { source: shop, sql: blank.sql, id: id }
"),
        ("models/users.sql", "select 1 as id"),
        ("blank.sql", "\n"),
    ]), @r"
    error[C504]: the model `both` has both `sql` and `query`
       at: ebb.yaml:3:55
     help: Keep one: `sql` names a file, `query` holds the text, `table` and `dbt` name what is read
    error[C504]: the model `neither` does not say what it reads
       at: ebb.yaml:4:3
     help: Add `sql: models/NAME.sql`, the text as `query`, a `table`, or a `dbt` model
    error[C501]: the file `models/user.sql` of the model `near` does not exist
       at: ebb.yaml:5:30
     help: Did you mean `models/users.sql`? Create the file or correct its path
    error[C501]: the file `queries/orders.sql` of the model `far` does not exist
       at: ebb.yaml:6:29
     help: Create the file or correct its path
    error[C501]: the file `models` of the model `folder` cannot be read: Is a directory (os error 21)
       at: ebb.yaml:7:32
     help: Create the file or correct its path
    error[C504]: the query of the model `blank` is empty
       at: ebb.yaml:8:31
     help: Write a SELECT
    ");
}

#[test]
fn a_consent_that_is_demanded_has_its_column_in_the_source() {
    assert_snapshot!(complaint(&[
        ("ebb.yaml", "\
sources:
  shop: { kind: sqlite, consent: { advertising: ads_ok } }
  crm: { kind: sqlite }
models:
  users: { source: crm, query: select 1 as id, id: id }
destinations:
  ads: { kind: webhook, consent: [advertising] }
  hook: { kind: webhook, consent: [advertising, advertisng] }
mappings:
  users-to-ads: { model: users, destination: ads, action: send }
"),
    ]), @r"
    error[C506]: the destination `hook` demands consent to `advertisng`, for which no source names a column
       at: ebb.yaml:8:49
     help: Did you mean `advertising`? Allowed: `advertising`
    error[C506]: the destination `ads` of the mapping `users-to-ads` demands consent to `advertising`, for which the source `crm` names no column
       at: ebb.yaml:10:33
     help: Name the column in the source `crm`: `consent: { advertising: COLUMN }`
    ");
    assert_snapshot!(with("  ads: { kind: webhook, consent: [advertising] }\n"), @r"
    error[C506]: the destination `ads` demands consent to `advertising`, for which no source names a column
       at: ebb.yaml:8:35
     help: Name the column in a source: `consent: { advertising: COLUMN }`
    ");
    assert_snapshot!(complaint(&[
        ("ebb.yaml", "sources:\n  shop: { kind: sqlite, consent: { advertising: '' } }\n"),
    ]), @r"
    error[C504]: `sources.shop.consent.advertising` is empty
       at: ebb.yaml:2:49
     help: Give a value, or remove the key
    ");
}
