//! Columns whose names say that their text is JSON, for engines that have no type for it: `…_JSON` is a
//! document, `…_ARRAY` an array, or a list by commas. Case does not matter.

use std::{borrow::Cow, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, cast::AsArray};
use ebb_core::{
    Column, ColumnKind,
    port::BatchStream,
    record::{OWN_COLUMNS, staged_schema},
};
use futures_util::StreamExt;
use serde::de::IgnoredAny;

/// What a column's name says of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Document,
    Array,
}

impl Named {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if name.ends_with("_json") {
            Some(Self::Document)
        } else if name.ends_with("_array") {
            Some(Self::Array)
        } else {
            None
        }
    }

    /// The JSON that a text stands for; `None` where it stands for none, and stays text.
    fn json(self, text: &str) -> Option<Cow<'_, str>> {
        let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
        match self {
            Self::Document => is_json.then_some(Cow::Borrowed(text)),
            Self::Array if is_json && text.trim_start().starts_with('[') => {
                Some(Cow::Borrowed(text))
            }
            Self::Array => {
                let items = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
                Some(Cow::Owned(items.collect::<serde_json::Value>().to_string()))
            }
        }
    }
}

/// Makes text columns of such names JSON.
pub(crate) fn tell_kinds(columns: &mut [Column]) {
    for column in columns {
        if column.kind == ColumnKind::Text && Named::of(&column.name).is_some() {
            column.kind = ColumnKind::Json;
        }
    }
}

/// Turns texts of such columns into the JSON that they stand for. What is no JSON stays as it is, and
/// comes out as text; the log tells how many.
pub(crate) fn parsed(batches: BatchStream, columns: &[Column]) -> BatchStream {
    let named: Vec<_> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.kind == ColumnKind::Json)
        .filter_map(|(place, column)| Some((OWN_COLUMNS + place, Named::of(&column.name)?)))
        .collect();
    if named.is_empty() {
        return batches;
    }
    let schema = Arc::new(staged_schema(columns));
    Box::pin(batches.map(move |batch| {
        let batch = batch?;
        let mut arrays = batch.columns().to_vec();
        for (place, named) in &named {
            if let Some(array) = arrays.get_mut(*place) {
                let (texts, odd) = rewritten(array, *named);
                *array = texts;
                if odd > 0 {
                    let column = schema.field(*place).name();
                    tracing::warn!(column, values = odd, "values that are not JSON stay text");
                }
            }
        }
        // The arrays have the types and the length that they had.
        Ok(RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap_or(batch))
    }))
}

/// The texts as JSON, and how many of them are none.
fn rewritten(array: &ArrayRef, named: Named) -> (ArrayRef, u64) {
    let Some(texts) = array.as_string_opt::<i32>() else { return (Arc::clone(array), 0) };
    let mut odd = 0;
    let texts: StringArray = texts
        .iter()
        .map(|text| {
            let text = text?;
            let json = named.json(text);
            odd += u64::from(json.is_none());
            Some(json.unwrap_or(Cow::Borrowed(text)))
        })
        .collect();
    debug_assert_eq!(texts.len(), array.len());
    (Arc::new(texts), odd)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use ebb_core::{Column, ColumnKind, RecordSet, record::staged_schema};
    use futures_util::{TryStreamExt, stream};

    use super::{parsed, tell_kinds};

    async fn told(columns: &[(&str, &[Option<&str>])]) -> Vec<String> {
        let mut model: Vec<_> =
            columns.iter().map(|(name, _)| Column::new(*name, ColumnKind::Text, "text")).collect();
        tell_kinds(&mut model);
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        let number = || -> ArrayRef { Arc::new(Int64Array::from(vec![0; rows])) };
        let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["k"; rows])) };
        let mut arrays = vec![number(), number(), text(), text()];
        arrays.extend(
            columns
                .iter()
                .map(|(_, values)| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) }),
        );
        let batch = RecordBatch::try_new(staged_schema(&model).into(), arrays).unwrap();
        let batches = parsed(Box::pin(stream::iter([Ok(batch)])), &model);
        let batches: Vec<_> = batches.try_collect().await.unwrap();
        let set = RecordSet::new(&batches[0], "m".into(), "2026-01-01T00:00:00Z".into()).unwrap();
        set.iter().map(|record| record.properties().to_json()).collect()
    }

    #[tokio::test]
    async fn a_document_is_what_its_text_says() {
        let values = [Some(r#"{"a": [1, null]}"#), Some("7"), Some(""), Some("{a}"), None];
        assert_eq!(
            told(&[("Traits_Json", &values), ("json", &values)]).await,
            [
                r#"{"Traits_Json":{"a":[1,null]},"json":"{\"a\": [1, null]}"}"#,
                r#"{"Traits_Json":7,"json":"7"}"#,
                r#"{"Traits_Json":"","json":""}"#,
                r#"{"Traits_Json":"{a}","json":"{a}"}"#,
                r#"{"Traits_Json":null,"json":null}"#,
            ]
        );
    }

    #[tokio::test]
    async fn an_array_may_be_a_list_by_commas() {
        let values = [
            Some(r#"["a", 1]"#),
            Some("a, b,c"),
            Some("1,2"),
            Some(""),
            Some("7"),
            Some("[open"),
            None,
        ];
        assert_eq!(
            told(&[("tags_ARRAY", &values)]).await,
            [
                r#"{"tags_ARRAY":["a",1]}"#,
                r#"{"tags_ARRAY":["a","b","c"]}"#,
                r#"{"tags_ARRAY":["1","2"]}"#,
                r#"{"tags_ARRAY":[]}"#,
                r#"{"tags_ARRAY":["7"]}"#,
                r#"{"tags_ARRAY":["[open"]}"#,
                r#"{"tags_ARRAY":null}"#,
            ]
        );
    }
}
