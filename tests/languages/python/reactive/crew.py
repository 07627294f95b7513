"""The side of responses."""
from charmhelpers.core import hookenv
from charms.reactive import endpoint_from_name, when


@when("endpoint.jobs.new_requests")
def answer():
    jobs = endpoint_from_name("jobs")
    for request in jobs.new_requests:
        request.respond(result=request.size * 2, note=None)
    hookenv.status_set("active", "{} jobs".format(len(jobs.all_requests)))
