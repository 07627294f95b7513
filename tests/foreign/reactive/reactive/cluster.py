"""A cluster whose units record what charms.reactive and charmhelpers show them."""
import os
import sys

from charmhelpers.core import hookenv, unitdata
from charms.reactive import clear_flag, endpoint_from_name, hook, set_flag, when, when_not

import view

hookenv.atstart(view.record)


@hook("stop", "remove")
def leave():
    set_flag("cluster.leaving")


@when_not("cluster.leaving", "actions.report")
def publish():
    config = hookenv.config()
    word = config["word"].upper() if config["loud"] else config["word"]
    cluster = endpoint_from_name("cluster")
    cluster.publish({"name": hookenv.local_unit(), "word": word})
    endpoint_from_name("website").publish({"port": str(config["port"])})
    if hookenv.is_leader():
        settings = {"members": ",".join(cluster.members())}
        view.wrote("settings", hookenv.application_name(), settings)
        hookenv.leader_set(settings)
    hookenv.status_set("active", "")
    set_flag("cluster.published")


@when("cluster.published")
def fail_if_told():
    clear_flag("cluster.published")
    left = int(open("failures").read()) if os.path.exists("failures") else 0
    if hookenv.config()["fail-in"] != view.hook_name() or left == 0:
        return
    with open("failures", "w") as failures:
        failures.write(str(left - 1))
    for relation_id in hookenv.relation_ids("cluster"):
        view.wrote(relation_id, hookenv.local_unit(), {"unkept": view.hook_name()})
        hookenv.relation_set(relation_id, {"unkept": view.hook_name()})
    if hookenv.is_leader():
        view.wrote("settings", hookenv.application_name(), {"kept": view.hook_name()})
        hookenv.leader_set(kept=view.hook_name())
    hookenv.open_port(9999)
    unitdata.kv().set("done", 1000)
    sys.exit(1)


@when("actions.report")
def report():
    hookenv.action_set({"view": "\n".join(view.hooks())})
    clear_flag("actions.report")


def count():
    unitdata.kv().set("done", unitdata.kv().get("done", 0) + 1)


hookenv.atexit(count)
