"""Charms that tell or learn which Gateway, Deployment and ServiceAccount an ingress gateway has."""

from charmlibs.interfaces.gateway_metadata import (
    GatewayMetadata,
    GatewayMetadataProvider,
    GatewayMetadataRequirer,
)

from player import Player, Unreadable


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """Says the four names."""

    def use_library(self):
        self.library = GatewayMetadataProvider(self, self.endpoint)

    def exchange(self, relation):
        if self.says:
            self.library.publish_metadata(GatewayMetadata(**self.says))


class Requirer(Player):
    caught = (Unreadable,)

    def use_library(self):
        self.library = GatewayMetadataRequirer(self, self.endpoint)

    def exchange(self, relation):
        if not self.library.is_ready:
            return None
        metadata = self.library.get_metadata()
        if metadata is None:
            raise Unreadable(relation.data[relation.app]["metadata"])
        return metadata.model_dump()
