"""Difference D9: each handler has its own view of a file, and testing has no effect."""
from difference import Run, use
from original import host, unitdata

OWN_FILE = "zkpeer.files_changed."
FILE = "reactive.files_changed."


def predicate(handler, files):
    """In the place of the original's predicate; it has no effect."""
    def changed():
        any_changed = False
        for file in files:
            found = host.file_hash(file)
            known = _known(handler, file)
            Run.seen[(handler, file)] = found
            any_changed = any_changed or found != known
            if found != known or found != unitdata.kv().get(FILE + file):
                use("D9")
        return any_changed
    return changed


def _known(handler, file):
    return unitdata.kv().get(OWN_FILE + handler + ":" + file)


def handled(handler, files, watchers):
    """The handler has succeeded; `watchers` are for each file the handlers that watch it."""
    def succeeded():
        kv = unitdata.kv()
        for file in files:
            found = Run.seen.get((handler, file))
            kv.set(OWN_FILE + handler + ":" + file, found)
            rows = kv.getrange(OWN_FILE)
            keys = [OWN_FILE + watcher + ":" + file for watcher in watchers[file]]
            if all(key in rows and rows[key] == found for key in keys):
                kv.set(FILE + file, found)
    return succeeded
