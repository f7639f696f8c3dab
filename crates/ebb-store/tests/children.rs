//! Other processes: this test binary again, running one ignored test of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

const STATE: &str = "EBB_STORE_TEST_STATE";

/// A child that runs an ignored test of this binary on a state folder.
pub(crate) struct Other {
    pub(crate) process: Child,
    pub(crate) lines: std::io::Lines<BufReader<ChildStdout>>,
}

/// Starts a child; `limit` is the largest file it may write, in kilobytes.
pub(crate) fn start(test: &str, state: &Path, limit: Option<u32>) -> Other {
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
    let mut process =
        command.args(arguments).env(STATE, state).stdout(Stdio::piped()).spawn().unwrap();
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
