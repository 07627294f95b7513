"""Runs hooks of charms that are data on the real charms.reactive 1.5.3: one JSON object a line in, one a line out.

A request has a case, a hook, what there is before it, and how to run it, once or several times. Everything is given and everything is
answered: nothing is kept from one line to the next.
"""
import functools
import hashlib
import json
import os
import sys
import traceback

sys.dont_write_bytecode = True

import differ_files  # noqa: E402
import differ_flags  # noqa: E402
import juju  # noqa: E402
import original  # noqa: E402
import patches  # noqa: E402
from difference import Run, use  # noqa: E402
from original import bus, decorators, endpoints, hookenv, host, reactive, relations, unitdata  # noqa: E402
from steps import Steps  # noqa: E402

patches.install()

RESTRICTED = ("collect-metrics", "meter-status-changed")
MODULE = "differential::"


class Hook(Steps):
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
        # The handler that runs, and the endpoint of its instance.
        self.handler = self.instance = None
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
            use("D9")
        if self.on and self.restricted and failure is None:
            if {key: rows[key] for key in rows if not scratch(key)} != {key: self.rows[key] for key in self.rows if not scratch(key)}:
                use("D40")
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
            "used": Run.used,
        }

    def is_behind(self, file):
        text = self.rows.get(differ_files.FILE + file)
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

    def note(self, handler):
        """A handler is about to run."""
        phase = unitdata.kv().get("reactive.dispatch.phase")
        number = bus.FlagWatch._get()["iteration"] if phase == "other" else 0
        if not self.rounds or self.rounds[-1][:2] != [phase, number]:
            self.rounds.append([phase, number, []])
        self.handler, self.instance, of = handler, None, handler._action.__name__
        if not hasattr(handler._action, "_action_id"):
            self.instance = handler.id().rsplit(":", 1)[1]
            of += "[{}]".format(self.instance)
        self.rounds[-1][2].append(of)

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
                use("D40")
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
                handler.add_predicate(differ_files.predicate(function._action_id, values))
                handler.add_post_callback(differ_files.handled(function._action_id, values, watchers))
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
        exec(code("def function(*given):\n    run(given)\n", "reactive/charm.py"), space)
        function = space["function"]
        function.__name__ = name(number)
        function._action_id = function._short_action_id = MODULE + name(number)
        return function

    def method(self, number, role):
        """One of an interface: there is one instance for each endpoint."""
        space = {"run": lambda this: self.called(number, (this,)), "Endpoint": endpoints.Endpoint}
        file = os.path.join(original.DIRECTORY, "reactive/relations/modern/{}.py".format(role))
        exec(code("\n" * number + "def function(self):\n    run(self)\n", file), space)
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
                for callback in self.handler._post_callbacks:
                    use("D46")
                    callback()
            raise

    def conversations(self, handler, given):
        of_flags = [flag for condition in handler["conditions"] if "all" in condition for flag in condition["all"]]
        if self.on and of_flags:
            # D42: whom a handler is about is found out when it runs.
            fresh = [relation for relation in map(relations.endpoint_from_flag, of_flags) if relation]
            if keys(fresh) != keys(given):
                use("D42")
            given = fresh
        return [talk for relation in given if isinstance(relation, relations.RelationBase)
                for talk in relation.conversations() if talk]

    def file_hash(self, file, hash_type="md5"):
        text = self.files.get(file)
        return None if text is None else hashlib.new(hash_type, text.encode()).hexdigest()


@functools.lru_cache(maxsize=None)
def code(text, file):
    return compile(text, file, "exec")


def is_of_interface(handler):
    conditions = [condition for condition in handler["conditions"] if isinstance(condition, dict)]
    flags_of = [flag for condition in conditions for kind in ("all", "any", "none", "not_all")
                for flag in condition.get(kind, ())]
    return bool(handler.get("of")) and any("{endpoint_name}" in flag for flag in flags_of)


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
    Now.hook.note(handler)
    differ_flags.invoked()
    return invoke.original(handler)


invoke.original = bus.Handler.invoke
bus.Handler.invoke = invoke


class Now:
    """The hook that runs."""

    hook = None


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
