//! A Juju model in a box, for tests and for trying a charm.
