//! Fields that are required only when other fields say so.

use ebb_core::{Object, Value};

use super::{
    Conditions, Match, Operator,
    coerce::{coerce, same},
    schema::Type,
};

/// If `test` holds for an object, `then` must be there.
#[derive(Debug)]
pub(super) struct Rule {
    test: Test,
    then: Requirement,
}

#[derive(Debug)]
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// The key is missing.
    Missing(Box<str>),
    /// The key is there, `null` included.
    Given(Box<str>),
    /// The key is missing, null, or becomes null when it is made to fit.
    Null(Box<str>),
    /// The opposite.
    NotNull(Box<str>),
    /// The key's value is, or is not, this one.
    Value {
        parent: Option<Box<str>>,
        key: Box<str>,
        value: Option<Value<'static>>,
        is: bool,
    },
}

#[derive(Debug)]
enum Requirement {
    Key(Box<str>),
    Nested(Box<str>, Box<str>),
}

fn parts(key: &str) -> Option<(Box<str>, Box<str>)> {
    let mut parts = key.split('.');
    Some((parts.next()?.into(), parts.next()?.into()))
}

impl Rule {
    pub(super) fn new(key: &str, conditions: &Conditions) -> Self {
        let nested = match parts(key) {
            Some((parent, child)) => Requirement::Nested(parent, child),
            None => Requirement::Key(key.into()),
        };
        let value = |condition: &super::Condition, parent, key: &str| Test::Value {
            parent,
            key: key.into(),
            value: condition.value.clone(),
            is: condition.operator == Operator::Is,
        };
        if let [condition] = conditions.conditions.as_slice() {
            let field = &*condition.field;
            let test = match (parts(field), &condition.value, condition.operator) {
                (Some((parent, child)), _, _) => value(condition, Some(parent), &child),
                (None, Some(_), _) => value(condition, None, field),
                (None, None, Operator::Is) => {
                    Test::Any(vec![Test::Missing(field.into()), Test::Null(field.into())])
                }
                (None, None, Operator::IsNot) => {
                    Test::All(vec![Test::Given(field.into()), Test::NotNull(field.into())])
                }
            };
            return Self { test, then: nested };
        }
        let tests = conditions.conditions.iter().map(|condition| {
            let field = &*condition.field;
            match (parts(field), &condition.value, condition.operator) {
                (Some((parent, child)), _, _) => value(condition, Some(parent), &child),
                (None, Some(_), _) => value(condition, None, field),
                (None, None, Operator::Is) => Test::Missing(field.into()),
                (None, None, Operator::IsNot) => Test::Given(field.into()),
            }
        });
        let test = match conditions.mode {
            Match::Any => Test::Any(tests.collect()),
            Match::All => Test::All(tests.collect()),
        };
        // The reference takes a nested field's name as one key here, so that nothing has it.
        let then = Requirement::Key(key.into());
        Self { test, then }
    }

    /// The key that is required and missing, if there is one. A value that is only compared with
    /// `null` may become `null`, as in the reference.
    pub(super) fn missing(&self, object: &mut Object<'_>) -> Option<String> {
        if !self.test.holds(object) {
            return None;
        }
        match &self.then {
            Requirement::Key(key) => object.get(key).is_none().then(|| key.to_string()),
            Requirement::Nested(parent, child) => match object.get(parent) {
                None => Some(parent.to_string()),
                Some(Value::Object(inner)) if inner.get(child).is_none() => {
                    Some(format!("{parent}.{child}"))
                }
                Some(_) => None,
            },
        }
    }
}

impl Test {
    fn holds(&self, object: &mut Object<'_>) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(object)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(object)),
            Self::Missing(key) => object.get(key).is_none(),
            Self::Given(key) => object.get(key).is_some(),
            Self::Null(key) => becomes_null(object, key),
            Self::NotNull(key) => !becomes_null(object, key),
            Self::Value { parent: None, key, value, is } => {
                object.get(key).is_some_and(|found| compare(found, value.as_ref(), *is))
            }
            Self::Value { parent: Some(parent), key, value, is } => match object.get(parent) {
                None => false,
                Some(Value::Object(inner)) => {
                    inner.get(key).is_some_and(|found| compare(found, value.as_ref(), *is))
                }
                Some(_) => true,
            },
        }
    }
}

fn compare(found: &Value<'_>, value: Option<&Value<'_>>, is: bool) -> bool {
    value.is_none_or(|value| same(found, value)) == is
}

fn becomes_null(object: &mut Object<'_>, key: &str) -> bool {
    object.get_mut(key).is_none_or(|value| coerce(value, &[Type::Null]))
}
