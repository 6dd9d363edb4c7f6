"""From YAML and the command line to a checked tree of components, and from there to objects. No config goes further."""
