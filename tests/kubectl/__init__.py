"""Real kubectl through every command that works on Plum, against real servers and clusters."""
