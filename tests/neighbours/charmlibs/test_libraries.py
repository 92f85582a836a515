"""That both sides of each library understand each other when they are played, and what they refuse."""

import unittest

import authority
from talk import Raised, Talk

REQUEST = {"common_name": "a.example", "sans_dns": ["a.example", "b.example"]}


class TlsCertificates(unittest.TestCase):
    def setUp(self):
        self.talk = Talk("tls_certificates", "certificates", "tls-certificates")

    def certificates(self, **says):
        return self.talk.converse(**says)["requires"]["certificates"]

    def test_a_request_gets_a_certificate_that_fits_its_key(self):
        read = self.talk.converse(provides={"authority": "ca"}, requires=REQUEST)
        self.assertEqual(
            read["provides"],
            [
                {
                    "common_name": "a.example",
                    "dns": ["a.example", "b.example"],
                    "ip": [],
                    "has_unique_identifier": True,
                    "is_ca": False,
                    "key": "rsa 2048",
                    "is_signed_with_key": True,
                }
            ],
        )
        self.assertEqual(
            read["requires"]["certificates"],
            [
                {
                    "common_name": "a.example",
                    "matches_key": True,
                    "chain": ["a.example", "ca"],
                    "is_chain_in_order": True,
                    "ca": "ca",
                }
            ],
        )
        # What is remembered is used again.
        before = self.talk.written()
        self.talk.converse()
        self.assertEqual(self.talk.written(), before)

    def test_application_and_unit_can_ask_with_either_kind_of_key(self):
        request = REQUEST | {"algorithm": "ecdsa", "mode": "app"}
        read = self.talk.converse(provides={"intermediate": True}, requires=request)
        self.assertEqual(read["provides"][0]["key"], "ecdsa 256")
        self.assertIn("certificate_signing_requests", self.talk.sides["requires"]["application"])
        chain = ["a.example", "authority", "authority root"]
        certificate = read["requires"]["certificates"][0]
        self.assertEqual((certificate["chain"], certificate["is_chain_in_order"]), (chain, True))

    def test_another_request_gets_another_certificate(self):
        self.certificates(provides={}, requires=REQUEST)
        certificates = self.certificates(requires={"common_name": "other.example"})
        self.assertEqual([it["common_name"] for it in certificates], ["other.example"])

    def test_the_authority_may_take_its_time_refuse_and_change_its_mind(self):
        self.assertEqual(self.certificates(provides={"issues": False}, requires=REQUEST), [])
        error = {"code": 102, "name": "DOMAIN_NOT_ALLOWED", "message": "not mine"}
        read = self.talk.converse(provides={"refuses": error})["requires"]
        self.assertEqual((read["certificates"], read["errors"]), ([], [error]))
        read = self.talk.converse(provides={})["requires"]
        self.assertEqual((len(read["certificates"]), read["errors"]), (1, []))

    def test_what_is_revoked_may_be_issued_again(self):
        self.certificates(provides={}, requires=REQUEST)
        read = self.talk.converse(provides={"revocation": 1})["requires"]
        self.assertEqual(read["revoked"], 1)
        says = {"revocation": 1, "reissues": True, "authority": "other"}
        read = self.talk.converse(provides=says)["requires"]
        self.assertEqual((read["revoked"], read["certificates"][0]["ca"]), (0, "other"))

    def test_capabilities_come_and_go(self):
        read = self.talk.converse(provides={"capabilities": {"supports_ip_sans": False}})
        self.assertEqual(read["requires"]["capabilities"], {"supports_ip_sans": False})
        self.assertIsNone(self.talk.converse(provides={})["requires"]["capabilities"])


class Names(unittest.TestCase):
    """Where an ingress gateway and the root configuration are."""

    def test_the_four_names_of_a_gateway_arrive(self):
        talk = Talk("gateway_metadata", "gateway-metadata", "gateway_metadata")
        self.assertIsNone(talk.converse()["requires"])
        names = ("namespace", "gateway_name", "deployment_name", "service_account")
        metadata = {name: f"a-{name}" for name in names}
        self.assertEqual(talk.converse(provides=metadata)["requires"], metadata)
        talk.sides["provides"]["application"]["metadata"] = '{"namespace": "a"}'
        with self.assertRaisesRegex(Raised, "Unreadable"):
            talk.turn("requires")

    def test_the_root_namespace_arrives(self):
        talk = Talk("istio_metadata", "istio-metadata", "istio_metadata")
        self.assertIsNone(talk.converse()["requires"])
        metadata = {"root_namespace": "mesh"}
        self.assertEqual(talk.converse(provides=metadata)["requires"], metadata)
        talk.sides["provides"]["application"] = {"other": "a"}
        with self.assertRaisesRegex(Raised, "ValidationError"):
            talk.turn("requires")


class ForwardAuth(unittest.TestCase):
    def setUp(self):
        self.talk = Talk("forward_auth", "forward-auth", "forward_auth")
        self.config = {
            "decisions_address": "http://proxy:4180",
            "app_names": ["shop"],
            "headers": ["X-User"],
        }

    def test_who_checks_arrives_and_who_is_served_comes_back(self):
        served = {"ingress_app_names": ["shop"]}
        read = self.talk.converse(provides=self.config, requires=served)
        self.assertEqual(read["requires"], self.config)
        self.assertEqual(read["provides"], served | {"verdict": "set"})

    def test_an_application_that_is_not_served_is_told(self):
        read = self.talk.converse(provides=self.config, requires={"ingress_app_names": ["other"]})
        self.assertEqual(read["provides"]["verdict"], "shop is not related via ingress")

    def test_what_lacks_an_address_is_refused(self):
        self.talk.sides["provides"]["application"]["app_names"] = '["shop"]'
        with self.assertRaisesRegex(Raised, "DataValidationError"):
            self.talk.turn("requires")


class IstioIngressRoute(unittest.TestCase):
    def setUp(self):
        self.talk = Talk("istio_ingress_route", "istio-ingress-route", "istio_ingress_route")

    def test_routes_arrive_and_the_host_comes_back(self):
        listener = {"port": 80, "protocol": "HTTP"}
        config = {
            "model": "kubeflow",
            "listeners": [listener],
            "http_routes": [
                {
                    "name": "http-ingress",
                    "listener": listener,
                    "matches": [{"path": {"type": "PathPrefix", "value": "/katib"}}],
                    "filters": [
                        {
                            "urlRewrite": {
                                "path": {"type": "ReplacePrefixMatch", "value": "/"},
                            }
                        }
                    ],
                    "backends": [{"service": "katib-ui", "port": 8080}],
                }
            ],
        }
        host = {"external_host": "10.1.2.3", "tls_enabled": True}
        read = self.talk.converse(requires=config, provides=host)
        self.assertEqual(read["requires"], host)
        route = read["provides"]["http_routes"][0]
        self.assertEqual(route["backends"], [{"service": "katib-ui", "port": 8080}])
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        self.assertEqual(route["filters"], [{"urlRewrite": rewrite, "type": "URLRewrite"}])

    def test_what_is_no_route_is_neither_said_nor_read(self):
        with self.assertRaisesRegex(Raised, "ValidationError"):
            self.talk.converse(requires={"model": "a", "listeners": [{"port": 0}]})
        self.talk.sides["requires"]["application"]["config"] = "{}"
        with self.assertRaisesRegex(Raised, "Unreadable"):
            self.talk.turn("provides")


class IstioRequestAuth(unittest.TestCase):
    def test_rules_arrive_and_none_are_told_from_them(self):
        talk = Talk("istio_request_auth", "istio-request-auth", "istio_request_auth")
        self.assertEqual(talk.converse()["provides"], {"charm": None})
        rules = [
            {
                "issuer": "https://issuer.example",
                "jwks_uri": "https://issuer.example/keys",
                "audiences": ["a"],
                "forward_original_token": True,
                "claim_to_headers": [{"header": "x-user", "claim": "email"}],
                "from_headers": [{"name": "Authorization", "prefix": "Bearer "}],
            }
        ]
        self.assertEqual(talk.converse(requires=rules)["provides"], {"charm": rules})
        self.assertEqual(talk.converse(requires=[])["provides"], {"charm": None})
        with self.assertRaisesRegex(Raised, "ValidationError"):
            talk.converse(requires=[{"audiences": ["a"]}])


class IstioIngressConfig(unittest.TestCase):
    def test_who_checks_arrives_and_a_name_comes_back(self):
        talk = Talk("istio_ingress_config", "istio-ingress-config", "istio_ingress_config")
        config = {
            "ext_authz_service_name": "proxy.mesh.svc",
            "ext_authz_port": "4180",
            "ext_authz_protocol": "grpc",
            "headers_to_upstream_on_allow": ["x-user"],
        }
        read = talk.converse(provides=config, requires="ext_authz-neighbour")
        self.assertEqual(read, {"requires": config, "provides": "ext_authz-neighbour"})
        self.assertIsNone(talk.converse(provides="clear")["requires"])
        talk.sides["provides"]["application"]["ext_authz_port"] = "many"
        with self.assertRaisesRegex(Raised, "Unreadable"):
            talk.turn("requires")


class CertificateTransfer(unittest.TestCase):
    def test_certificates_come_and_go(self):
        certificates = authority.make("a", intermediate=True)["certificates"]
        talk = Talk("certificate_transfer", "jwks-ca-cert", "certificate_transfer")
        read = talk.converse(provides=certificates)
        self.assertEqual(read["requires"], sorted(certificates))
        self.assertEqual(talk.converse(provides=[])["requires"], [])


class Tracing(unittest.TestCase):
    def test_the_address_of_a_protocol_that_is_asked_for_arrives(self):
        talk = Talk("tracing", "workload-tracing", "tracing")
        receivers = {"otlp_grpc": "tempo:4317", "otlp_http": "http://tempo:4318"}
        read = talk.converse(requires=["otlp_grpc"], provides=receivers)
        self.assertEqual(read["requires"], {"otlp_grpc": "tempo:4317"})
        self.assertEqual(read["provides"], ["otlp_grpc"])


if __name__ == "__main__":
    unittest.main()
