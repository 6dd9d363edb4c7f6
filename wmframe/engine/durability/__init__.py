"""What makes results survive kills and damage: checksummed files, signals, failpoints, process parentage."""
