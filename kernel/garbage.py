"""Python's search for garbage in cycles, kept away from what never becomes garbage.

A started process holds a quarter of a million objects that live until its end (modules, schemas, statements). A full
search walks them all for nothing; while modules are loaded it does so again and again.
"""

import gc

THRESHOLDS = 10_000, 20, 20
"""New containers before a search of the young ones, and searches of one generation before that of the next (Python's
own 700, 10, 10 is for small scripts; a request makes thousands)."""


def spare() -> None:
    """What is there now stays and is never searched; the search goes on for what comes. Call it when much was loaded."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
