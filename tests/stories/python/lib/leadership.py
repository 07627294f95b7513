"""Leader settings with flags, as charms knew them from layer-leadership."""
from charmhelpers.core import hookenv, unitdata
from charms.reactive import clear_flag, get_flags, toggle_flag

STORED = "leadership.settings."


def leader_get(key):
    return hookenv.leader_get(key)


def leader_set(**settings):
    hookenv.leader_set(settings)
    for key, value in settings.items():
        if _note(key, value):
            toggle_flag("leadership.changed." + key, True)
            toggle_flag("leadership.changed", True)


def refresh():
    """Brings the flags up to date, before any handler runs."""
    toggle_flag("leadership.is_leader", hookenv.is_leader())
    for flag in get_flags():
        if flag == "leadership.changed" or flag.startswith("leadership.changed."):
            clear_flag(flag)
    known = unitdata.kv().getrange(STORED, strip=True)
    current = hookenv.leader_get() or {}
    for key in sorted(set(known) | set(current)):
        if _note(key, current.get(key)):
            toggle_flag("leadership.changed." + key, True)
            toggle_flag("leadership.changed", True)


def _note(key, value):
    """Keeps the value for the next hook; whether it is another one."""
    before = unitdata.kv().get(STORED + key)
    unitdata.kv().set(STORED + key, value)
    toggle_flag("leadership.set." + key, value is not None)
    return before != value


hookenv.atstart(refresh)
