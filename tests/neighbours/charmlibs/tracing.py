"""Charms that receive spans, and those that send them."""

from charmlibs.interfaces.tracing import TracingEndpointProvider, TracingEndpointRequirer

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """Says which receivers there are: addresses by protocol, such as `otlp_grpc`. It reads which
    protocols are asked for."""

    def use_library(self):
        self.library = TracingEndpointProvider(self, relation_name=self.endpoint)

    def exchange(self, relation):
        if self.says:
            self.library.publish_receivers(list(self.says.items()))
        return sorted(self.library.requested_protocols())


class Requirer(Player):
    """Says which protocols it wants, and reads their addresses."""

    @classmethod
    def declaration(cls, document):
        # The library reads one address only where there can be one relation.
        return super().declaration(document) | {"limit": 1}

    def use_library(self):
        self.library = TracingEndpointRequirer(self, self.endpoint)

    def exchange(self, relation):
        protocols = self.says or []
        if protocols:
            self.library.request_protocols(protocols)
        if not self.library.is_ready():
            return None
        return {protocol: self.library.get_endpoint(protocol) for protocol in protocols}
