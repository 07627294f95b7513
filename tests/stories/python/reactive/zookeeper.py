"""The charm: the membership is a file, into which peers are written one by one as they come and go."""
import json
import os
import subprocess

from charmhelpers.core import hookenv, unitdata
from charms.reactive import clear_flag, endpoint_from_flag, endpoint_from_name, hook, set_flag, when, when_not

import leadership
import server
import words

# What is to be told to peers once the relation is entered.
UNTOLD = "untold."


@hook("config-changed")
def address():
    clear_flag("zookeeper.configured")


@when("zookeeper.installed")
@when_not("zookeeper.configured")
def configure():
    own = _own_address()
    if own is None:
        words.say("configure", "waiting", "for an address")
        return
    server.configure(hookenv.config())
    server.add(hookenv.local_unit(), own)
    set_flag("zookeeper.configured")
    clear_flag("zookeeper.reported")


def _own_address():
    asked = subprocess.run(["network-get", "zkpeer", "--format=json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if b"no network config found" in asked.stderr:
        return None
    asked.check_returncode()
    return (json.loads(asked.stdout).get("ingress-addresses") or [None])[0]


@when("zookeeper.installed", "zookeeper.configured")
@when_not("zookeeper.started")
def start():
    server.order("start")
    hookenv.open_port(2181)
    set_flag("zookeeper.started")


@when("zookeeper.installed", "zkpeer.joined")
def quorum_add(zkpeer):
    for unit, address in zkpeer.get_nodes():
        server.add(unit, address)
    zkpeer.dismiss_joined()
    clear_flag("zookeeper.reported")


@when("zookeeper.installed", "zkpeer.departed")
def quorum_remove(zkpeer):
    for unit, _ in zkpeer.get_nodes():
        server.remove(unit)
    zkpeer.dismiss_departed()
    clear_flag("zookeeper.reported")


@when("zookeeper.installed", "zkpeer.changed")
def quorum_update(zkpeer):
    for unit, address in zkpeer.get_nodes():
        server.add(unit, address)
    zkpeer.dismiss_changed()
    clear_flag("zookeeper.reported")


@hook("leader-settings-changed", "leader-elected", "{peers:zookeeper-quorum}-relation-changed")
def restart_ordered(*_):
    nonce = leadership.leader_get("restart_nonce")
    if nonce is None or nonce == unitdata.kv().get("zookeeper.restart-nonce"):
        return
    _order(nonce)


def _order(nonce):
    unitdata.kv().set("zookeeper.restart-nonce", nonce)
    set_flag("zookeeper.restart-ordered")


@when("zookeeper.started", "zookeeper.restart-ordered")
def restart():
    if "JUJU_ACTION_NAME" in os.environ:
        return
    nonce = leadership.leader_get("restart_nonce")
    server.order("restart " + nonce)
    clear_flag("zookeeper.restart-ordered")
    if endpoint_from_flag("zkpeer.joined"):
        raise RuntimeError("joined is dismissed by now: nothing leads to the interface any more")
    # So the charm says itself what the interface would, as soon as the relation is entered.
    _tell({"restarted." + nonce: "True"})


def _tell(entries):
    relations = hookenv.relation_ids("zkpeer")
    if not relations:
        unitdata.kv().update(entries, prefix=UNTOLD)
    for relation in relations:
        hookenv.relation_set(relation, entries)


def tell_what_waits():
    if hookenv.hook_name() in ("zkpeer-relation-created", "zkpeer-relation-joined"):
        _tell(unitdata.kv().getrange(UNTOLD, strip=True))
        unitdata.kv().unsetrange(prefix=UNTOLD)


hookenv.atexit(tell_what_waits)


@when("zookeeper.started")
@when_not("zookeeper.reported")
def status():
    members = sorted(server.members())
    hint = ""
    if len(members) < 3:
        hint = "; fewer than 3 tolerate no failure"
    elif len(members) % 2 == 0:
        hint = "; an odd number is better"
    ids = " ".join(map(str, members))
    words.say("report", "active", "ready, quorum of {}: {}{}".format(len(members), ids, hint))
    set_flag("zookeeper.reported")


@hook("quorum")
def show_quorum():
    hookenv.action_set({"members.{}".format(id): address for id, address in server.members().items()})


@hook("restart")
def order_restart():
    if not hookenv.is_leader():
        hookenv.action_fail("only the leader orders a restart: run it on zookeeper/leader")
        return
    nonce = str(int(leadership.leader_get("restart_nonce") or 0) + 1)
    leadership.leader_set(restart_nonce=nonce)
    _order(nonce)
    hookenv.action_set({"nonce": nonce})


@when_not("zookeeper.installed")
def install():
    """Waits while there is a file `hold-install`."""
    if os.path.exists("hold-install"):
        return
    words.maintenance("installing")
    server.write("data/myid", "{}\n".format(server.number(hookenv.local_unit())))
    set_flag("zookeeper.installed")


@when("zookeeper.installed", "watchers.joined")
def watcher_joined(watchers):
    _look_at(watchers)
    watchers.dismiss_joined()


@when("zookeeper.installed", "watchers.departed")
def watcher_departed(watchers):
    _look_at(watchers)
    watchers.dismiss_departed()


@when("zookeeper.installed", "watchers.changed")
def watcher_changed(watchers):
    _look_at(watchers)
    watchers.dismiss_changed()


@when("zookeeper.installed", "leadership.changed.restart_nonce")
def nonce_changed():
    """So that these flags are watched, and compared."""


def _look_at(watchers):
    """All of them are units."""
    return [server.number(unit) for unit, _ in watchers.get_nodes()]


@when("zookeeper.installed")
def stumble():
    """Fails so many times as the file `stumble` says; not in actions, as what they set would stay in Python (F5)."""
    if os.path.exists("stumble") and "JUJU_ACTION_NAME" not in os.environ:
        with open("stumble") as file:
            left = int(file.read())
        if left > 0:
            with open("stumble", "w") as file:
                file.write(str(left - 1))
            raise RuntimeError("stumbled, as the file `stumble` says")


@when_not("stories.never")
def probe():
    """Does what each line of the file `probe` says: a flag, or the endpoint's name, and a method of what it leads to."""
    if not os.path.exists("probe"):
        return
    with open("probe") as file:
        answers = [_ask(*line.split()) for line in file]
    with open("probed", "w") as file:
        json.dump(answers, file)


def _ask(way, method):
    try:
        zkpeer = endpoint_from_flag(way) if "." in way else endpoint_from_name(way)
        return getattr(zkpeer, method)() if zkpeer else "nothing"
    except subprocess.CalledProcessError as error:
        return "{} fails".format(error.cmd[0])
