"""One hook on charms.reactive, and a line of JSON about it: the handlers in their rounds, each with the peers it was given."""
import json
import os
import sys

import anywhere  # noqa: F401
from charmhelpers.core import unitdata
from charms.reactive import RelationBase, main
from charms.reactive.bus import FlagWatch, Handler, discover

WITNESSED = "witnessed.jsonl"

calls = []


def invoke(handler):
    """What Handler.invoke does, with a note of it."""
    phase = unitdata.kv().get("reactive.dispatch.phase")
    call = {"phase": phase, "round": FlagWatch._get()["iteration"], "handler": handler._action.__name__, "peers": None}
    calls.append(call)
    for argument in handler._get_args():
        if isinstance(argument, RelationBase):
            call["peers"] = [peer.scope for peer in argument.conversations()]
    return original(handler)


original = Handler.invoke
Handler.invoke = invoke


def prepare():
    discover()


def run():
    # An action runs as a hook of its name, as where Juju does not say that there is no hook.
    if not os.environ.get("JUJU_HOOK_NAME"):
        os.environ.pop("JUJU_HOOK_NAME", None)
        sys.argv[0] = os.environ["JUJU_DISPATCH_PATH"]
    try:
        main()
    finally:
        with open(os.path.join(os.environ["JUJU_CHARM_DIR"], WITNESSED), "a") as file:
            file.write(json.dumps(calls) + "\n")
