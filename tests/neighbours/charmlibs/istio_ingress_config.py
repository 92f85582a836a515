"""Charms of ingress gateways that have a service check their requests, and those of the mesh."""

from canonical_service_mesh.interfaces.istio_ingress_config import (
    IngressConfigProvider,
    IngressConfigRequirer,
)

from player import Player, Unreadable


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """A gateway: says who checks, as the arguments of `publish`; `clear` says that nobody does any
    more. It reads the name under which the mesh knows the service."""

    def use_library(self):
        self.library = IngressConfigProvider(self.model.relations, self.app, self.endpoint)

    def exchange(self, relation):
        if self.says == "clear":
            self.library.clear()
        elif self.says:
            self.library.publish(**self.says)
        return self.library.get_ext_authz_provider_name()


class Requirer(Player):
    """The mesh: says a name, and reads who checks; null when nobody does any more."""

    caught = (Unreadable,)

    def use_library(self):
        self.library = IngressConfigRequirer(self.model.relations, self.app, self.endpoint)

    def exchange(self, relation):
        if self.says:
            self.library.publish_ext_authz_provider_name(relation, self.says)
        if not relation.data[relation.app] or self.library.is_fake_authz_config(relation):
            return None
        config = self.library.get_provider_ext_authz_info(relation)
        if config is None:
            raise Unreadable(dict(relation.data[relation.app]))
        return config.model_dump(exclude_none=True)
