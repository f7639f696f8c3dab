//! What a cluster does when it unloads: runs the query, and writes its rows to files in a bucket.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use serde_json::json;
use tokio_postgres::{Error, NoTls, SimpleQueryMessage, SimpleQueryRow};
use url::Url;

use crate::aws::Aws;

/// Writes files for the clusters of a test.
#[derive(Clone)]
pub(crate) struct Unloads {
    /// The database, as the superuser.
    pub(super) database: Url,
    pub(super) aws: Aws,
    /// Rows of one file, and of one group in it.
    pub(super) rows: (usize, usize),
}

impl Unloads {
    /// Does what a statement says. Gives what the server is sent in its place: nothing, or the query
    /// itself if that is what is wrong.
    pub(super) async fn take(&self, sql: &str, translated: impl Fn(&str) -> String) -> String {
        let (query, rest) = literal(sql.strip_prefix("unload (").unwrap());
        let (to, rest) = literal(rest.strip_prefix(")\nto ").unwrap());
        assert_eq!(
            rest,
            "\niam_role default\nformat as parquet\nmanifest verbose\nparallel off\nmaxfilesize 256 mb"
        );
        let query = translated(&query);
        if to.starts_with("s3://denied/") {
            return "do $$ begin raise 'S3ServiceException:Access Denied,Status 403'; end $$"
                .to_owned();
        }
        match self.rows(&query).await {
            Ok((types, rows)) => {
                let (bucket, prefix) = to.strip_prefix("s3://").unwrap().split_once('/').unwrap();
                self.write(bucket, prefix, &types, &rows);
                "do $$ begin end $$".to_owned()
            }
            Err(_) => query,
        }
    }

    /// The names of the columns' types, and rows as text.
    async fn rows(&self, query: &str) -> Result<(Vec<String>, Vec<SimpleQueryRow>), Error> {
        let (client, connection) = tokio_postgres::connect(self.database.as_str(), NoTls).await?;
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        drop(tokio::spawn(connection));
        let settings =
            "set timezone to 'UTC'; set datestyle to 'ISO, YMD'; set intervalstyle to 'iso_8601'";
        client.batch_execute(settings).await?;
        let described = client.prepare(query).await?;
        let types = described.columns().iter().map(|one| one.type_().name().to_owned()).collect();
        let messages = client.simple_query(query).await?;
        let row =
            |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
        Ok((types, messages.into_iter().filter_map(row).collect()))
    }

    fn write(&self, bucket: &str, prefix: &str, types: &[String], rows: &[SimpleQueryRow]) {
        let mut entries = Vec::new();
        for (number, rows) in rows.chunks(self.rows.0).enumerate() {
            let key = format!("{prefix}{number:03}.parquet");
            let columns = types.iter().enumerate().map(|(place, native)| {
                let name = rows[0].columns()[place].name().to_owned();
                (name, array(native, rows.iter().map(|row| row.get(place)).collect()), true)
            });
            let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_max_row_group_row_count(Some(self.rows.1))
                .build();
            let mut writer =
                ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            let file = writer.into_inner().unwrap();
            entries.push(json!({
                "url": format!("s3://{bucket}/{key}"),
                "meta": { "content_length": file.len(), "record_count": rows.len() },
            }));
            self.aws.put(bucket, &key, file);
        }
        let manifest = json!({ "entries": entries, "meta": { "record_count": rows.len() } });
        self.aws.put(bucket, &format!("{prefix}manifest"), manifest.to_string());
    }
}

fn array(native: &str, values: Vec<Option<&str>>) -> ArrayRef {
    let values = values.into_iter();
    match native {
        "bool" => Arc::new(values.map(|it| it.map(|it| it == "t")).collect::<BooleanArray>()),
        "int2" | "int4" | "int8" => Arc::new(
            values.map(|it| it.map(|it| it.parse::<i64>().unwrap())).collect::<Int64Array>(),
        ),
        "float8" => Arc::new(
            values.map(|it| it.map(|it| it.parse::<f64>().unwrap())).collect::<Float64Array>(),
        ),
        "varbyte" => Arc::new(
            values
                .map(|it| it.map(|it| bytes(it.strip_prefix("\\x").unwrap())))
                .collect::<BinaryArray>(),
        ),
        "varchar" | "super" | "text" => Arc::new(values.collect::<StringArray>()),
        other => panic!("{other} is not to be written to a file as it is"),
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A literal at the beginning of a text, as Redshift reads it, and what comes after.
fn literal(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').unwrap().chars();
    loop {
        match rest.next().unwrap() {
            '\\' => value.push(rest.next().unwrap()),
            '\'' if rest.as_str().starts_with('\'') => value.extend(rest.next()),
            '\'' => return (value, rest.as_str()),
            one => value.push(one),
        }
    }
}
