"""What handlers do, step by step, through the public names of charms.reactive."""
import sys

from difference import Failure, Run, use
from original import decorators, flags, helpers, hookenv, reactive, unitdata


class Asked(Exception):
    """A handler fails because it is to."""


class Steps:
    """Takes the steps of a hook: of its handlers, of its triggers' functions, and of what comes before and after."""

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
        endpoint = self.instance if endpoint == "self" else endpoint
        if self.of(endpoint, "interface") == "modern":
            self.bond(reactive.endpoint_from_name(endpoint), bond)

    def bond(self, endpoint, bond):
        kv, of, units = unitdata.kv(), endpoint.endpoint_name, endpoint.all_joined_units
        kind, value = (bond, None) if isinstance(bond, str) else next(iter(bond.items()))
        if kind == "is_joined":
            flags.toggle_flag(value, endpoint.is_joined)
        elif kind == "joined":
            kv.set("joined." + of, [[unit.relation.relation_id, unit.unit_name] for unit in units])
        elif kind == "departed":
            if self.on and "departed" not in Run.kept_up.get(of, ()):
                # D28: nobody keeps them, and who asks is told.
                use("D28")
                raise Failure("departed units are not kept")
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
            use("D48")
            raise Failure("this unit does not lead")
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
