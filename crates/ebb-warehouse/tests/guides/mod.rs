//! The guides show what `ebb source setup` prints, and every setting.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

fn guide(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The rows of a guide's table of settings: keys, meaning, default.
fn rows(guide: &str) -> Vec<[&str; 3]> {
    let lines = guide.lines().skip_while(|line| *line != "| setting | meaning | default |").skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches(['|', ' ']).split(" | ").collect();
        cells.try_into().unwrap_or_else(|_| panic!("three cells: {row}"))
    })
    .collect()
}

#[test]
fn every_guide_shows_the_set_up_of_its_kind() {
    for form in ebb_warehouse::forms() {
        if let Some(sql) = ebb_warehouse::setup(form.kind, &BTreeMap::new()).unwrap() {
            assert!(guide(form.guide).contains(&sql), "{} lacks:\n{sql}", form.guide);
        }
    }
}

#[test]
fn every_guide_has_every_setting_of_its_kind_and_no_other() {
    for form in ebb_warehouse::forms() {
        assert_eq!(form.guide, format!("docs/sources/{}.md", form.kind));
        let guide = guide(form.guide);
        let mut documented = BTreeSet::new();
        for [keys, _, default] in rows(&guide) {
            for key in keys.split(", ").map(|key| key.trim_matches('`')) {
                assert!(documented.insert(key), "{} has `{key}` twice", form.guide);
                let known = form.setting(key).and_then(|setting| setting.default);
                let told = known.is_none_or(|known| default.contains(&format!("`{known}`")));
                assert!(told, "{}: the default of `{key}` is {default}", form.guide);
            }
        }
        let expected = form.settings.iter().map(|setting| setting.key).collect();
        assert_eq!(documented, expected, "{}", form.guide);
    }
}

#[test]
fn the_list_of_guides_has_every_kind() {
    let list = guide("docs/sources/README.md");
    for kind in ebb_warehouse::kinds() {
        assert!(list.contains(&format!("[{kind}]({kind}.md)")), "{kind}");
    }
}
