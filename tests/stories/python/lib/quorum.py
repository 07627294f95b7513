"""The files of a server: zoo.cfg, myid, and the list of members, which is changed line by line."""
import os
import re

from charmhelpers.core import hookenv

DATA = "data"
MEMBERS = "zoo.cfg.dynamic"


def path(name):
    return os.path.join(hookenv.charm_dir(), DATA, name)


class NoPeer(Exception):
    """There is a name that is no unit's."""


def number(unit):
    if not unit:
        raise NoPeer(unit)
    return int(unit.split("/")[1]) + 1


def write(name, text):
    os.makedirs(path(""), exist_ok=True)
    with open(path(name), "w") as file:
        file.write(text)


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
