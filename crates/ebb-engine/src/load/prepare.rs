//! Limits that every record must keep before an action sees it.

use ebb_core::{
    Code, Failure, Limits, Record,
    port::{Action, Item, ItemBuffer},
};

/// Maps and validates a record, unless it or one of its values is too large.
pub(crate) fn prepare(
    action: &dyn Action,
    record: &Record<'_>,
    limits: &Limits,
    buffer: &mut ItemBuffer,
) -> Result<Item, Failure> {
    // Escaping makes at most six bytes of one: what is small beyond doubt is not measured.
    let widest = record.text_bytes().saturating_mul(6);
    if widest > limits.column_bytes.min(limits.record_bytes / 2) {
        measure(record, limits)?;
    }
    action.prepare(record, buffer)
}

fn measure(record: &Record<'_>, limits: &Limits) -> Result<(), Failure> {
    let mut json = Vec::new();
    for (place, column) in record.columns().iter().enumerate() {
        json.clear();
        record.value(place).write_json(&mut json);
        if json.len() > limits.column_bytes {
            let message = format!(
                "column `{}` has {} bytes as JSON, more than the {} that are allowed",
                column.name,
                json.len(),
                limits.column_bytes,
            );
            return Err(Failure::new(Code::ColumnTooLarge, message));
        }
    }
    json.clear();
    record.properties().write_json(&mut json);
    if json.len() > limits.record_bytes {
        let message = format!(
            "the record has {} bytes as JSON, more than the {} that are allowed",
            json.len(),
            limits.record_bytes,
        );
        return Err(Failure::new(Code::RecordTooLarge, message));
    }
    Ok(())
}
