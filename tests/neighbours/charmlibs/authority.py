"""A certificate authority: its keys and certificates as PEM texts, the one that signs first."""

import datetime

from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateRequestAttributes,
    PrivateKey,
    chain_has_valid_order,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

# How long an authority lives.
VALIDITY = datetime.timedelta(days=3650)


def make(name, intermediate):
    """An authority with keys of its own, and a root above it if it is an intermediate one."""
    root_name = f"{name} root" if intermediate else name
    key = PrivateKey.generate()
    root = Certificate.generate_self_signed_ca(attributes(root_name), key, VALIDITY)
    if not intermediate:
        return {"key": str(key), "certificates": [str(root)]}
    own_key = PrivateKey.generate()
    request = attributes(name).generate_csr(own_key)
    own = Certificate.generate(request, root, key, VALIDITY, is_ca=True)
    return {"key": str(own_key), "certificates": [str(own), str(root)]}


def attributes(name):
    """What is asked for an authority's own certificate."""
    return CertificateRequestAttributes(
        common_name=name, is_ca=True, add_unique_id_to_subject_name=False
    )


def certificates(authority):
    """Its certificates, the one that signs first."""
    return [Certificate.from_string(it) for it in authority["certificates"]]


def sign(request, authority, days, is_ca):
    """A certificate for a request."""
    key = PrivateKey.from_string(authority["key"])
    issuer = certificates(authority)[0]
    validity = datetime.timedelta(days=days)
    if len(authority["certificates"]) == 1:
        return Certificate.generate(request, issuer, key, validity, is_ca)
    return sign_below_root(request, issuer, key, validity)


def sign_below_root(request, issuer, key, validity):
    """As the library does, but under the name of the one that signs: the library names the issuer of
    that one's own certificate, so that nobody could follow the chain."""
    csr = x509.load_pem_x509_csr(str(request).encode())
    above = x509.load_pem_x509_certificate(str(issuer).encode())
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(above.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    for extension in csr.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, extension.critical)
    private = serialization.load_pem_private_key(str(key).encode(), password=None)
    certificate = builder.sign(private, hashes.SHA256())
    return Certificate.from_string(certificate.public_bytes(serialization.Encoding.PEM).decode())


def shown(request):
    """What is in a request."""
    csr = request.certificate_signing_request
    public = x509.load_pem_x509_csr(str(csr).encode())
    key = public.public_key()
    return {
        "common_name": csr.common_name,
        "dns": sorted(csr.sans_dns),
        "ip": sorted(csr.sans_ip),
        "has_unique_identifier": csr.has_unique_identifier,
        "is_ca": request.is_ca,
        "key": f"{'rsa' if isinstance(key, rsa.RSAPublicKey) else 'ecdsa'} {key.key_size}",
        "is_signed_with_key": public.is_signature_valid,
    }


def judge(text, key):
    """What a client gets to see of what is served, and whether the server can serve it."""
    chain = x509.load_pem_x509_certificates(text.encode())
    pem = serialization.Encoding.PEM
    chain = [Certificate.from_string(it.public_bytes(pem).decode()) for it in chain]
    leaf = chain[0]
    return {
        "chain": [it.common_name for it in chain],
        "is_chain_in_order": chain_has_valid_order([str(it) for it in chain]),
        "dns": sorted(leaf.sans_dns or []),
        "ip": sorted(leaf.sans_ip or []),
        "fits_key": leaf.matches_private_key(PrivateKey.from_string(key)),
    }
