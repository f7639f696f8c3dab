//! The form of a mapping: of what was typed a document, and of a document what would be typed.

use ebb_core::{Column, Failure};
use ebb_destination::ActionManifest;
use serde_json::{Map, Value};

use super::{
    editor::{Frame, Row, is_at, said_fields, typed_fields},
    node::{Kind, Node},
};
use crate::{
    pages::build::{
        field::{Field, Input, Need, Problems},
        schedule::{self, Schedule},
        typed::Typed,
    },
    prose::prose,
};

/// Which records are sent: as documents say it, as people do, and what the first sync will do.
const RECORDS: [(&str, &str, &str); 4] = [
    (
        "added_or_updated",
        "Added or updated",
        "The first sync sends every record as added. Later ones send what is new or has changed.",
    ),
    ("added", "Added", "The first sync sends every record. Later ones send only what is new."),
    (
        "updated",
        "Updated",
        "The first sync sends nothing and remembers every record. Later ones send what has changed.",
    ),
    (
        "deleted",
        "Deleted",
        "The first sync sends nothing and remembers every record. Later ones send those that are gone.",
    ),
];

/// One way to choose records.
pub(super) struct Records {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) means: &'static str,
    pub(super) chosen: bool,
}

/// The form, ready to be shown.
pub(super) struct MappingForm {
    pub(super) name: Field,
    pub(super) records: Vec<Records>,
    pub(super) schedule: Schedule,
    pub(super) schedule_problems: Vec<Failure>,
    pub(super) enabled: bool,
    /// Rows that say something, or should.
    pub(super) rows: Vec<Row>,
    /// The others.
    pub(super) more: Vec<Row>,
    pub(super) suggestions: usize,
    pub(super) mapped: usize,
    /// How records are written, if the action leaves a choice.
    pub(super) modes: Option<Field>,
    /// Fields whose suggestions nobody wants.
    pub(super) dismissed: Vec<String>,
    /// What is wrong and belongs to no field.
    pub(super) failures: Vec<Failure>,
}

/// The key by which a mapping says how records are written.
const SYNC_MODE: &str = "__segment_internal_sync_mode";

/// What a mapping says, as far as this form is about it.
pub(super) struct Said {
    pub(super) fields: Vec<(String, Node)>,
    pub(super) typed: Typed,
}

impl Said {
    /// What was typed.
    pub(super) fn typed(action: &ActionManifest, typed: Typed) -> Self {
        Self { fields: typed_fields(action, &typed), typed }
    }

    /// What a mapping of this name says.
    pub(super) fn of(
        action: &ActionManifest,
        name: &str,
        document: &Value,
        columns: &[String],
    ) -> Self {
        let mut typed = Typed::default();
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        typed.set("name", name);
        typed.set("records", text("records"));
        if document.get("enabled").and_then(Value::as_bool).unwrap_or(true) {
            typed.set("enabled", "true");
        }
        schedule::type_in(document.get("schedule"), &mut typed);
        let fields = document.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(mode) = fields.get(SYNC_MODE).and_then(Value::as_str) {
            typed.set("mode", mode);
        }
        Self { fields: said_fields(action, &fields, columns), typed }
    }

    /// The document. What the form does not show stays as it was.
    pub(super) fn document(
        &self,
        action: &ActionManifest,
        columns: &[String],
        before: Option<&Value>,
    ) -> Result<Map<String, Value>, Vec<(String, Failure)>> {
        let typed = &self.typed;
        let mut document = before.and_then(Value::as_object).cloned().unwrap_or_default();
        let mut fields =
            document.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
        fields.retain(|key, _| key != SYNC_MODE && action.visible().all(|seen| seen != key));
        let mut problems = Vec::new();
        for (key, node) in &self.fields {
            match node.directive(columns) {
                Ok(Some(directive)) => {
                    fields.insert(key.clone(), directive);
                }
                Ok(None) => {}
                Err((path, failure)) => {
                    let path = if path.is_empty() { key.clone() } else { format!("{key}/{path}") };
                    problems.push((path, failure));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(modes) = &action.sync_modes
            && ![modes.default.as_str(), ""].contains(&typed.get("mode"))
        {
            fields.insert(SYNC_MODE.to_owned(), typed.get("mode").into());
        }
        for key in ["model", "destination", "action"] {
            document.insert(key.to_owned(), typed.get(key).into());
        }
        let records = Some(typed.get("records")).filter(|records| !records.is_empty());
        document.insert("records".to_owned(), records.unwrap_or("added_or_updated").into());
        match schedule::document(typed) {
            Some(schedule) => document.insert("schedule".to_owned(), schedule),
            None => document.remove("schedule"),
        };
        document.insert("enabled".to_owned(), typed.has("enabled").into());
        document.insert("fields".to_owned(), fields.into());
        Ok(document)
    }

    /// Does what a button of the editor says: `accept`, `dismiss`, `add` and `remove`, each with a path.
    pub(super) fn rearrange(&mut self, action: &ActionManifest, columns: &[Column]) {
        let wish = self.typed.get("do").to_owned();
        let (what, path) = wish.split_once(':').unwrap_or((&wish, ""));
        match what {
            "accept" => self.accept(action, columns, |key| path == "*" || key == path),
            "dismiss" => self.typed.add("dismissed", path),
            "add" => {
                if let Some(node) = self.node(path) {
                    node.children.push((String::new(), Node::default()));
                }
            }
            "remove" => {
                if let Some((key, rest)) = path.split_once('/')
                    && let Some(node) = self.node(key)
                {
                    node.remove(rest);
                }
            }
            _ => {}
        }
        self.fill(action);
    }

    fn accept(&mut self, action: &ActionManifest, columns: &[Column], fits: impl Fn(&str) -> bool) {
        let dismissed: Vec<String> = self.typed.all("dismissed").map(str::to_owned).collect();
        let frame =
            Frame { action, columns, fields: &self.fields, dismissed: &dismissed, problems: &[] };
        let accepted: Vec<(String, String)> = frame
            .rows()
            .into_iter()
            .filter(|row| fits(&row.key))
            .filter_map(|row| Some((row.key, row.suggestion?)))
            .collect();
        for (key, column) in accepted {
            if let Some(node) = self.node(&key) {
                *node = Node::new(Kind::Column, column);
            }
        }
    }

    /// Gives an object that was just chosen the properties that the action names, and any other object or
    /// list a first place.
    fn fill(&mut self, action: &ActionManifest) {
        for (key, node) in &mut self.fields {
            let declared = action.fields.get(key).and_then(|field| field.properties.as_ref());
            if node.kind == Kind::Object && node.children.is_empty() {
                let names =
                    declared.into_iter().flat_map(|fields| fields.iter().map(|(name, _)| name));
                node.children = names.map(|name| (name.to_owned(), Node::default())).collect();
            }
            open(node);
        }
    }

    fn node(&mut self, path: &str) -> Option<&mut Node> {
        let (key, rest) = path.split_once('/').unwrap_or((path, ""));
        let (_, node) = self.fields.iter_mut().find(|(field, _)| field == key)?;
        node.at(rest)
    }
}

fn open(node: &mut Node) {
    if matches!(node.kind, Kind::Object | Kind::List) && node.children.is_empty() {
        node.children.push((String::new(), Node::default()));
    }
    for (_, child) in &mut node.children {
        open(child);
    }
}

impl MappingForm {
    pub(super) fn new(
        said: &Said,
        action: &ActionManifest,
        columns: &[Column],
        schedule: Schedule,
        mut problems: Problems,
        wrong: &[(String, Failure)],
    ) -> Self {
        let typed = &said.typed;
        let dismissed: Vec<String> = typed.all("dismissed").map(str::to_owned).collect();
        let named: Vec<(String, Failure)> = action
            .visible()
            .filter_map(|key| Some((key.to_owned(), problems.take(&format!("fields.{key}"))?)))
            .chain(wrong.iter().cloned())
            .collect();
        let frame = Frame {
            action,
            columns,
            fields: &said.fields,
            dismissed: &dismissed,
            problems: &named,
        };
        let (rows, more): (Vec<Row>, Vec<Row>) =
            frame.rows().into_iter().partition(|row| row.counts);
        let records = Some(typed.get("records")).filter(|it| !it.is_empty());
        let records = records.unwrap_or("added_or_updated");
        Self {
            records: RECORDS
                .map(|(key, label, means)| Records { key, label, means, chosen: key == records })
                .into(),
            schedule,
            schedule_problems: problems.take_all("schedule"),
            enabled: typed.has("enabled"),
            suggestions: rows.iter().filter(|row| row.suggestion.is_some()).count(),
            mapped: said.fields.iter().filter(|(_, node)| node.kind != Kind::Default).count(),
            modes: modes(action, typed),
            name: Field {
                name: "name".to_owned(),
                label: "Name".to_owned(),
                help: prose("Small letters, digits, `-` and `_`"),
                need: Need::Required,
                input: Input::Code,
                value: typed.get("name").to_owned(),
                default: String::new(),
                problem: problems.take_exactly(""),
                wide: true,
            },
            failures: {
                let keys: Vec<&str> = action.visible().collect();
                let lost =
                    wrong.iter().filter(|(path, _)| !keys.iter().any(|key| is_at(path, key)));
                lost.map(|(_, failure)| failure.clone()).chain(problems.rest()).collect()
            },
            rows,
            more,
            dismissed,
        }
    }
}

fn modes(action: &ActionManifest, typed: &Typed) -> Option<Field> {
    let modes = action.sync_modes.as_ref()?;
    let chosen = Some(typed.get("mode")).filter(|mode| !mode.is_empty()).unwrap_or(&modes.default);
    let choice = |mode: &String| crate::pages::build::field::Choice::new(mode, mode, chosen);
    Some(Field {
        name: "mode".to_owned(),
        label: "How records are written".to_owned(),
        help: Vec::new(),
        need: Need::Required,
        input: Input::Choice(modes.choices.iter().map(choice).collect()),
        value: chosen.to_owned(),
        default: String::new(),
        problem: None,
        wide: false,
    })
}
