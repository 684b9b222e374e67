"""What instances write: rotated, kept, read."""
