"""The charm: each handler notes that it has run, and what it was told."""
import os

from charmhelpers.core import hookenv
from charms.reactive import (
    data_changed, endpoint_from_name, is_flag_set, only_once, set_flag, when, when_file_changed, when_not,
)

import leadership
import options  # noqa: F401
from calls import note


@when_not("keeper.installed")
def install():
    note("install")
    set_flag("keeper.installed")


@only_once
@when("keeper.installed")
def introduce():
    note("introduce")


@only_once
@when("config.set.greet")
def greet():
    note("greet")


@when_file_changed("rules.txt")
def rules_changed():
    with open("rules.txt") as file:
        note("rules_changed", file.read())


@when("config.changed")
def any_option():
    note("any_option")


@when("config.changed.word")
def word_changed():
    note("word_changed", hookenv.config("word"))


@when("config.set.note")
def has_note():
    note("has_note", hookenv.config("note"))


@when("leadership.is_leader", "config.changed.word")
def order():
    note("order", hookenv.config("word"))
    leadership.leader_set(word=hookenv.config("word"))


@when("leadership.changed.word")
def ordered():
    note("ordered", leadership.leader_get("word"))


@when("ring.joined", "config.set.tidy")
def meet(ring):
    note("meet", ring.units())
    ring.dismiss("joined")


@when("ring.departed", "config.set.tidy")
def part(ring):
    note("part", ring.units())
    ring.dismiss("departed")


@when("config.set.tidy")
def sweep():
    site = endpoint_from_name("site")
    departed = site.departed()
    note("sweep", departed)
    if departed:
        site.all_departed_units.clear()


@when("store.available")
def use_store(store):
    note("use_store", store.uri())
    if data_changed("keeper.uri", store.uri()):
        note("new_store", store.uri())


@when("keeper.installed")
def stumble():
    if os.path.exists("stumble") and is_flag_set("keeper.installed"):
        raise RuntimeError("there is a file `stumble`")
