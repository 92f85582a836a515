"""Plays charms on one side of a relation, with the libraries that such charms use.

Each line of standard input is a JSON document: what is in the databags before a hook
`relation-changed` of the charm's leader. For each, a line is printed: what is in the charm's
databags afterwards, and what its library read or raised. Nothing is kept between two documents.

A document:

    {"endpoint": "ingress", "role": "requires", "relation": 1,
     "versions": ["v1"],                     what the charm supports; null for all that are known
     "says": {"service": "katib-ui", ...},   what it has to say; null for nothing
     "local": {"name": "katib-ui", "application": {}, "unit": {}},
     "remote": {"name": "pilot", "application": {}, "units": {"0": {}}}}

Its answer:

    {"application": {}, "unit": {},
     "read": {...},        what the other side says; null for nothing
     "raised": null}       or {"exception": "...", "text": "...", "caught": true}

An exception that such charms do not catch ends the hook, and Juju then keeps nothing of what it
wrote: the databags stay as they were.
"""

import json
import os
import sys
import tempfile

from ops import testing

import serialized_data

# The module that has the charm for an endpoint. `gateway-info` has none: its library is not on the
# Python package index, and its databag is three plain texts.
CHARMS = {
    "ingress": serialized_data,
    "ingress-auth": serialized_data,
    "istio-pilot": serialized_data,
}


def answer(document):
    """Plays one hook."""
    local, remote = document["local"], document["remote"]
    metadata, charm_type = CHARMS[document["endpoint"]].charm(document)
    relation = testing.Relation(
        document["endpoint"],
        id=document["relation"],
        local_app_data=local["application"],
        local_unit_data=local["unit"],
        remote_app_name=remote["name"],
        remote_app_data=remote["application"],
        remote_units_data={int(unit): bag for unit, bag in remote["units"].items()},
    )
    context = testing.Context(charm_type, meta=metadata)
    units = sorted(relation.remote_units_data)
    event = context.on.relation_changed(relation, remote_unit=units[0] if units else None)
    before = testing.State(relations={relation}, leader=True)
    with context(event, before) as manager:
        charm = manager.charm
        try:
            after = manager.run().get_relation(relation.id)
        except Exception as error:  # Whatever it is, it is the library's verdict.
            return {
                "application": local["application"],
                "unit": local["unit"],
                "read": None,
                "raised": raised(error, caught=False),
            }
    return {
        "application": dict(after.local_app_data),
        "unit": dict(after.local_unit_data),
        "read": charm.read,
        "raised": raised(charm.error, caught=True) if charm.error else None,
    }


def raised(error, caught):
    """An exception for JSON."""
    return {"exception": type(error).__name__, "text": str(error), "caught": caught}


def main():
    # Exceptions of a charm as they are, not inside of one that says that the charm has raised one.
    os.environ["SCENARIO_BARE_CHARM_ERRORS"] = "true"
    # Charms find their files where they run.
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line)), default=str))


if __name__ == "__main__":
    main()
