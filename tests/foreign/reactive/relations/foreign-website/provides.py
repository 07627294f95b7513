"""The interface of the website, on the side that has it."""
from charmhelpers.core import hookenv
from charms.reactive import Endpoint, clear_flag, when

import view


class WebsiteProvides(Endpoint):
    @when("endpoint.{endpoint_name}.departed")
    def forget_departed(self):
        self.all_departed_units.clear()
        clear_flag(self.expand_name("departed"))

    def publish(self, entries):
        for relation in self.relations:
            relation.to_publish_raw.update(entries)
            view.wrote(relation.relation_id, hookenv.local_unit(), entries)
