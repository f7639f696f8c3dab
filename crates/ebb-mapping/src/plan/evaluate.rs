//! What a plan gives for a record.

use ebb_core::{Object, Value};

use super::{Case, CaseOperator, Each, Node, Replace, Transform};
use crate::{
    MappingError, directive,
    scope::Scope,
    script::{
        self, Path, assign, kind_of, parse_json, remove_undefined, stringify, text_of, undefined,
    },
};

type Answer<'s> = Result<Value<'s>, MappingError>;

impl Node {
    /// Evaluates the node; the result and what is in it may be `undefined`.
    pub(crate) fn evaluate<'s>(&'s self, scope: Scope<'s>) -> Answer<'s> {
        Ok(match self {
            Self::Constant(value) => value.borrowed(),
            Self::Object(entries) => {
                let mut object = Object::with_capacity(entries.len());
                for (key, node) in entries {
                    let value = node.evaluate(scope).map_err(|error| error.within(key))?;
                    object.push(&**key, value);
                }
                object.into()
            }
            Self::Array(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for (place, node) in nodes.iter().enumerate() {
                    items.push(node.evaluate(scope).map_err(|error| error.within(place))?);
                }
                items.into()
            }
            Self::Path(source) => source.read(scope),
            Self::PathOf(node) => {
                let path = needs_text(node.evaluate(scope)?, "@path")?;
                Path::of_directive(&path).of(&scope.whole()).into_owned()
            }
            Self::Template(template) => template.render(scope),
            Self::TemplateOf(node) => {
                let template = needs_text(node.evaluate(scope)?, "@template")?;
                directive::render(&template, &scope.whole()).into()
            }
            Self::If(condition) => {
                let value = condition.value.evaluate(scope)?;
                let holds = if condition.filled {
                    directive::is_filled(&value)
                } else {
                    directive::exists(&value)
                };
                let branch = if holds { &condition.then } else { &condition.otherwise };
                branch.evaluate(scope)?
            }
            Self::Case(case) => change_case(case, scope)?,
            Self::Replace(replace) => replace_text(replace, scope)?,
            Self::Each(each) => map_items(each, scope)?,
            Self::Flatten(flatten) => {
                let separator = needs_text(flatten.separator.evaluate(scope)?, "@flatten")?;
                let value = flatten.value.evaluate(scope)?;
                Value::from(directive::flatten(&value, &separator, flatten.keep_lists)).into_owned()
            }
            Self::JsonEncode(value) => {
                stringify(&value.evaluate(scope)?).map_or_else(undefined, Value::from)
            }
            Self::JsonDecode(value) => {
                let value = value.evaluate(scope)?;
                value.as_str().and_then(parse_json).unwrap_or(value)
            }
            Self::Merge(merge) => {
                let direction = merge.direction.evaluate(scope)?;
                let mut objects = Vec::with_capacity(merge.objects.len());
                for object in &merge.objects {
                    objects.push(object.evaluate(scope)?);
                }
                if direction.as_str() == Some("left") {
                    objects.reverse();
                }
                let mut merged = Object::new();
                for object in objects {
                    assign(&mut merged, object);
                }
                merged.into()
            }
            Self::Transform(transform) => map_twice(transform, scope)?,
            Self::ExcludeNull(node) => {
                let mut value = node.evaluate(scope)?;
                directive::exclude_null(&mut value);
                value
            }
            Self::Liquid(liquid) => match scope {
                Scope::Value(root) => liquid.render(root)?.into(),
                Scope::Record(record) => liquid.render(&record.event())?.into(),
            },
            Self::Fail(reason) => return Err(MappingError::new(&**reason)),
        })
    }
}

fn needs_text<'s>(
    value: Value<'s>,
    directive: &str,
) -> Result<std::borrow::Cow<'s, str>, MappingError> {
    match value {
        Value::String(text) => Ok(text),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            Err(MappingError::new(format!("`{directive}` needs text, but got {}", kind_of(&other))))
        }
    }
}

fn change_case<'s>(case: &'s Case, scope: Scope<'s>) -> Answer<'s> {
    let value = case.value.evaluate(scope)?;
    let Some(text) = value.as_str() else { return Ok(value) };
    match case.operator {
        CaseOperator::Lower => Ok(text.to_lowercase().into()),
        CaseOperator::Upper => Ok(text.to_uppercase().into()),
        CaseOperator::Unknown => {
            Err(MappingError::new("`@case` knows the operators `lower` and `upper` alone"))
        }
    }
}

fn replace_text<'s>(replace: &'s Replace, scope: Scope<'s>) -> Answer<'s> {
    let value = replace.value.evaluate(scope)?;
    let text = match &value {
        Value::String(_) | Value::Bool(_) => text_of(&value),
        Value::Number(_) if !script::is_undefined(&value) => text_of(&value),
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
            return Ok(Value::text(""));
        }
    };
    if !replace.usable {
        return Ok(Value::text(""));
    }
    if let Some(reason) = replace.refuses {
        return Err(MappingError::new(reason));
    }
    let mut text = text.into_owned();
    for (pattern, with) in &replace.pairs {
        text = directive::replace(&text, pattern, with, replace.everywhere, replace.ignore_case);
    }
    Ok(text.into())
}

fn map_items<'s>(each: &'s Each, scope: Scope<'s>) -> Answer<'s> {
    let items = match each.items.evaluate(scope)? {
        Value::Array(items) => items,
        object @ Value::Object(_) => vec![object],
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            return Ok(other);
        }
    };
    let mut mapped = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let value = each.shape.evaluate(Scope::Value(item));
        mapped.push(value.map_err(|error| error.within(place))?.into_owned());
    }
    Ok(mapped.into())
}

fn map_twice<'s>(transform: &'s Transform, scope: Scope<'s>) -> Answer<'s> {
    if let Scope::Value(value) = scope
        && !matches!(value, Value::Object(_))
    {
        return Err(MappingError::new(format!(
            "`@transform` needs an object to start from, but got {}",
            kind_of(value)
        )));
    }
    let mut event = transform.apply.evaluate(scope)?;
    keep_items(&mut event);
    Ok(transform.mapping.evaluate(Scope::Value(&event))?.into_owned())
}

/// Takes out keys that are `undefined`, but leaves the items of lists.
fn keep_items(value: &mut Value<'_>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => items.iter_mut().for_each(keep_items),
        Value::Object(object) => object.retain(|_, value| {
            keep_items(value);
            !script::is_undefined(value)
        }),
    }
}

/// Evaluates a whole mapping: nothing in the result is `undefined`, but the result itself may be.
pub(crate) fn evaluate_root<'s>(node: &'s Node, scope: Scope<'s>) -> Answer<'s> {
    let mut value = node.evaluate(scope)?;
    if !script::is_undefined(&value) {
        remove_undefined(&mut value);
    }
    Ok(value)
}
