"""A day of the platform in fast motion: `make soak`."""
