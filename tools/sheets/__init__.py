"""Contact sheets of real photographs through the whole chain, to be looked at. `python -m tools.sheets --help`."""
