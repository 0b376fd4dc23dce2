"""Buckets of S3: small entries, sealed objects in parts, and what must be true of them at start."""

from media.buckets.bucket import NOTHING_MORE, QUARANTINE, Bucket, Found, Protection
from media.buckets.streams import PART_BYTES, PartWriter, RangeReader

__all__ = [
    "NOTHING_MORE",
    "PART_BYTES",
    "QUARANTINE",
    "Bucket",
    "Found",
    "PartWriter",
    "Protection",
    "RangeReader",
]
