from engines.base import Unavailable


def check() -> str:
    raise Unavailable("x")
