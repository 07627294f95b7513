"""Prints every public name of the installed charms.reactive, a line each: as the table of the migration guide has them."""
import importlib
import inspect
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python", "lib"))

import anywhere  # noqa: E402, F401
from charmhelpers.cli import cmdline  # noqa: E402

MODULES = [
    "flags", "decorators", "helpers", "relations", "endpoints", "patterns.request_response", "bus", "trace", "cli",
]


def is_public(name):
    return not name.startswith("_")


def of_class(cls):
    """What its users call or set; what a base class of the same package has is named there."""
    yield cls.__name__
    begin = vars(cls).get("__init__")
    attributes = re.findall(r"self\.(\w+) =", inspect.getsource(begin)) if begin else []
    for name in [*vars(cls), *attributes]:
        if is_public(name):
            yield cls.__name__ + "." + name


def of_module(module):
    """What it defines, and what it says that it exports."""
    for name, value in vars(module).items():
        # A function under a second name stands under that name, too; what the command line gets is named there.
        if not is_public(name) or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield from of_class(value)
        elif callable(value):
            yield name
    yield from getattr(module, "__all__", [])


def of_package():
    package = importlib.import_module("charms.reactive")
    yield from of_module(package)
    for name in MODULES:
        module = importlib.import_module("charms.reactive." + name)
        # The functions of this one are subcommands.
        if name != "cli":
            yield from of_module(module)


def of_command_line():
    for action in cmdline.subparsers.choices:
        yield "charms.reactive " + action


def of_shell():
    path = os.path.join(os.path.dirname(sys.executable), "charms.reactive.sh")
    with open(path) as file:
        text = file.read()
    for name in re.findall(r"^\s*(?:function\s+|alias\s+)([@\w]+)\s*(?:\(\)|=)", text, re.MULTILINE):
        if is_public(name):
            yield "charms.reactive.sh " + name


def main():
    names = set(of_package()) | set(of_command_line()) | set(of_shell())
    print("\n".join(sorted(names)))


main()
