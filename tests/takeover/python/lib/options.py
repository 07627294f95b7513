"""The flags of configuration, as charms knew them from layer-basic."""
import os

import yaml
from charmhelpers.core import hookenv
from charms.reactive import clear_flag, set_flag, toggle_flag


def refresh():
    """Brings the flags up to date, before any handler runs."""
    with open(os.path.join(hookenv.charm_dir(), "config.yaml")) as file:
        options = yaml.safe_load(file)["options"]
    config = hookenv.config()
    for name, option in options.items():
        if config.changed(name):
            set_flag("config.changed")
            set_flag("config.changed." + name)
        toggle_flag("config.set." + name, bool(config[name]))
        toggle_flag("config.default." + name, config[name] == option.get("default"))
    hookenv.atexit(forget, list(options))


def forget(names):
    clear_flag("config.changed")
    for name in names:
        for group in ("changed", "set", "default"):
            clear_flag("config.{}.{}".format(group, name))


hookenv.atstart(refresh)
