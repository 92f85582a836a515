"""Charms that read where the ingress Gateway is, such as tensorboard-controller.

Their library, `charms.istio_pilot.v0.istio_gateway_info`, is fetched from Charmhub and not on the
Python package index, so this reads the databag by the rules of its version 0.4: name and namespace
have to be there, and a Gateway of which nobody says otherwise is up.
"""

from player import Player

REQUIRED = ("gateway_name", "gateway_namespace")


def charm(document):
    """The class of the charm that a document asks for."""
    return GatewayInfo.of(document)


class MissingAttributes(Exception):
    """The databag is not whole."""


class GatewayInfo(Player):
    caught = (MissingAttributes,)

    def exchange(self, relation):
        databag = relation.data[relation.app]
        if not databag:
            return None
        missing = [key for key in REQUIRED if key not in databag]
        if missing:
            raise MissingAttributes(", ".join(missing))
        read = {key: databag[key] for key in REQUIRED}
        return read | {"gateway_up": databag.get("gateway_up", "true").lower() == "true"}
