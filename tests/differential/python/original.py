"""charms.reactive 1.5.3, imported once: what a hook's process begins with, and how everything is made to be so again."""
import os
import sys

import charmhelpers.osplatform

# charmhelpers ends with an error on anything but Ubuntu and CentOS.
charmhelpers.osplatform.get_platform = lambda: "ubuntu"

DIRECTORY = sys.argv[1]
os.environ["CHARM_DIR"] = os.environ["JUJU_CHARM_DIR"] = DIRECTORY
os.environ["UNIT_STATE_DB"] = ":memory:"

from charmhelpers.core import hookenv, host, unitdata  # noqa: E402
from charms import reactive  # noqa: E402
from charms.reactive import bus, decorators, endpoints, flags, helpers, relations, trace  # noqa: E402

import juju  # noqa: E402

INTERFACES = {"unit": "unit", "app": "service", "global": "global", "named": "everybody"}
ROLES = ("provides", "requires", "peers")

COMMANDS = juju.Subprocess()
hookenv.subprocess = COMMANDS
hookenv.log = lambda *_args, **_kwargs: None

_AT_START = list(hookenv._atstart)
_AT_EXIT = list(hookenv._atexit)
_MODULES = {}


def interface_module(interface, role, members):
    """A module where charms.reactive looks for the interface."""
    name = "reactive.relations.{}.{}".format(interface, role)
    module = type(sys)(name)
    vars(module).update(members)
    sys.modules[name] = module
    _MODULES[(interface, role)] = module
    return module


def _conversations():
    for interface, scope in INTERFACES.items():
        known = {"unit": relations.scopes.UNIT, "service": relations.scopes.SERVICE,
                 "global": relations.scopes.GLOBAL}
        for role in ROLES:
            kind = type("Speaks", (relations.RelationBase,), {"scope": known.get(scope, scope)})
            interface_module(interface, role, {"Speaks": kind})


_conversations()


class Modern(endpoints.Endpoint):
    """An interface without conversations, which does at the beginning of a hook what it is told."""

    at_start = None

    def register_triggers(self):
        Modern.at_start.register_triggers(self.endpoint_name)

    def manage_flags(self):
        Modern.at_start.manage_flags(self.endpoint_name)


for _role in ROLES:
    interface_module("modern", _role, {"Modern": Modern})


def begin(world, metadata, rows, at_start, start=()):
    """Everything is as in a process that begins; `start` is what stands in the place of callbacks at the start."""
    os.environ.clear()
    os.environ.update(world.environment(DIRECTORY))
    COMMANDS.world = world
    hookenv.cache.clear()
    hookenv._cache_config = None
    hookenv.metadata = lambda: metadata
    hookenv._atexit[:] = _AT_EXIT
    replaced = dict(start)
    hookenv._atstart[:] = [(replaced.get(name(entry), entry[0]), entry[1], entry[2]) for entry in _AT_START]
    for at, (callback, args, kwargs) in enumerate(hookenv._atstart):
        if callback is trace.install_tracer:
            hookenv._atstart[at] = (callback, (trace.LogTracer(),), kwargs)
    trace._tracer = trace.NullTracer()
    bus.Handler._HANDLERS = {}
    bus.Handler._CONSUMED_FLAGS = set()
    flags.TRIGGER_CALLBACKS.clear()
    endpoints.Endpoint._endpoints.clear()
    relations.RelationBase._cache.clear()
    Modern.at_start = at_start
    persistent = os.path.join(DIRECTORY, hookenv.Config.CONFIG_FILE_NAME)
    if os.path.exists(persistent):
        os.remove(persistent)
    if unitdata._KV is not None:
        unitdata._KV.conn.close()
    unitdata._KV = unitdata.Storage(":memory:")
    unitdata._KV.conn.executemany("insert into kv (key, data) values (?, ?)", list(rows.items()))
    unitdata._KV.conn.commit()


def name(entry):
    """Which callback it is, in words."""
    callback = entry[0]
    return getattr(callback, "__qualname__", repr(callback))


def rows():
    """What is kept."""
    unitdata._KV.conn.rollback()
    return dict(unitdata._KV.conn.execute("select key, data from kv order by key"))
