"""Views, pure."""
