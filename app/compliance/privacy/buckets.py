"""Buckets of S3 as places to look into: every object that lies there now, read as the service gives it."""

from __future__ import annotations

from collections.abc import Iterator

from app.compliance.privacy.search import PIECE
from media.aws import aws_faults
from media.buckets import Bucket


def objects_of(bucket: Bucket) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Keys and bytes. Blocking. Raises AwsAway, AwsRefused."""
    for key in bucket.all_keys(""):
        yield key, _pieces(bucket, key)


def _pieces(bucket: Bucket, key: str) -> Iterator[bytes]:
    with aws_faults():
        with bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"] as body:
            while piece := body.read(PIECE):
                yield piece
