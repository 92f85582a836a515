"""That both sides of each library understand each other when they are played, and what they refuse."""

import unittest

from talk import Raised, Talk

ROUTE = {"service": "a", "port": 80, "prefix": "/a", "namespace": "b"}


class SerializedData(unittest.TestCase):
    def test_what_a_service_wants_arrives(self):
        talk = Talk("serialized_data", "ingress", "ingress")
        # The side that speaks first does not know yet which versions the other one supports.
        with self.assertRaisesRegex(Raised, "UnversionedRelation") as raised:
            talk.turn("requires")
        self.assertTrue(raised.exception.caught)
        talk.turn("provides")
        self.assertEqual(talk.converse(requires=ROUTE), {"requires": None, "provides": ROUTE})

    def test_what_the_schema_does_not_allow_is_not_said(self):
        talk = Talk("serialized_data", "ingress", "ingress")
        talk.sides["provides"]["application"] = {"_supported_versions": "- v1\n"}
        talk.says["requires"] = ROUTE | {"port": "80"}
        with self.assertRaisesRegex(Raised, "RelationDataError") as raised:
            talk.turn("requires")
        self.assertFalse(raised.exception.caught)
        # Juju keeps nothing of a hook that failed.
        self.assertEqual(talk.sides["requires"]["application"], {})


class Chisme(unittest.TestCase):
    def test_components_of_both_kinds_become_active(self):
        talk = Talk("chisme", "istio-pilot", "k8s-service")
        address = {"service-name": "istiod.mesh.svc", "service-port": "15012"}
        read = talk.converse(provides=address)
        self.assertEqual(read["provides"], {"status": "active"})
        self.assertEqual(read["requires"], {"status": "active", "data": address})

    def test_without_versions_a_component_waits(self):
        talk = Talk("chisme", "istio-pilot", "k8s-service")
        self.assertRegex(talk.turn("requires")["status"], "^waiting: .* versions not found")


class GatewayInfo(unittest.TestCase):
    def test_a_gateway_of_which_nobody_says_otherwise_is_up(self):
        talk = Talk("gateway_info", "gateway-info", "istio-gateway-info")
        self.assertIsNone(talk.turn("requires"))
        databag = talk.sides["provides"]["application"]
        databag["gateway_name"] = "a"
        with self.assertRaisesRegex(Raised, "gateway_namespace"):
            talk.turn("requires")
        databag["gateway_namespace"] = "b"
        self.assertTrue(talk.turn("requires")["gateway_up"])
        databag["gateway_up"] = "False"
        self.assertFalse(talk.turn("requires")["gateway_up"])


if __name__ == "__main__":
    unittest.main()
