"""Avatar protocols over UDP: each file encodes one; `sink.py` sends."""
