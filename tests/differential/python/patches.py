"""The numbered differences, put into charms.reactive at the places that they are about, and a count of where each was used.

`zkpeer` does not do what charms.reactive does where a difference has a number. With these, charms.reactive does exactly what the
difference says, and all the rest can be compared. They are on in a run that is to be the same as that of zkpeer, and off in one that is
the original's own.
"""
import differ_conversations
import differ_endpoints
import differ_flags
from difference import Failure, Run, use
from original import hookenv, trace


def log(message, level=None):
    """D10: where charms.reactive warns of a function that is called without its flags, the hook fails."""
    if Run.on and level == "WARNING" and " called before flag" in message:
        use("D10")
        raise Failure(message)


def install():
    hookenv.log = log
    differ_flags.install()
    differ_conversations.install()
    differ_endpoints.install()


def start(on):
    """What stands in the place of the original's callbacks at the start of a hook."""
    if not on:
        return ()
    return (("RelationBase._startup", differ_conversations.start), ("Endpoint._startup", differ_endpoints.start))


def begin(on, files, kept_up):
    Run.on, Run.files, Run.kept_up = on, files, kept_up
    Run.used, Run.seen = {}, {}
    differ_flags.begin()
    if on:
        # Testing has no effect then, and so neither has the tracer, which only costs time.
        hookenv._atstart[:] = [entry for entry in hookenv._atstart if entry[0] is not trace.install_tracer]
