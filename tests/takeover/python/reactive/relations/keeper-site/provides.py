"""The interface to clients, an Endpoint."""
from charmhelpers.core import hookenv
from charms.reactive import Endpoint, clear_flag, when

from calls import note


class Site(Endpoint):
    @when("endpoint.{endpoint_name}.joined")
    def serve(self):
        port = hookenv.config("port")
        note("serve", port)
        for relation in self.relations:
            relation.to_publish["port"] = port

    @when("endpoint.{endpoint_name}.changed.name")
    def named(self):
        note("named", [[unit.unit_name, unit.received["name"]] for unit in self.all_joined_units])
        clear_flag(self.expand_name("changed.name"))

    @when("endpoint.{endpoint_name}.departed")
    def gone(self):
        note("gone")

    def departed(self):
        return [[unit.unit_name, unit.received["name"]] for unit in self.all_departed_units]
