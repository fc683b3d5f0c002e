"""The HTTP API: a view a method, shapes beside it, no rule of its own."""
