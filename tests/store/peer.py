"""The other side of the proofs: charmhelpers 1.2.1 and Python's own json module.

Reads one request a line, a list of a function's name and its arguments, and answers each with one line, a list of
["ok", result] or ["failed", what]. JSON texts travel as strings, so that nothing on the way interprets them.
"""
import json
import os
import random
import signal
import sqlite3
import stat
import struct
import sys
from unittest import mock

import charmhelpers.osplatform

from charmhelpers.core import unitdata

store = None
connections = {}


def raw():
    """Every key with the text that is stored."""
    return dict(store.conn.execute("select key, data from kv").fetchall())


def open_store(path):
    global store
    store = unitdata.Storage(path)


def close_store():
    store.close()


def set_value(key, text):
    store.set(key, json.loads(text))


def unset_value(key):
    store.unset(key)


def flush():
    store.flush()


def values():
    """Every key with its value, as charmhelpers reads it, in the one spelling of json.dumps(sort_keys=True)."""
    return {key: json.dumps(value, sort_keys=True) for key, value in store.getrange("").items()}


def history():
    """What the tables that zkpeer never reads are good for."""
    with store.hook_scope("install"):
        store.set("in-hook", 1)
        store.set("in-hook", 2)
    return [row[:4] for row in store.gethistory("in-hook")]


def describe(path):
    """All there is to say about the tables, and about the file."""
    connection = sqlite3.connect(path)
    names = [name for name, in connection.execute("select name from sqlite_master where type = 'table' order by name")]
    tables = {}
    for name in names:
        columns = connection.execute("pragma table_info(%s)" % name).fetchall()
        indexes = connection.execute("pragma index_list(%s)" % name).fetchall()
        keys = [connection.execute("pragma index_info(%s)" % index[1]).fetchall() for index in indexes]
        tables[name] = [columns, indexes, keys]
    journal = connection.execute("pragma journal_mode").fetchone()[0]
    connection.close()
    return [tables, journal, oct(stat.S_IMODE(os.stat(path).st_mode))]


def react(path):
    """What a charm written with charms.reactive leaves behind."""
    os.environ.update(UNIT_STATE_DB=path, JUJU_UNIT_NAME="zk/0", CHARM_DIR=os.path.dirname(path))
    with mock.patch.object(charmhelpers.osplatform, "get_platform", lambda: "ubuntu"):
        from charms.reactive import flags, helpers, relations
    flags.set_flag("zookeeper.installed")
    flags.set_flag("with.value", {"z": [1.0, 1e-7, float("nan")], "a": "é\ud800"})
    key = "reactive.conversations.zkpeer:0.zk/1"
    flags.set_flag("zkpeer.joined", {"relation": "zkpeer", "conversations": [key]})
    conversation = relations.Conversation(namespace="zkpeer:0", units={"zk/1"}, scope="zk/1")
    unitdata.kv().set(key, relations.Conversation.serialize(conversation))
    conversation.set_local("address", "10.0.0.1")
    conversation.set_local(big=10 ** 30, none=None)
    helpers.data_changed("ports", {"b": [1.0, 1e-7], "a": "é", "nested": {"y": 1, "x": 2}})
    helpers.mark_invoked("reactive/zookeeper.py:12:install")
    unitdata.kv().set("leadership.settings.restart-nonce", "abc")
    unitdata.kv().flush()
    open_store(path)


def flags_of(path):
    """The flags and one conversation, as charms.reactive reads them."""
    os.environ.update(UNIT_STATE_DB=path, JUJU_UNIT_NAME="zk/0", CHARM_DIR=os.path.dirname(path))
    with mock.patch.object(charmhelpers.osplatform, "get_platform", lambda: "ubuntu"):
        from charms.reactive import flags, helpers, relations
    names = sorted(flags.get_flags())
    value = flags._get_flag_value("zkpeer.joined")
    conversation = relations.Conversation.load(value["conversations"])[0]
    changed = helpers.is_data_changed("ports", {"b": [1.0, 1e-7], "a": "é", "nested": {"y": 1, "x": 2}})
    return [names, value["relation"], sorted(conversation.units), conversation.get_local("address"), changed]


def rewrite(texts):
    """What Python makes of each text; null where it refuses it."""
    results = []
    for text in texts:
        try:
            results.append(json.dumps(json.loads(text), sort_keys=True))
        except ValueError:
            results.append(None)
    return results


def floats(bits):
    """The text of each float, given by its bits."""
    return [json.dumps(struct.unpack("<d", struct.pack("<Q", number))[0]) for number in bits]


def keyed(kind, keys):
    """A dictionary with keys that are not texts."""
    kinds = {"int": int, "bool": bool, "none": lambda _: None}
    return json.dumps({kinds[kind](key): index for index, key in enumerate(keys)}, sort_keys=True)


def random_text(rng):
    alphabets = [
        lambda: rng.randrange(0x20, 0x7F),
        lambda: rng.randrange(0, 0x20),
        lambda: rng.choice(b'"\\/\x7f\x80') if rng.random() < 0.9 else 0xFFFF,
        lambda: rng.randrange(0xD800, 0xE000),
        lambda: rng.randrange(0x80, 0x10000),
        lambda: rng.randrange(0x10000, 0x110000),
    ]
    length = rng.choice([0, 1, 2, 5, 20])
    return "".join(chr(rng.choices(alphabets, [6, 1, 1, 1, 1, 1])[0]()) for _ in range(length))


def random_value(rng, depth):
    kind = rng.randrange(10 if depth else 7)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, 1, rng.randrange(-1000, 1000), rng.getrandbits(64), -rng.getrandbits(200)])
    if kind == 2:
        return struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))[0]
    if kind == 3:
        return rng.choice([0.0, -0.0, 1.0, 1e16, 1e-5, 1e22, float("nan"), float("inf"), float("-inf"), rng.random()])
    if kind == 4:
        return rng.choice([1, -1]) * rng.randrange(10 ** 17) * 10.0 ** rng.randrange(-25, 25)
    if kind in (5, 6):
        return random_text(rng)
    if kind == 7:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {random_text(rng): random_value(rng, depth - 1) for _ in range(rng.randrange(6))}


def random_values(seed, count):
    """Random values, each as charmhelpers writes it (keys in any order) and as one text with sorted keys."""
    rng = random.Random(seed)
    results = []
    for _ in range(count):
        written = json.dumps(random_value(rng, 4))
        # Read again first: two halves of a surrogate pair become one character.
        results.append([written, json.dumps(json.loads(written), sort_keys=True)])
    return results


def connect(name, path):
    """A connection by hand, with no time to wait for locks and with transactions as they are told."""
    connections[name] = sqlite3.connect(path, timeout=0, isolation_level=None)


def execute(name, statement):
    """Runs a statement and takes at most the first row, so that a reader stays one."""
    try:
        cursor = connections[name].execute(statement)
    except sqlite3.OperationalError as error:
        return str(error)
    connections[name + " reads"] = cursor
    return cursor.fetchone()


def finish(name):
    """Ends what a connection reads."""
    connections.pop(name + " reads").close()


def try_to_write(name):
    """None, or why it may not."""
    answer = execute(name, "begin immediate")
    if answer is None:
        execute(name, "rollback")
    return answer


def die_while_writing(path):
    """Dies with half of a transaction in the file, and the other half in the journal."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma cache_size = 1")
    connection.execute("begin immediate")
    connection.execute("update kv set data = '\"overwritten\"'")
    connection.executemany("insert into kv values (?, ?)", [("new-%d" % n, '"%s"' % ("x" * 1000)) for n in range(500)])
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = ["ok", globals()[name](*arguments)]
        except Exception as error:  # The test shows it.
            answer = ["failed", repr(error)]
        print(json.dumps(answer), flush=True)


main()
