"""What tests of the live loop share."""

import numpy as np
import pytest


@pytest.fixture
def any_spread(monkeypatch):
    """A scripted network answers the same in every crop: looks at moved crops of it never agree."""
    monkeypatch.setattr("realtime.stages.landmarks.STEADY", np.inf)
