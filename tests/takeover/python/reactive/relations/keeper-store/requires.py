"""The interface to the store, with one conversation for all of it."""
from charms.reactive import RelationBase, hook, scopes

from calls import note


class Store(RelationBase):
    scope = scopes.GLOBAL
    auto_accessors = ["uri"]

    @hook("{requires:keeper-store}-relation-{joined,changed}")
    def store_changed(self):
        note("store_changed", self.uri())
        if self.uri():
            self.set_state("{relation_name}.available")
