"""Processes that find the digits on many pictures: threads would wait for each other in Python."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Lock

import cv2

from digits.data import picture_files


def start() -> ProcessPoolExecutor:
    """Return a pool of processes, one a core, of which one at a time opens a huge picture."""
    # Not forked: TensorFlow's threads would not survive that.
    context = multiprocessing.get_context("spawn")
    count = min(4, os.cpu_count() or 1)  # more than four would wait for the model
    return ProcessPoolExecutor(count, context, _prepare, (context.Lock(),))


def _prepare(only_one: Lock) -> None:
    picture_files.only_one = only_one
    cv2.setNumThreads(1)  # each process has a core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by the process that began it
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """A parent that was killed cannot tell its processes to end."""
    multiprocessing.parent_process().join()
    os._exit(1)
