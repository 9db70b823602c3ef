"""Several machines on one installation: kept uploads and the warehouse in an object store.

The store is moto's server: real HTTP, S3's own conditional writes, nothing of ours.
"""
