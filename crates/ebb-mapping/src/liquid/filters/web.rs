//! Text for the web: HTML, URLs, base64.

use std::sync::LazyLock;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;

use super::{Apply, text};
use crate::script::{is_space, is_truthy};

/// What `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
/// The same, and `!'()*`.
const STRICT: &AsciiSet = &COMPONENT.add(b'!').add(b'\'').add(b'(').add(b')').add(b'*');
/// What `encodeURI` encodes, less brackets.
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#')
    .remove(b'[')
    .remove(b']');

static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?s:<script.*?</script>|<style.*?</style>)|",
        r"<[^\n\r\x{2028}\x{2029}]*?>|(?s:<!--.*?-->)"
    ))
    .expect("the expression is a constant and valid")
});

macro_rules! expression {
    ($($name:ident = $text:expr;)+) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new($text).expect("the expression is a constant and valid")
        });)+
    };
}

expression! {
    NOT_WORD = r"[^\p{M}\p{L}\p{Nd}]+";
    NOT_PRETTY = r"[^\p{M}\p{L}\p{Nd}._~!$&'()+,;=@]+";
    NOT_ASCII = r"[^A-Za-z0-9]+";
}

/// A filter for the web.
pub(super) fn find(name: &str) -> Option<Apply> {
    Some(match name {
        "escape" | "xml_escape" => |value, _| Ok(escape(&text(value)).into()),
        "escape_once" => |value, _| Ok(escape(&unescape(&text(value))).into()),
        "strip_html" => |value, _| Ok(MARKUP.replace_all(&text(value), "").into_owned().into()),
        "url_encode" => |value, _| {
            Ok(utf8_percent_encode(&text(value), COMPONENT).to_string().replace("%20", "+").into())
        },
        "cgi_escape" => |value, _| {
            Ok(utf8_percent_encode(&text(value), STRICT).to_string().replace("%20", "+").into())
        },
        "uri_escape" => |value, _| Ok(utf8_percent_encode(&text(value), WHOLE).to_string().into()),
        "url_decode" => |value, _| {
            let text = text(value);
            let wrong = || format!("`{text}` is not URL-encoded text");
            if !is_encoded(&text) {
                return Err(wrong());
            }
            let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| wrong())?;
            Ok(decoded.replace('+', " ").into())
        },
        "base64_encode" => |value, _| Ok(BASE64_STANDARD.encode(text(value)).into()),
        "base64_decode" => |value, _| Ok(base64(&text(value)).into()),
        "slugify" => |value, arguments| {
            let mode = arguments.get(0).map_or_else(|| "default".to_owned(), text);
            let cased = arguments.get(1).is_some_and(is_truthy);
            let slug = slug(text(value), &mode);
            Ok(if cased { slug } else { slug.to_lowercase() }.into())
        },
        _ => return None,
    })
}

const ESCAPES: [(char, &str); 5] =
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")];

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match ESCAPES.iter().find(|(special, _)| *special == character) {
            Some((_, escaped)) => out.push_str(escaped),
            None => out.push(character),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = ESCAPES
            .iter()
            .find_map(|(special, escaped)| Some((*special, rest.strip_prefix(escaped)?)));
        let (character, after) =
            found.unwrap_or_else(|| (first, rest.get(first.len_utf8()..).unwrap_or_default()));
        out.push(character);
        rest = after;
    }
    out
}

/// Whether two hexadecimal digits follow each percent sign.
fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after.len() >= 2 && after.bytes().take(2).all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Reads base64 of either alphabet, skipping what belongs to neither.
fn base64(text: &str) -> String {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let digits =
        text.split('=').next().unwrap_or_default().chars().filter_map(|digit| match digit {
            '-' => Some('+'),
            '_' => Some('/'),
            digit => (digit.is_ascii_alphanumeric() || matches!(digit, '+' | '/')).then_some(digit),
        });
    let mut digits: String = digits.collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    String::from_utf8_lossy(&LENIENT.decode(digits).unwrap_or_default()).into_owned()
}

fn slug(text: String, mode: &str) -> String {
    let dashed = match mode {
        "raw" => {
            let mut out = String::new();
            for character in text.chars() {
                if !is_space(character) {
                    out.push(character);
                } else if !out.ends_with('\u{0}') {
                    out.push('\u{0}');
                }
            }
            out.replace('\u{0}', "-")
        }
        "default" => NOT_WORD.replace_all(&text, "-").into_owned(),
        "latin" => NOT_WORD.replace_all(&without_accents(&text), "-").into_owned(),
        "pretty" => NOT_PRETTY.replace_all(&text, "-").into_owned(),
        "ascii" => NOT_ASCII.replace_all(&text, "-").into_owned(),
        _ => return text,
    };
    let slug = dashed.strip_prefix('-').unwrap_or(&dashed);
    slug.strip_suffix('-').unwrap_or(slug).to_owned()
}

fn without_accents(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'à'..='å' => out.push('a'),
            'æ' => out.push_str("ae"),
            'ç' => out.push('c'),
            'è'..='ë' => out.push('e'),
            'ì'..='ï' => out.push('i'),
            'ð' => out.push('d'),
            'ñ' => out.push('n'),
            'ò'..='ö' | 'ø' => out.push('o'),
            'ù'..='ü' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ß' => out.push_str("ss"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            'ẞ' => out.push_str("SS"),
            'Œ' => out.push_str("OE"),
            'Þ' => out.push_str("TH"),
            other => out.push(other),
        }
    }
    out
}
