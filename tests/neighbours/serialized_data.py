"""Charms that use the library serialized-data-interface."""

import copy
import pathlib

import ops
import yaml
from serialized_data_interface import NoCompatibleVersions, NoVersionsListed, get_interface

INTERFACES = pathlib.Path(__file__).parent / "interfaces"


def charm(document):
    """The metadata of the charm that a document asks for, and its class."""
    endpoint = document["endpoint"]
    metadata = {
        "name": document["local"]["name"],
        document["role"]: {endpoint: declaration(endpoint, document["versions"])},
    }
    # The library reads this file in the folder in which it runs.
    pathlib.Path("metadata.yaml").write_text(yaml.safe_dump(metadata))

    class Charm(ops.CharmBase):
        """Does the same at each event: say what there is to say, read what the other side says."""

        def __init__(self, framework):
            super().__init__(framework)
            self.read = None
            self.error = None
            framework.observe(self.on[endpoint].relation_changed, self.reconcile)

        def reconcile(self, event):
            try:
                interface = get_interface(self, endpoint)
                if document["says"]:
                    interface.send_data(document["says"])
                data = interface.get_data()
            except (NoVersionsListed, NoCompatibleVersions) as error:
                # What such charms catch, to wait or to be blocked. No other exception.
                self.error = error
                return
            self.read = data.get((event.relation, event.app))

    return metadata, Charm


def declaration(endpoint, versions):
    """What metadata.yaml says of an endpoint."""
    declared = yaml.safe_load((INTERFACES / f"{endpoint}.yaml").read_text())
    if versions is None:
        return declared
    # A version that nobody knows yet is declared as the newest one that is known.
    newest = declared["schema"][declared["versions"][-1]]
    known = declared["schema"]
    schema = {version: copy.deepcopy(known.get(version, newest)) for version in versions}
    return {**declared, "versions": versions, "schema": schema}
