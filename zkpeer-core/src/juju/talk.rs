//! Talking to a child process: its input is written while its output is read, and the wait has a limit.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// The most that a process may print; what prints more has gone wild.
const MOST: usize = 256 << 20;

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; 128 and the number of the signal if one killed it.
    pub(crate) code: i32,
    /// What it wrote to standard output.
    pub(crate) stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub(crate) stderr: Vec<u8>,
}

/// Talks to the process until it has ended; `None` if it has not when the time is over.
///
/// What counts is the end of the process, not of its output: something that it started may hold the pipes for ever.
pub(crate) fn until_end(child: &mut Child, mut input: &[u8], limit: Duration) -> io::Result<Option<Ended>> {
    let deadline = Instant::now().checked_add(limit);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(ErrorKind::InvalidData)?;
    // Kernels before 5.3 have none; then what counts is the end of the output.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok();
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let pipes = [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
    for pipe in pipes.into_iter().flatten() {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    loop {
        let mut fds: Vec<PollFd<'_>> = pidfd.iter().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)).collect();
        fds.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        fds.extend(stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ended = pidfd.is_some() && !fds[0].revents().is_empty();
        write_some(&mut stdin, &mut input)?;
        read_some(&mut stdout, &mut said)?;
        read_some(&mut stderr, &mut complained)?;
        let silent = stdout.is_none() && stderr.is_none();
        if ended || (pidfd.is_none() && silent) {
            let status = child.wait()?;
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
            return Ok(Some(Ended { code, stdout: said, stderr: complained }));
        }
    }
}

/// Writes what the pipe takes, and closes it after the last byte.
fn write_some(pipe: &mut Option<ChildStdin>, input: &mut &[u8]) -> io::Result<()> {
    while let Some(open) = pipe {
        match open.write(input) {
            Ok(written) => *input = &input[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The process does not want to hear more; its exit code says what it thinks.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => *input = &[],
            Err(error) => return Err(error),
        }
        if input.is_empty() {
            *pipe = None;
        }
    }
    Ok(())
}

/// Reads what is there, and closes the pipe at its end.
fn read_some(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    while let Some(open) = pipe {
        match open.read(&mut chunk) {
            Ok(0) => *pipe = None,
            Ok(_) if into.len() > MOST => {
                return Err(io::Error::other(format!("it prints more than {} MiB", MOST >> 20)));
            }
            Ok(read) => into.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn sh(script: &str, input: &[u8], limit: Duration) -> Option<Ended> {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ended = until_end(&mut child, input, limit).unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        ended
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn megabytes_go_both_ways_at_once() {
        let input = vec![b'x'; 3 << 20];
        let ended = sh("tee /dev/stderr", &input, LONG).unwrap();
        assert_eq!((ended.code, ended.stdout.len(), ended.stderr.len()), (0, 3 << 20, 3 << 20));
    }

    #[test]
    fn input_that_nobody_reads_is_no_failure() {
        let ended = sh("exit 3", &vec![b'x'; 1 << 20], LONG).unwrap();
        assert_eq!(ended.code, 3);
    }

    #[test]
    fn a_child_that_outlives_the_process_and_holds_its_pipes_is_not_waited_for() {
        let ended = sh("sleep 100 & echo started; exit 0", b"", LONG).unwrap();
        assert_eq!((ended.code, ended.stdout.as_slice()), (0, b"started\n".as_slice()));
    }

    #[test]
    fn a_signal_is_told_as_a_code() {
        assert_eq!(sh("kill -9 $$", b"", LONG).unwrap().code, 137);
    }

    #[test]
    fn the_wait_has_a_limit() {
        assert!(sh("exec sleep 100", b"", Duration::from_millis(50)).is_none());
    }
}
