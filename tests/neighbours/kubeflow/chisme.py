"""Charms of Kubeflow that use the components of charmed-kubeflow-chisme.

What is read is the status that the component gives its charm, and, where data is received, the data.
"""

from charmed_kubeflow_chisme.components import (
    SdiRelationBroadcasterComponent,
    SdiRelationDataReceiverComponent,
)
from charmed_kubeflow_chisme.exceptions import ErrorWithStatus

from player import Player
from serialized_data import declaration, write_metadata


def charm(document):
    """The class of the charm that a document asks for."""
    return (Broadcaster if document["says"] else Receiver).of(document)


class Component(Player):
    @classmethod
    def declaration(cls, document):
        return declaration(document)

    def exchange(self, relation):
        try:
            self.component.configure_charm(None)
            return {"status": shown(self.component)} | self.received()
        except ErrorWithStatus:
            # As the reconciler of the same package does.
            return {"status": shown(self.component)}

    def received(self):
        """What is read besides the status."""
        return {}


class Broadcaster(Component):
    """Says the same to every application."""

    def use_library(self):
        write_metadata(self.document)
        self.component = SdiRelationBroadcasterComponent(
            self, "component", self.endpoint, data_to_send=self.says
        )


class Receiver(Component):
    """Reads what exactly one application says."""

    def use_library(self):
        write_metadata(self.document)
        self.component = SdiRelationDataReceiverComponent(self, "component", self.endpoint)

    def received(self):
        return {"data": self.component.get_data()}


def shown(component):
    """A status as `juju status` shows it."""
    status = component.status
    return f"{status.name}: {status.message}" if status.message else status.name
