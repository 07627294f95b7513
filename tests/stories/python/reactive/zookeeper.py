"""The charm: the quorum's members are kept in a file, one by one as they come and go."""
import os

from charmhelpers.core import hookenv
from charms.reactive import clear_flag, endpoint_from_flag, hook, set_flag, when, when_not

import leadership
import quorum


@hook("config-changed")
def address():
    clear_flag("zookeeper.configured")


@when("zookeeper.installed")
@when_not("zookeeper.configured")
def configure():
    quorum.add(hookenv.local_unit(), hookenv.unit_private_ip())
    set_flag("zookeeper.configured")


@when("zookeeper.installed", "zookeeper.configured")
@when_not("zookeeper.started")
def start():
    hookenv.open_port(2181)
    set_flag("zookeeper.started")


@when("zookeeper.installed", "zkpeer.joined")
def quorum_add(zkpeer):
    for unit, address in zkpeer.get_nodes():
        quorum.add(unit, address)
    zkpeer.dismiss_joined()


@when("zookeeper.installed", "zkpeer.departed")
def quorum_remove(zkpeer):
    for unit, _ in zkpeer.get_nodes():
        quorum.remove(unit)
    zkpeer.dismiss_departed()


@when("zookeeper.installed", "zkpeer.changed")
def quorum_update(zkpeer):
    for unit, address in zkpeer.get_nodes():
        quorum.add(unit, address)
    zkpeer.dismiss_changed()


@hook("restart")
def ask_for_restart():
    if not hookenv.is_leader():
        hookenv.action_fail("only the leader can ask for a restart")
        return
    nonce = int(leadership.leader_get("restart_nonce") or 0) + 1
    leadership.leader_set(restart_nonce=str(nonce))


@when("zookeeper.started", "leadership.changed.restart_nonce")
def restart():
    if endpoint_from_flag("zkpeer.joined"):
        raise RuntimeError("joined is dismissed by now: nothing leads to the interface any more")
    # So the charm says itself what the interface would.
    told = {"restarted." + leadership.leader_get("restart_nonce"): "True"}
    for relation in hookenv.relation_ids("zkpeer"):
        hookenv.relation_set(relation, told)


@when("zookeeper.started")
def status():
    units = len(quorum.members())
    hint = ": less than 3 is suboptimal" if units < 3 else ": even number is suboptimal" if units % 2 == 0 else ""
    hookenv.status_set("active", "ready ({} units){}".format(units, hint))


@when_not("zookeeper.installed")
def install():
    if os.path.exists("hold-install"):
        return
    hookenv.status_set("maintenance", "installing ZooKeeper")
    quorum.write("myid", "{}\n".format(quorum.number(hookenv.local_unit())))
    set_flag("zookeeper.installed")


@when("zookeeper.installed", "watchers.joined")
def watcher_joined(watchers):
    _look_at(watchers.get_nodes())
    watchers.dismiss_joined()


@when("zookeeper.installed", "watchers.departed")
def watcher_departed(watchers):
    _look_at(watchers.get_nodes())
    watchers.dismiss_departed()


@when("zookeeper.installed", "watchers.changed")
def watcher_changed(watchers):
    _look_at(watchers.get_nodes())
    watchers.dismiss_changed()


def _look_at(nodes):
    """All of them are units."""
    return [quorum.number(unit) for unit, _ in nodes]


@when("zookeeper.installed")
def stumble():
    """Fails so many times as the file says."""
    if os.path.exists("stumble"):
        with open("stumble") as file:
            left = int(file.read())
        if left > 0:
            with open("stumble", "w") as file:
                file.write(str(left - 1))
            raise RuntimeError("stumbled, as the file `stumble` says")
