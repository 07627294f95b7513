"""The interface of the units among themselves, with a conversation for each."""
from charms.reactive import RelationBase, hook, scopes

from calls import note


class Ring(RelationBase):
    scope = scopes.UNIT

    @hook("{peers:keeper-ring}-relation-joined")
    def ring_joined(self):
        peer = self.conversation()
        note("ring_joined", peer.scope)
        peer.set_local("number", int(peer.scope.split("/")[1]))
        peer.remove_state("{relation_name}.departed")
        peer.set_state("{relation_name}.joined")

    @hook("{peers:keeper-ring}-relation-departed")
    def ring_departed(self):
        peer = self.conversation()
        note("ring_departed", peer.scope)
        peer.remove_state("{relation_name}.joined")
        peer.set_state("{relation_name}.departed")

    def units(self):
        return [[peer.scope, peer.get_local("number")] for peer in self.conversations()]

    def dismiss(self, flag):
        for peer in self.conversations():
            peer.remove_state("{relation_name}." + flag)
