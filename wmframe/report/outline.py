"""Nested plain values as indented lines of text, for the configuration and the provenance.

In: mappings, lists and scalars. Out: text that reads like YAML; the page's template escapes it.
"""

import json
from collections.abc import Iterator, Mapping


def outline(value: object) -> str:
    """Write a nested value line by line, two spaces a level; scalars as JSON, anything unknown by its str."""
    return "\n".join(_lines(value, ""))


def _on_one_line(value: object) -> str | None:
    """Return a scalar, an empty or a flat list as text; None for what needs lines of its own."""
    if isinstance(value, Mapping) and len(value) > 0:
        return None
    if isinstance(value, (list, tuple)):
        items = [_on_one_line(item) for item in value]
        flat = all(
            item is not None and not isinstance(child, (list, tuple)) for item, child in zip(items, value, strict=True)
        )
        return f"[{', '.join(str(item) for item in items)}]" if flat else None
    return json.dumps(value, ensure_ascii=False, default=str)


def _lines(value: object, indent: str) -> Iterator[str]:
    text = _on_one_line(value)
    if text is not None:
        yield f"{indent}{text}"
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _entry(f"{indent}{key}:", child, f"{indent}  ")
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _entry(f"{indent}-", child, f"{indent}  ")


def _entry(head: str, child: object, indent: str) -> Iterator[str]:
    text = _on_one_line(child)
    yield head if text is None else f"{head} {text}"
    if text is None:
        yield from _lines(child, indent)
