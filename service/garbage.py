"""How often this process looks for rings of objects that nothing else holds.

Python does so after every 700 new objects unless told otherwise; a group of readings makes thousands that all go away
by themselves, and a fifth of its processor time went into looking at them (`docs/performance.md`)."""

import gc

YOUNG = 50_000
"""How many more objects than at the last look start a look through the young ones."""
MIDDLE, OLD = 20, 50
"""After how many looks at the younger ones the older ones are looked through as well."""


def settle() -> None:
    """Leave what is there now, the code above all, out of every later look, and look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
