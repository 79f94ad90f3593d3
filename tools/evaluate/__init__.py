"""The protocols by which our networks are measured. `python -m tools.evaluate NAME --help`."""
