"""Differences of endpoints: D15, D22 to D25, D28, D45 and D49."""
from difference import Run, use
from original import COMMANDS, endpoints, flags, helpers, hookenv, relations, unitdata


def _number(relation):
    return int(relation.split(":")[1])


def install():
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


def start():
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
