//! `ebb demo`: the whole story on one machine, without set-up or network.

mod receiver;
mod shop;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ebb_core::{Code, Failure, port::SyncRecord};
use ebb_engine::{Approval, Mappings, Watch};
use serde_json::json;

use self::receiver::Receiver;
use ebb_workspace::Workspace;

use crate::{
    cli::Global,
    commands::serve::{Listening, serve},
    report::{Finish, Stop, print_json, print_text},
    terminal, view,
};

/// See it work: an embedded shop database, a receiver, two syncs, and what was sent
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A new or empty folder for the project; a temporary one if absent
    directory: Option<PathBuf>,
    /// Leave the demo running with its page, until Ctrl-C
    #[arg(long)]
    serve: bool,
    #[command(flatten)]
    listening: Listening,
}

/// How often what the CRM received is told while the demo is served.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The two mappings: who is there, and who left.
const MAPPINGS: [&str; 2] = ["customers-to-crm", "leavers-to-crm"];

/// Makes the shop, syncs it, changes it, syncs it again, and compares what arrived with what was
/// changed.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let folder = folder(arguments.directory.as_deref())?;
    let say = |text: &str| {
        if !global.json {
            print_text(text);
        }
    };
    say(&format!("project folder: {}\n\n", folder.display()));
    shop::create(&folder.join("shop.db"))?;
    say(&format!(
        "1. A shop database with {} customers and {} orders lies in shop.db.\n",
        shop::CUSTOMERS,
        shop::ORDERS
    ));
    let receiver = Receiver::start().await?;
    write_project(&folder, &receiver.address())?;
    say(&format!("   A receiver plays the CRM at {}.\n\n", receiver.address()));

    let workspace = Workspace::open(&folder)?;
    say("2. The first sync: every customer is new to the CRM.\n");
    let mut syncs = sync(&workspace, global).await?;
    let first = receiver.take();
    say(&format!("   The CRM received {} records.\n\n", first.records));

    shop::change(&folder.join("shop.db"))?;
    say(&format!(
        "3. Overnight, {} customers change, {} come and {} leave: {} rows of {}.\n\n",
        shop::UPDATED,
        shop::ADDED,
        shop::DELETED,
        shop::UPDATED + shop::ADDED + shop::DELETED,
        shop::CUSTOMERS,
    ));
    say("4. The second sync: the diff in the database finds exactly those.\n");
    syncs.extend(sync(&workspace, global).await?);
    let second = receiver.take();
    let expected = [shop::CUSTOMERS, shop::UPDATED + shop::ADDED + shop::DELETED].map(u64::from);
    let received = [first.records, second.records];
    let right = received == expected;
    say(&format!("   The CRM received {} records, for example:\n", second.records));
    for sample in &second.samples {
        say(&format!("   {sample}\n"));
    }
    if global.json {
        print_json(&json!({
            "folder": folder,
            "syncs": syncs.iter().map(|sync| view::sync(sync, &[])).collect::<Vec<_>>(),
            "received": received,
            "expected": expected,
            "ok": right,
        }));
    }
    say(if right {
        "\nEvery change arrived once, and nothing else did.\n"
    } else {
        "\nWhat arrived is not what was changed.\n"
    });
    say(&format!("Look around with: ebb syncs --project {}\n", folder.display()));
    if arguments.serve {
        say(&format!(
            "\nTry it in the page: a source of kind SQLite with the path shop.db, a model over it, and a \
             webhook whose url is {}/by-hand\n\n",
            receiver.address()
        ));
        let arrivals = async {
            loop {
                tokio::time::sleep(TOLD_EVERY).await;
                let arrived = receiver.take();
                if arrived.records > 0 {
                    say(&format!("The CRM received {} records.\n", arrived.records));
                }
            }
        };
        return tokio::select! {
            ended = serve(workspace, &arguments.listening, global) => ended,
            () = arrivals => Ok(Finish::Done),
        };
    }
    Ok(if right { Finish::Done } else { Finish::DoneWithFailures })
}

async fn sync(workspace: &Workspace, global: &Global) -> Result<Vec<SyncRecord>, Stop> {
    let (engine, _store) = workspace.engine()?;
    let watch = Watch::default();
    let mut syncs = Vec::new();
    for mapping in MAPPINGS {
        let run =
            Box::pin(engine.sync(workspace, workspace.plan(mapping)?, Approval::Guarded, &watch));
        for sync in terminal::watched(run, mapping, &watch, global.json).await? {
            if !global.json {
                print_text(&indented(&view::sync_text(&sync, &[])));
            }
            syncs.push(sync);
        }
    }
    Ok(syncs)
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |text, line| text + "   " + line + "\n")
}

fn folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = wanted.map_or_else(
        || std::env::temp_dir().join(format!("ebb-demo-{:08x}", fastrand::u32(..))),
        Path::to_owned,
    );
    let unusable = |error: std::io::Error| {
        let message = format!("the folder `{}` cannot be made", folder.display());
        Failure::new(Code::FileMissing, message).caused_by(error)
    };
    fs::create_dir_all(&folder).map_err(unusable)?;
    if fs::read_dir(&folder).map_err(unusable)?.next().is_some() {
        let message = format!("the folder `{}` is not empty", folder.display());
        return Err(Failure::new(Code::ConfigValue, message).help("Name a new folder"));
    }
    Ok(folder)
}

fn write_project(folder: &Path, receiver: &str) -> Result<(), Failure> {
    let text = include_str!("shop.yaml").replace("RECEIVER", receiver);
    fs::write(folder.join("ebb.yaml"), text).map_err(|error| {
        Failure::new(Code::FileMissing, "the project cannot be written").caused_by(error)
    })
}
