"""Alembic's folder: `env.py` connects, `versions/` holds one file per step. Applied by `installation/migrating.py`."""
