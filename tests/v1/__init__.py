"""What clients of the original Plum rely on: ``/v1`` over real HTTP, to the byte where they read bytes.

``client`` keeps raw replies; ``original_agent`` is a node agent that knows no more than the original did.
"""
