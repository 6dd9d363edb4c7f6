"""YAML in, checked components out, and a short answer to every mistake.

`compose` reads files and overrides, `bind` checks them against signatures read as text, `build` makes
them real.
"""
