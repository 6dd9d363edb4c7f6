"""The local page over the run folders: what there is as JSON, and a small server of its own for it."""
