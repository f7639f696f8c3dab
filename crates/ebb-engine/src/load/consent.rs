//! Whether a record's own columns allow that a destination gets it.

use ebb_core::{
    Code, Column, ColumnKind, Failure, Operation, Record, Value, config::Demand, suggest,
};

/// What a destination demands, by the columns of one sync's model.
pub(super) struct Consent {
    wanted: Vec<Wanted>,
}

struct Wanted {
    demand: Demand,
    /// The column's place among the model's columns.
    place: usize,
}

impl Consent {
    /// Finds the columns; `M307` if the model lacks one, or if what it holds cannot be a boolean.
    pub(super) fn new(
        demands: &[Demand],
        model: &str,
        columns: &[Column],
    ) -> Result<Self, Failure> {
        let find = |demand: &Demand| {
            let Demand { category, column: name } = demand;
            let place = columns.iter().position(|column| column.name == *name);
            let Some((place, column)) = place.and_then(|at| Some((at, columns.get(at)?))) else {
                let message = format!(
                    "the model `{model}` has no column `{name}`, which tells of the consent to `{category}`"
                );
                let names = columns.iter().map(|column| column.name.as_str());
                let near = match suggest::nearest(name, names) {
                    Some(near) => format!("Did you mean `{near}`? "),
                    None => String::new(),
                };
                let help = format!("{near}{}", Code::ConsentColumn.help());
                return Err(Failure::new(Code::ConsentColumn, message).help(help));
            };
            if !may_tell(column.kind) {
                let message = format!(
                    "the column `{name}` of the model `{model}` is a {}, and cannot tell of the consent to \
                     `{category}`",
                    column.kind
                );
                let help = "Make it a boolean in the query, or name another column in `consent` of the source";
                return Err(Failure::new(Code::ConsentColumn, message).help(help));
            }
            Ok(Wanted { demand: demand.clone(), place })
        };
        Ok(Self { wanted: demands.iter().map(find).collect::<Result<_, _>>()? })
    }

    /// `R420` unless the record consents to everything. A record that is gone always may go out: what is
    /// deleted must not stay with who got it while it was allowed, and its row tells nothing any more.
    pub(super) fn check(&self, record: &Record<'_>) -> Result<(), Failure> {
        if self.wanted.is_empty() || record.operation() == Operation::Deleted {
            return Ok(());
        }
        let (mut missing, mut unclear) = (Vec::new(), Vec::new());
        for Wanted { demand, place } in &self.wanted {
            let told = told(&record.value(*place));
            if told != Some(true) {
                missing.push(format!("`{}`", demand.category));
            }
            if told.is_none() {
                unclear.push(format!("`{}`", demand.column));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("the record has no consent to {}", missing.join(", "));
        let failure = if unclear.is_empty() {
            Failure::new(Code::ConsentMissing, message)
        } else {
            let unclear = unclear.join(", ");
            let message = format!("{message}: neither true nor false stands in {unclear}");
            let help = "Let the column hold a boolean; anything but true is no consent";
            Failure::new(Code::ConsentMissing, message).help(help)
        };
        Err(failure)
    }
}

/// Whether a column of this kind may hold booleans: some warehouses know numbers for them, and a view may
/// give them as text.
const fn may_tell(kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Boolean
        | ColumnKind::Integer
        | ColumnKind::Decimal
        | ColumnKind::Text
        | ColumnKind::Json => true,
        ColumnKind::Float
        | ColumnKind::Binary
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::Timestamp
        | ColumnKind::LocalTimestamp => false,
    }
}

/// The truth in a value, where there is one: a boolean, 1 or 0, or either as text. Null is false.
fn told(value: &Value<'_>) -> Option<bool> {
    let text = match value {
        Value::Null => return Some(false),
        Value::Bool(truth) => return Some(*truth),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        Value::Array(_) | Value::Object(_) => return None,
    };
    match text.as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Number, Value};

    use super::told;

    #[test]
    fn only_what_is_true_in_the_forms_of_warehouses_is_consent() {
        let yes =
            [true.into(), 1_i64.into(), 1.0.into(), "true".into(), " TRUE ".into(), "1".into()];
        for value in yes {
            assert_eq!(told(&value), Some(true), "{value:?}");
        }
        let no = [Value::Null, false.into(), 0_i64.into(), "False".into(), "0".into()];
        for value in no {
            assert_eq!(told(&value), Some(false), "{value:?}");
        }
        let decimal = Value::Number(Number::Decimal("1".into()));
        assert_eq!(told(&decimal), Some(true));
        for value in ["yes".into(), "".into(), 2_i64.into(), Value::Array(vec![true.into()])] {
            assert_eq!(told(&value), None, "{value:?}");
        }
    }
}
