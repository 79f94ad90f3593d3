"""What the people of some photographs wear, as a person saw it (`faces/glasses_labels.csv`): for evaluation only."""

from __future__ import annotations

import csv
from pathlib import Path

KINDS = ("none", "clear", "dark")  # in the order of the deleter's `kind`
UNSURE = "unsure"


def labelled_glasses(data: Path) -> dict[str, str]:
    """{"set/file": one of KINDS or "unsure"}; empty where the photographs come without labels."""
    path = Path(data) / "faces" / "glasses_labels.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as lines:
        return {f"{row['set']}/{row['file']}": row["glasses"] for row in csv.DictReader(lines)}
