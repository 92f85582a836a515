"""What a charm remembers from one hook to the next, as text that nobody else reads."""

import base64
import pickle
import typing


class Memory(typing.NamedTuple):
    """What Juju and the unit's own storage keep for a charm."""

    secrets: frozenset
    stored: frozenset
    # What the charm's workload knows, such as a certificate authority its keys.
    own: dict


def keep(remembered):
    """As text."""
    plain = Memory(frozenset(remembered.secrets), frozenset(remembered.stored), remembered.own)
    return base64.b64encode(pickle.dumps(tuple(plain))).decode()


def recall(text):
    """What `keep` made; nothing before the first hook."""
    if text is None:
        return Memory(frozenset(), frozenset(), {})
    return Memory(*pickle.loads(base64.b64decode(text)))
