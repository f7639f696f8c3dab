//! The filters of leaf expressions: a closed list, each with one clear meaning.
//!
//! All but `default` and `or` pass "undefined" through.

use ebb_core::{Object, Value};
use sha2::{Digest, Sha256};

use super::{Expression, is_truthy, text_of};
use crate::{browser, moment};

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Lower,
    Trim,
    Unix,
    EpochMs,
    IsoDate,
    IsoTime,
    Sha256,
    E164,
    Json,
    Default,
    Or,
    Join,
    Omit,
    OnlyWith,
    NonEmpty,
    NotNull,
    Equals,
    Only,
    Prefix,
    Get,
    When,
    Filled,
    JoinAll,
    Push,
    Translate,
    Consent,
    Browser,
    BrowserVersion,
}

impl Filter {
    /// Every filter with its name. The meanings are in `docs/adding-a-destination.md`.
    pub(crate) const ALL: [(&'static str, Self); 28] = [
        ("lower", Self::Lower),
        ("trim", Self::Trim),
        ("unix", Self::Unix),
        ("epoch_ms", Self::EpochMs),
        ("iso_date", Self::IsoDate),
        ("iso_time", Self::IsoTime),
        ("sha256", Self::Sha256),
        ("e164", Self::E164),
        ("json", Self::Json),
        ("default", Self::Default),
        ("or", Self::Or),
        ("join", Self::Join),
        ("omit", Self::Omit),
        ("only_with", Self::OnlyWith),
        ("nonempty", Self::NonEmpty),
        ("not_null", Self::NotNull),
        ("equals", Self::Equals),
        ("only", Self::Only),
        ("prefix", Self::Prefix),
        ("get", Self::Get),
        ("when", Self::When),
        ("filled", Self::Filled),
        ("join_all", Self::JoinAll),
        ("push", Self::Push),
        ("translate", Self::Translate),
        ("consent", Self::Consent),
        ("browser", Self::Browser),
        ("browser_version", Self::BrowserVersion),
    ];

    /// The filter of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// How many arguments the filter takes.
    pub(crate) fn check(self, arguments: &[Expression]) -> Result<(), String> {
        let wanted = match self {
            Self::Lower
            | Self::Trim
            | Self::Unix
            | Self::EpochMs
            | Self::IsoDate
            | Self::IsoTime
            | Self::Sha256
            | Self::E164
            | Self::Json
            | Self::NonEmpty
            | Self::NotNull
            | Self::Filled
            | Self::Consent
            | Self::Browser
            | Self::BrowserVersion => 0,
            Self::Default
            | Self::Or
            | Self::Join
            | Self::Omit
            | Self::OnlyWith
            | Self::Equals
            | Self::Only
            | Self::Prefix
            | Self::Get
            | Self::When
            | Self::JoinAll
            | Self::Push
            | Self::Translate => 1,
        };
        if arguments.len() == wanted {
            return Ok(());
        }
        Err(format!("the filter `{}` takes {wanted} argument(s)", self.name()))
    }

    /// Whether the input alone is the answer, so that the arguments are not even worked out.
    pub(crate) fn is_settled(self, input: Option<&Value<'_>>) -> bool {
        if self == Self::Default {
            input.is_some_and(|value| !value.is_null())
        } else if self == Self::Or {
            is_truthy(input)
        } else {
            input.is_none()
        }
    }

    /// The filter's answer.
    pub(crate) fn apply<'v>(
        self,
        input: Option<Value<'v>>,
        arguments: Vec<Option<Value<'v>>>,
    ) -> Option<Value<'v>> {
        if self.is_settled(input.as_ref()) {
            return input;
        }
        let argument = arguments.into_iter().next().flatten();
        if matches!(self, Self::Default | Self::Or) {
            return argument;
        }
        let value = input?;
        match self {
            Self::Default | Self::Or => argument,
            Self::Lower => Some(map_text(value, str::to_lowercase)),
            Self::Trim => Some(map_text(value, |text| text.trim().to_owned())),
            Self::Unix => ebb_mapping::milliseconds(&value).map(|ms| ms.div_euclid(1000).into()),
            Self::EpochMs => ebb_mapping::milliseconds(&value).map(Into::into),
            Self::IsoDate => moment::or_null(value, moment::iso_date),
            Self::IsoTime => moment::or_null(value, moment::iso_time),
            Self::Sha256 => Some(hex::encode(Sha256::digest(text_of(&value).as_bytes())).into()),
            Self::E164 => Some(map_text(value, e164)),
            Self::Json => Some(value.to_json().into()),
            Self::Join => Some(join(&value, argument.as_ref()).into()),
            Self::Omit => Some(omit(value, argument.as_ref())),
            Self::OnlyWith => only_with(&value, argument.as_ref()),
            Self::NonEmpty => nonempty(value),
            Self::NotNull => (!value.is_null()).then_some(value),
            Self::Equals => Some((Some(&value) == argument.as_ref()).into()),
            Self::Only => (Some(&value) == argument.as_ref()).then_some(value),
            Self::Prefix => Some(prefix(value, argument.as_ref())),
            Self::Get => get(&value, argument.as_ref()),
            Self::When => is_truthy(argument.as_ref()).then_some(value),
            Self::Filled => is_truthy(Some(&value)).then_some(value),
            Self::JoinAll => join_all(&value, argument.as_ref()),
            Self::Push => Some(push(value, argument)),
            Self::Translate => Some(translate(value, argument.as_ref())),
            Self::Consent => Some(consent(value)),
            Self::Browser => Some(browser::name(&text_of(&value)).into()),
            Self::BrowserVersion => browser::version(&text_of(&value)).map(Into::into),
        }
    }
}

fn map_text(value: Value<'_>, change: impl FnOnce(&str) -> String) -> Value<'_> {
    let Some(text) = value.as_str() else { return value };
    let changed = change(text);
    if changed == text { value } else { changed.into() }
}

/// Digits with the leading `+`, everything else dropped.
fn e164(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { digits } else { format!("+{digits}") }
}

fn join(value: &Value<'_>, separator: Option<&Value<'_>>) -> String {
    let separator = separator.map(text_of).unwrap_or_default();
    match value.as_array() {
        Some(items) => items.iter().map(text_of).collect::<Vec<_>>().join(&separator),
        None => text_of(value).into_owned(),
    }
}

/// The joined items of a list in which each has something in it.
fn join_all(value: &Value<'_>, separator: Option<&Value<'_>>) -> Option<Value<'static>> {
    let all = value.as_array()?.iter().all(|item| is_truthy(Some(item)));
    all.then(|| join(value, separator).into())
}

fn keys<'a>(list: Option<&'a Value<'_>>) -> impl Iterator<Item = &'a str> + Clone {
    list.and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str)
}

fn omit<'v>(value: Value<'v>, list: Option<&Value<'_>>) -> Value<'v> {
    let Value::Object(mut object) = value else { return value };
    object.retain(|key, _| !keys(list).any(|omitted| omitted == key));
    Value::Object(object)
}

/// An object of just these keys, if each has something in it.
fn only_with<'v>(value: &Value<'v>, list: Option<&Value<'_>>) -> Option<Value<'v>> {
    let object = value.as_object()?;
    let mut kept = Object::new();
    for key in keys(list) {
        let entry = object.get(key).filter(|entry| is_truthy(Some(entry)))?;
        kept.push(key.to_owned(), entry.clone());
    }
    Some(kept.into())
}

fn nonempty(value: Value<'_>) -> Option<Value<'_>> {
    let empty = value.as_object().is_some_and(Object::is_empty)
        || value.as_array().is_some_and(<[Value<'_>]>::is_empty);
    (!empty).then_some(value)
}

fn prefix<'v>(value: Value<'v>, start: Option<&Value<'_>>) -> Value<'v> {
    if !is_truthy(Some(&value)) {
        return value;
    }
    format!("{}{}", start.map(text_of).unwrap_or_default(), text_of(&value)).into()
}

fn get<'v>(value: &Value<'v>, key: Option<&Value<'_>>) -> Option<Value<'v>> {
    value.as_object()?.get(&text_of(key?)).cloned()
}

fn push<'v>(value: Value<'v>, last: Option<Value<'v>>) -> Value<'v> {
    match (value, last) {
        (Value::Array(mut items), Some(last)) if is_truthy(Some(&last)) => {
            items.push(last);
            Value::Array(items)
        }
        (value, _) => value,
    }
}

/// The entry of a table whose key is the text in lower case; other values stay.
fn translate<'v>(value: Value<'v>, table: Option<&Value<'v>>) -> Value<'v> {
    let entry =
        value.as_str().and_then(|text| table?.as_object()?.get(&text.to_lowercase()).cloned());
    entry.unwrap_or(value)
}

/// The consent object, if all its category preferences are booleans; else an empty object.
fn consent(value: Value<'_>) -> Value<'_> {
    let preferences = value.as_object().and_then(|object| object.get("categoryPreferences"));
    let valid = match preferences {
        Some(Value::Object(preferences)) => {
            preferences.iter().all(|(_, value)| value.as_bool().is_some())
        }
        Some(Value::Array(items)) => items.iter().all(|value| value.as_bool().is_some()),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => false,
    };
    if valid { value } else { Object::new().into() }
}

#[cfg(test)]
mod tests {
    use ebb_core::Number;
    use proptest::prelude::*;

    use super::*;
    use crate::template::{Names, Node, Payload, Run, Scope};

    fn filtered(leaf: &str, payload: &str) -> String {
        let names = Names { fields: Some(vec!["x".to_owned()]), ..Names::default() };
        let node = Node::leaf(leaf, &names).unwrap();
        let payload = Value::from_json(payload).unwrap();
        let run = Run::fixed("2026-01-15T12:00:00Z".parse().unwrap(), 7);
        node.evaluate(Scope { field: Payload::of(&payload), run: &run })
            .map_or_else(|| "undefined".to_owned(), |value| value.to_json())
    }

    #[test]
    fn each_filter_does_what_it_says() {
        for (leaf, payload, wanted) in [
            ("{{ field.x | lower }}", r#"{"x":"ÄB"}"#, r#""äb""#),
            ("{{ field.x | lower }}", "{}", "undefined"),
            ("{{ field.x | trim }}", r#"{"x":" a "}"#, r#""a""#),
            ("{{ field.x | unix }}", r#"{"x":"2024-05-01T00:00:00Z"}"#, "1714521600"),
            ("{{ field.x | epoch_ms }}", r#"{"x":"2024-05-01T00:00:00.5Z"}"#, "1714521600500"),
            ("{{ field.x | iso_date }}", r#"{"x":"2024-05-01T23:00:00Z"}"#, r#""2024-05-01""#),
            ("{{ field.x | iso_time }}", r#"{"x":"2024-05-01"}"#, r#""2024-05-01T00:00:00.000Z""#),
            ("{{ field.x | iso_time }}", r#"{"x":null}"#, "null"),
            (
                "{{ field.x | sha256 }}",
                r#"{"x":"a"}"#,
                r#""ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb""#,
            ),
            ("{{ field.x | e164 }}", r#"{"x":"+1 (415) 555-0100"}"#, r#""+14155550100""#),
            ("{{ field.x | json }}", r#"{"x":{"a":1}}"#, r#""{\"a\":1}""#),
            ("{{ field.x | default('d') }}", r#"{"x":null}"#, r#""d""#),
            ("{{ field.x | default('d') }}", r#"{"x":""}"#, r#""""#),
            ("{{ field.x | or('d') }}", r#"{"x":""}"#, r#""d""#),
            ("{{ field.x | join(', ') }}", r#"{"x":[1,"b"]}"#, r#""1, b""#),
            ("{{ field.x | omit(['a']) }}", r#"{"x":{"a":1,"b":2}}"#, r#"{"b":2}"#),
            ("{{ field.x | only_with(['b']) }}", r#"{"x":{"a":1,"b":2}}"#, r#"{"b":2}"#),
            ("{{ field.x | only_with(['b']) }}", r#"{"x":{"a":1,"b":""}}"#, "undefined"),
            ("{{ field.x | nonempty }}", r#"{"x":{}}"#, "undefined"),
            ("{{ field.x | nonempty }}", r#"{"x":null}"#, "null"),
            ("{{ field.x | not_null }}", r#"{"x":null}"#, "undefined"),
            ("{{ field.x | equals('a') }}", r#"{"x":"a"}"#, "true"),
            ("{{ field.x | only('a') }}", r#"{"x":"b"}"#, "undefined"),
            ("{{ true | when(field.x) }}", r#"{"x":"b"}"#, "true"),
            ("{{ field.x | default(1.5) }}", "{}", "1.5"),
            ("{{ field.x | prefix('p-') }}", r#"{"x":"a"}"#, r#""p-a""#),
            ("{{ field.x | prefix('p-') }}", r#"{"x":""}"#, r#""""#),
            ("{{ field.x | get('k') }}", r#"{"x":{"k":1}}"#, "1"),
            ("{{ field.x | when(field.x.k) }}", r#"{"x":{"k":0}}"#, "undefined"),
            ("{{ field.x | filled }}", r#"{"x":""}"#, "undefined"),
            ("{{ [field.x, 'b'] | join_all(' ') }}", r#"{"x":"a"}"#, r#""a b""#),
            ("{{ [field.x, 'b'] | join_all(' ') }}", "{}", "undefined"),
            ("{{ [1] | push(field.x) }}", r#"{"x":2}"#, "[1,2]"),
            ("{{ field.x | translate({'m': 'M'}) }}", r#"{"x":"M"}"#, r#""M""#),
            ("{{ field.x | consent }}", r#"{"x":{"categoryPreferences":{"a":1}}}"#, "{}"),
            ("{{ field.x | browser }}", r#"{"x":"Firefox/1.0"}"#, r#""Firefox""#),
            ("{{ field.x | browser_version }}", r#"{"x":"Firefox/1.0"}"#, r#""1.0""#),
        ] {
            assert_eq!(filtered(leaf, payload), wanted, "{leaf} of {payload}");
        }
    }

    #[test]
    fn the_list_and_the_names_agree() {
        for (name, filter) in Filter::ALL {
            assert_eq!(Filter::named(name), Some(filter));
            assert_eq!(filter.name(), name);
        }
    }

    proptest! {
        #[test]
        fn no_filter_panics_and_undefined_stays_undefined(
            text in ".{0,20}", number in any::<f64>(), place in 0..Filter::ALL.len(),
        ) {
            let (_, filter) = Filter::ALL[place];
            let inputs = [
                Some(Value::from(text.clone())),
                Some(Value::Number(Number::Float(number))),
                Some(Value::Array(vec![text.clone().into()])),
                Some(Value::Null),
                None,
            ];
            for input in inputs {
                let answer = filter.apply(input.clone(), vec![Some(text.clone().into())]);
                if input.is_none() && !matches!(filter, Filter::Default | Filter::Or) {
                    prop_assert!(answer.is_none());
                }
            }
        }
    }
}
