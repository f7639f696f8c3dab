//! The SQL that an administrator runs to make a user for Ebb, with the user's own names.

use std::collections::BTreeMap;

use ebb_core::{Code, Failure, config::MANAGED_SCHEMA, suggest};

/// The set-up of one kind of warehouse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// SQL with names in braces: `{user}` becomes a name, quoted where it needs quotes, `{=schema}` one
    /// that means exactly what it says, `{'password'}` a text literal. A line with a name that has
    /// several values is repeated for each.
    pub(crate) template: &'static str,
    /// What stands for a name.
    pub(crate) name: fn(&str) -> String,
    /// What stands for a name whose case counts, or which would be read as a pattern.
    pub(crate) exact: fn(&str) -> String,
    /// What stands for a text.
    pub(crate) text: fn(&str) -> String,
}

/// The names that a set-up may ask for, with what stands for them until they are given.
const NAMES: [(&str, &str); 5] = [
    ("user", "ebb"),
    ("password", "choose one"),
    ("database", "shop"),
    ("reads", "sales"),
    ("schema", MANAGED_SCHEMA),
];

impl Setup {
    /// The SQL with these values; a name that is absent keeps its example. Fails with `C506` for a name
    /// that the set-up does not have.
    pub(crate) fn sql(&self, values: &BTreeMap<String, Vec<String>>) -> Result<String, Failure> {
        let names = || NAMES.iter().map(|(name, _)| *name).filter(|name| self.has(name));
        if let Some(unknown) = values.keys().find(|name| !self.has(name)) {
            let message = format!("this set-up has no name `{unknown}`");
            return Err(Failure::new(Code::ConfigName, message)
                .help(suggest::allowed(unknown, names().collect::<Vec<_>>())));
        }
        let mut lines: Vec<String> = self.template.lines().map(str::to_owned).collect();
        for (name, example) in NAMES {
            let example = [example.to_owned()];
            let given = values.get(name).map_or(&example[..], Vec::as_slice);
            let places = places(name);
            let filled = |line: String| -> Vec<String> {
                if !places.iter().any(|place| line.contains(place)) {
                    return vec![line];
                }
                let fill = |value: &String| {
                    let forms = [(self.name)(value), (self.exact)(value), (self.text)(value)];
                    let places = places.iter().zip(forms);
                    places.fold(line.clone(), |line, (place, form)| line.replace(place, &form))
                };
                given.iter().map(fill).collect()
            };
            lines = lines.into_iter().flat_map(filled).collect();
        }
        Ok(lines.join("\n") + "\n")
    }

    fn has(&self, name: &str) -> bool {
        places(name).iter().any(|place| self.template.contains(place))
    }
}

/// How a template asks for a name: as a name, exactly, as a text.
fn places(name: &str) -> [String; 3] {
    [format!("{{{name}}}"), format!("{{={name}}}"), format!("{{'{name}'}}")]
}

/// Whether a name can stand in SQL without quotes: lower case letters, digits and underscores, a letter
/// or an underscore first.
pub(crate) fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETUP: Setup = Setup {
        template: "create user {user} {'password'};\ngrant select on {reads} to {user};\ncreate {schema} {=schema};",
        name: |name| if is_plain(name) { name.to_owned() } else { format!("\"{name}\"") },
        exact: |name| format!("[{name}]"),
        text: |text| format!("'{}'", text.replace('\'', "''")),
    };

    fn values(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        pairs.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect()
    }

    #[test]
    fn names_are_filled_in_and_lines_repeated() {
        let given =
            values(&[("user", &["Ebb-1"]), ("password", &["it's"]), ("reads", &["a", "b"])]);
        assert_eq!(
            SETUP.sql(&given).unwrap(),
            "create user \"Ebb-1\" 'it''s';\ngrant select on a to \"Ebb-1\";\n\
             grant select on b to \"Ebb-1\";\ncreate __segment_reverse_etl [__segment_reverse_etl];\n"
        );
    }

    #[test]
    fn a_name_that_is_not_asked_for_is_told() {
        let failure = SETUP.sql(&values(&[("databse", &["x"])])).unwrap_err();
        assert_eq!(failure.code, Code::ConfigName);
        assert!(failure.advice().contains("`reads`"), "{}", failure.advice());
    }
}
