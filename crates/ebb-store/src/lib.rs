//! The control database, and the parts in the state folder of one machine.
//!
//! - [`Database`] is the port `Store`: `SQLite` in the state folder's `control.db`, or a schema on a PostgreSQL
//!   server. One writer thread groups the journal's entries into transactions; readers have connections of
//!   their own.
//! - [`FolderParts`] is the port `Parts`: Arrow IPC files under `parts/<sync>`.
//!
//! Both hold people's data: folders are made with mode 0700, files with 0600.

mod database;
mod folder;
mod lock;
mod parts;

pub use database::{
    Alert, AlertEnd, AlertFilter, AlertMessage, AlertTurn, AuditLine, ChannelState, Database,
    DatabaseUrl, Edit, Ending, Entry, Guest, Identity, Latest, Load, Notice, NoticeEvent, Once,
    Person, Sealed, ServerLock, SyncFilter, Token, Told,
};
pub use ebb_core::Role;
pub use parts::FolderParts;
