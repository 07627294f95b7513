"""Ten ordinary handlers, none of which is due while the server runs undisturbed."""
from charms.reactive import clear_flag, hook, set_flag, when, when_any, when_not, when_not_all


@when_not("server.installed")
def install():
    set_flag("server.installed")


@when("server.installed")
@when_not("server.configured")
def configure():
    set_flag("server.configured")


@when("server.configured")
@when_not("server.started")
def start():
    set_flag("server.started")


@when("server.installed", "quorum.joined")
def grow():
    clear_flag("quorum.joined")


@when("server.installed", "quorum.departed")
def shrink():
    clear_flag("quorum.departed")


@when("server.restart.wanted")
def restart():
    clear_flag("server.restart.wanted")


@when_any("backup.wanted", "backup.late")
def backup():
    clear_flag("backup.wanted")
    clear_flag("backup.late")


@when_not_all("server.installed", "server.configured", "server.started")
def wait():
    set_flag("server.waiting")


@hook("upgrade-charm")
def upgrade():
    clear_flag("server.configured")


@hook("stop")
def stop():
    clear_flag("server.started")
