"""Charms that pass on certificates of authorities, and those that trust them."""

from charmlibs.interfaces.certificate_transfer import (
    CertificateTransferProvides,
    CertificateTransferRequires,
)

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """Says certificates: a list of PEM texts."""

    def use_library(self):
        self.library = CertificateTransferProvides(self, self.endpoint)

    def exchange(self, relation):
        if self.says is None:
            return
        self.library.remove_all_certificates(relation.id)
        self.library.add_certificates(set(self.says), relation.id)


class Requirer(Player):
    def use_library(self):
        self.library = CertificateTransferRequires(self, self.endpoint)

    def exchange(self, relation):
        return sorted(self.library.get_all_certificates(relation.id))
