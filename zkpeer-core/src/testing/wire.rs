//! Messages between the hook-command program and the agent; the program's own page, `hook-command/main.rs`, describes them.

use super::command::{Answer, Request};

/// The hook-command program, compiled by `build.rs`.
pub(crate) const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hook-command"));

/// No request may be longer; Juju's own limit is far above what its database takes.
const MAX_REQUEST: usize = 256 << 20;

/// What stands at the beginning of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Not a whole request yet.
    Part,
    /// A request, and how many bytes it took.
    Request(Request<'static>, usize),
    /// Nothing that the program sends.
    Nonsense,
}

/// Reads a request from the bytes received so far.
pub(crate) fn request(bytes: &[u8]) -> Received {
    let Some((head, rest)) = bytes.split_first_chunk() else { return Received::Part };
    let length = u32::from_le_bytes(*head) as usize;
    if length > MAX_REQUEST {
        return Received::Nonsense;
    }
    let Some(mut body) = rest.get(..length) else { return Received::Part };
    let mut fields: Vec<&[u8]> = Vec::new();
    while let Some((head, rest)) = body.split_first_chunk() {
        let Some((field, rest)) = rest.split_at_checked(u32::from_le_bytes(*head) as usize) else {
            return Received::Nonsense;
        };
        fields.push(field);
        body = rest;
    } // What is not UTF-8 arrives as Juju stores it, with replacement characters.
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let [context_id, directory, name, given, stdin, args @ ..] = fields.as_slice() else { return Received::Nonsense };
    let request = Request {
        context_id: text(context_id).into(),
        directory: text(directory).into(),
        name: text(name).into(),
        args: args.iter().map(|arg| text(arg)).collect(),
        stdin: (*given == b"1").then(|| stdin.to_vec().into()),
    };
    Received::Request(request, length + 4)
}

/// An answer as bytes.
pub(crate) fn response(answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::Refused(reason) => message(&["refused", reason]),
        Answer::Done(output) => message(&["done", &output.code.to_string(), &output.stdout, &output.stderr]),
    }
}

fn message(fields: &[&str]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut body = Vec::new();
    for field in fields {
        body.extend_from_slice(&length(field.len()));
        body.extend_from_slice(field.as_bytes());
    }
    [&length(body.len())[..], &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_whole_or_not_at_all() {
        let bytes = message(&["id", "/c", "relation-get", "1", "in", "-", "zk/0"]);
        for end in 0..bytes.len() {
            assert_eq!(request(&bytes[..end]), Received::Part);
        }
        let Received::Request(read, used) = request(&bytes) else { panic!("no request") };
        assert_eq!((used, read.args.len(), read.stdin.as_deref()), (bytes.len(), 2, Some(&b"in"[..])));
        assert_eq!(request(b"GET / HTTP/1.1\r\n"), Received::Nonsense);
        assert_eq!(request(&message(&["too", "short"])), Received::Nonsense);
    }
}
