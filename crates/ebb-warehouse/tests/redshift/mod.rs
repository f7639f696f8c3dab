//! Redshift as a source, on a double (see [`Double`]): `EBB_TEST_POSTGRES_URL` names the superuser's
//! database of a private cluster. Without it these tests do nothing.

mod double;
mod failures;
mod iam;
mod proxy;
mod sync;
mod types;
mod unload;
mod unloads;

pub(crate) use double::Double;
pub(crate) use proxy::Names;
