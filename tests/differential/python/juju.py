"""The hook commands, answered inside this process from the world that is given with a hook, and the hook's environment."""
import json
import os
import subprocess

UNIT = "app/0"
APPLICATION = "app"


class World:
    """What Juju knows in one hook, and what the hook has written."""

    def __init__(self, hook, given):
        self.hook = hook
        self.leader, self.leaves = given["leader"], given["leaves"]
        self.config = given["config"]
        self.settings = dict(given["settings"])
        self.relations = given["relations"]
        self.written = {}

    def environment(self, directory):
        hook = self.hook
        variables = {
            "CHARM_DIR": directory,
            "JUJU_CHARM_DIR": directory,
            "JUJU_UNIT_NAME": UNIT,
            "JUJU_HOOK_NAME": hook["name"],
            "JUJU_REMOTE_UNIT": "",
            "PATH": os.environ.get("PATH", ""),
        }
        relation = hook.get("relation")
        if relation:
            variables["JUJU_RELATION"] = relation.split(":")[0]
            variables["JUJU_RELATION_ID"] = relation
            variables["JUJU_REMOTE_UNIT"] = hook.get("unit") or ""
            if hook["name"].endswith("-relation-departed"):
                variables["JUJU_DEPARTING_UNIT"] = UNIT if self.leaves else hook["unit"]
            variables["JUJU_REMOTE_APP"] = self.relations[relation]["application"]
        return variables

    def answer(self, args):
        """What the command prints."""
        command, rest = args[0], [argument for argument in args[1:] if argument != "--format=json"]
        if command == "juju-log":
            return ""
        if command == "is-leader":
            return json.dumps(self.leader)
        if command == "config-get":
            return json.dumps(self.config)
        if command == "leader-get":
            return json.dumps(self.settings if rest == ["-"] else self.settings.get(rest[0]))
        if command == "leader-set":
            return self.leader_set(rest)
        if command == "relation-ids":
            ids = [of for of, relation in self.relations.items() if of.split(":")[0] == rest[0] and relation["listed"]]
            return json.dumps(ids)
        if command == "relation-list":
            return json.dumps(self.relation(args, rest)["members"])
        if command == "relation-get":
            return self.relation_get(args, rest)
        if command == "relation-set":
            return "" if rest == ["--help"] else self.relation_set(args, rest)
        raise AssertionError("nobody has told what `{}` answers".format(" ".join(args)))

    def relation(self, args, rest):
        """The relation that is named behind `-r`; the option is taken away."""
        at = rest.index("-r")
        relation = self.relations.get(rest[at + 1])
        del rest[at:at + 2]
        if relation is None:
            raise subprocess.CalledProcessError(2, args)
        return relation

    def leader_set(self, pairs):
        if not self.leader:
            raise subprocess.CalledProcessError(1, ["leader-set"])
        for pair in pairs:
            key, value = pair.split("=", 1)
            if value:
                self.settings[key] = value
            else:
                self.settings.pop(key, None)
        return ""

    def relation_get(self, args, rest):
        relation = self.relation(args, rest)
        of_application = "--app" in rest
        if of_application:
            rest.remove("--app")
        key, owner = rest
        if of_application:
            if owner == APPLICATION and not self.leader and relation["application"] != APPLICATION:
                raise subprocess.CalledProcessError(1, args)
            bag = relation["applications"].get(owner, {})
        elif owner == UNIT:
            bag = relation["own"]
        elif owner in relation["bags"]:
            bag = relation["bags"][owner]
        else:
            raise subprocess.CalledProcessError(2, args)
        return json.dumps(bag if key == "-" else bag.get(key))

    def relation_set(self, args, rest):
        at = rest.index("-r")
        relation = rest[at + 1]
        self.relation(args, rest)
        side = "unit"
        if "--app" in rest:
            rest.remove("--app")
            side = "application"
            if not self.leader:
                raise subprocess.CalledProcessError(1, args)
        bag = self.written.setdefault(relation, {}).setdefault(side, {})
        for pair in rest:
            key, value = pair.split("=", 1)
            bag[key] = value
        return ""


class Subprocess:
    """Stands where charmhelpers looks for `subprocess`."""

    CalledProcessError = subprocess.CalledProcessError

    def __init__(self):
        self.world = None

    def check_output(self, args, universal_newlines=False):
        answer = self.world.answer(args)
        return answer if universal_newlines else answer.encode()

    def check_call(self, args, **_):
        self.world.answer(args)

    def call(self, args, **_):
        self.world.answer(args)
        return 0
