"""Imported first, this lets charms.reactive work on any system, and start in half the time.

charmhelpers ends with an error on anything but Ubuntu and CentOS; of pkg_resources only what is installed as a plugin is asked.
"""
import sys
import types

import charmhelpers.osplatform

charmhelpers.osplatform.get_platform = lambda: "ubuntu"
sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
sys.modules["pkg_resources"].iter_entry_points = lambda group: []
