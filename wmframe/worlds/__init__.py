"""What a controller lives in: reality, dream, and roll-outs through either."""
