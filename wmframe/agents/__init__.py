"""A trained agent as one thing: where it lies, how it is loaded, scored, shipped and exported."""
