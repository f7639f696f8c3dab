//! PostgreSQL as a source, on a real server: `EBB_TEST_POSTGRES_URL` names the superuser's database of
//! a private cluster, as `tests/postgres-cluster.sh` makes it. Without it these tests do nothing.

mod encryption;
mod failures;
mod server;
mod setup;
mod sync;
mod types;

pub(crate) use server::{Server, Source, described, model, records};
