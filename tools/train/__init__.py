"""Training of our networks: one skeleton (`trainer`), one file per network. `python -m tools.train NAME --help`."""
