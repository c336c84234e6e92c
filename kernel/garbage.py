"""Python's search for garbage in cycles, kept away from what never becomes garbage.

A started process holds some hundred thousand objects that live until its end (modules, schemas, statements). Each full
search walks them all for nothing: it took a third of the CPU time of the API (cProfile and perf, `make bench`).
"""

import gc

THRESHOLDS = 10_000, 20, 20
"""New containers before a search of the young ones, and searches of one generation before that of the next (Python's
own 700, 10, 10 is for small scripts; a request makes thousands)."""


def spare() -> None:
    """What is there now stays: it is cleaned once and never searched again. Call it when something large was loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
