"""Differences of flags and of dispatch: D2, D3, D14 and D16, and D41 where a flag is set by its name."""
import hashlib
import itertools
import json

from difference import Failure, Run, exists, use
from original import bus, endpoints, flags, reactive, relations, unitdata

MOST_REPETITIONS = 100
MOST_ROUNDS = 10000


class Cascade:
    depth = 0
    changes = []


def _changing(original, clears):
    def change(*args, **kwargs):
        if not Run.on:
            return original(*args, **kwargs)
        before = unitdata.kv().get("reactive.dispatch.removed_state")
        count = Changes.count
        Cascade.depth += 1
        try:
            return original(*args, **kwargs)
        finally:
            Cascade.depth -= 1
            if Cascade.depth == 0:
                Cascade.changes.clear()
            if Changes.count == count:
                # D14: what has not changed anything tests nothing again.
                unitdata.kv().set("reactive.dispatch.removed_state", before)
                if clears and Run.files and not before:
                    use("D14")
    return change


class Changes:
    count = 0


def _install_changes():
    original_set, original_clear = flags.set_flag, flags.clear_flag
    changing_set, changing_clear = _changing(original_set, False), _changing(original_clear, True)

    def set_flag(flag, value=None):
        if Run.on and value is None and unitdata.kv().get("reactive.states." + flag):
            # D41: what the flag says stays.
            use("D41")
            return
        changing_set(flag, value)

    for module in (flags, relations, endpoints, reactive):
        for name, mine, other in (("set_flag", set_flag, original_set), ("clear_flag", changing_clear, original_clear)):
            if getattr(module, name, None) is other:
                setattr(module, name, mine)
    original_change = bus.FlagWatch.change

    def changed(flag):
        original_change(flag)
        Changes.count += 1
        if not Run.on:
            return
        is_set = exists("reactive.states." + flag)
        unitdata.kv().set("reactive.dispatch.removed_state", True)
        Run.set_only = is_set and Run.set_only
        if (flag, is_set) in Cascade.changes:
            use("D3")
            raise Failure("a cascade of triggers does not end")
        # D3: a cascade begins with a change that sets something off.
        trigger = flags._get_trigger(flag, None) if is_set else flags._get_trigger(None, flag)
        if Cascade.changes or any(trigger.values()):
            Cascade.changes.append((flag, is_set))

    bus.FlagWatch.change = changed


def _rounds(most):
    """The rounds of the original; with the difference, until it is known that they repeat."""
    if not Run.on:
        yield from range(most)
        return
    states = {}
    for i in itertools.count():
        Run.again = False
        yield i
        # What follows runs when the round is over.
        if i + 1 >= most:
            use("D2")
        state = hashlib.md5(json.dumps(_state(), sort_keys=True).encode()).digest()
        states[state] = states.get(state, 0) + 1
        if states[state] > MOST_REPETITIONS or i + 1 >= MOST_ROUNDS:
            Run.again = False
            if any(handler.test() for handler in _next_round(i + 1)):
                use("D2")
                raise Failure("the flags do not settle")


def _next_round(i):
    bus.FlagWatch.iteration(i)
    return bus.Handler.get_handlers()


def _state():
    rows = dict(unitdata._KV.conn.execute("select key, data from kv"))
    changes = json.loads(rows.pop("reactive.state_watch", '{"changes": []}'))["changes"]
    rows.pop("reactive.dispatch.removed_state", None)
    return [rows, sorted(set(changes))]


def _install_test():
    original = bus.Handler.test

    def test(self):
        if not Run.on:
            return original(self)
        retest = Run.again
        if not self._flags and not getattr(self._action, "of_hook", False):
            phase = unitdata.kv().get("reactive.dispatch.phase")
            if phase != "other" or bus.FlagWatch._get()["iteration"] > 0:
                # D16: a handler that waits for no flag is tested in round 0.
                if original(self):
                    use("D16")
                return False
        holds = original(self)
        if retest and not holds and Run.set_only:
            use("D14")
        return holds

    bus.Handler.test = test


def invoked():
    """A handler is about to run."""
    Run.set_only = True
    Run.again = True


def begin():
    Run.set_only, Run.again = True, False
    Cascade.depth = 0
    Cascade.changes.clear()


def install():
    bus.range = _rounds
    _install_changes()
    _install_test()
