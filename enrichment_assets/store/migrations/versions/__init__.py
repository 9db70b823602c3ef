"""One file per step, named `<number>_<what it does>.py`; the number is the revision."""
