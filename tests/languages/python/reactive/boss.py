"""The side of requests."""
from charmhelpers.core import hookenv
from charms.reactive import endpoint_from_name, when

from reactive.relations.job.fields import Job


@when("endpoint.work.joined")
def ask():
    config = hookenv.config()
    for relation in endpoint_from_name("work").relations:
        for number in range(config["jobs"]):
            name = "job-{}".format(number)
            Job.create_or_update(["name"], relation, name=name, size=config["size"] + number)


@when("endpoint.work.all_responses", "endpoint.work.has_responses")
def collect():
    done = {"{}={}".format(answer.request.name, answer.result) for answer in endpoint_from_name("work").responses}
    hookenv.status_set("active", " ".join(sorted(done)))
