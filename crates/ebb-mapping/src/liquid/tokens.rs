//! Cuts a template into text, outputs and tags, and takes away the white space that `-` says.

use super::cursor::{Cursor, is_blank};

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Token {
    Text(Vec<char>),
    /// The characters between `{{` and `}}`.
    Output(Vec<char>),
    Tag(Tag),
}

/// `{% name arguments %}`.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) arguments: Vec<char>,
    /// The whole tag as it is written, for `raw`.
    pub(super) text: Vec<char>,
}

/// A token, and whether white space before and after it goes.
struct Cut {
    token: Token,
    before: bool,
    after: bool,
    raw: Vec<char>,
}

/// The tokens of a template.
pub(super) fn tokens(template: &str) -> Result<Vec<Token>, String> {
    let text: Vec<char> = template.chars().collect();
    let mut cuts = Vec::new();
    let mut place = 0;
    let mut in_raw = false;
    while place < text.len() {
        let rest = text.get(place..).unwrap_or_default();
        let cut = if in_raw {
            let (cut, ended) = raw(rest)?;
            in_raw = !ended;
            cut
        } else if rest.starts_with(&['{', '%']) {
            let end = end_of(rest, '%', false).ok_or("a tag is not closed")?;
            let cut = tag(rest.get(..end).unwrap_or_default())?;
            in_raw = matches!(&cut.token, Token::Tag(tag) if tag.name == "raw");
            cut
        } else if rest.starts_with(&['{', '{']) {
            let end = end_of(rest, '}', true).ok_or("an output is not closed")?;
            let whole = rest.get(..end).unwrap_or_default();
            let (content, before, after) = content(whole.get(2..end - 2).unwrap_or_default());
            Cut { token: Token::Output(content), before, after, raw: whole.to_vec() }
        } else {
            let end = (0..rest.len())
                .find(|end| {
                    let here = rest.get(*end..).unwrap_or_default();
                    here.starts_with(&['{', '%']) || here.starts_with(&['{', '{'])
                })
                .unwrap_or(rest.len());
            text_cut(rest.get(..end).unwrap_or_default())
        };
        place += cut.raw.len();
        cuts.push(cut);
    }
    if in_raw {
        return Err("`raw` is not closed".to_owned());
    }
    Ok(trimmed(cuts))
}

fn text_cut(text: &[char]) -> Cut {
    Cut { token: Token::Text(text.to_vec()), before: false, after: false, raw: text.to_vec() }
}

/// Where a tag or output ends; an output's end may not lie in quotation marks.
fn end_of(text: &[char], last: char, quotes: bool) -> Option<usize> {
    let mut place = 0;
    while place < text.len() {
        if let Some(quote) = text.get(place).filter(|mark| quotes && matches!(mark, '"' | '\'')) {
            let mut escaped = false;
            place += 1;
            while let Some(character) = text.get(place) {
                place += 1;
                if character == quote && !escaped {
                    break;
                }
                escaped = !escaped && *character == '\\';
            }
            continue;
        }
        place += 1;
        if text.get(..place).is_some_and(|read| read.ends_with(&[last, '}'])) {
            return Some(place);
        }
    }
    None
}

/// What stands between delimiters, and whether `-` stands at its ends.
fn content(inner: &[char]) -> (Vec<char>, bool, bool) {
    let before = inner.first() == Some(&'-');
    let after = inner.last() == Some(&'-');
    let end = inner.len() - usize::from(after);
    let inner = inner.get(usize::from(before)..end).unwrap_or_default();
    (trim(inner).to_vec(), before, after)
}

fn trim(text: &[char]) -> &[char] {
    let start = text.iter().position(|character| !is_blank(*character)).unwrap_or(text.len());
    let end = text.iter().rposition(|character| !is_blank(*character)).map_or(start, |end| end + 1);
    text.get(start..end).unwrap_or_default()
}

fn tag(whole: &[char]) -> Result<Cut, String> {
    let inner = whole.get(2..whole.len().saturating_sub(2).max(2)).unwrap_or_default();
    let (content, before, after) = content(inner);
    let tag = named(&content, whole)?;
    Ok(Cut { token: Token::Tag(tag), before, after, raw: whole.to_vec() })
}

fn named(content: &[char], whole: &[char]) -> Result<Tag, String> {
    let mut cursor = Cursor::new(content);
    let name = cursor.tag_name();
    if name.is_empty() {
        return Err("a tag needs a name".to_owned());
    }
    cursor.skip_blank();
    Ok(Tag { name, arguments: cursor.rest().to_vec(), text: whole.to_vec() })
}

/// The tags of `{% liquid %}`: one on each line.
pub(super) fn lines(text: &[char]) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    for line in text.split(|character| *character == '\n') {
        let line = trim(line);
        if !line.is_empty() {
            let (content, _, _) = content(line);
            tokens.push(Token::Tag(named(&content, line)?));
        }
    }
    Ok(tokens)
}

/// What comes next within `raw`: its text, or the tag that ends it.
fn raw(text: &[char]) -> Result<(Cut, bool), String> {
    let mut start = 0;
    while start < text.len() {
        let here = text.get(start..).unwrap_or_default();
        let inner = here.strip_prefix(&['{', '%']);
        if let Some(inner) = inner
            && Cursor::new(inner).name() == "endraw"
            && let Some(end) = end_of(here, '%', false)
        {
            return Ok(if start == 0 {
                (tag(here.get(..end).unwrap_or_default())?, true)
            } else {
                (text_cut(text.get(..start).unwrap_or_default()), false)
            });
        }
        start += 1;
    }
    Err("`raw` is not closed".to_owned())
}

fn trimmed(cuts: Vec<Cut>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(cuts.len());
    let mut in_raw = false;
    let mut trim_next = false;
    for mut cut in cuts {
        if let Token::Text(text) = &mut cut.token {
            if trim_next {
                let start = text.iter().position(|character| !is_blank(*character));
                text.drain(..start.unwrap_or(text.len()));
            }
        } else if !in_raw
            && cut.before
            && let Some(Token::Text(text)) = tokens.last_mut()
        {
            let end = text.iter().rposition(|character| !is_blank(*character));
            text.truncate(end.map_or(0, |end| end + 1));
        }
        if let Token::Tag(tag) = &cut.token {
            in_raw = tag.name == "raw" || in_raw && tag.name != "endraw";
        }
        trim_next = !in_raw && cut.after;
        tokens.push(cut.token);
    }
    tokens
}
