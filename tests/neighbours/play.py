"""Plays charms on one side of a relation, with the libraries that such charms use.

    python play.py kubeflow

plays those whose modules are in the folder `kubeflow`; what `requirements.txt` there names has to be
installed. (`python play.py kubeflow check` plays both sides of each library against each other.) Each
line of standard input is a JSON document: what is there before a hook
`relation-changed` of the charm's leader. For each, a line is printed: what is there afterwards, and
what the library read or raised.

A document:

    {"library": "serialized_data",           the module
     "endpoint": "ingress", "interface": "ingress", "role": "requires", "relation": 1,
     "versions": ["v1"],                     what the charm supports; null for all that are known
     "says": {"service": "katib-ui", ...},   what it has to say; null for nothing
     "judges": null,                         or something that the library should judge instead
     "memory": null,                         what it remembers; null before its first hook
     "local": {"name": "katib-ui", "application": {}, "unit": {}},
     "remote": {"name": "pilot", "application": {}, "units": {"0": {}}}}

Its answer:

    {"application": {}, "unit": {},
     "read": {...},        what the other side says; null for nothing
     "raised": null,       or {"exception": "...", "text": "...", "caught": true}
     "memory": "..."}      to be given back with the next document

The first hook is preceded by `relation-created`. An exception that such charms do not catch ends the
hook, and Juju then keeps nothing of what it wrote: all stays as it was.
"""

import importlib
import json
import os
import pathlib
import sys
import tempfile
import unittest

from ops import testing

import memory


def answer(document):
    """Plays one hook, and the one before it when it is the first."""
    player = importlib.import_module(document["library"]).charm(document)
    remembered = memory.recall(document["memory"])
    relation = relation_of(document)
    hooks = ["relation_changed"] if document["memory"] else ["relation_created", "relation_changed"]
    for hook in hooks:
        state = testing.State(
            relations={relation},
            leader=True,
            secrets=remembered.secrets,
            stored_states=remembered.stored,
        )
        context = testing.Context(player, meta=metadata(document, player))
        units = sorted(relation.remote_units_data)
        # Nobody has to be there when a relation is made.
        unit = {"remote_unit": units[0] if units else None} if hook == "relation_changed" else {}
        with context(getattr(context.on, hook)(relation, **unit), state) as manager:
            charm = manager.charm
            charm.memory = remembered.own
            try:
                state = manager.run()
            except Exception as error:  # Whatever it is, it is the library's verdict.
                return {
                    "application": document["local"]["application"],
                    "unit": document["local"]["unit"],
                    "read": None,
                    "raised": raised(error, caught=False),
                    "memory": document["memory"],
                }
        relation = state.get_relation(relation.id)
        remembered = memory.Memory(state.secrets, state.stored_states, charm.memory)
    return {
        "application": dict(relation.local_app_data),
        "unit": dict(relation.local_unit_data),
        "read": charm.read,
        "raised": raised(charm.error, caught=True) if charm.error else None,
        "memory": memory.keep(remembered),
    }


def relation_of(document):
    """The relation as the charm sees it before its hook."""
    local, remote = document["local"], document["remote"]
    return testing.Relation(
        document["endpoint"],
        interface=document["interface"],
        id=document["relation"],
        local_app_data=local["application"],
        local_unit_data=local["unit"],
        remote_app_name=remote["name"],
        remote_app_data=remote["application"],
        remote_units_data={int(unit): bag for unit, bag in remote["units"].items()},
    )


def metadata(document, player):
    """The charm's metadata.yaml."""
    return {
        "name": document["local"]["name"],
        document["role"]: {document["endpoint"]: player.declaration(document)},
    }


def raised(error, caught):
    """An exception for JSON."""
    return {"exception": type(error).__name__, "text": str(error), "caught": caught}


def main():
    family = pathlib.Path(__file__).parent / sys.argv[1]
    sys.path.insert(0, str(family))
    # Exceptions of a charm as they are, not inside of one that says that the charm has raised one.
    os.environ["SCENARIO_BARE_CHARM_ERRORS"] = "true"
    # Charms find their files where they run.
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if sys.argv[2:] == ["check"]:
            unittest.main("test_libraries", argv=sys.argv[:1], warnings="ignore")
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line)), default=str))


if __name__ == "__main__":
    main()
