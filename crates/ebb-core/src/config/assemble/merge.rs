//! Sections of several files as one, and names that are given twice.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{Assembly, Code, Failure, Place};
use crate::config::{Entry, Node};

/// The entries of a section over all files, by name.
pub(super) type Merged<'a> = BTreeMap<&'a str, &'a Entry>;

/// Names of tables are made from these names.
const NAME_LENGTH: usize = 50;

/// A server's pages on which something is made have this name: nothing else could be seen there.
const NAME_OF_PAGES: &str = "new";

/// A section's word for one of its entries.
pub(super) fn noun(section: &str) -> &str {
    match section {
        "alert_rules" => "rule",
        section => section.strip_suffix('s').unwrap_or(section),
    }
}

impl<'a> Assembly<'a> {
    /// The value of a key of the top, which one file alone may give.
    pub(super) fn once<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let files: &'a [Node] = self.files;
        let mut given = files.iter().filter_map(|file| file.entry(key));
        let first = given.next()?;
        for again in given {
            self.twice(&format!("`{key}`"), &first.place, &again.place);
        }
        self.read(&[key], &first.value)
    }

    /// All entries of a section; a name that is given twice counts the first time.
    pub(super) fn merged(&mut self, section: &str) -> Merged<'a> {
        let files: &'a [Node] = self.files;
        let mut merged = Merged::new();
        for file in files.iter().filter_map(|file| file.entry(section)) {
            for entry in file.value.entries() {
                if let Some(first) = merged.get(&*entry.key) {
                    let what = format!("the {} `{}`", noun(section), entry.key);
                    self.twice(&what, &first.place, &entry.place);
                } else {
                    self.name(section, entry);
                    merged.insert(&entry.key, entry);
                }
            }
        }
        merged
    }

    /// The form of an entry; `None` if it does not fit the schema, which is reported already.
    pub(super) fn read<T: DeserializeOwned>(&mut self, path: &[&str], node: &Node) -> Option<T> {
        let within = |broken: &Vec<String>| {
            broken.len() >= path.len() && broken.iter().zip(path).all(|(one, other)| one == other)
        };
        if self.broken.iter().any(within) {
            return None;
        }
        let form = serde_json::from_value(node.to_value());
        // A reference that was not looked up may stand where its text alone is not allowed.
        if form.is_err() && node.is_resolved() {
            // The deserializer's own words may hold a secret, and no place.
            let message = format!("`{}` has a value that is not allowed", path.join("."));
            self.report(&node.place, Failure::new(Code::ConfigValue, message));
        }
        form.ok()
    }

    fn twice(&mut self, what: &str, first: &Place, again: &Place) {
        let message = format!("{what} is given twice: at `{first}` and at `{again}`");
        self.report(again, Failure::new(Code::ConfigDuplicate, message));
    }

    fn name(&mut self, section: &str, Entry { key, place, .. }: &Entry) {
        const ALLOWED: &str = "Allowed: `a` to `z`, `0` to `9`, `-` and `_`, at most 50 of them, the first a letter or digit";
        let noun = noun(section);
        let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let shaped = key.bytes().all(|letter| plain(letter) || letter == b'-' || letter == b'_')
            && key.bytes().next().is_some_and(plain);
        if !shaped {
            let message = format!("`{key}` cannot be the name of a {noun}");
            self.report(place, Failure::new(Code::ConfigValue, message).help(ALLOWED));
        } else if *key == NAME_OF_PAGES {
            let message = format!("`{key}` cannot be the name of a {noun}");
            let help = format!("Choose another name: `new` is the page on which a {noun} is made");
            self.report(place, Failure::new(Code::ConfigValue, message).help(help));
        } else if key.len() > NAME_LENGTH {
            let message = format!(
                "the name of the {noun} `{key}` has {} characters, {NAME_LENGTH} are allowed",
                key.len()
            );
            self.report(place, Failure::new(Code::ConfigLimit, message).help("Shorten the name"));
        }
    }
}
