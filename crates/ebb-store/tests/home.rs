//! A state folder and its control database, on either engine.

use std::path::Path;

use ebb_core::Failure;
use ebb_store::{Database, DatabaseUrl};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

/// Where a test keeps its state. All of it goes when this is dropped.
pub(crate) struct Home {
    folder: TempDir,
    /// The schema on the private cluster, where that keeps the control database.
    schema: Option<String>,
}

/// The superuser's URL of the private cluster, if there is one; `./test` always has one.
pub(crate) fn cluster() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how the test script names the cluster")]
    std::env::var("EBB_TEST_POSTGRES_URL").ok()
}

impl Home {
    pub(crate) fn on_sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), schema: None }
    }

    pub(crate) fn on_postgres() -> Option<Self> {
        cluster()?;
        // Not by the process's number, which a machine gives out again during a run of all tests.
        let schema = Some(format!("store_{:016x}", fastrand::u64(..)));
        Some(Self { folder: tempfile::tempdir().unwrap(), schema })
    }

    /// Another one on the same engine.
    pub(crate) fn another(&self) -> Self {
        if self.schema.is_some() { Self::on_postgres().unwrap() } else { Self::on_sqlite() }
    }

    pub(crate) fn state(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of the control database, if it lies on the cluster. Its sessions bear the schema's name.
    pub(crate) fn url(&self) -> Option<String> {
        let schema = self.schema.as_ref()?;
        Some(format!("{}?search_path={schema}&application_name={schema}", cluster()?))
    }

    pub(crate) fn schema(&self) -> &str {
        self.schema.as_deref().unwrap()
    }

    pub(crate) fn open(&self) -> Database {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Database, Failure> {
        open(self.state(), self.url().as_deref())
    }

    /// Ends all connections of the control database.
    pub(crate) async fn cut(&self, admin: &Client) -> u64 {
        let cut =
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1";
        admin.execute(cut, &[&self.schema()]).await.unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(schema) = self.schema.take() else { return };
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let (admin, _connection) = admin().await;
                let drop = format!("drop schema if exists {schema} cascade");
                admin.batch_execute(&drop).await.unwrap();
            });
        });
        dropped.join().unwrap();
    }
}

/// Opens a state folder's control database.
pub(crate) fn open(state: &Path, url: Option<&str>) -> Result<Database, Failure> {
    match url {
        Some(url) => Database::connect(state, &url.parse::<DatabaseUrl>()?),
        None => Database::open(state),
    }
}

/// The cluster's superuser.
pub(crate) async fn admin() -> (Client, JoinSet<()>) {
    let (client, connection) = tokio_postgres::connect(&cluster().unwrap(), NoTls).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move { connection.await.unwrap_or_default() });
    (client, driver)
}

/// Runs every test on both engines.
macro_rules! on_both_engines {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::home::Home::on_sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(home) = $crate::home::Home::on_postgres() {
                    super::$test(home).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_engines;
