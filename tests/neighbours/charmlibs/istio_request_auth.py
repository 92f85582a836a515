"""Charms that have requests with a token of certain issuers let in, and the gateways."""

from charmlibs.interfaces.istio_request_auth import (
    IstioRequestAuthProvider,
    IstioRequestAuthRequirer,
    JWTRule,
)

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """A gateway: reads the rules of each application; null for one whose rules cannot be used."""

    def use_library(self):
        self.library = IstioRequestAuthProvider(self, self.endpoint)

    def exchange(self, relation):
        rules = {name: None for name in sorted(self.library.get_connected_apps())}
        for name, of_application in self.library.get_data().items():
            rules[name] = [rule.model_dump(exclude_none=True) for rule in of_application]
        return rules


class Requirer(Player):
    """Says its rules, as `JWTRule` has them."""

    def use_library(self):
        self.library = IstioRequestAuthRequirer(self, self.endpoint)

    def exchange(self, relation):
        if self.says is not None:
            self.library.publish_data([JWTRule.model_validate(rule) for rule in self.says])
