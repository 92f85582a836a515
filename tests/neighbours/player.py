"""What all charms that are played have in common."""

import ops


class Player(ops.CharmBase):
    """Does the same at each event of its endpoint: say what there is to say, read what the other
    side says."""

    # What is there before the hook, and what to say.
    document = None
    # The exceptions that such charms catch, to wait or to be blocked.
    caught = ()

    def __init__(self, framework):
        super().__init__(framework)
        self.endpoint = self.document["endpoint"]
        self.says = self.document["says"]
        self.memory = {}
        self.read = None
        self.error = None
        # Libraries that observe events see them before their charm does.
        self.use_library()
        events = self.on[self.endpoint]
        framework.observe(events.relation_created, self._reconcile)
        framework.observe(events.relation_changed, self._reconcile)

    @classmethod
    def of(cls, document):
        """The class for one document."""
        return type("Charm", (cls,), {"document": document})

    @classmethod
    def declaration(cls, document):
        """What metadata.yaml says of the endpoint."""
        return {"interface": document["interface"]}

    def use_library(self):
        """Makes the library's objects."""

    def exchange(self, relation):
        """Says what there is to say, and returns what is read."""
        raise NotImplementedError

    def judge(self, thing):
        """Says what the library makes of something that is in no databag."""
        raise NotImplementedError

    def _reconcile(self, event):
        self.read = self.error = None
        thing = self.document.get("judges")
        try:
            self.read = self.judge(thing) if thing else self.exchange(event.relation)
        except self.caught as error:
            self.error = error


class Unreadable(Exception):
    """The other side has written something, of which the library makes nothing. It only logs that."""
