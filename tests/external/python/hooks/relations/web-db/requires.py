"""The interface web-db, of the side that uses a database."""
from charms.reactive import RelationBase, hook, scopes


class Database(RelationBase):
    scope = scopes.UNIT

    @hook("{requires:web-db}-relation-{joined,changed}")
    def changed(self):
        conversation = self.conversation()
        conversation.set_state("{relation_name}.connected")
        if conversation.get_remote("uri"):
            conversation.set_state("{relation_name}.available")

    @hook("{requires:web-db}-relation-departed")
    def departed(self):
        conversation = self.conversation()
        conversation.remove_state("{relation_name}.connected")
        conversation.remove_state("{relation_name}.available")

    def uri(self):
        return self.conversations()[0].get_remote("uri")
