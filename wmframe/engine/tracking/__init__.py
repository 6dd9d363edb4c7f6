"""What a person sees of a run while it works and afterwards: metrics, progress, and mirrors of them."""
