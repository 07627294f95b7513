"""Writes reactive/chain.py: the first of 100 flags, and 99 handlers of which each sets the next."""
import sys

BEGIN = '''from charms.reactive import hook, set_flag, when, when_not


@hook("config-changed")
def begin():
    set_flag("chain.0")
'''

LINK = '''

@when("chain.{link}")
@when_not("chain.{next}")
def link_{link}():
    set_flag("chain.{next}")
'''

sys.stdout.write(BEGIN + "".join(LINK.format(link=link, next=link + 1) for link in range(99)))
