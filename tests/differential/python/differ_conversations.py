"""Differences of conversations: D7, D8, D12, D41, D43, D44 and D47."""
import os

from difference import Run, exists, use
from original import COMMANDS, flags, hookenv, relations, unitdata

DEPARTED = "zkpeer.departed."
CONVERSATIONS = "reactive.conversations."
LOCAL = ".local-data."


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


def _leaves_peers():
    """D7: where it is this unit that leaves its peers, none of them departs."""
    role = hookenv.relation_to_role_and_interface(hookenv.relation_type())[0]
    return role == "peers" and hookenv.departing_unit() == hookenv.local_unit()


def _is_departing(conversation):
    if _leaves_peers() or not hookenv.hook_name().endswith("-relation-departed"):
        return False
    of = conversation.namespace in (hookenv.relation_type(), hookenv.relation_id())
    return of and conversation.units == {hookenv.remote_unit()}


def _of_members(conversation, key, default):
    """D7: a unit that this one leaves is no member any longer, and none that departs."""
    use("D7")
    for relation in conversation.relation_ids:
        for unit in hookenv.related_units(relation):
            value = hookenv.relation_get(key, unit, relation) if unit in conversation.units else None
            if value:
                return value
    return default


def _forget(key):
    kv = unitdata.kv()
    kv.unset(key)
    kv.unset(DEPARTED + key)
    for local in kv.getrange(key + LOCAL):
        use("D44")
        kv.unset(local)


def install():
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
        if Run.on and exists("reactive.states." + name) and flags._get_flag_value(name) is None:
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
        if not Run.on:
            return get_remote(self, key, default)
        if "/" not in self.scope and not _leaves_peers():
            try:
                return get_remote(self, key, default)
            except COMMANDS.CalledProcessError:
                # D8: a relation that is gone has nothing to say.
                use("D8")
                return default
        if "/" not in self.scope:
            return _of_members(self, key, default)
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


def start():
    """In the place of RelationBase._startup."""
    relations._migrate_conversations()
    hookenv.atexit(_end_conversations)


def _end_conversations():
    kv = unitdata.kv()
    if hookenv.hook_name().endswith("-relation-departed"):
        if _leaves_peers():
            use("D7")
        else:
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
