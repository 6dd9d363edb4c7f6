"""collect → vision → latents → memory → controller → evaluate: one short file each."""
