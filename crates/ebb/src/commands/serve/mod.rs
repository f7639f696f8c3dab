//! `ebb serve`: the page, the API and the schedules, until it is told to stop.

mod listening;

use std::{io, sync::Arc, time::Duration};

use ebb_core::{
    Code, Failure,
    port::{Clock, SyncRecord},
};
use ebb_engine::{Outlook, WhyNot};
use ebb_server::{App, Started};
use ebb_workspace::{SystemClock, Workspace};
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::listening::Front;
pub(crate) use self::listening::Listening;
use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Serve the page and the API, and sync by schedule, until it is told to stop (SIGTERM, Ctrl-C)
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    listening: Listening,
}

/// So long may syncs take to end once Ebb is told to stop. What does not make it is finished by the
/// next start.
const GRACE: Duration = Duration::from_secs(25);

/// Finishes what was interrupted, then starts every mapping's syncs when they are due, and answers
/// requests meanwhile.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    serve(global.served()?, &arguments.listening, global).await
}

/// Serves an opened project.
pub(crate) async fn serve(
    files: Workspace,
    listening: &Listening,
    global: &Global,
) -> Result<Finish, Stop> {
    let front = listening.front()?;
    let stop = CancellationToken::new();
    let signals = signals()?;
    #[expect(clippy::disallowed_methods, reason = "the one setting that no file may hold")]
    let key = std::env::var("EBB_KEY").ok();
    let (app, started) = App::open(files, key.as_deref(), front.way()).await?;
    let listener = listening.listen().await?;
    tell_start(&listener, front.scheme(), &started, global);
    tell_outlooks(&app, global);
    let tell = |sync: &SyncRecord| {
        if global.json {
            print_json(&view::sync(sync, &[]));
        } else {
            print_text(&view::sync_text(sync, &[]));
        }
    };
    let answers = answer(Arc::clone(&app), listener, front, stop.clone());
    let run = async {
        let ((), answered) = tokio::join!(app.run_schedules(&stop, tell), answers);
        answered
    };
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => Ok(ended),
        () = signals => {
            stop.cancel();
            tokio::time::timeout(GRACE, run).await
        }
    };
    match ended {
        Ok(Ok(())) => Ok(Finish::Done),
        Ok(Err(error)) => {
            let message = "the server could not go on answering";
            Err(Failure::new(Code::StateUnavailable, message).caused_by(error).into())
        }
        Err(_) => {
            tracing::warn!("some syncs did not end in time; the next start finishes them");
            Ok(Finish::DoneWithFailures)
        }
    }
}

async fn answer(
    app: Arc<App>,
    listener: TcpListener,
    front: Front,
    stop: CancellationToken,
) -> io::Result<()> {
    match front {
        Front::Loopback | Front::Proxy => ebb_server::serve(app, listener, stop).await,
        Front::Own(certificate) => ebb_server::serve_tls(app, listener, certificate, stop).await,
    }
}

/// Waits for somebody who wants Ebb to stop.
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| {
        let message = "the system does not tell when to stop";
        Failure::new(Code::StateUnavailable, message).caused_by(error)
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says where the page is, and how the first owner joins.
fn tell_start(listener: &TcpListener, scheme: &str, started: &Started, global: &Global) {
    let address = listener.local_addr().map(|address| format!("{scheme}://{address}"));
    let address = address.unwrap_or_default();
    let link = started.first_owner.as_ref().map(|path| format!("{address}{path}"));
    if global.json {
        print_json(&json!({ "address": address, "first_owner": link }));
        return;
    }
    print_text(&format!("Ebb is at {address}\n"));
    if let Some(link) = link {
        print_text(&format!("You are the first? Become the owner, once, at {link}\n"));
    }
}

/// Says when each mapping runs next, and if it will not, why not.
fn tell_outlooks(app: &App, global: &Global) {
    for (mapping, outlook) in app.outlooks() {
        if global.json {
            print_json(&json!({ "mapping": mapping, "next": outlook }));
        } else {
            print_text(&format!("{mapping}: {}\n", words(&outlook, SystemClock.now())));
        }
    }
}

fn words(outlook: &Outlook, now: Timestamp) -> String {
    match outlook {
        Outlook::Running => "syncs now".to_owned(),
        Outlook::Queued { .. } => "waits for its turn".to_owned(),
        Outlook::Paused { until } => {
            format!("paused until {until:.0}: the usage limit of the month is reached")
        }
        Outlook::Due { at } if *at <= now => "starts at once".to_owned(),
        Outlook::Due { at } => {
            let minutes = now.duration_until(*at).as_secs() / 60;
            format!("next sync at {at:.0}, in {} h {} min", minutes / 60, minutes % 60)
        }
        Outlook::After { mapping } => format!("follows `{mapping}`"),
        Outlook::AfterDbtCloudJob { job } => format!("follows the dbt Cloud job {job}"),
        Outlook::Idle { why } => match why {
            WhyNot::Manual => "only when somebody asks: its schedule is `manual`".to_owned(),
            WhyNot::SwitchedOff => "does not sync: it is switched off".to_owned(),
            WhyNot::DestinationOff => "does not sync: its destination is switched off".to_owned(),
            WhyNot::NeverDue => "does not sync: its schedule names no moment".to_owned(),
        },
    }
}
