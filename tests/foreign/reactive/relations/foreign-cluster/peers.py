"""The interface of the units among themselves."""
from charmhelpers.core import hookenv
from charms.reactive import Endpoint, clear_flag, when

import view


class ClusterPeers(Endpoint):
    @when("endpoint.{endpoint_name}.departed")
    def forget_departed(self):
        self.all_departed_units.clear()
        clear_flag(self.expand_name("departed"))

    def publish(self, entries):
        for relation in self.relations:
            relation.to_publish_raw.update(entries)
            view.wrote(relation.relation_id, hookenv.local_unit(), entries)

    def members(self):
        return sorted({unit.unit_name for unit in self.all_joined_units} | {hookenv.local_unit()})
