"""The key service of AWS: order keys are wrapped by `Encrypt` of KMS; its keys never leave it.

The order's id is the call's encryption context: KMS refuses to decrypt for another order, and its own log
(CloudTrail) says for which order a key was used. The key may be named by an alias: pointed at another key,
new order keys are wrapped by that one, and `keys rotate` wraps the rest anew. KMS's own yearly rotation
keeps a key's id and needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from activation.ids import OrderId
from activation.order_keys import KEY_BYTES, Unreadable
from media.aws import AwsAccess, AwsAway, AwsRefused, aws_faults, open_kms
from media.keys.arns import MAX_ARN, account_of, region_of
from media.keys.ports import KeyServiceAway
from media.threads import BoundedThreads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_kms.client import KMSClient

T = TypeVar("T")

#: First bytes of what this service wrapped; the key's ARN and a line feed follow, then what KMS gave.
FORMAT = b"kms1\n"

#: An answer that takes longer does not come; twice that and a second is the longest wait for one call.
READ_SECONDS, TRIES = 5.0, 2
THREADS, MAX_CALLS = 8, 32
#: KMS says so of bytes that were changed, of another context and of another key. All else may pass.
_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsKeyService:
    """`media.keys.ports.KeyService`. Close it, or its threads stay.

    key: ARN of a key or an alias. A key that is disabled, to be deleted or not allowed to us is
    KeyServiceAway: whoever made it so can take it back.
    """

    def __init__(self, key: str, client: KMSClient) -> None:
        self._key, self._client = key, client
        self._account = account_of(key)
        self._threads = BoundedThreads("kms", THREADS, MAX_CALLS, KeyServiceAway)

    async def wrap(self, order_id: OrderId, secret: bytes) -> bytes:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"an order's key is {KEY_BYTES} bytes long")
        answer = await self._call(
            lambda: self._client.encrypt(
                KeyId=self._key, Plaintext=secret, EncryptionContext={"order": order_id}
            )
        )
        return FORMAT + answer["KeyId"].encode() + b"\n" + answer["CiphertextBlob"]

    async def unwrap(self, order_id: OrderId, wrapped: bytes) -> bytes:
        arn, blob = _parts(wrapped)
        # A key of somebody else's account would give us an order key that somebody else knows.
        if not arn.startswith(self._account):
            raise Unreadable("an order's key was wrapped in another account")
        answer = await self._call(
            lambda: self._client.decrypt(
                KeyId=arn, CiphertextBlob=blob, EncryptionContext={"order": order_id}
            )
        )
        return answer["Plaintext"]

    async def current(self) -> str:
        """ARN of the key itself, where `key` is an alias."""
        answer = await self._call(lambda: self._client.describe_key(KeyId=self._key))
        return answer["KeyMetadata"]["Arn"]

    def wrapped_by(self, wrapped: bytes) -> str:
        return _parts(wrapped)[0]

    def close(self) -> None:
        """Waits for calls that run."""
        self._threads.close()

    async def _call(self, ask: Callable[[], T]) -> T:
        def asking() -> T:
            with _as_faults(), aws_faults():
                return ask()

        return await self._threads.run(asking)


def open_kms_service(key: str, endpoint: str | None = None) -> KmsKeyService:
    """The service for `key`, in the region of its ARN, at Amazon's own address or `endpoint`."""
    client = open_kms(AwsAccess(region_of(key), endpoint), read_seconds=READ_SECONDS, tries=TRIES)
    return KmsKeyService(key, client)


@contextmanager
def _as_faults() -> Iterator[None]:
    try:
        yield
    except AwsRefused as refused:
        if refused.code in _NOT_OURS:
            raise Unreadable("an order's key does not unwrap for this order") from None
        raise KeyServiceAway(f"KMS refused: {refused.code}") from None
    except AwsAway as away:
        raise KeyServiceAway(f"KMS is away: {away}") from None


def _parts(wrapped: bytes) -> tuple[str, bytes]:
    arn, line, _ = wrapped[len(FORMAT) :][: MAX_ARN + 1].partition(b"\n")
    if not wrapped.startswith(FORMAT) or not line or not arn.isascii():
        raise Unreadable("not a key that KMS has wrapped")
    return arn.decode(), wrapped[len(FORMAT) + len(arn) + 1 :]
