//! The guides show what `ebb source setup` prints.

use std::{collections::BTreeMap, path::Path};

#[test]
fn every_guide_shows_the_set_up_of_its_kind() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sources");
    for kind in ebb_warehouse::kinds() {
        let guide = std::fs::read_to_string(folder.join(format!("{kind}.md"))).unwrap();
        if let Some(sql) = ebb_warehouse::setup(kind, &BTreeMap::new()).unwrap() {
            assert!(guide.contains(&sql), "docs/sources/{kind}.md lacks:\n{sql}");
        }
    }
}
