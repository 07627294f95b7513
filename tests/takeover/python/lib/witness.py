"""One hook on charms.reactive."""
import os
import sys

import anywhere  # noqa: F401
from charms.reactive import main, trace

# Tracing a flag tests all handlers, and a test of `when_file_changed` takes the change from its handler (F3).
trace.LogTracer._flag = lambda tracer, message: None


def prepare():
    """Nothing: each unit's charm is in a directory of its own, from which the ids of handlers come."""


def run():
    # Handlers are in the unit's copy of the charm.
    sys.path.insert(0, os.environ["JUJU_CHARM_DIR"])
    main()
