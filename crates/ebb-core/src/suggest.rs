//! "Did you mean …?"

/// The name that is most like a wrong one, if any is like it at all.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// The remedy for a wrong name: the nearest one if there is one, then all that are allowed.
pub fn allowed<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list = names.clone().into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    if list.is_empty() {
        return "None is defined yet".to_owned();
    }
    let list = list.join(", ");
    match nearest(wrong, names) {
        Some(name) => format!("Did you mean `{name}`? Allowed: {list}"),
        None => format!("Allowed: {list}"),
    }
}
