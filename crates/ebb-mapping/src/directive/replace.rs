//! `@replace`: literal text for literal text.

/// Puts `replacement` where `pattern` stands in a text: everywhere or at its first place, with or
/// without regard to case. In the replacement `$&` is what was found, `` $` `` what comes before,
/// `$'` what comes after, `$$` a dollar.
pub(crate) fn replace(
    text: &str,
    pattern: &str,
    replacement: &str,
    everywhere: bool,
    ignore_case: bool,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found, after)) = find(rest, pattern, ignore_case) {
        out.push_str(before);
        let prefix = text.strip_suffix(after).and_then(|head| head.strip_suffix(found));
        expand(replacement, prefix.unwrap_or_default(), found, after, &mut out);
        rest = after;
        if !everywhere {
            break;
        }
    }
    out.push_str(rest);
    out
}

/// The first place of a pattern: what comes before, what was found, what comes after.
fn find<'t>(
    text: &'t str,
    pattern: &str,
    ignore_case: bool,
) -> Option<(&'t str, &'t str, &'t str)> {
    if pattern.is_empty() {
        return None;
    }
    if !ignore_case {
        let (before, after) = text.split_once(pattern)?;
        let found = text.get(before.len()..before.len() + pattern.len())?;
        return Some((before, found, after));
    }
    text.char_indices().find_map(|(start, _)| {
        let (before, here) = text.split_at_checked(start)?;
        let mut characters = here.chars();
        for wanted in pattern.chars() {
            if fold(characters.next()?) != fold(wanted) {
                return None;
            }
        }
        let after = characters.as_str();
        Some((before, here.strip_suffix(after)?, after))
    })
}

/// How JavaScript compares a character without regard to case: by its upper case, if that is one
/// UTF-16 unit and does not make ASCII of what is not.
fn fold(character: char) -> char {
    if u32::from(character) > 0xffff {
        return character;
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None)
            if u32::from(one) <= 0xffff && (character.is_ascii() || !one.is_ascii()) =>
        {
            one
        }
        _ => character,
    }
}

fn expand(replacement: &str, before: &str, found: &str, after: &str, out: &mut String) {
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        let insert = match (character, characters.peek()) {
            ('$', Some('$')) => "$",
            ('$', Some('&')) => found,
            ('$', Some('`')) => before,
            ('$', Some('\'')) => after,
            _ => {
                out.push(character);
                continue;
            }
        };
        out.push_str(insert);
        characters.next();
    }
}
