"""Object stores: kept uploads and the warehouse where several machines reach them.

What belongs here: what an address such as `s3://bucket/folder` means, and bytes going to and from it. What does not:
which bytes there are (`services.uploads.kept_files`, `warehouse.copies`).
"""
