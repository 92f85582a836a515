"""Charms that check requests to an ingress gateway for some applications, and the gateways."""

import dataclasses
import json

from charmlibs.interfaces.forward_auth import (
    ForwardAuthConfig,
    ForwardAuthProvider,
    ForwardAuthRequirer,
    ForwardAuthRequirerConfig,
)

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """Says `decisions_address`, `app_names` and `headers`, as oauth2-proxy does. What it reads is
    which applications the gateway serves, and what the library says about its own to that."""

    def use_library(self):
        config = ForwardAuthConfig(**self.says) if self.says else None
        self.library = ForwardAuthProvider(self, self.endpoint, config)
        self.verdict = None
        events = self.library.on
        self.framework.observe(events.forward_auth_proxy_set, self.hear_that_it_is_set)
        self.framework.observe(events.invalid_forward_auth_config, self.hear_why_not)

    def hear_that_it_is_set(self, event):
        self.verdict = "set"

    def hear_why_not(self, event):
        self.verdict = event.error

    def exchange(self, relation):
        self.library.update_forward_auth_config(self.library.forward_auth_config, relation.id)
        served = relation.data[relation.app].get("ingress_app_names")
        return served and {"ingress_app_names": json.loads(served), "verdict": self.verdict}


class Requirer(Player):
    """A gateway: says which applications it serves, as `ingress_app_names`."""

    def use_library(self):
        self.library = ForwardAuthRequirer(self, relation_name=self.endpoint)

    def exchange(self, relation):
        if self.says:
            config = ForwardAuthRequirerConfig(**self.says)
            self.library.update_requirer_relation_data(config, relation.id)
        config = self.library.get_provider_info(relation.id)
        return config and dataclasses.asdict(config)
