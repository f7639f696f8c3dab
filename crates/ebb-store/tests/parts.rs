//! Parts as files.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use ebb_core::{Code, Tally, port::Parts};
use ebb_store::FolderParts;

use crate::{children, given::id};

fn batch(seqs: &[i64], operations: &[i64]) -> RecordBatch {
    let ids: Vec<String> = seqs.iter().map(|seq| format!("record {}", seq * 7919)).collect();
    let kind = HashMap::from([("ebb.kind".to_owned(), "json".to_owned())]);
    let schema = Schema::new(vec![
        Field::new("__ebb_seq", DataType::Int64, false),
        Field::new("__ebb_op", DataType::Int64, false),
        Field::new("data", DataType::Utf8, true).with_metadata(kind),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(seqs.to_vec())),
        Arc::new(Int64Array::from(operations.to_vec())),
        Arc::new(StringArray::from(ids)),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[tokio::test]
async fn a_part_reads_back_as_it_was_stored_with_its_contents_told() {
    let folder = tempfile::tempdir().unwrap();
    let parts = FolderParts::new(&folder.path().join("state"));
    let batches = vec![batch(&[5, 6], &[0, 1]), batch(&[9], &[0])];
    let info = parts.put(id(1), 3, batches.clone()).await.unwrap();
    assert_eq!((info.number, info.first, info.last), (3, 5, 9));
    assert_eq!(info.changes, Tally { added: 2, updated: 1, deleted: 0 });
    let file = folder.path().join(format!("state/parts/{}/3.arrow", id(1)));
    let found = fs::metadata(&file).unwrap();
    assert_eq!(info.bytes, found.len());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let above = fs::metadata(file.parent().unwrap()).unwrap();
    assert_eq!(above.permissions().mode() & 0o777, 0o700);
    assert_eq!(parts.get(id(1), &info).await.unwrap(), batches);

    let again = parts.put(id(1), 3, batches[1..].to_vec()).await.unwrap();
    assert_eq!(parts.get(id(1), &again).await.unwrap(), batches[1..]);
    let names = fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(names, 1, "nothing is left of the way there");
}

#[tokio::test]
async fn a_part_that_is_not_what_was_stored_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let parts = FolderParts::new(folder.path());
    let info = parts.put(id(1), 0, vec![batch(&[1, 2, 3], &[0, 0, 0])]).await.unwrap();
    let file = folder.path().join(format!("parts/{}/0.arrow", id(1)));
    let whole = fs::read(&file).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&file, bytes).unwrap();
        let failure = parts.get(id(1), &info).await.unwrap_err();
        assert_eq!(failure.code, Code::PartDamaged, "byte {place}");
        assert_eq!(
            failure.message(),
            format!("part `0` of sync `{}` is not what was stored", id(1))
        );
    }
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(parts.get(id(1), &info).await.unwrap_err().code, Code::PartDamaged);
    parts.delete(id(1)).await.unwrap();
    parts.delete(id(1)).await.unwrap();
    let failure = parts.get(id(1), &info).await.unwrap_err();
    assert_eq!(failure.code, Code::PartDamaged);
    assert!(failure.message().ends_with("is missing"), "{failure}");
}

#[tokio::test]
async fn no_batches_are_a_part_too() {
    let folder = tempfile::tempdir().unwrap();
    let parts = FolderParts::new(folder.path());
    let info = parts.put(id(1), 0, Vec::new()).await.unwrap();
    assert_eq!(parts.get(id(1), &info).await.unwrap(), Vec::<RecordBatch>::new());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("parts"), "a file").unwrap();
    let parts = FolderParts::new(folder.path());
    let failure = parts.put(id(1), 0, vec![batch(&[1], &[0])]).await.unwrap_err();
    assert_eq!(failure.code, Code::StagingFull);
    assert!(failure.message().contains("0.arrow` was not stored"), "{failure}");
}

#[tokio::test]
#[ignore = "a child of another test"]
async fn stores_a_part_that_is_too_large() {
    let parts = FolderParts::new(&children::state());
    let seqs: Vec<i64> = (0..200_000).collect();
    let failure = parts.put(id(1), 0, vec![batch(&seqs, &seqs)]).await.unwrap_err();
    println!("told {failure}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let test = "parts::stores_a_part_that_is_too_large";
    let mut child = children::start_within(64, test, folder.path());
    let told = child.wait_for("told ");
    child.process.wait().unwrap();
    assert!(told.starts_with("R413: ") && told.ends_with("there is no room"), "{told}");
    let left = fs::read_dir(folder.path().join(format!("parts/{}", id(1)))).unwrap().count();
    assert_eq!(left, 0);
}
