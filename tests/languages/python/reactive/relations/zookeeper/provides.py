"""The interface to clients, as it was with conversations: each unit says where it is."""
from charms.reactive import RelationBase, hook, scopes


class Clients(RelationBase):
    scope = scopes.GLOBAL

    @hook("{provides:zookeeper}-relation-{joined,changed}")
    def joined(self):
        self.conversation().set_state("{relation_name}.joined")

    @hook("{provides:zookeeper}-relation-{departed,broken}")
    def departed(self):
        self.conversation().remove_state("{relation_name}.joined")

    def tell(self, host, port):
        self.conversation().set_remote(data={"host": host, "port": port, "rest_port": 9998})
