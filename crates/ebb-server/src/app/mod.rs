//! What every request works with.

mod again;
mod apart;
mod apply;
mod configuration;
mod draft;
mod edit;
mod effect;
mod mappings;
mod operations;
mod people;
mod rehearsal;
mod requests;
mod tables;
mod trials;
mod way;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use ebb_core::{
    Code, Failure,
    config::Problem,
    port::{Clock, Store, SyncRecord},
};
use ebb_engine::{Engine, Entry, Scheduler, Timetable, WhyNot, Work};
use ebb_store::{Database, ServerLock};
use ebb_workspace::{Keys, SystemClock, Vault, Workspace};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use ulid::Ulid;

use crate::{
    access::{Gate, Throttle, first_owner},
    alerts::Alerts,
    metrics::Metrics,
};
pub(crate) use apart::secret_keys;
pub(crate) use apply::{Doing, Plan, Planned, Wanted};
pub(crate) use configuration::{Configuration, Section, is_secret, shown};
pub(crate) use draft::Draft;
pub(crate) use edit::Change;
pub(crate) use effect::{Extent, Touched};
use mappings::Current;
pub(crate) use operations::{Said, Tried};
pub(crate) use rehearsal::{Drafted, Rehearsal};
pub(crate) use requests::JobRun;
pub use way::Way;

/// A server's state. One for all requests.
pub struct App {
    pub(crate) store: Arc<Database>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) scheduler: Scheduler,
    pub(crate) throttle: Throttle,
    /// The identity provider by whom people sign in, if there is one.
    pub(crate) gate: Option<Gate>,
    pub(crate) metrics: Metrics,
    pub(crate) alerts: Alerts,
    pub(crate) way: Way,
    /// What goes on although whoever asked for it may have hung up.
    pub(crate) finishing: TaskTracker,
    /// The address that is listened on, as a browser of this machine writes it.
    listens_at: OnceLock<String>,
    current: Arc<Current>,
    vault: Vault,
    /// Changes of the configuration are made one after the other.
    editing: Mutex<()>,
    _serving: ServerLock,
}

/// What a server begins with.
#[derive(Debug)]
pub struct Started {
    /// The path of the link by which the first owner joins, while there is none.
    pub first_owner: Option<String>,
}

impl App {
    /// Opens the configuration and the control database. `key` is `EBB_KEY`; without one the key lies in
    /// the state folder.
    pub async fn open(
        files: Workspace,
        key: Option<&str>,
        way: Way,
    ) -> Result<(Arc<Self>, Started), Vec<Problem>> {
        let (engine, store) = files.engine().map_err(alone)?;
        let serving = store.serve().await.map_err(alone)?;
        let vault = Keys::new(&files.project.state, key).vault(&store).await.map_err(alone)?;
        engine.purge().await.map_err(alone)?;
        let configuration = Configuration::load(Arc::new(files.guarded()), &store, &vault).await?;
        let current = Arc::new(Current::new(configuration));
        let table = timetable(&current.configuration(), &store).await.map_err(alone)?;
        let engine = Arc::new(engine);
        let scheduler = Scheduler::new(Arc::clone(&engine), Arc::<Current>::clone(&current), table);
        let alerts = Alerts::load(&store, &current.configuration().workspace.network)
            .await
            .map_err(alone)?;
        let oidc = current.configuration().workspace.project.sign_in.oidc.clone();
        let gate = oidc.map(Gate::new).transpose().map_err(alone)?;
        let first_owner = first_owner(&store, SystemClock.now()).await.map_err(alone)?;
        let app = Self {
            store,
            engine,
            scheduler,
            throttle: Throttle::default(),
            gate,
            metrics: Metrics::default(),
            alerts,
            way,
            finishing: TaskTracker::new(),
            listens_at: OnceLock::new(),
            current,
            vault,
            editing: Mutex::default(),
            _serving: serving,
        };
        Ok((Arc::new(app), Started { first_owner }))
    }

    /// `A617` where nobody signs in by a password.
    pub(crate) fn takes_passwords(&self) -> Result<(), Failure> {
        if self.configuration().workspace.project.sign_in.password {
            return Ok(());
        }
        Err(Failure::new(Code::PasswordsOff, "nobody signs in by a password here"))
    }

    /// Remembers where the server listens.
    pub(crate) fn listens_at(&self, scheme: &str, address: SocketAddr) {
        self.listens_at.get_or_init(|| format!("{scheme}://{address}"));
    }

    /// Where browsers reach the server, without a `/` at its end: what the project says, or else where the
    /// server listens.
    pub(crate) fn url(&self) -> String {
        let given = self.configuration().workspace.project.url.clone();
        let url = given.or_else(|| self.listens_at.get().cloned()).unwrap_or_default();
        url.trim_end_matches('/').to_owned()
    }

    /// The configuration as it is now.
    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        self.current.configuration()
    }

    /// Runs syncs by their schedules, and tells what goes wrong, until `stop` says otherwise.
    pub async fn run_schedules(&self, stop: &CancellationToken, tell: impl Fn(&SyncRecord) + Sync) {
        let ended = |sync: &SyncRecord| {
            self.alerts.look();
            self.metrics.ended(sync);
            tell(sync);
        };
        tokio::join!(self.scheduler.run(stop, ended), self.alerts.run(self, stop));
    }

    /// What each mapping does next, in words of the scheduler.
    pub fn outlooks(&self) -> Vec<(String, ebb_engine::Outlook)> {
        let configuration = self.configuration();
        let names = configuration.workspace.project.mappings.keys();
        self.scheduler.with(|table| {
            names.filter_map(|name| Some((name.clone(), table.outlook(name)?))).collect()
        })
    }
}

/// An identity that sorts by time.
pub(crate) fn new_id() -> String {
    let milliseconds = u64::try_from(SystemClock.now().as_millisecond()).unwrap_or_default();
    Ulid::from_parts(milliseconds, fastrand::u128(..)).to_string().to_ascii_lowercase()
}

fn alone(failure: Failure) -> Vec<Problem> {
    vec![failure.into()]
}

/// All mappings. A schedule counts from the mapping's latest sync: what was missed since is made up for
/// once. One that never synced begins at once, if its schedule is an interval.
async fn timetable(configuration: &Configuration, store: &Database) -> Result<Timetable, Failure> {
    let workspace = &configuration.workspace;
    let mut table = Timetable::default();
    for (name, source) in &workspace.project.sources {
        table.set_places(name, source.max_concurrent_syncs);
    }
    for name in workspace.project.mappings.keys() {
        let latest = store.latest_sync(name).await?;
        let since = latest.as_ref().map_or_else(|| SystemClock.now(), |sync| sync.started_at);
        let entry = Entry { at_once: latest.is_none(), ..entry(workspace, name, since)? };
        // Killed once more before the sync that was to make up for it began.
        let lost = latest.as_ref().and_then(|sync| sync.failure.as_ref());
        let lost = lost.is_some_and(|failure| failure.code == Code::Interrupted);
        let interrupted = entry.off.is_none() && (lost || store.unfinished(name).await?.is_some());
        let at_limit = |sync: &SyncRecord| {
            sync.failure.as_ref().is_some_and(|failure| failure.code == Code::UsageLimit)
        };
        // What the limit of usage cut short goes on by itself, as soon as it may.
        let cut_short = entry.off.is_none() && latest.as_ref().is_some_and(at_limit);
        let open = latest.as_ref().filter(|sync| lost || cut_short || !sync.status.is_final());
        let rest = open.map_or(Work::Sync, Work::rest_of);
        table.set(name, entry);
        if interrupted || cut_short {
            table.request(name, rest);
        }
    }
    Ok(table)
}

/// A mapping as the timetable needs it.
fn entry(workspace: &Workspace, name: &str, since: Timestamp) -> Result<Entry, Failure> {
    let mapping = workspace.mapping(name)?;
    Ok(Entry {
        schedule: mapping.schedule.clone(),
        source: workspace.model(&mapping.model)?.source.clone(),
        since,
        at_once: false,
        off: off(workspace, name),
    })
}

fn off(workspace: &Workspace, mapping: &str) -> Option<WhyNot> {
    let failure = workspace.enabled(mapping).err()?;
    let destination = failure.code == Code::DestinationDisabled;
    Some(if destination { WhyNot::DestinationOff } else { WhyNot::SwitchedOff })
}
