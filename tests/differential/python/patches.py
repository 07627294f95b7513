"""The numbered differences, each put into charms.reactive at the one place that it is about, and a count of where it was used.

`zkpeer` does not do what charms.reactive does where a difference has a number. With these, charms.reactive does exactly what the
difference says, and all the rest can be compared. They are on in a run that is to be the same as that of zkpeer, and off in one that is
the original's own.
"""
import hashlib
import itertools
import json
import os

from original import COMMANDS, bus, endpoints, flags, helpers, hookenv, host, reactive, relations, trace, unitdata

MOST_REPETITIONS = 100
MOST_ROUNDS = 10000
DEPARTED = "zkpeer.departed."
OWN_FILE = "zkpeer.files_changed."
FILE = "reactive.files_changed."
CONVERSATIONS = "reactive.conversations."
LOCAL = ".local-data."


class Failure(Exception):
    """A difference fails the hook."""


class Run:
    """One run of one hook."""

    on = False
    files = False
    kept_up = {}
    used = {}
    seen = {}
    again = False
    set_only = True


def use(number):
    Run.used[number] = Run.used.get(number, 0) + 1


# ---- D14 and D3: flags ----

class Cascade:
    depth = 0
    changes = []


def _exists(key):
    return unitdata._KV.cursor.execute("select 1 from kv where key=?", [key]).fetchone() is not None


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


def _install_flags():
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
        is_set = _exists("reactive.states." + flag)
        unitdata.kv().set("reactive.dispatch.removed_state", True)
        Run.set_only = is_set and Run.set_only
        if (flag, is_set) in Cascade.changes:
            use("D3")
            raise Failure("the triggers do not end")
        # D3: a cascade begins with a change that sets something off.
        trigger = flags._get_trigger(flag, None) if is_set else flags._get_trigger(None, flag)
        if Cascade.changes or any(trigger.values()):
            Cascade.changes.append((flag, is_set))

    bus.FlagWatch.change = changed


# ---- D2: flags that do not settle ----

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


# ---- D16 and D14: which handlers are tested, and when again ----

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


# ---- D9: each handler's own view of a file ----

def file_predicate(handler, files):
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


def file_handled(handler, files, watchers):
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


# ---- D10: a function that needs flags ----

def log(message, level=None):
    if Run.on and level == "WARNING" and " called before flag" in message:
        use("D10")
        raise Failure(message)


# ---- D8, D12, D43, D44 and D47: conversations ----

def _key_of(text):
    """The conversation of a key that has no record any longer."""
    namespace, scope = text[len(CONVERSATIONS):].split(".", 1)
    return relations.Conversation(namespace, {scope} if "/" in scope else (), scope)


def _flagged():
    values = unitdata.kv().getrange("reactive.states.").values()
    return {key for value in values if value for key in value["conversations"]}


def _is_over(conversation):
    kv = unitdata.kv()
    if kv.get(DEPARTED + conversation.key):
        return True
    return kv.get(conversation.key) is None and bool(conversation.units)


def _is_departing(conversation):
    if not hookenv.hook_name().endswith("-relation-departed"):
        return False
    of = conversation.namespace in (hookenv.relation_type(), hookenv.relation_id())
    return of and conversation.units == {hookenv.remote_unit()}


def _forget(key):
    kv = unitdata.kv()
    kv.unset(key)
    kv.unset(DEPARTED + key)
    for local in kv.getrange(key + LOCAL):
        use("D44")
        kv.unset(local)


def _install_conversations():
    kind = relations.Conversation
    join, load, set_state, remove = kind.join, kind.load, kind.set_state, kind.remove_state
    get_remote, set_remote = kind.get_remote, kind.set_remote

    def joined(scope):
        if not Run.on:
            return join(scope)
        kv = unitdata.kv()
        if hookenv.remote_unit():
            conversation = join(scope)
            if kv.get(DEPARTED + conversation.key):
                use("D8")
                conversation.units = {hookenv.remote_unit()}
                kv.set(conversation.key, kind.serialize(conversation))
                kv.unset(DEPARTED + conversation.key)
            return conversation
        # D43: nobody is there to begin a conversation with.
        use("D43")
        if scope is relations.scopes.UNIT:
            return None
        if scope is relations.scopes.SERVICE:
            namespace, scope = hookenv.relation_id(), os.environ["JUJU_REMOTE_APP"]
        else:
            namespace = hookenv.relation_type()
        return kind.deserialize(kv.get(kind._key(namespace, scope), {"namespace": namespace, "scope": scope, "units": []}))

    def loaded(keys):
        found = load(keys)
        if not Run.on or len(found) == len(keys):
            return found
        use("D8")
        return [kind.load.original([key])[0] if unitdata.kv().get(key) else _key_of(key) for key in keys]

    def given(self, state):
        name = state.format(relation_name=self.relation_name)
        if Run.on and _exists("reactive.states." + name) and flags._get_flag_value(name) is None:
            # D41: a flag that was set plainly is one of this conversation from now on.
            use("D41")
            flags.set_flag(name, {"relation": self.relation_name, "conversations": [self.key]})
            return
        set_state(self, state)

    def removed(self, state):
        if Run.on and _is_over(self):
            use("D8")
        remove(self, state)
        if Run.on and _is_over(self) and self.key not in _flagged():
            _forget(self.key)

    def got(self, key, default=None):
        if not Run.on or "/" not in self.scope:
            return get_remote(self, key, default)
        # D8: its databag is read by name, whether it is a member or not.
        for relation in self.relation_ids:
            value = hookenv.relation_get(key, self.scope, relation)
            if value:
                return value
        return default

    def told(self, key=None, value=None, data=None, **kwdata):
        if Run.on and (_is_over(self) or _is_departing(self)):
            use("D44")
            return
        set_remote(self, key, value, data, **kwdata)

    def reached(self):
        if not Run.on or ":" in self.namespace or self.scope == relations.scopes.GLOBAL:
            return relation_ids.fget(self)
        # D47: one with a name of the interface's is with all there are.
        use("D47")
        return hookenv.relation_ids(self.namespace)

    relation_ids = kind.relation_ids
    kind.relation_ids = property(reached)
    loaded.original = load
    kind.join = staticmethod(joined)
    kind.load = loaded
    kind.set_state = kind.set_flag = given
    kind.remove_state = kind.remove_flag = removed
    kind.get_remote = got
    kind.set_remote = told


def start_conversations():
    """In the place of RelationBase._startup."""
    relations._migrate_conversations()
    hookenv.atexit(_end_conversations)


def _end_conversations():
    kv = unitdata.kv()
    if hookenv.hook_name().endswith("-relation-departed"):
        _leave(kv, hookenv.relation_type(), hookenv.relation_id(), hookenv.remote_unit())
    flagged = _flagged()
    for mark in kv.getrange(DEPARTED):
        key = mark[len(DEPARTED):]
        if key in flagged:
            use("D8")
        else:
            _forget(key)


def _leave(kv, name, relation, unit):
    for key, record in kv.getrange(CONVERSATIONS).items():
        if LOCAL in key or record["namespace"] not in (name, relation) or unit not in record["units"]:
            continue
        if record["scope"] != unit:
            use("D12")
        if len(record["units"]) > 1:
            record["units"].remove(unit)
            kv.set(key, record)
        else:
            kv.set(DEPARTED + key, True)


# ---- D15, D22 to D25, D28, D45 and D49: endpoints ----

def _number(relation):
    return int(relation.split(":")[1])


def _install_endpoints():
    view = endpoints.CombinedUnitsView.__init__

    def in_order(self, items):
        items = list(items)
        view(self, items)
        if Run.on:
            # D22: relations are in the order of their numbers.
            before = [(unit.relation.relation_id, unit.unit_name) for unit in self]
            self.sort(key=lambda unit: (_number(unit.relation.relation_id), unit.unit_name))
            if before != [(unit.relation.relation_id, unit.unit_name) for unit in self]:
                use("D22")

    endpoints.CombinedUnitsView.__init__ = in_order
    application_name = endpoints.Relation.application_name

    def remote(self):
        if not Run.on:
            return application_name.fget(self)
        # D25: also where nobody is joined.
        name = COMMANDS.world.relations[self.relation_id]["application"]
        if not self.units and name != hookenv.application_name():
            use("D25")
        return name

    endpoints.Relation.application_name = property(remote)


def start_endpoints():
    """In the place of Endpoint._startup."""
    kind = endpoints.Endpoint
    of_hook = hookenv.hook_name().rsplit("-relation-", 1)[0]
    broken = hookenv.hook_name().endswith("-relation-broken") and hookenv.relation_id()
    found = []
    for name in sorted(hookenv.relation_types()):
        factory = relations.relation_factory(name)
        if not factory or not issubclass(factory, kind):
            continue
        ids = sorted(hookenv.relation_ids(name), key=_number)
        if ids != sorted(ids):
            use("D22")
        if broken in ids:
            # D24: in its last hook a relation is no longer there.
            use("D24")
            ids.remove(broken)
        found.append(factory(name, ids))
        kind._endpoints[name] = found[-1]
    busy = [endpoint for endpoint in found if endpoint.at_start.is_busy(endpoint.endpoint_name)]
    if len(found) > 1 and busy:
        # D49: first all triggers, then all automatic flags, then what the interfaces do with theirs.
        use("D49")
    were_joined = {endpoint for endpoint in found if flags.is_flag_set(endpoint.expand_name("joined"))}
    for endpoint in found:
        endpoint.register_triggers()
    for endpoint in found:
        _manage(endpoint, of_hook == endpoint.endpoint_name, Run.kept_up.get(endpoint.endpoint_name, ()))
    for endpoint in found:
        if endpoint.endpoint_name != of_hook and endpoint in were_joined and endpoint in busy:
            use("D23")
        endpoint.manage_flags()
        for relation in endpoint.relations:
            hookenv.atexit(relation._flush_data)


def _is_joined(endpoint, unit, was_joined):
    """D45: who is joined is looked at in the endpoint's own hooks, and where some may have been missed."""
    marker = "zkpeer.endpoints." + endpoint.endpoint_name
    is_new = not unitdata.kv().get(marker)
    unitdata.kv().set(marker, True)
    own = unit and (unit[1] or hookenv.hook_name().endswith("-relation-broken"))
    if is_new or own or hookenv.hook_name() == "upgrade-charm" or endpoint.is_joined == was_joined:
        return endpoint.is_joined
    use("D45")
    return was_joined


def _manage(endpoint, is_of_hook, kept_up):
    """What the original's two methods do, with the differences."""
    departed = is_of_hook and hookenv.hook_name().endswith("-relation-departed")
    unit = (hookenv.relation_id(), hookenv.remote_unit()) if is_of_hook else None
    if departed and "departed" in kept_up:
        relation = endpoint.relations[hookenv.relation_id()]
        endpoint.all_departed_units.append(endpoints.RelatedUnit(relation, hookenv.remote_unit()))
        if not relation.joined_units:
            use("D24")
    was_joined = flags.is_flag_set(endpoint.expand_name("joined"))
    is_joined = _is_joined(endpoint, unit, was_joined)
    flags.toggle_flag(endpoint.expand_name("joined"), is_joined)
    if "departed" not in kept_up:
        # D28: nobody waits for it.
        if departed or flags.is_flag_set(endpoint.expand_name("departed")):
            use("D28")
    elif departed:
        flags.set_flag(endpoint.expand_name("departed"))
    elif is_joined:
        flags.clear_flag(endpoint.expand_name("departed"))
    for joined in endpoint.all_joined_units:
        is_due = (is_joined and not was_joined) or (not departed and (joined.relation.relation_id, joined.unit_name) == unit)
        for key, value in joined.received.items():
            data = "endpoint.{}.{}.{}.{}".format(
                endpoint.endpoint_name, joined.relation.relation_id, joined.unit_name, key)
            if "changed" not in kept_up:
                if helpers.is_data_changed(data, value):
                    use("D28")
            elif not is_due:
                # D15: in the hooks that are about the unit.
                if is_of_hook and helpers.is_data_changed(data, value):
                    use("D15")
            elif helpers.data_changed(data, value):
                flags.set_flag(endpoint.expand_name("changed"))
                flags.set_flag(endpoint.expand_name("changed." + key))


def install():
    bus.range = _rounds
    hookenv.log = log
    _install_flags()
    _install_test()
    _install_conversations()
    _install_endpoints()


def start(on):
    """What stands in the place of the original's callbacks at the start of a hook."""
    if not on:
        return ()
    return (("RelationBase._startup", start_conversations), ("Endpoint._startup", start_endpoints))


def begin(on, files, kept_up):
    Run.on, Run.files, Run.kept_up = on, files, kept_up
    Run.used, Run.seen = {}, {}
    Run.set_only, Run.again = True, False
    Cascade.depth = 0
    Cascade.changes.clear()
    if on:
        # Testing has no effect then, and so neither has the tracer, which only costs time.
        hookenv._atstart[:] = [entry for entry in hookenv._atstart if entry[0] is not trace.install_tracer]
