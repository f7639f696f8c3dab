//! What the server's lists tell of Ebb's statements.

use super::server::{Server, job};

#[tokio::test]
async fn a_statement_of_a_sync_bears_its_label() {
    let Some(server) = Server::start("label").await else { return };
    server.run("create table orders (id int primary key); insert into orders values (7)").await;
    let source = server.source(server.settings());
    let job = job(&*source, 1, "select id from orders").await;
    let held = server.holding(&format!("lock tables {}.orders write", server.database)).await;
    let seen = async {
        let labelled = format!(
            "select exists (select 1 from information_schema.processlist \
             where db = '{}' and info like '/* ebb:users-to-hook:{} */ %')",
            server.database, job.sync
        );
        for _ in 0..200 {
            if server.value(&labelled).await == "1" {
                drop(held);
                return;
            }
            server.value("select sleep(0.05)").await;
        }
        panic!("no statement with the label is under way");
    };
    let (diff, ()) = tokio::join!(source.diff(&job), seen);
    assert_eq!(diff.unwrap().changes.added, 1);
}
