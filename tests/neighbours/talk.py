"""Both sides of a relation, played against each other."""

import play

# How often both may write before it counts as a conversation without an end.
TURNS = 8

OPPOSITE = {"provides": "requires", "requires": "provides"}


class Talk:
    """A relation between `neighbour/0`, which provides, and `charm/0`, which requires."""

    def __init__(self, library, endpoint, interface):
        self.common = {
            "library": library,
            "endpoint": endpoint,
            "interface": interface,
            "relation": 7,
            "versions": None,
        }
        self.sides = {
            "provides": {"name": "neighbour", "application": {}, "unit": {}},
            "requires": {"name": "charm", "application": {}, "unit": {}},
        }
        self.memory = {"provides": None, "requires": None}
        self.says = {"provides": None, "requires": None}

    def converse(self, **says):
        """Both say this from now on, to and fro until nobody writes any more. Returns what each side
        reads in the end, by its role."""
        self.says |= says
        for _ in range(TURNS):
            before = self.written()
            read = {role: self.turn(role) for role in ("requires", "provides")}
            if self.written() == before:
                return read
        keys = [(list(application), list(unit)) for application, unit in self.written()]
        raise AssertionError(f"both sides still write, by now {keys}")

    def turn(self, role):
        """One hook of a side. Returns what it reads; what its library raises is raised here."""
        own, other = self.sides[role], self.sides[OPPOSITE[role]]
        answer = play.answer(
            self.common
            | {"role": role, "says": self.says[role], "memory": self.memory[role]}
            | {
                "local": own,
                "remote": {
                    "name": other["name"],
                    "application": other["application"],
                    "units": {"0": other["unit"]},
                },
            }
        )
        own |= {"application": answer["application"], "unit": answer["unit"]}
        self.memory[role] = answer["memory"]
        if answer["raised"]:
            raise Raised(answer["raised"])
        return answer["read"]

    def written(self):
        """What is in the databags."""
        return [(side["application"], side["unit"]) for side in self.sides.values()]


class Raised(Exception):
    """An exception of a library, as a play tells it."""

    def __init__(self, raised):
        super().__init__(f"{raised['exception']}: {raised['text']}")
        self.caught = raised["caught"]
