//! Both sides of the interface `job`: which of them it plays is in its metadata.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use zkpeer_core::metadata::Role;
use zkpeer_core::request_response::{Request, Requester, Responder};
use zkpeer_core::{Config, Endpoint, Interface, Result, Status, allow_finding, when};

#[derive(Serialize, Deserialize)]
struct Job {
    name: String,
    size: u64,
}

#[derive(Serialize, Deserialize)]
struct JobDone {
    result: u64,
    note: Option<String>,
}

impl Request for Job {
    type Response = JobDone;
}

struct Work(Requester<Job>);

impl Interface for Work {
    const ROLE: Role = Role::Requires;
    const NAME: &str = "job";
    const FLAGS: &[&str] = Requester::<Job>::FLAGS;

    fn new(endpoint: Endpoint) -> Self {
        Self(Requester::new(endpoint))
    }

    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

struct Jobs(Responder<Job>);

impl Interface for Jobs {
    const ROLE: Role = Role::Provides;
    const NAME: &str = "job";
    const FLAGS: &[&str] = Responder::<Job>::FLAGS;

    fn new(endpoint: Endpoint) -> Self {
        Self(Responder::new(endpoint))
    }

    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

#[when("endpoint.{endpoint_name}.joined")]
#[allow_finding(no_endpoint, reason = "it is for the charm of requests")]
fn ask(work: Work, config: Config) -> Result {
    let jobs: u64 = config.get("jobs")?.unwrap_or_default();
    let size: u64 = config.get("size")?.unwrap_or_default();
    for relation in work.0.endpoint().relations()? {
        for number in 0..jobs {
            let job = Job { name: format!("job-{number}"), size: size + number };
            work.0.create_or_update(&relation, |known| known.name == job.name, &job)?;
        }
    }
    Ok(())
}

#[when("endpoint.{endpoint_name}.all_responses", "endpoint.{endpoint_name}.has_responses")]
#[allow_finding(no_endpoint, reason = "it is for the charm of requests")]
fn collect(work: Work, status: Status) -> Result {
    let mut done = BTreeSet::new();
    for request in work.0.responses()? {
        let result = request.response()?.map(|response| response.result).unwrap_or_default();
        done.insert(format!("{}={result}", request.fields()?.name));
    }
    status.active(&done.into_iter().collect::<Vec<_>>().join(" "))?;
    Ok(())
}

#[when("endpoint.{endpoint_name}.new_requests")]
#[allow_finding(no_endpoint, reason = "it is for the charm of responses")]
fn answer(jobs: Jobs, status: Status) -> Result {
    for request in jobs.0.new_requests()? {
        request.respond(&JobDone { result: request.fields()?.size * 2, note: None })?;
    }
    status.active(&format!("{} jobs", jobs.0.all_requests()?.len()))?;
    Ok(())
}

fn main() -> ExitCode {
    zkpeer_core::main()
}
