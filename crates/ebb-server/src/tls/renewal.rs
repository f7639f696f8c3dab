//! Certificates are renewed by other programs while the server runs.

use std::{io, time::Duration};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Certificate;

/// How often the files are looked at. They are small, and some programs that renew them tell nobody.
const EVERY: Duration = Duration::from_mins(1);

/// Takes over what is new in the certificate's files, every minute and at once on SIGHUP, until `stop`
/// says otherwise. Connections that exist keep what they began with.
pub(crate) async fn follow(
    mut certificate: Certificate,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut asked = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
            _ = asked.recv() => {}
        }
        match certificate.renew() {
            Ok(true) => tracing::info!("a renewed certificate was taken over"),
            Ok(false) => {}
            // Certificate and key are seldom written in one moment: the next look may find both.
            Err(failure) => {
                tracing::error!(%failure, "a renewed certificate cannot be used; the one before is kept");
            }
        }
    }
}
