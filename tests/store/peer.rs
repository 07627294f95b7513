//! The process that runs charmhelpers; see `peer.py`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(crate) struct Peer {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let python = std::env::var_os("ZKPEER_PYTHON").expect(
            "ZKPEER_PYTHON does not name a Python with charmhelpers 1.2.1: run this suite with `tests/run store`",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("store/peer.py");
        let mut process = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} (from ZKPEER_PYTHON): {error}", python.display()));
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, requests, answers }
    }

    fn send(&mut self, request: &Value) {
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
    }

    /// Calls a function of `peer.py`: its name, then its arguments.
    pub(crate) fn call(&mut self, request: Value) -> Value {
        self.send(&request);
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{request}: {error}"));
        assert_eq!(answer[0], "ok", "{request}: {}", answer[1]);
        answer[1].take()
    }

    /// A map of texts.
    pub(crate) fn texts(&mut self, function: &str) -> Vec<(String, String)> {
        let answer = self.call(json!([function]));
        let texts = answer.as_object().unwrap().iter();
        texts.map(|(key, text)| (key.clone(), text.as_str().unwrap().to_owned())).collect()
    }

    /// Calls a function that does not come back.
    pub(crate) fn call_to_die(mut self, request: &Value) {
        self.send(request);
        // If it does come back, there is nothing more for it to do.
        drop(self.requests.take());
        assert!(!self.process.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its requests is the end of it.
        drop(self.requests.take());
        let _ = self.process.wait();
    }
}
