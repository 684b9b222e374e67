"""The control loops: one module a loop, each a pure ``plan`` beside its thin reconciler."""
