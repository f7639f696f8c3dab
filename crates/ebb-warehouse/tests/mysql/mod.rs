//! What is MariaDB's and MySQL's own, on the private server that `EBB_TEST_MYSQL_URL` names.

mod failures;
mod interrupted;
mod label;
mod server;
mod types;

pub(crate) use server::Server;
