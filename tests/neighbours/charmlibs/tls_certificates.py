"""Charms that issue certificates, and those that ask for them."""

from charmlibs.interfaces.tls_certificates import (
    CertificateError,
    CertificateRequestAttributes,
    KeyAlgorithm,
    Mode,
    ProviderCapabilities,
    ProviderCertificate,
    ProviderCertificateError,
    TLSCertificatesProvidesV4,
    TLSCertificatesRequiresV4,
    chain_has_valid_order,
)

import authority
from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"provides": Provider, "requires": Requirer}[document["role"]].of(document)


class Provider(Player):
    """An authority, which issues whatever it is asked for. It says:

    - `authority`: its name; under another name it has other keys.
    - `intermediate`: whether a root authority is above the one that signs.
    - `days`: how long certificates are valid; 365 without it.
    - `issues`: false for one that has not got round to it.
    - `refuses`: the error for each request, with `code`, `name` and `message`.
    - `revocation`: how often it has revoked all certificates; those requests get no other one, unless
      `reissues` is true.
    - `capabilities`: what it can issue.

    It reads the requests. It judges a `certificate` with those above it, and its `key`.
    """

    def use_library(self):
        self.says = self.says or {}
        capabilities = self.says.get("capabilities")
        self.library = TLSCertificatesProvidesV4(
            self,
            self.endpoint,
            provider_capabilities=ProviderCapabilities(**capabilities) if capabilities else None,
        )

    def exchange(self, relation):
        revocation = self.says.get("revocation", 0)
        if revocation > self.memory.get("revocation", 0):
            self.memory["revocation"] = revocation
            self.library.revoke_all_certificates()
        for request in self.library.get_outstanding_certificate_requests(relation.id):
            if "refuses" in self.says:
                self.refuse(request)
            elif self.says.get("issues", True) and not self.has_revoked(request):
                self.issue(request)
        requests = self.library.get_certificate_requests(relation.id)
        return [authority.shown(request) for request in requests]

    def judge(self, thing):
        return authority.judge(thing["certificate"], thing["key"])

    def refuse(self, request):
        error = CertificateError(**self.says["refuses"])
        csr = request.certificate_signing_request
        known = self.library.get_provider_certificate_errors(request.relation_id)
        # The library writes the same error once more if it is told to.
        if not any(it.certificate_signing_request == csr and it.error == error for it in known):
            self.library.set_relation_error(
                ProviderCertificateError(
                    relation_id=request.relation_id,
                    certificate_signing_request=csr,
                    error=error,
                )
            )

    def has_revoked(self, request):
        if self.says.get("reissues"):
            return False
        certificates = self.library.get_provider_certificates(request.relation_id)
        csr = request.certificate_signing_request
        return any(it.certificate_signing_request == csr and it.revoked for it in certificates)

    def issue(self, request):
        name = self.says.get("authority", "authority")
        authorities = self.memory.setdefault("authorities", {})
        if name not in authorities:
            authorities[name] = authority.make(name, self.says.get("intermediate", False))
        csr = request.certificate_signing_request
        days = self.says.get("days", 365)
        certificate = authority.sign(csr, authorities[name], days, request.is_ca)
        above = authority.certificates(authorities[name])
        self.library.set_relation_certificate(
            ProviderCertificate(
                relation_id=request.relation_id,
                certificate=certificate,
                certificate_signing_request=csr,
                ca=above[0],
                chain=[certificate, *above],
            )
        )


class Requirer(Player):
    """Says the attributes of its request, such as `common_name` and `sans_dns`, with `algorithm` (`rsa`
    or `ecdsa`) and `mode` (`unit` or `app`). It reads its certificates, and why it gets none."""

    def use_library(self):
        attributes = dict(self.says or {"common_name": "charm"})
        algorithm = KeyAlgorithm(attributes.pop("algorithm", "rsa"))
        self.mode = Mode[attributes.pop("mode", "unit").upper()]
        for name in ("sans_dns", "sans_ip"):
            if name in attributes:
                attributes[name] = frozenset(attributes[name])
        self.library = TLSCertificatesRequiresV4(
            self,
            self.endpoint,
            certificate_requests=[CertificateRequestAttributes(**attributes)],
            mode=self.mode,
            key_algorithm=algorithm,
        )

    def exchange(self, relation):
        certificates, key = self.library.get_assigned_certificates(self.mode)
        errors = self.library.get_request_errors()
        capabilities = self.library.get_provider_capabilities()
        return {
            "certificates": [
                {
                    "common_name": it.certificate.common_name,
                    "matches_key": it.certificate.matches_private_key(key),
                    "chain": [of.common_name for of in it.chain],
                    "is_chain_in_order": chain_has_valid_order([str(of) for of in it.chain]),
                    "ca": it.ca.common_name,
                }
                for it in certificates
            ],
            "revoked": sum(bool(it.revoked) for it in self.library.get_provider_certificates()),
            "errors": [it.error.model_dump(exclude_none=True) for it in errors],
            "capabilities": capabilities and capabilities.model_dump(exclude_none=True),
        }
