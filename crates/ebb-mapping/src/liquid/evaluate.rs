//! The values of expressions.

use ebb_core::{Number, Object, Value};

use super::{
    cursor::Cursor,
    filters::Filter,
    syntax::{Argument, Call, Expression, Filtered, Operand, Operator, Term},
};
use crate::script::{
    Path, is_index, is_nullish, is_undefined, kind_of, number_of_text, text_of, to_length,
    undefined, units, value_of_f64,
};

/// The most items that a range may have.
const RANGE: f64 = 1_000_000.0;

/// The most bytes of one value's text.
const TEXT: usize = 10_000_000;

/// What an operand is: a value, or one of the words that compare in their own way.
pub(super) enum Item<'v> {
    Value(Value<'v>),
    Nil,
    Empty,
    Blank,
}

impl<'v> Item<'v> {
    /// The value that a word stands for.
    pub(super) fn into_value(self) -> Value<'v> {
        match self {
            Self::Value(value) => value,
            Self::Nil => Value::Null,
            Self::Empty | Self::Blank => Value::text(""),
        }
    }
}

/// Where variables are looked up.
pub(super) trait Variables {
    /// The value of a variable; `undefined` if there is none.
    fn variable(&self, name: &Value<'_>) -> Value<'_>;
    /// The moment that counts as now, as text.
    fn now(&self) -> Option<String>;
}

/// A value whose properties are the variables.
pub(super) struct Root<'v>(pub(super) &'v Value<'v>);

impl Variables for Root<'_> {
    fn variable(&self, name: &Value<'_>) -> Value<'_> {
        property(self.0, name)
    }

    fn now(&self) -> Option<String> {
        None
    }
}

impl Filtered {
    pub(super) fn evaluate<'v>(
        &'v self,
        variables: &'v dyn Variables,
    ) -> Result<Value<'v>, String> {
        let mut value = match (self.initial.evaluate(variables)?, self.filters.first()) {
            // As JSON text the words are objects without keys.
            (Item::Nil | Item::Empty | Item::Blank, Some(Call { filter: Filter::Json, .. })) => {
                Object::new().into()
            }
            (item, _) => item.into_value(),
        };
        for call in &self.filters {
            let mut arguments = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                arguments.push(match argument {
                    Argument::Positional(operand) => operand.evaluate(variables)?.into_value(),
                    Argument::Named(name, operand) => {
                        let value = match operand {
                            Some(operand) => operand.evaluate(variables)?.into_value(),
                            None => undefined(),
                        };
                        vec![name.as_str().into(), value].into()
                    }
                });
            }
            value = call.filter.apply(value, &arguments, variables)?;
            if value.as_str().is_some_and(|text| text.len() > TEXT) {
                return Err("a text grows beyond all bounds".to_owned());
            }
        }
        Ok(value)
    }
}

impl Expression {
    fn evaluate<'v>(&'v self, variables: &'v dyn Variables) -> Result<Item<'v>, String> {
        let mut stack: Vec<Item<'v>> = Vec::new();
        for term in &self.0 {
            let item = match term {
                Term::Operand(operand) => operand.evaluate(variables)?,
                Term::Operator(Operator::Not) => {
                    let operand = stack.pop().map_or_else(undefined, Item::into_value);
                    Item::Value((!is_true(&operand)).into())
                }
                Term::Operator(operator) => {
                    let right = stack.pop().unwrap_or_else(|| Item::Value(undefined()));
                    let left = stack.pop().unwrap_or_else(|| Item::Value(undefined()));
                    Item::Value(operate(*operator, left, right).into())
                }
            };
            stack.push(item);
        }
        Ok(stack.into_iter().next().unwrap_or_else(|| Item::Value(undefined())))
    }
}

impl Operand {
    pub(super) fn evaluate<'v>(&'v self, variables: &'v dyn Variables) -> Result<Item<'v>, String> {
        Ok(Item::Value(match self {
            Self::Constant(value) => value.borrowed(),
            Self::Nil => return Ok(Item::Nil),
            Self::Empty => return Ok(Item::Empty),
            Self::Blank => return Ok(Item::Blank),
            Self::Range(low, high) => {
                let low = to_number(&low.evaluate(variables)?.into_value());
                let high = to_number(&high.evaluate(variables)?.into_value());
                if high - low >= RANGE {
                    return Err(format!("a range may have at most {RANGE} items"));
                }
                let numbers = std::iter::successors(Some(low), |number| Some(number + 1.0));
                numbers
                    .take_while(|number| *number < high + 1.0)
                    .map(number)
                    .collect::<Vec<_>>()
                    .into()
            }
            Self::Access { start, steps } => {
                let mut steps = steps.iter();
                let mut value = match (start, steps.as_slice()) {
                    (Some(start), _) => start.evaluate(variables)?.into_value(),
                    (None, [name, ..]) => {
                        steps.next();
                        variables.variable(&name.evaluate(variables)?.into_value())
                    }
                    (None, []) => undefined(),
                };
                for step in steps {
                    let step = step.evaluate(variables)?.into_value();
                    value = property(&value, &step).into_owned();
                }
                value
            }
        }))
    }
}

/// A property as a template sees it: of lists and text also `size`, of lists `first` and `last`.
pub(super) fn property<'v>(value: &'v Value<'v>, key: &Value<'_>) -> Value<'v> {
    if is_nullish(value) {
        return value.borrowed();
    }
    if let Value::Array(items) = value {
        let place = to_number(key);
        if place < 0.0 {
            let from_end = items.len().checked_sub(to_length(place.abs()));
            let item = match from_end {
                Some(place) => items.get(place),
                None => None,
            };
            return item.map_or_else(undefined, Value::borrowed);
        }
    }
    let key = text_of(key);
    let own = match value {
        Value::Object(object) => object.get(&key).map(Value::borrowed),
        Value::Array(items) => is_index(&key)
            .and_then(|index| items.get(index as usize))
            .map(Value::borrowed)
            .or_else(|| (key == "length").then(|| count(items.len()))),
        Value::String(text) => match is_index(&key) {
            // One step of a path, taken so that halves of surrogate pairs are treated alike.
            Some(_) => {
                Some(std::iter::once(Box::from(&*key)).collect::<Path>().of(value).into_owned())
            }
            None => (key == "length").then(|| count(units(text))),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    };
    if let Some(own) = own
        && !is_undefined(&own)
    {
        return own;
    }
    match (&*key, value) {
        ("size", Value::Array(items)) => count(items.len()),
        ("size", Value::String(text)) => count(units(text)),
        ("size", Value::Object(object)) => count(object.len()),
        ("first", Value::Array(items)) => items.first().map_or_else(undefined, Value::borrowed),
        ("last", Value::Array(items)) => items.last().map_or_else(undefined, Value::borrowed),
        _ => undefined(),
    }
}

/// The value at a path of properties, as `where` and `sum` take it.
pub(super) fn property_path(value: &Value<'_>, path: &str) -> Value<'static> {
    let mut value = value.clone().into_owned();
    for step in path.split('.') {
        value = property(&value, &step.into()).into_owned();
    }
    value
}

/// The value of a variable's path within an item, as `where` reads it.
pub(super) fn variable_path(item: &Value<'_>, path: &str) -> Result<Value<'static>, String> {
    let text: Vec<char> = path.chars().collect();
    let Some(operand) = Cursor::new(&text).variable()? else { return Ok(undefined()) };
    let item = item.borrowed();
    Ok(operand.evaluate(&Root(&item))?.into_value().into_owned())
}

fn count(number: usize) -> Value<'static> {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// Whether a value counts as true in a template: all but `false`, `null` and `undefined`.
pub(super) fn is_true(value: &Value<'_>) -> bool {
    !is_nullish(value) && !matches!(value, Value::Bool(false))
}

/// What `Number(value)` gives.
pub(super) fn to_number(value: &Value<'_>) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_of_text(text).unwrap_or(f64::NAN),
        Value::Array(_) => number_of_text(&text_of(value)).unwrap_or(f64::NAN),
        Value::Object(_) => f64::NAN,
    }
}

/// A number as a value; within a template also NaN and infinity.
pub(super) fn number(number: f64) -> Value<'static> {
    if number.is_finite() { value_of_f64(number) } else { Value::Number(Number::Float(number)) }
}

fn operate(operator: Operator, left: Item<'_>, right: Item<'_>) -> bool {
    let words = !matches!((&left, &right), (Item::Value(_), Item::Value(_)));
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::Greater | Operator::Less | Operator::GreaterOrEqual | Operator::LessOrEqual => {
            !words && ordered(operator, &left.into_value(), &right.into_value())
        }
        Operator::Contains => match left.into_value() {
            Value::Array(items) => {
                let right = match right {
                    Item::Value(value) => Ok(value),
                    word @ (Item::Nil | Item::Empty | Item::Blank) => Err(word),
                };
                items.into_iter().any(|item| match &right {
                    Ok(value) => same(&item, value),
                    Err(word) => word.is_like(&item),
                })
            }
            Value::String(text) => text.contains(&*text_of(&right.into_value())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        },
        Operator::And => is_true(&left.into_value()) && is_true(&right.into_value()),
        Operator::Or => is_true(&left.into_value()) || is_true(&right.into_value()),
        Operator::Not => !is_true(&right.into_value()),
    }
}

impl Item<'_> {
    /// Whether a word is true of a value.
    fn is_like(&self, value: &Value<'_>) -> bool {
        let empty = match value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(object) => object.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        };
        match self {
            Self::Value(own) => same(own, value),
            Self::Nil => is_nullish(value),
            Self::Empty => empty,
            Self::Blank => {
                empty
                    || is_nullish(value)
                    || matches!(value, Value::Bool(false))
                    || value.as_str().is_some_and(|text| crate::script::trim(text).is_empty())
            }
        }
    }
}

fn equal(left: Item<'_>, right: Item<'_>) -> bool {
    match (left, right) {
        (Item::Value(left), Item::Value(right)) => same(&left, &right),
        (Item::Value(value), word) | (word, Item::Value(value)) => word.is_like(&value),
        // `nil` sees the values that words stand for, `blank` sees that of `nil`.
        (Item::Nil | Item::Blank, Item::Nil) => true,
        (_, _) => false,
    }
}

/// Strict equality. Objects are equal by content here: to the reference they are by identity, which
/// an object read twice at one path has.
pub(super) fn same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Number(one), Value::Number(other)) => {
            kind_of(left) == kind_of(right)
                && (is_undefined(left)
                    || one.as_f64().partial_cmp(&other.as_f64()) == Some(std::cmp::Ordering::Equal))
        }
        _ => left == right,
    }
}

fn ordered(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> bool {
    let is_text =
        |value: &Value<'_>| matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
    let ordering = if is_text(left) && is_text(right) {
        Some(text_of(left).encode_utf16().cmp(text_of(right).encode_utf16()))
    } else {
        to_number(left).partial_cmp(&to_number(right))
    };
    ordering.is_some_and(|ordering| match operator {
        Operator::Greater => ordering.is_gt(),
        Operator::Less => ordering.is_lt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Equal
        | Operator::NotEqual
        | Operator::Contains
        | Operator::Not
        | Operator::And
        | Operator::Or => false,
    })
}
