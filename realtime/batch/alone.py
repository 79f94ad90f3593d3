"""A worker process has one core: nothing in it may start threads of its own."""

from __future__ import annotations

import os


def prepare_worker() -> None:
    """Before anything heavy is imported, and before the first OpenGL context."""
    os.environ["LP_NUM_THREADS"] = "0"  # of Mesa's software OpenGL
    import av.logging
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)
    av.logging.set_level(av.logging.PANIC)
