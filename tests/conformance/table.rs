//! Hook commands as a table: each with what it comes to.

use zkpeer_core::testing::CommandOutput;

use crate::stage::{CLIENT, Driver, METADATA, Play, Stage, answers_of};

/// Plays the test in this process on each of these versions, and with processes on the last of them only.
pub(crate) fn on_versions(versions: &[&str], test: impl Fn(&Stage<'_>)) {
    for version in versions {
        test(&Stage { driver: Driver::InProcess, version });
    }
    if let Some(version) = versions.last() {
        test(&Stage { driver: Driver::Processes, version });
    }
}

/// The hook in which commands are tried.
const HOOK: &str = "update-status";

/// Two units of `zk`, the first of which leads, with `zkpeer:0` among them, and one of `kafka`, related by `client:1`.
pub(crate) fn related(stage: &Stage<'_>) -> Play {
    let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.settle();
    model
}

impl Play {
    /// Runs these commands in a hook of their own; each comes to what stands beside it.
    pub(crate) fn try_all(&mut self, unit: &str, rows: &[(impl AsRef<str>, CommandOutput)]) {
        let lines: Vec<&str> = rows.iter().map(|(line, _)| line.as_ref()).collect();
        let seen = self.outputs_of(unit, &lines);
        assert_eq!(seen.len(), rows.len());
        for (seen, (line, expected)) in seen.iter().zip(rows) {
            assert_eq!(seen, expected, "{}", line.as_ref());
        }
    }

    /// Runs these commands in a hook of their own; what each comes to.
    pub(crate) fn outputs_of(&mut self, unit: &str, lines: &[impl AsRef<str>]) -> Vec<CommandOutput> {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        self.on(unit, HOOK, &lines);
        self.outputs(unit)
    }

    /// Runs a command that reads standard input in a hook of its own; what it comes to.
    pub(crate) fn output_with(&mut self, unit: &str, line: &str, stdin: &str) -> CommandOutput {
        self.on(unit, HOOK, &[line]).stdin(stdin);
        self.outputs(unit).remove(0)
    }

    /// Runs what is scripted for the hook, once.
    fn outputs(&mut self, unit: &str) -> Vec<CommandOutput> {
        let run = self.run_hook(unit, HOOK);
        self.unscript(HOOK);
        answers_of(&run)
    }
}
