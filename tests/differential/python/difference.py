"""Whether the numbered differences are on, and which of them have been used: what their parts share."""
from original import unitdata


class Failure(Exception):
    """A difference fails the hook."""


class Run:
    """One run of one hook."""

    on = False
    # Whether some handler watches a file.
    files = False
    # For each endpoint the automatic flags that somebody waits for, by kind.
    kept_up = {}
    used = {}
    # The hash of each file when it was last tested for a handler.
    seen = {}
    # Whether what is tested is tested again.
    again = False
    # Whether the handler that runs has only set flags so far.
    set_only = True


def use(number):
    Run.used[number] = Run.used.get(number, 0) + 1


def exists(key):
    """Whether something is stored under the key, a null or not."""
    return unitdata._KV.cursor.execute("select 1 from kv where key=?", [key]).fetchone() is not None
