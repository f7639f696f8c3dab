//! Parts as files: `parts/<sync>/<number>.arrow`, an Arrow IPC stream with LZ4.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{RecordBatch, cast::AsArray, types::Int64Type};
use arrow_ipc::{
    CompressionType,
    reader::StreamReader,
    writer::{IpcWriteOptions, StreamWriter},
};
use arrow_schema::{ArrowError, Schema};
use async_trait::async_trait;
use ebb_core::{
    Code, Failure, Operation, PartNumber, SyncId, Tally,
    port::{PartInfo, Parts},
    record::{OP, SEQ},
};
use xxhash_rust::xxh3::Xxh3;

use crate::folder;

const BUFFER: usize = 256 * 1024;

/// Keeps parts in a folder of this machine.
///
/// A part is written under another name, made durable, then renamed: a name ending in `.arrow` is
/// a whole part. What an interrupted write left is written over or goes with its sync.
#[derive(Debug, Clone)]
pub struct FolderParts {
    root: PathBuf,
}

impl FolderParts {
    /// Parts under `<state>/parts`. Nothing is made before the first part is stored.
    pub fn new(state: &Path) -> Self {
        Self { root: state.join("parts") }
    }

    fn folder(&self, sync: SyncId) -> PathBuf {
        self.root.join(sync.to_string())
    }

    fn file(&self, sync: SyncId, number: PartNumber) -> PathBuf {
        self.folder(sync).join(format!("{number}.arrow"))
    }
}

#[async_trait]
impl Parts for FolderParts {
    async fn put(
        &self,
        sync: SyncId,
        number: PartNumber,
        batches: Vec<RecordBatch>,
    ) -> Result<PartInfo, Failure> {
        let path = self.file(sync, number);
        blocking(move || store(&path, number, &batches).map_err(|error| not_stored(&path, error)))
            .await
    }

    async fn get(&self, sync: SyncId, part: &PartInfo) -> Result<Vec<RecordBatch>, Failure> {
        let path = self.file(sync, part.number);
        let part = part.clone();
        blocking(move || load(&path, &part).map_err(|error| damaged(sync, part.number, error)))
            .await
    }

    async fn delete(&self, sync: SyncId) -> Result<(), Failure> {
        let path = self.folder(sync);
        blocking(move || match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(not_stored(&path, error.into()))
            }
            Ok(()) | Err(_) => Ok(()),
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Interrupted, "work on a staged part was interrupted")
            .caused_by(error))
    })
}

/// Counts and digests what passes through to the file.
struct Digesting<W> {
    inner: W,
    bytes: u64,
    digest: Xxh3,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(buffer)?;
        self.bytes += taken as u64;
        self.digest.update(buffer.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn store(path: &Path, number: PartNumber, batches: &[RecordBatch]) -> Result<PartInfo, ArrowError> {
    let temporary = path.with_extension("arrow.tmp");
    let written = write(&temporary, batches).and_then(|(bytes, digest)| {
        std::fs::rename(&temporary, path)?;
        if let Some(folder) = path.parent() {
            folder::sync(folder)?;
        }
        Ok((bytes, digest))
    });
    let (bytes, digest) = written.inspect_err(|_| {
        // Gives the room back; if even that fails, the first error is the one to tell.
        drop(std::fs::remove_file(&temporary));
    })?;
    let (first, last, changes) = contents(batches);
    Ok(PartInfo { number, first, last, changes, bytes, digest })
}

fn write(path: &Path, batches: &[RecordBatch]) -> Result<(u64, String), ArrowError> {
    if let Some(parent) = path.parent()
        && !parent.exists()
    {
        folder::create(parent)?;
        for above in parent.ancestors().skip(1).take(2) {
            folder::sync(above)?;
        }
    }
    let file = folder::private_file().truncate(true).open(path)?;
    let digesting = Digesting { inner: &file, bytes: 0, digest: Xxh3::new() };
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let buffer = BufWriter::with_capacity(BUFFER, digesting);
    let mut writer = StreamWriter::try_new_with_options(buffer, &schema, options)?;
    for batch in batches {
        writer.write(batch)?;
    }
    let written = writer.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok((written.bytes, hexadecimal(&written.digest)))
}

fn hexadecimal(digest: &Xxh3) -> String {
    format!("{:032x}", digest.digest128())
}

/// The lowest and the highest `seq`, and the changes by operation.
fn contents(batches: &[RecordBatch]) -> (u64, u64, Tally) {
    let mut changes = Tally::default();
    let mut range: Option<(u64, u64)> = None;
    for batch in batches {
        let integers = |name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        for seq in integers(SEQ).into_iter().flatten().flatten() {
            let seq = seq.unsigned_abs();
            range = Some(range.map_or((seq, seq), |(low, high)| (low.min(seq), high.max(seq))));
        }
        for number in integers(OP).into_iter().flatten().flatten() {
            if let Some(operation) = Operation::of_number(number) {
                *changes.of(operation) += 1;
            }
        }
    }
    let (first, last) = range.unwrap_or_default();
    (first, last, changes)
}

/// Digests the whole file before a byte of it is believed.
fn load(path: &Path, part: &PartInfo) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut file = File::open(path)?;
    let mut digest = Xxh3::new();
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        let taken = file.read(&mut buffer)?;
        if taken == 0 {
            break;
        }
        bytes += taken as u64;
        digest.update(buffer.get(..taken).unwrap_or_default());
    }
    let found = hexadecimal(&digest);
    if bytes != part.bytes || found != part.digest {
        let message = format!("{bytes} bytes with digest {found}");
        return Err(ArrowError::IpcError(message));
    }
    file.rewind()?;
    StreamReader::try_new(BufReader::with_capacity(BUFFER, file), None)?.collect()
}

fn damaged(sync: SyncId, number: PartNumber, error: ArrowError) -> Failure {
    let gone =
        matches!(&error, ArrowError::IoError(_, cause) if cause.kind() == ErrorKind::NotFound);
    let what = if gone { "is missing" } else { "is not what was stored" };
    Failure::new(Code::PartDamaged, format!("part `{number}` of sync `{sync}` {what}"))
        .caused_by(error)
}

fn not_stored(path: &Path, error: ArrowError) -> Failure {
    let kind = if let ArrowError::IoError(_, cause) = &error { Some(cause.kind()) } else { None };
    let what = match kind {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
            "there is no room"
        }
        Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            "it may not be written"
        }
        _ => "writing failed",
    };
    Failure::new(Code::StagingFull, format!("`{}` was not stored: {what}", path.display()))
        .caused_by(error)
}
