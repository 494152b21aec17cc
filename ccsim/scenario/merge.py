"""One scenario on top of another: ``extends:``, variants and ``--set`` by RFC 7396.

Mappings are merged key by key, ``null`` takes a key away, and everything else replaces what was
there. Each value keeps the file and line it came from. In one thing this is stricter than the RFC:
a ``null`` that finds nothing to take away stays, so that the models refuse it where the name is
unknown (``{scale: 1,5}`` is ``scale: 1`` and a field ``5`` with nothing in it).

References
----------
P. Hoffman and J. Snell (2014), "JSON Merge Patch", RFC 7396, doi:10.17487/RFC7396.
"""

from __future__ import annotations

from ccsim.scenario.yaml_reader import Node, Place, parse_yaml, refuse

EMPTY = Node({}, Place(""))
"""A mapping with nothing in it."""


def merge(base: Node, patch: Node) -> Node:
    """Lay a partial scenario on top of another.

    Examples
    --------
    >>> from ccsim.scenario.yaml_reader import plain
    >>> base, _ = parse_yaml(b"{wage: 21 USD, breaks: {tea: 15 min, lunch: 30 min}}", "base.yaml")
    >>> patch, _ = parse_yaml(b"{breaks: {tea: null, lunch: 45 min}}", "patch.yaml")
    >>> plain(merge(base, patch))
    {'wage': '21 USD', 'breaks': {'lunch': '45 min'}}
    """
    if not isinstance(patch.value, dict):
        return patch
    below = base if isinstance(base.value, dict) else EMPTY
    value, keys = dict(below.entries), dict(below.keys)
    for key, child in patch.value.items():
        if child.value is None and key in value:
            del value[key], keys[key]
        else:
            value[key] = merge(value.get(key, EMPTY), child)
            # What a patch only adds to stays where the reader will look for it: in the base.
            keys.setdefault(key, patch.keys[key])
    return Node(value, patch.place if below is EMPTY else below.place, keys)


def without(node: Node, *names: str) -> Node:
    """Leave some keys of a mapping out."""
    kept = {key: child for key, child in node.entries.items() if key not in names}
    return Node(kept, node.place, {key: node.keys[key] for key in kept})


def override(text: str) -> Node:
    """Read ``contact_types.sales.demand.scale=1.2`` as the partial scenario that it stands for.

    Examples
    --------
    >>> from ccsim.scenario.yaml_reader import plain
    >>> plain(override("horizon.days=14"))
    {'horizon': {'days': 14}}
    """
    place = Place(f"--set {text}")
    path, equals, written = text.partition("=")
    parts = [part.strip() for part in path.split(".")]
    if not equals or not all(parts) or len(parts) > 20:
        refuse(place, "write a field and its value, such as 'contact_types.sales.demand.scale=1.2'")
    if not written.strip():
        refuse(place, "no value after '='; write 'null' to take the field away")
    # As the item of a list, so that a lone 'null' is a value and not an empty file.
    items, problems = parse_yaml(f"- {written}".encode("utf-8", "replace"), place.file)
    if problems:
        refuse(place, problems[0].message)
    if not isinstance(items.value, list) or len(items.value) != 1:
        refuse(place, "one value is needed after '='")
    node = _at(items.value[0], place)
    for part in reversed(parts):
        node = Node({part: node}, place, {part: place})
    return node


def _at(node: Node, place: Place) -> Node:
    """Put the same values all at one place."""
    if isinstance(node.value, dict):
        children = {key: _at(child, place) for key, child in node.value.items()}
        return Node(children, place, dict.fromkeys(children, place))
    if isinstance(node.value, list):
        return Node([_at(child, place) for child in node.value], place)
    return Node(node.value, place)
