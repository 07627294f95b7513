"""The server's files: zoo.cfg, the membership, which is changed line by line, and data/myid."""
import os
import re

from charmhelpers.core import hookenv

DIRECTORY = "zookeeper"
MEMBERS = "zoo.cfg.dynamic"


class NoPeer(Exception):
    """A name that is no unit's."""


def path(name):
    return os.path.join(hookenv.charm_dir(), DIRECTORY, name)


def write(name, text):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "w") as file:
        file.write(text)


def number(unit):
    if not unit:
        raise NoPeer(unit)
    return int(unit.split("/")[1]) + 1


def configure(options):
    settings = {
        "tickTime": options["tick-time"],
        "initLimit": options["init-limit"],
        "syncLimit": options["sync-limit"],
        "dataDir": path("data"),
        "dynamicConfigFile": path(MEMBERS),
        "reconfigEnabled": "true",
        "standaloneEnabled": "false",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "srvr,mntr,conf",
        "autopurge.purgeInterval": options["autopurge-purge-interval"],
        "autopurge.snapRetainCount": options["autopurge-snap-retain-count"],
    }
    write("zoo.cfg", "".join("{}={}\n".format(*setting) for setting in settings.items()))


def order(text):
    write("order", text + "\n")


def members():
    """The addresses of the members, by their numbers."""
    if not os.path.exists(path(MEMBERS)):
        return {}
    with open(path(MEMBERS)) as file:
        lines = [re.match(r"server\.(\d+)=(.*):2888:3888:participant;2181$", line) for line in file]
    return {int(line.group(1)): line.group(2) for line in lines}


def add(unit, address):
    _write({**members(), number(unit): address})


def remove(unit):
    left = members()
    left.pop(number(unit), None)
    _write(left)


def _write(all_members):
    lines = ["server.{}={}:2888:3888:participant;2181\n".format(*member) for member in sorted(all_members.items())]
    write(MEMBERS, "".join(lines))
