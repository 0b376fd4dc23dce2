"""The one door for boto3: clients of S3 and KMS with limits, and faults without addresses, keys or names.

boto3 blocks: its clients are used in bounded thread pools, never on the event loop. They may be shared
between threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_kms.client import KMSClient
    from types_boto3_s3.client import S3Client

CONNECT_SECONDS = 3
READ_SECONDS = 20
#: The first try and what follows after faults of the network or the service; waits grow from 1 s.
TRIES = 3
CONNECTIONS = 32

#: Answers that say nothing about what was asked for: try again later.
_AWAY_CODES = frozenset(
    {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestTimeTooSkewed"}
)
_SERVER_FAULT = 500


class AwsFault(Exception):
    """A call did not succeed. Texts hold the service's error code and nothing of the request."""


class AwsAway(AwsFault):
    """No answer in time, none at all, or one that says: later."""


class AwsRefused(AwsFault):
    """The service said no. code: as the service names it; status: of HTTP."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the service answered {code}")
        self.code = code
        self.status = status


@dataclass(frozen=True, repr=False)
class AwsAccess:
    """Where a service is and who asks.

    endpoint: None: Amazon's own of the region. access_key, secret_key: None: the role of the machine.
    """

    region: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None


def open_s3(access: AwsAccess, *, read_seconds: float = READ_SECONDS, tries: int = TRIES) -> S3Client:
    """A client of S3; signature version 4, path-style addresses at an endpoint of one's own."""
    config = _config(read_seconds, tries).merge(
        Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual" if access.endpoint is None else "path"},
            # Content-MD5 is sent by us; checksums in trailers are not understood by every S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    return _session(access).client("s3", endpoint_url=access.endpoint, config=config)


def open_kms(access: AwsAccess, *, read_seconds: float = READ_SECONDS, tries: int = TRIES) -> KMSClient:
    """A client of KMS."""
    config = _config(read_seconds, tries)
    return _session(access).client("kms", endpoint_url=access.endpoint, config=config)


@contextmanager
def aws_faults() -> Iterator[None]:
    """Calls of a client inside the block raise AwsAway or AwsRefused and nothing else of boto3's."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if status >= _SERVER_FAULT or code in _AWAY_CODES:
            raise AwsAway(f"the service answered {code}") from None
        raise AwsRefused(code, status) from None
    except (BotoCoreError, OSError) as error:
        raise AwsAway(f"the service did not answer: {type(error).__name__}") from None


def _session(access: AwsAccess) -> boto3.session.Session:
    """A session of its own: boto3's default one is shared by the whole process."""
    return boto3.session.Session(
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name=access.region,
    )


def _config(read_seconds: float, tries: int) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        # Addresses come from our settings, never from a file or variable that somebody left on the machine.
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg] # its stubs do not know it
    )
