"""The status as the charm in Rust shows it: maintenance at once, of all else the worst, once, at the end of the hook."""
from charmhelpers.core import hookenv

WORST_FIRST = ["blocked", "waiting", "active"]

_said = {}


def maintenance(message):
    hookenv.status_set("maintenance", message)


def say(context, status, message):
    """A later word of the same context takes the place of an earlier one."""
    _said[context] = (status, message)


def show():
    words = sorted(_said.values(), key=lambda word: WORST_FIRST.index(word[0]))
    if words:
        hookenv.status_set(*words[0])


hookenv.atexit(show)
