"""One hook on charms.reactive."""
import os
import sys

import anywhere  # noqa: F401
from charms.reactive import main


def prepare():
    """Nothing: what a unit's handlers are depends on its metadata."""


def run():
    sys.path.insert(0, os.environ["JUJU_CHARM_DIR"])
    main()
