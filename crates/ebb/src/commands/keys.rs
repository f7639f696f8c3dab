//! `ebb keys`: the key under which a server keeps secrets.

use ebb_workspace::Keys;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// The key under which a server keeps secrets
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Encrypt all secrets under a new key, while no server runs: that of `EBB_NEW_KEY`, or one made for the
    /// state folder
    Rotate,
}

/// Rotates the key.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let What::Rotate = arguments.what;
    let workspace = global.served()?;
    let store = workspace.store()?;
    let state = &workspace.project.state;
    let _no_server = store.serve().await?;
    let [key, next] = ["EBB_KEY", "EBB_NEW_KEY"].map(variable);
    let secrets = Keys::new(state, key.as_deref()).rotate(&store, next.as_deref()).await?;
    if global.json {
        print_json(&json!({ "secrets": secrets }));
    } else {
        print_text(&format!("{secrets} secrets are encrypted under the new key\n"));
        if next.is_some() {
            print_text("Start the server with EBB_KEY set to it.\n");
        }
    }
    Ok(Finish::Done)
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "settings that no file may hold")]
    std::env::var(name).ok()
}
