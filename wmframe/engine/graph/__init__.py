"""The stage graph: nodes with their keys, what they will cost, and how far a run is."""
