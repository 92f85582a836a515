"""Charms that take metrics, rules and dashboards.

The libraries of Prometheus and Grafana for both are fetched from Charmhub and not on the Python
package index; cosl, which they use for what is in the databags, is.
"""

import json

from cosl import DashboardPath40UID, JujuTopology, LZMABase64

from player import Player


def charm(document):
    """The class of the charm that a document asks for."""
    return {"metrics-endpoint": Prometheus, "grafana-dashboard": Grafana}[
        document["endpoint"]
    ].of(document)


class Prometheus(Player):
    """Reads whose metrics they are, what to scrape, which units there are and which alerts."""

    def exchange(self, relation):
        databag = relation.data[relation.app]
        if not databag:
            return None
        topology = JujuTopology.from_dict(json.loads(databag["scrape_metadata"]))
        units = {unit.name: relation.data[unit] for unit in relation.units}
        groups = json.loads(databag["alert_rules"])["groups"]
        return {
            "identifier": topology.identifier,
            "jobs": json.loads(databag["scrape_jobs"]),
            "units": {
                bag["prometheus_scrape_unit_name"]: bag["prometheus_scrape_unit_address"]
                for name, bag in sorted(units.items())
                if bag.get("prometheus_scrape_unit_name")
            },
            "alerts": {
                group["name"]: [rule["alert"] for rule in group["rules"]] for group in groups
            },
            # Rules whose alerts nobody could tell from those of another application.
            "without_topology": [
                rule["alert"]
                for group in groups
                for rule in group["rules"]
                if not topology.label_matcher_dict.items() <= rule["labels"].items()
            ],
        }


class Grafana(Player):
    """Reads the dashboards: title and uid of each, and whether the uid is that of its path in the
    charm, as which Grafana knows a dashboard across refreshes."""

    def exchange(self, relation):
        databag = relation.data[relation.app]
        if not databag:
            return None
        templates = json.loads(databag["dashboards"])["templates"]
        return {path: self.dashboard(path, template) for path, template in templates.items()}

    def dashboard(self, path, template):
        content = json.loads(LZMABase64.decompress(template["content"]))
        topology = JujuTopology.from_dict(template["juju_topology"])
        uid = content.get("uid") or template["dashboard_alt_uid"]
        # cosl makes longer ones, which begin in the same way.
        of_path = DashboardPath40UID.generate(template["charm"], path)
        return {
            "title": content["title"],
            "uid": uid,
            "is_uid_of_path": of_path.startswith(uid),
            "identifier": topology.identifier,
        }
