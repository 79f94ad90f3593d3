"""The bundled clip's actor: what it says, how it moves, how it looks. `python -m tools.make_demo` films it."""
