//! Text.

use std::{collections::HashSet, sync::LazyLock};

use ebb_core::Value;
use regex::Regex;

use super::{Apply, Arguments, text};
use crate::{
    liquid::evaluate::to_number,
    script::{from_length, is_space, is_truthy, to_length, trim, units},
};

static CJK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!("[{CJK_RANGES}]")).expect("the expression is a constant and valid")
});
static NOT_CJK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"[^{CJK_RANGES}\s\x{{feff}}]+"))
        .expect("the expression is a constant and valid")
});
const CJK_RANGES: &str = r"\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{3400}-\x{4DBF}\x{3040}-\x{309F}\x{30A0}-\x{30FF}\x{AC00}-\x{D7AF}";

/// A filter of text.
pub(super) fn find(name: &str) -> Option<Apply> {
    Some(match name {
        "append" => |value, arguments| {
            two("append", arguments)?;
            Ok((text(value) + &arguments.text(0)).into())
        },
        "prepend" => |value, arguments| {
            two("prepend", arguments)?;
            Ok((arguments.text(0) + &text(value)).into())
        },
        "downcase" => |value, _| Ok(text(value).to_lowercase().into()),
        "upcase" => |value, _| Ok(text(value).to_uppercase().into()),
        "capitalize" => |value, _| {
            let text = text(value);
            let mut characters = text.chars();
            let first = characters.next().map_or_else(String::new, |first| {
                // A character beyond the first plane is two units, whose first has no case.
                if first.len_utf16() > 1 {
                    first.to_string()
                } else {
                    first.to_uppercase().collect()
                }
            });
            Ok((first + &characters.as_str().to_lowercase()).into())
        },
        "strip" => |value, arguments| Ok(strip(value, arguments, true, true).into()),
        "lstrip" => |value, arguments| Ok(strip(value, arguments, true, false).into()),
        "rstrip" => |value, arguments| Ok(strip(value, arguments, false, true).into()),
        "strip_newlines" => |value, _| Ok(text(value).replace("\r\n", "").replace('\n', "").into()),
        "normalize_whitespace" => |value, _| {
            let text = text(value);
            let mut out = String::with_capacity(text.len());
            let mut space = false;
            for character in text.chars() {
                let is_space = is_space(character);
                if !is_space {
                    out.push(character);
                } else if !space {
                    out.push(' ');
                }
                space = is_space;
            }
            Ok(out.into())
        },
        "number_of_words" => |value, arguments| {
            let text = text(value);
            let text = trim(&text);
            let words = || text.split(is_space).filter(|word| !word.is_empty()).count();
            let mode = arguments.get(0).and_then(Value::as_str).unwrap_or_default();
            let both = || CJK.find_iter(text).count() + NOT_CJK.find_iter(text).count();
            let count = match mode {
                "cjk" => both(),
                "auto" if CJK.is_match(text) => both(),
                _ => words(),
            };
            Ok(i64::try_from(count).unwrap_or(i64::MAX).into())
        },
        "truncate" => |value, arguments| Ok(truncate(value, arguments)),
        "truncatewords" => |value, arguments| Ok(truncate_words(value, arguments)),
        "split" => |value, arguments| {
            let text = text(value);
            let separator = arguments.text(0);
            let mut parts: Vec<Value<'static>> = if separator.is_empty() {
                text.chars().map(|character| character.to_string().into()).collect()
            } else {
                text.split(&*separator).map(|part| part.to_owned().into()).collect()
            };
            while parts.pop_if(|last| last.as_str() == Some("")).is_some() {}
            Ok(parts.into())
        },
        other => return replacing(other),
    })
}

/// A filter that replaces or removes.
fn replacing(name: &str) -> Option<Apply> {
    Some(match name {
        "remove" => |value, arguments| {
            let (text, gone) = (text(value), arguments.text(0));
            Ok(if gone.is_empty() { text } else { text.replace(&gone, "") }.into())
        },
        "remove_first" => {
            |value, arguments| Ok(text(value).replacen(&arguments.text(0), "", 1).into())
        }
        "remove_last" => {
            |value, arguments| Ok(replace_last(&text(value), &arguments.text(0), "").into())
        }
        "replace" => |value, arguments| {
            let (text, pattern, with) = (text(value), arguments.text(0), arguments.text(1));
            if pattern.is_empty() {
                let characters: Vec<_> = text.chars().map(String::from).collect();
                return Ok(characters.join(&with).into());
            }
            Ok(text.replace(&pattern, &with).into())
        },
        "replace_first" => |value, arguments| {
            Ok(text(value).replacen(&arguments.text(0), &arguments.text(1), 1).into())
        },
        "replace_last" => |value, arguments| {
            Ok(replace_last(&text(value), &arguments.text(0), &arguments.text(1)).into())
        },
        _ => return None,
    })
}

fn two(name: &str, arguments: &Arguments<'_>) -> Result<(), String> {
    if arguments.values.len() == 1 {
        return Ok(());
    }
    Err(format!("the filter `{name}` takes one argument"))
}

fn strip(value: &Value<'_>, arguments: &Arguments<'_>, start: bool, end: bool) -> String {
    let text = text(value);
    let set: Option<HashSet<char>> = arguments
        .get(0)
        .filter(|characters| is_truthy(characters))
        .map(|characters| super::text(characters).chars().collect());
    let goes = |character: char| match &set {
        Some(set) => set.contains(&character),
        None => is_space(character),
    };
    let mut rest = text.as_str();
    if start {
        rest = rest.trim_start_matches(goes);
    }
    if end {
        rest = rest.trim_end_matches(goes);
    }
    rest.to_owned()
}

fn replace_last(text: &str, pattern: &str, with: &str) -> String {
    match text.rsplit_once(pattern) {
        Some((before, after)) => format!("{before}{with}{after}"),
        None => text.to_owned(),
    }
}

fn truncate(value: &Value<'_>, arguments: &Arguments<'_>) -> Value<'static> {
    let text = text(value);
    let most = arguments.get(0).map_or(50.0, to_number);
    let ellipsis = arguments.get(1).map_or_else(|| "...".to_owned(), super::text);
    if from_length(units(&text)) <= most {
        return value.clone().into_owned();
    }
    let keep = most - from_length(units(&ellipsis));
    let kept: Vec<u16> = text.encode_utf16().take(to_length(keep)).collect();
    (String::from_utf16_lossy(&kept) + &ellipsis).into()
}

fn truncate_words(value: &Value<'_>, arguments: &Arguments<'_>) -> Value<'static> {
    let text = text(value);
    let most = arguments.get(0).map_or(15.0, to_number);
    let most = if most <= 0.0 { 1.0 } else { most };
    let ellipsis = arguments.get(1).map_or_else(|| "...".to_owned(), super::text);
    // Words are split at runs of white space; an empty one may stand at either end.
    let mut words: Vec<&str> = Vec::new();
    let mut rest = text.as_str();
    while let Some(place) = rest.find(is_space) {
        let (word, after) = rest.split_at_checked(place).unwrap_or((rest, ""));
        words.push(word);
        rest = after.trim_start_matches(is_space);
    }
    words.push(rest);
    let mut out = words.iter().take(to_length(most)).copied().collect::<Vec<_>>().join(" ");
    if from_length(words.len()) >= most {
        out.push_str(&ellipsis);
    }
    out.into()
}
