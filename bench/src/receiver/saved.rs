//! Bodies in a file: each is its length (32 bits, little endian) and its bytes.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;

/// Writes bodies for a later replay.
#[derive(Debug)]
pub(super) struct BodyFile(BufWriter<File>);

impl BodyFile {
    /// Opens the file anew; what was in it is gone.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self(BufWriter::with_capacity(1 << 20, file)))
    }

    /// Appends one body.
    pub(super) fn append(&mut self, body: &[u8]) -> anyhow::Result<()> {
        let length = u32::try_from(body.len()).context("a body of more than 4 GiB")?;
        self.0.write_all(&length.to_le_bytes())?;
        Ok(self.0.write_all(body)?)
    }

    /// Makes everything so far readable by others.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }
}

/// All bodies of a file, in the order of their arrival.
pub(crate) fn read_saved(path: &Path) -> anyhow::Result<Vec<Bytes>> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut bodies = Vec::new();
    loop {
        let mut length = [0; 4];
        match reader.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(bodies),
            Err(error) => return Err(error.into()),
        }
        let mut body = vec![0; usize::try_from(u32::from_le_bytes(length))?];
        reader
            .read_exact(&mut body)
            .with_context(|| format!("`{}` ends within a body", path.display()))?;
        bodies.push(body.into());
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyFile, read_saved};

    #[test]
    fn saved_bodies_are_read_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bodies");
        let mut file = BodyFile::create(&path).unwrap();
        for body in ["[]", "", r#"[{"a":"x\ny"}]"#] {
            file.append(body.as_bytes()).unwrap();
        }
        file.flush().unwrap();
        assert_eq!(read_saved(&path).unwrap(), ["[]", "", r#"[{"a":"x\ny"}]"#]);
    }
}
