//! Bodies of the benchmark's table, made up without a database.

use std::fmt::Write as _;

use bytes::Bytes;

/// The table's records as JSON, `batch` in each body; a batch of one is a bare object.
pub(super) fn bodies(records: u64, batch: u64) -> anyhow::Result<Vec<Bytes>> {
    let batch = batch.max(1);
    let mut bodies = Vec::new();
    let mut first = 1;
    while first <= records {
        let mut body = String::new();
        let last = records.min(first + batch - 1);
        for id in first..=last {
            body.push(if id == first { '[' } else { ',' });
            write_record(&mut body, id)?;
        }
        body.push(']');
        bodies.push(if batch == 1 {
            body.trim_matches(['[', ']']).to_owned().into()
        } else {
            body.into()
        });
        first = last + 1;
    }
    Ok(bodies)
}

fn write_record(body: &mut String, id: u64) -> std::fmt::Result {
    let (minute, second) = (id / 60 % 60, id % 60);
    write!(
        body,
        concat!(
            r#"{{"id":{id},"email":"user{id}@example.com","first_name":"First{first}","last_name":"Last{last}","#,
            r#""revenue":{units}.{cents:02},"seats":{seats},"logins":{logins},"active":{active},"#,
            r#""signed_up_at":"2024-01-01T00:{minute:02}:{second:02}Z","updated_at":"2026-01-01T00:{minute:02}:{second:02}Z"}}"#
        ),
        id = id,
        first = id % 997,
        last = id % 4_999,
        units = id % 100_000,
        cents = id % 100,
        seats = id % 500,
        logins = id % 10_007,
        active = id.is_multiple_of(3),
        minute = minute,
        second = second,
    )
}

#[cfg(test)]
mod tests {
    use super::bodies;

    #[test]
    fn the_last_body_holds_what_is_left() {
        let counts: Vec<_> = bodies(5, 2)
            .unwrap()
            .iter()
            .map(|body| serde_json::from_slice::<Vec<serde_json::Value>>(body).unwrap().len())
            .collect();
        assert_eq!(counts, [2, 2, 1]);
    }

    #[test]
    fn a_batch_of_one_is_a_bare_object() {
        let bodies = bodies(2, 1).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&bodies[1]).unwrap();
        assert_eq!((record["id"].as_u64(), record.as_object().unwrap().len()), (Some(2), 10));
    }
}
