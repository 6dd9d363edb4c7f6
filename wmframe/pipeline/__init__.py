"""The stage graph and the artefact store: every result computed once, whole or absent, and never stale."""
