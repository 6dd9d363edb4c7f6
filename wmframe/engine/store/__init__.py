"""The artefact store: one folder a result, named by a hash of what it was made of, checked byte by byte."""
