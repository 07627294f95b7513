"""A server that says where it is."""
from charmhelpers.core import hookenv
from charms.reactive import when


@when("zkclient.joined")
def tell(clients):
    clients.tell(hookenv.unit_private_ip(), 2181)
