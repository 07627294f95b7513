"""Runs hooks of charms that are data on the real charms.reactive 1.5.3: one JSON object a line in, one a line out.

A request has a case, a hook, what there is before it, and how to run it, once or several times. Everything is given and everything is
answered: nothing is kept from one line to the next.
"""
import hashlib
import json
import os
import sys
import traceback

sys.dont_write_bytecode = True

import juju  # noqa: E402
import original  # noqa: E402
import patches  # noqa: E402
from original import bus, decorators, endpoints, flags, helpers, hookenv, host, reactive, relations, unitdata  # noqa: E402

patches.install()

RESTRICTED = ("collect-metrics", "meter-status-changed")
MODULE = "differential::"


class Asked(Exception):
    """A handler fails because it is to."""


class Hook:
    """One run of one hook of a case."""

    def __init__(self, request, way):
        self.case, self.on = request["case"], way["differences"]
        self.case.setdefault("endpoints", [])
        self.order = way.get("order")
        self.hook = request["hook"]
        self.world = juju.World(self.hook, request["world"])
        self.rows = request["rows"]
        self.counts, self.files = list(request["counts"]), dict(request["files"])
        self.rounds, self.touched = [], set()
        self.restricted = self.hook["name"] in RESTRICTED

    def run(self):
        original.begin(self.world, self.case["metadata"], self.rows, self, patches.start(self.on))
        conditions = [condition for handler in self.case["handlers"] for condition in handler["conditions"]]
        self.watched = {file for condition in conditions if "file" in condition for file in condition["file"]}
        patches.begin(self.on, bool(self.watched), self.kept_up())
        host.file_hash = self.file_hash
        bus.discover = self.register
        failure = None
        try:
            reactive.main()
        except SystemExit as ended:
            failure = "exit {}".format(ended.code)
        except BaseException as error:
            failure = "{}: {}".format(type(error).__name__, error)[:300]
        rows = original.rows()
        if self.on and (self.watched & self.touched or any(self.is_behind(file) for file in self.watched)):
            # A test that stores what it has seen may come before a handler's end, or be none of a handler that runs.
            patches.use("D9")
        if self.on and self.restricted and failure is None:
            if {key: rows[key] for key in rows if not scratch(key)} != {key: self.rows[key] for key in self.rows if not scratch(key)}:
                patches.use("D40")
            rows = self.rows
        if failure is not None:
            rows = self.rows
        return {
            "rounds": self.rounds,
            "failure": failure,
            "rows": {key: in_order(text) for key, text in rows.items() if not scratch(key)},
            "counts": self.counts,
            "files": self.files,
            "settings": self.world.settings,
            "written": {} if failure else self.world.written,
            "used": patches.Run.used,
        }

    def is_behind(self, file):
        text = self.rows.get(patches.FILE + file)
        return (text and json.loads(text)) != self.file_hash(file)

    # ---- endpoints ----

    def of(self, endpoint, what):
        found = [known.get(what, ()) for known in self.case["endpoints"] if known["name"] == endpoint]
        return found[0] if found else ()

    def register_triggers(self, endpoint):
        for trigger in self.of(endpoint, "triggers"):
            self.register_trigger(trigger)

    def manage_flags(self, endpoint):
        for step in self.of(endpoint, "manage"):
            self.step(step, ())

    def is_busy(self, endpoint):
        return bool(self.of(endpoint, "triggers") or self.of(endpoint, "manage"))

    def kept_up(self):
        """For each endpoint the automatic flags that somebody waits for, by kind."""
        waited = [trigger["on"] for trigger in self.case["triggers"]]
        for known in self.case["endpoints"]:
            if known["interface"] == "modern":
                waited += [trigger["on"] for trigger in known.get("triggers", ())]
        for handler in self.case["handlers"]:
            for condition in handler["conditions"]:
                kinds = ("all", "any", "none", "not_all")
                for flag in [flag for kind in kinds if kind in condition for flag in condition[kind]]:
                    waited += [flag.replace("{endpoint_name}", name) for name in self.instances(handler)]
        kept_up = {}
        for flag in waited:
            parts = flag.split(".")
            if parts[0] == "endpoint" and parts[2] in ("joined", "changed", "departed"):
                kept_up.setdefault(parts[1], set()).add(parts[2])
        return kept_up

    def instances(self, handler):
        if not is_of_interface(handler):
            return [""]
        return [known["name"] for known in self.case["endpoints"]
                if known["role"] == handler["of"] and known["interface"] == "modern"]

    # ---- handlers ----

    def register(self):
        watchers = {}
        for number, handler in enumerate(self.case["handlers"]):
            for condition in handler["conditions"]:
                for file in condition["file"] if "file" in condition else ():
                    watchers.setdefault(file, []).append(MODULE + name(number))
        for number, handler in enumerate(self.case["handlers"]):
            self.decorate(number, handler["conditions"], watchers)
        if self.order is not None:
            handlers = list(bus.Handler._HANDLERS.items())
            bus.Handler._HANDLERS = dict(sorted(handlers, key=lambda item: self.rank(item[0])))
        if self.on and self.restricted:
            # D40: such a hook stores nothing, and so it has no triggers.
            if self.case["triggers"]:
                patches.use("D40")
        else:
            for trigger in self.case["triggers"]:
                self.register_trigger(trigger)
        for when, register in (("at_start", hookenv.atstart), ("at_exit", hookenv.atexit)):
            if self.case.get(when):
                register(self.steps, self.case[when])

    def rank(self, of):
        return hashlib.md5("{}{}".format(self.order, of).encode()).digest()

    def decorate(self, number, conditions, watchers):
        handler = self.case["handlers"][number]
        function = self.method(number, handler["of"]) if is_of_interface(handler) else self.function(number)
        function.of_hook = False
        for condition in reversed(conditions or [{"all": []}]):
            if condition == "once":
                decorators.only_once(function)
            elif condition == "collect_metrics":
                decorators.collect_metrics()(function)
            elif condition == "meter_status_changed":
                decorators.meter_status_changed()(function)
            else:
                (kind, values), = condition.items()
                self.decorate_by(kind, values, function, watchers)
            if condition in ("collect_metrics", "meter_status_changed") or "hook" in condition or "action" in condition:
                function.of_hook = True

    def decorate_by(self, kind, values, function, watchers):
        if kind == "file":
            if self.on:
                handler = bus.Handler.get(function)
                handler.add_predicate(patches.file_predicate(function._action_id, values))
                handler.add_post_callback(patches.file_handled(function._action_id, values, watchers))
            else:
                decorators.when_file_changed(*values)(function)
            return
        if kind == "action":
            # There, an action is a hook of its name.
            kind = "hook"
        known = {
            "all": decorators.when_all, "any": decorators.when_any, "none": decorators.when_none,
            "not_all": decorators.when_not_all, "hook": decorators.hook,
        }
        known[kind](*values)(function)

    def function(self, number):
        space = {"run": lambda given: self.called(number, given)}
        exec(compile("def function(*given):\n    run(given)\n", "reactive/charm.py", "exec"), space)
        function = space["function"]
        function.__name__ = name(number)
        function._action_id = function._short_action_id = MODULE + name(number)
        return function

    def method(self, number, role):
        """One of an interface: there is one instance for each endpoint."""
        space = {"run": lambda this: self.called(number, (this,)), "Endpoint": endpoints.Endpoint}
        file = os.path.join(original.DIRECTORY, "reactive/relations/modern/{}.py".format(role))
        exec(compile("\n" * number + "def function(self):\n    run(self)\n", file, "exec"), space)
        function = space["function"]
        function.__name__ = name(number)
        return function

    def called(self, number, given):
        handler = self.case["handlers"][number]
        count = self.counts[number]
        self.counts[number] += 1
        runs = handler["runs"]
        conversations = self.conversations(handler, given)
        if not runs:
            return
        try:
            for step in runs[min(count, len(runs) - 1)]:
                self.step(step, conversations)
        except SystemExit:
            if self.on:
                # D46: it has succeeded.
                for callback in Now.handler._post_callbacks:
                    patches.use("D46")
                    callback()
            raise

    def conversations(self, handler, given):
        of_flags = [flag for condition in handler["conditions"] if "all" in condition for flag in condition["all"]]
        if self.on and of_flags:
            # D42: whom a handler is about is found out when it runs.
            fresh = [relation for relation in map(relations.endpoint_from_flag, of_flags) if relation]
            if keys(fresh) != keys(given):
                patches.use("D42")
            given = fresh
        return [talk for relation in given if isinstance(relation, relations.RelationBase)
                for talk in relation.conversations() if talk]

    # ---- steps ----

    def step(self, step, conversations):
        if step == "end":
            sys.exit(0)
        if step == "fail":
            raise Asked()
        (kind, value), = step.items()
        getattr(self, "do_" + kind)(value, conversations)

    def steps(self, steps):
        for step in steps:
            self.step(step, ())

    def do_at_exit(self, steps, _):
        hookenv.atexit(self.steps, steps)

    def do_data(self, value, _):
        flags.toggle_flag(value[2], helpers.data_changed(value[0], value[1]))

    def do_is_data(self, value, _):
        flags.toggle_flag(value[2], helpers.is_data_changed(value[0], value[1]))

    def do_any_file(self, value, _):
        self.touched.update(value[0])
        flags.toggle_flag(value[1], helpers.any_file_changed(value[0]))

    def do_invoked(self, value, _):
        flags.toggle_flag(value[1], helpers.was_invoked(value[0]))

    def do_invoke(self, value, _):
        helpers.mark_invoked(value)

    def do_any_hook(self, value, _):
        flags.toggle_flag(value[1], helpers.any_hook(*value[0]))

    def do_unset(self, names, _):
        unitdata.kv().set("unset", flags.get_unset_flags(*names))

    def do_set(self, flag, _):
        flags.set_flag(flag)

    def do_clear(self, flag, _):
        flags.clear_flag(flag)

    def do_toggle(self, value, _):
        flags.toggle_flag(*value)

    def do_copy(self, value, _):
        flags.toggle_flag(value[1], flags.is_flag_set(value[0]))

    def do_trigger(self, trigger, _):
        self.register_trigger(trigger)

    def register_trigger(self, trigger):
        of = {"when" if trigger["edge"] == "set" else "when_not": trigger["on"]}
        if trigger["call"]:
            def callback():
                for step in trigger["call"]:
                    self.step(step, ())
            of["callback"] = callback
        flags.register_trigger(set_flag=trigger["set"], clear_flag=trigger["clear"], **of)

    def do_write(self, value, _):
        self.touched.add(value[0])
        self.files[value[0]] = value[1]

    def do_remove(self, file, _):
        self.touched.add(file)
        self.files.pop(file, None)

    def do_kv_set(self, value, _):
        unitdata.kv().set(value[0], value[1])

    def do_kv_unset(self, key, _):
        unitdata.kv().unset(key)

    def do_kv_add(self, key, _):
        number = unitdata.kv().get(key)
        unitdata.kv().set(key, (number + 1) % 3 if isinstance(number, int) and not isinstance(number, bool) else 0)

    def do_kv_copy(self, value, _):
        unitdata.kv().set(value[1], unitdata.kv().get(value[0]))

    def do_setting(self, value, _):
        hookenv.leader_set({value[0]: value[1]})

    def do_read_setting(self, value, _):
        flags.toggle_flag(value[1], bool(hookenv.leader_get(value[0])))

    def do_leads(self, flag, _):
        flags.toggle_flag(flag, hookenv.is_leader())

    def do_config(self, value, _):
        flags.toggle_flag(value[1], hookenv.config(value[0]) is not None)

    def do_bond(self, value, _):
        (endpoint, bond) = value
        endpoint = Now.instance if endpoint == "self" else endpoint
        if known_as(self.case, endpoint) == "modern":
            self.bond(reactive.endpoint_from_name(endpoint), bond)

    def bond(self, endpoint, bond):
        kv, of, units = unitdata.kv(), endpoint.endpoint_name, endpoint.all_joined_units
        kind, value = (bond, None) if isinstance(bond, str) else next(iter(bond.items()))
        if kind == "is_joined":
            flags.toggle_flag(value, endpoint.is_joined)
        elif kind == "joined":
            kv.set("joined." + of, [[unit.relation.relation_id, unit.unit_name] for unit in units])
        elif kind == "departed":
            if self.on and "departed" not in patches.Run.kept_up.get(of, ()):
                # D28: nobody keeps them, and who asks is told.
                patches.use("D28")
                raise patches.Failure("departed units are not kept")
            kv.set("departed." + of, [[unit.relation.relation_id, unit.unit_name, dict(unit.received_raw)]
                                      for unit in endpoint.all_departed_units])
        elif kind == "clear_departed":
            endpoint.all_departed_units.clear()
        elif kind == "applications":
            kv.set("applications." + of, [relation.application_name for relation in endpoint.relations])
        elif kind == "received":
            kv.set("received." + of, [unit.received[value] for unit in units])
        elif kind == "received_raw":
            kv.set("raw." + of, [unit.received_raw[value] for unit in units])
        elif kind == "received_app":
            # What this hook has removed from its own application's databag is still there, and empty.
            kv.set("app." + of, [relation.received_app[value] if relation.received_app_raw[value] else None
                                 for relation in endpoint.relations])
        elif kind == "merged":
            kv.set("merged." + of, units.received[value])
        else:
            for relation in endpoint.relations:
                self.publish(relation, kind, value)

    def publish(self, relation, kind, value):
        if self.on and kind.startswith("publish_app") and not hookenv.is_leader():
            # D48: who may not publish is told when it tries.
            patches.use("D48")
            raise patches.Failure("this unit does not lead")
        if kind == "publish":
            relation.to_publish[value[0]] = value[1]
        elif kind == "publish_raw":
            relation.to_publish_raw[value[0]] = value[1]
        elif kind == "unpublish":
            relation.to_publish_raw[value] = None
        elif kind == "publish_app":
            relation.to_publish_app[value[0]] = value[1]
        elif kind == "publish_app_raw":
            relation.to_publish_app_raw[value[0]] = value[1]

    def do_unless(self, of, _):
        def guarded():
            """Nothing but the guard is of interest."""
        decorators.not_unless(*of)(guarded)()

    def do_talk(self, step, conversations):
        (kind, value), = step.items()
        for conversation in conversations:
            getattr(self, "talk_" + kind)(value, conversation)

    def talk_set(self, flag, conversation):
        conversation.set_flag("{relation_name}." + flag)

    def talk_clear(self, flag, conversation):
        conversation.remove_flag("{relation_name}." + flag)

    def talk_toggle(self, value, conversation):
        conversation.toggle_flag("{relation_name}." + value[0], value[1])

    def talk_copy(self, value, conversation):
        flags.toggle_flag(value[1], conversation.is_flag_set("{relation_name}." + value[0]))

    def talk_publish(self, value, conversation):
        conversation.set_remote(value[0], value[1])

    def talk_read(self, key, conversation):
        unitdata.kv().set("read." + conversation.scope, conversation.get_remote(key))

    def talk_keep(self, value, conversation):
        conversation.set_local(value[0], value[1])

    def talk_kept(self, key, conversation):
        unitdata.kv().set("kept." + conversation.scope, conversation.get_local(key))

    def file_hash(self, file, hash_type="md5"):
        text = self.files.get(file)
        return None if text is None else hashlib.new(hash_type, text.encode()).hexdigest()


def is_of_interface(handler):
    conditions = [condition for condition in handler["conditions"] if isinstance(condition, dict)]
    flags_of = [flag for condition in conditions for kind in ("all", "any", "none", "not_all")
                for flag in condition.get(kind, ())]
    return bool(handler.get("of")) and any("{endpoint_name}" in flag for flag in flags_of)


def known_as(case, endpoint):
    """The interface of an endpoint."""
    return next((known["interface"] for known in case.get("endpoints", ()) if known["name"] == endpoint), None)


def name(number):
    return "h{}".format(number)


def keys(given):
    return [[talk and talk.key for talk in relation.conversations()] for relation in given
            if isinstance(relation, relations.RelationBase)]


def in_order(text):
    """The same JSON with the keys of objects in order."""
    return json.dumps(json.loads(text), sort_keys=True) if "{" in text else text


def scratch(key):
    """The keys that charms.reactive uses within a hook."""
    return key.startswith("reactive.dispatch.") or key == "reactive.state_watch"


def invoke(handler):
    phase = unitdata.kv().get("reactive.dispatch.phase")
    rounds = Now.hook.rounds
    number = bus.FlagWatch._get()["iteration"] if phase == "other" else 0
    if not rounds or rounds[-1][:2] != [phase, number]:
        rounds.append([phase, number, []])
    of = handler._action.__name__
    Now.handler, Now.instance = handler, None
    if not hasattr(handler._action, "_action_id"):
        Now.instance = handler.id().rsplit(":", 1)[1]
        of += "[{}]".format(Now.instance)
    rounds[-1][2].append(of)
    patches.invoked()
    return invoke.original(handler)


invoke.original = bus.Handler.invoke
bus.Handler.invoke = invoke


class Now:
    """The hook that runs."""

    hook = None
    # The handler that runs, and the endpoint of its instance.
    handler = instance = None


def answer(request):
    answers = []
    for way in request["ways"]:
        Now.hook = Hook(request, way)
        answers.append(Now.hook.run())
    return answers


def main():
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        try:
            answers = answer(json.loads(line))
        except Exception:
            answers = traceback.format_exc()
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
