"""The interface zookeeper-quorum as charms.reactive has it: one conversation for each other unit of the application."""
from leadership import leader_get
from charms.reactive import RelationBase, hook, scopes


class ZookeeperPeers(RelationBase):
    scope = scopes.UNIT

    @hook("{peers:zookeeper-quorum}-relation-joined")
    def joined(self):
        peer = self.conversation()
        peer.remove_state("{relation_name}.departed")
        peer.set_state("{relation_name}.joined")

    @hook("{peers:zookeeper-quorum}-relation-changed")
    def changed(self):
        self.conversation().set_state("{relation_name}.changed")

    @hook("{peers:zookeeper-quorum}-relation-departed")
    def departed(self):
        peer = self.conversation()
        peer.remove_state("{relation_name}.joined")
        peer.set_state("{relation_name}.departed")

    def dismiss_joined(self):
        self._dismiss("joined")

    def dismiss_changed(self):
        self._dismiss("changed")

    def dismiss_departed(self):
        self._dismiss("departed")

    def _dismiss(self, name):
        for peer in self.conversations():
            peer.remove_state("{relation_name}." + name)

    def get_nodes(self):
        """Unit and address of each peer in the flag by which this object was reached."""
        return [(peer.scope, peer.get_remote("private-address")) for peer in self.conversations()]

    def inform_restart(self):
        for peer in self.conversations():
            peer.set_remote(self._restarted(), "True")

    def restarted_nodes(self):
        informed = [peer for peer in self.conversations() if peer.get_remote(self._restarted())]
        return [(peer.scope, peer.get_remote("private-address")) for peer in informed]

    def _restarted(self):
        return "restarted.{}".format(leader_get("restart_nonce"))

    def set_zk_leader(self):
        for peer in self.conversations():
            peer.set_remote("is_zk_leader", "True")

    def find_zk_leader(self):
        for peer in self.conversations():
            if peer.get_remote("is_zk_leader"):
                # This key is nobody's: Juju writes it with a hyphen.
                return peer.get_remote("private_address")
        return None
