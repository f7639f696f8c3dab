//! The shop: the same rows at every run.

use std::path::Path;

use ebb_core::{Code, Failure};
use rusqlite::{Connection, params};

pub(super) const CUSTOMERS: u32 = 50_000;
pub(super) const ORDERS: u32 = 50_000;
pub(super) const UPDATED: u32 = 400;
pub(super) const ADDED: u32 = 60;
pub(super) const DELETED: u32 = 40;

const FIRST: [&str; 8] = ["Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gül", "Hugo"];
const LAST: [&str; 7] = ["Lee", "Novak", "Öztürk", "Rossi", "Smith", "Tanaka", "Weiß"];

/// Makes the database with its customers and orders.
pub(super) fn create(file: &Path) -> Result<(), Failure> {
    write(file, |shop| {
        shop.execute_batch(
            "create table customers (
               id integer primary key, email text not null, first_name text not null,
               last_name text not null, newsletter boolean not null, updated_at text not null);
             create table orders (
               id integer primary key, customer_id integer not null, cents integer not null);
             create index orders_of_customer on orders (customer_id);",
        )?;
        insert(shop, 1..=CUSTOMERS)?;
        let mut random = fastrand::Rng::with_seed(1);
        let mut order = shop.prepare("insert into orders values (?, ?, ?)")?;
        for id in 1..=ORDERS {
            order.execute(params![id, random.u32(1..=CUSTOMERS), random.u32(199..25_000)])?;
        }
        Ok(())
    })
}

/// What happens overnight.
pub(super) fn change(file: &Path) -> Result<(), Failure> {
    write(file, |shop| {
        shop.execute(
            "update customers set newsletter = not newsletter, updated_at = '2026-01-16'
             where id <= ?",
            [UPDATED],
        )?;
        shop.execute("delete from customers where id > ?", [CUSTOMERS - DELETED])?;
        insert(shop, CUSTOMERS + 1..=CUSTOMERS + ADDED)
    })
}

fn insert(shop: &Connection, ids: impl Iterator<Item = u32>) -> rusqlite::Result<()> {
    let mut customer =
        shop.prepare("insert into customers values (?, ?, ?, ?, ?, '2026-01-15')")?;
    for id in ids {
        let name = |names: &[&'static str]| {
            let place = usize::try_from(id).unwrap_or_default() % names.len();
            names.get(place).copied().unwrap_or_default()
        };
        let email = format!("customer{id}@example.com");
        customer.execute(params![id, email, name(&FIRST), name(&LAST), id % 3 == 0])?;
    }
    Ok(())
}

fn write(
    file: &Path,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Failure> {
    let written = || {
        let mut shop = Connection::open(file)?;
        let transaction = shop.transaction()?;
        work(&transaction)?;
        transaction.commit()
    };
    written().map_err(|error| {
        Failure::new(Code::SourceFull, "the shop's database cannot be written").caused_by(error)
    })
}
