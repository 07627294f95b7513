"""The side that asks."""
from charms.reactive import RequesterEndpoint

from .fields import Job


class Work(RequesterEndpoint):
    REQUEST_CLASS = Job
