"""Charms that tell or learn in which namespace a mesh has its root configuration."""

from charmlibs.interfaces.istio_metadata import IstioMetadataProvider, IstioMetadataRequirer

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """Says `root_namespace`."""

    def use_library(self):
        relations = self.model.relations
        self.library = IstioMetadataProvider(self, relations, self.app, self.endpoint)

    def exchange(self, relation):
        if self.says:
            self.library.publish(**self.says)


class Requirer(Player):
    def use_library(self):
        self.library = IstioMetadataRequirer(self.model.relations, self.endpoint)

    def exchange(self, relation):
        data = self.library.get_data()
        return data and data.model_dump()
