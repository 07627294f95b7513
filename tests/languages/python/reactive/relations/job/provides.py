"""The side that answers."""
from charms.reactive import ResponderEndpoint

from .fields import Job


class Jobs(ResponderEndpoint):
    REQUEST_CLASS = Job
