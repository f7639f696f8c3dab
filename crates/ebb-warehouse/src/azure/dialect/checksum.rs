//! The checksum of a row: eight bytes of the SHA-256 of a text that no other row has.

use ebb_core::Column;
use xxhash_rust::xxh3::xxh3_64;

use crate::azure::types::{exact_text, handling};

/// Texts that one `concat` takes, fewer than the server's 254.
const TEXTS: usize = 200;

/// Every value is its length, a colon and its text, or a dash where it is null, so that where one ends
/// is never in doubt. A number and its text would read the same: the salt tells them apart.
pub(super) fn of(salt: &str, columns: &[(&Column, String)]) -> String {
    let kinds: Vec<_> = columns.iter().map(|(column, _)| column.kind.as_str()).collect();
    let salt = xxh3_64(format!("{salt} {}", kinds.join(" ")).as_bytes());
    let values: Vec<String> = columns.iter().map(|(column, read)| value(column, read)).collect();
    let parts: Vec<String> = match values.chunks(TEXTS).collect::<Vec<_>>().as_slice() {
        [few] => few.to_vec(),
        many => many.iter().map(|chunk| concat("", chunk)).collect(),
    };
    let row = concat(&format!("{salt:016x}"), &parts);
    format!("cast(substring(hashbytes('SHA2_256', {row}), 1, 8) as bigint)")
}

/// The texts in a row. The first one is long, or the whole would be cut at 4,000 characters.
fn concat(first: &str, texts: &[String]) -> String {
    format!("concat(cast(N'{first}' as nvarchar(max)), {})", texts.join(", "))
}

fn value(column: &Column, read: &str) -> String {
    let text = exact_text(handling(column), read);
    format!("coalesce(concat(datalength({text}), N':') + {text}, N'-')")
}
