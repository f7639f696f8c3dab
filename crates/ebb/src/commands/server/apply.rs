//! `ebb apply`: sends a folder's configuration to a server.

use ebb_core::{Failure, config::Problem};
use ebb_workspace::Part;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{Address, Server, yaml};
use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    terminal::agreed,
};

/// What to do where nobody can be asked.
const UNASKED: &str = "Say `--yes` to apply without a question, or `--plan` to look only";

/// Send the project folder to a server, after a look at what would change there
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// Remove what was made on the server and the folder does not have
    #[arg(long)]
    prune: bool,
    /// Do not ask before changing anything
    #[arg(long)]
    yes: bool,
    /// Only say what would change
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
}

/// Plans, asks, applies: whole or not at all. A server that was changed between plan and answer refuses.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let Arguments { ref address, prune, yes, plan: only_plan } = *arguments;
    let part = Part::open(&global.project)?;
    let folder = json!({ "documents": part.documents()?, "prune": prune });
    let server = Server::of(address)?;
    let placed = |problems: Vec<Problem>| -> Vec<Problem> {
        problems.into_iter().map(|problem| part.placed(problem)).collect()
    };
    let planned = server.post("/apply/plan", &folder).await.map_err(placed)?;
    let changes = changes(&planned);
    if !global.json {
        print_text(&told(&planned)?);
    }
    let applied = changes > 0 && !only_plan && (yes || agreed("Apply this?", UNASKED)?);
    let planned = if applied {
        let state = planned.get("state").cloned().unwrap_or_default();
        server.post("/apply", &json!({ "state": state, "folder": folder })).await.map_err(placed)?
    } else {
        planned
    };
    if global.json {
        print_json(&json!({ "applied": applied, "steps": planned.get("steps") }));
    } else if applied {
        print_text("Applied.\n");
    }
    Ok(if applied || changes == 0 || only_plan { Finish::Done } else { Finish::DoneWithFailures })
}

fn steps(plan: &Value) -> impl Iterator<Item = &Value> {
    plan.get("steps").and_then(Value::as_array).into_iter().flatten()
}

fn doing(step: &Value) -> &str {
    step.get("doing").and_then(Value::as_str).unwrap_or_default()
}

fn changes(plan: &Value) -> usize {
    steps(plan).filter(|step| doing(step) != "keep").count()
}

/// What would change, for people: each entry with the lines that differ.
fn told(plan: &Value) -> Result<String, Failure> {
    let mut text = Vec::new();
    let count = |wanted: &str| steps(plan).filter(|step| doing(step) == wanted).count();
    for step in steps(plan) {
        let mark = match doing(step) {
            "create" => '+',
            "update" => '~',
            "delete" => '-',
            _ => continue,
        };
        let word = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        text.push(format!("{mark} {}.{}\n", word("section"), word("name")));
        if mark != '-' {
            text.push(differences(step)?);
        }
    }
    for touched in plan.get("effects").and_then(Value::as_array).into_iter().flatten() {
        let word = |key: &str| touched.get(key).and_then(Value::as_str).unwrap_or_default();
        text.push(meaning(word("mapping"), word("effect"), word("offers")));
    }
    let [created, updated, deleted, kept] = ["create", "update", "delete", "keep"].map(count);
    text.push(format!(
        "{created} to create, {updated} to update, {deleted} to delete, {kept} as they should be\n"
    ));
    Ok(text.concat())
}

/// What applying means for the records that a mapping sent before.
fn meaning(mapping: &str, effect: &str, offers: &str) -> String {
    let means = match effect {
        "other_destination" => "records that were sent stay at the old destination alone",
        "sent_again" => "its model reads otherwise, and what looks different is sent again",
        "all" => "its records are told apart otherwise, and all of them may be sent again",
        _ => "records that were sent stay as they are until they change",
    };
    let then = match offers {
        "backfill" => "; a backfill sends all of them again",
        "rebase" => "; a rebase before its next sync keeps it from that",
        _ => "",
    };
    format!("! mapping `{mapping}`: {means}{then}\n")
}

/// The lines of an entry that differ. A secret is told by its name.
fn differences(step: &Value) -> Result<String, Failure> {
    let side = |key: &str| match step.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(document) => yaml(document),
    };
    let (before, after) = (side("before")?, side("after")?);
    let mut text = Vec::new();
    for change in TextDiff::from_lines(&before, &after).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
        };
        text.push(format!("    {sign} {change}"));
    }
    for secret in step.get("secrets").and_then(Value::as_array).into_iter().flatten() {
        let key = secret.as_str().unwrap_or_default();
        text.push(format!("    + settings.{key}: (secret)\n"));
    }
    Ok(text.concat())
}
