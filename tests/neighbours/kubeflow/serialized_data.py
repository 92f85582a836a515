"""Charms that use the library serialized-data-interface, and nothing on top of it."""

import copy
import pathlib

import yaml
from serialized_data_interface import NoCompatibleVersions, NoVersionsListed, get_interface

from player import Player

INTERFACES = pathlib.Path(__file__).parent / "interfaces"


def charm(document):
    """The class of the charm that a document asks for."""
    return SerializedData.of(document)


class SerializedData(Player):
    caught = (NoVersionsListed, NoCompatibleVersions)

    @classmethod
    def declaration(cls, document):
        return declaration(document)

    def use_library(self):
        write_metadata(self.document)

    def exchange(self, relation):
        interface = get_interface(self, self.endpoint)
        if self.says:
            interface.send_data(self.says)
        return interface.get_data().get((relation, relation.app))


def write_metadata(document):
    """The library reads this file in the folder in which it runs."""
    metadata = {document["role"]: {document["endpoint"]: declaration(document)}}
    pathlib.Path("metadata.yaml").write_text(yaml.safe_dump(metadata))


def declaration(document):
    """What metadata.yaml says of the endpoint."""
    declared = yaml.safe_load((INTERFACES / f"{document['endpoint']}.yaml").read_text())
    versions = document["versions"]
    if versions is None:
        return declared
    # A version that nobody knows yet is declared as the newest one that is known.
    newest = declared["schema"][declared["versions"][-1]]
    known = declared["schema"]
    schema = {version: copy.deepcopy(known.get(version, newest)) for version in versions}
    return {**declared, "versions": versions, "schema": schema}
