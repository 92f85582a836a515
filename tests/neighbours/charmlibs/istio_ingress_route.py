"""Charms that want routes of their own making, and the gateways that serve them."""

from charmlibs.interfaces.istio_ingress_route import (
    IstioIngressRouteConfig,
    IstioIngressRouteProvider,
    IstioIngressRouteRequirer,
)

from player import Player, Unreadable


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """A gateway: says `external_host` and `tls_enabled`, and reads routes."""

    caught = (Unreadable,)

    def use_library(self):
        self.library = IstioIngressRouteProvider(self, self.endpoint, **(self.says or {}))

    def exchange(self, relation):
        if not self.library.is_ready(relation):
            return None
        config = self.library.get_config(relation)
        if config is None:
            raise Unreadable(relation.data[relation.app]["config"])
        return config.model_dump(mode="json", exclude_none=True)


class Requirer(Player):
    """Says its routes, as `IstioIngressRouteConfig` has them."""

    def use_library(self):
        self.library = IstioIngressRouteRequirer(self, self.endpoint)

    def exchange(self, relation):
        if self.says:
            self.library.submit_config(IstioIngressRouteConfig.model_validate(self.says))
        host = self.library.external_host
        return {"external_host": host, "tls_enabled": self.library.tls_enabled} if host else None
