//! A mapping: from a record to an action's payload.

use ebb_core::{Column, Record, Value};

use crate::{
    MappingError, Problem, References,
    check::check,
    plan::{Compiler, Node, evaluate_root, root},
    scope::Scope,
    script::{is_undefined, kind_of},
};

/// A mapping, checked and compiled once for all records of a sync.
#[derive(Debug)]
pub struct Mapping {
    node: Node,
    references: References,
    warnings: Vec<Problem>,
}

/// What a mapping is applied to.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// An event as a value: an object.
    Event(&'a Value<'a>),
    /// A row, standing for its event. Its columns must be those that the mapping was compiled for.
    Record(Record<'a>),
}

impl Mapping {
    /// Checks and compiles a mapping. With `columns`, paths into a record's properties become
    /// places of columns, and [`Self::references`] says which of them are read.
    pub fn compile(mapping: &Value<'_>, columns: Option<&[Column]>) -> Result<Self, Vec<Problem>> {
        let mapping = root(mapping).map_err(|problem| vec![problem])?;
        let problems = check(&mapping);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut compiler = Compiler::new(columns);
        let node = compiler.node(&mapping);
        let Compiler { references, warnings, .. } = compiler;
        Ok(Self { node, references, warnings })
    }

    /// The payload of a record. A key without a value is left out; a mapping that is a directive
    /// without a value as a whole gives `null`.
    pub fn apply<'a>(&'a self, input: Input<'a>) -> Result<Value<'a>, MappingError> {
        let value = self.answer(input)?;
        Ok(if is_undefined(&value) { Value::Null } else { value })
    }

    /// As [`Self::apply`], but `undefined` as a whole stays so.
    pub(crate) fn answer<'a>(&'a self, input: Input<'a>) -> Result<Value<'a>, MappingError> {
        match input {
            Input::Event(Value::Object(_)) | Input::Record(_) => self.answer_item(input),
            Input::Event(other) => Err(MappingError::new(format!(
                "an event must be an object, but is {}",
                kind_of(other)
            ))),
        }
    }

    /// As [`Self::answer`], for one of several events: there, any value is an event.
    pub(crate) fn answer_item<'a>(&'a self, input: Input<'a>) -> Result<Value<'a>, MappingError> {
        let scope = match input {
            Input::Event(event) => Scope::Value(event),
            Input::Record(record) => Scope::Record(record),
        };
        evaluate_root(&self.node, scope)
    }

    /// The payloads of several events; the first that fails fails them all.
    pub fn apply_all<'a>(
        &'a self,
        events: &'a [Value<'a>],
    ) -> Result<Vec<Value<'a>>, MappingError> {
        let apply = |(place, event)| {
            let value = self.answer_item(Input::Event(event)).map_err(|error| error.within(place));
            value.map(|value| if is_undefined(&value) { Value::Null } else { value })
        };
        events.iter().enumerate().map(apply).collect()
    }

    /// Which columns are read; empty for a mapping that was compiled without columns.
    pub fn references(&self) -> &References {
        &self.references
    }

    /// What compiles, but fails on every record that gets there, and paths that lead nowhere.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.warnings.iter().chain(&self.references.unknown)
    }
}
