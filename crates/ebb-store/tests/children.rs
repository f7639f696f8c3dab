//! Other processes: this test binary again, running one ignored test of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use ebb_store::Database;

use crate::home;

const STATE: &str = "EBB_STORE_TEST_STATE";
const URL: &str = "EBB_STORE_TEST_URL";

/// A child that runs an ignored test of this binary on a state folder.
pub(crate) struct Other {
    pub(crate) process: Child,
    pub(crate) lines: std::io::Lines<BufReader<ChildStdout>>,
}

/// Starts a child that [`open`]s a home's control database.
pub(crate) fn start_at(home: &home::Home, test: &str) -> Other {
    run(test, home.state(), home.url(), None)
}

/// Starts a child on a state folder; it may write no larger file, in kilobytes.
pub(crate) fn start_within(limit: u32, test: &str, state: &Path) -> Other {
    run(test, state, None, Some(limit))
}

fn run(test: &str, state: &Path, url: Option<String>, limit: Option<u32>) -> Other {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", test, "--ignored", "--nocapture", "--test-threads=1"];
    let mut command = match limit {
        None => Command::new(program),
        Some(kilobytes) => {
            // The signal is ignored, so that the write answers with an error as a full disk does.
            let script = format!("ulimit -f {}; trap '' XFSZ; exec \"$0\" \"$@\"", kilobytes * 2);
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).arg(program);
            shell
        }
    };
    command.args(arguments).env(STATE, state).envs(url.map(|url| (URL, url)));
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    Other { process, lines }
}

impl Other {
    /// The rest of the next line that has `mark`.
    pub(crate) fn wait_for(&mut self, mark: &str) -> String {
        loop {
            let line = self.lines.next().expect("the child says it before it ends").unwrap();
            if let Some((_, rest)) = line.split_once(mark) {
                return rest.to_owned();
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// In the child: the state folder.
pub(crate) fn state() -> std::path::PathBuf {
    std::env::var_os(STATE).expect("the parent gives the state folder").into()
}

/// In the child: the control database.
pub(crate) fn open() -> Database {
    #[expect(clippy::disallowed_methods, reason = "how its parent names it")]
    let url = std::env::var(URL).ok();
    home::open(&state(), url.as_deref()).unwrap()
}
