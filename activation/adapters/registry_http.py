"""The national citizen identity number service over HTTP (R1.5).

`POST {url}/v1/comparisons` with name and number; the answer is `{"verdict": …, "reference": …}` with a
verdict of match, mismatch or unknown. Whatever else comes back is a RegistryFault whose text shows
neither what was asked nor what was answered. Redirects are not followed: they would carry the identity
elsewhere.
"""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType
from typing import Literal, Self

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activation.evidence import RegistryVerdict
from activation.ports import PersonalIdentity, RegistryFault

TIMEOUT_SECONDS = 4.0
ATTEMPTS = 3
#: Waits before the second and third attempt, each times a random factor of 0.5 to 1.5.
RETRY_SECONDS = (0.2, 0.8)
MAX_ANSWER_BYTES = 8_192
AT_ONCE = 8
#: After so many faults in a row nobody is asked for a while; then one call tries whether it is back.
FAULTS_UNTIL_OPEN, OPEN_SECONDS = 5, 10.0
#: Answers that may be different a moment later.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    verdict: Literal["match", "mismatch", "unknown"]
    reference: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")


class _Passing(Exception):
    """Worth another attempt; its text is the fault's."""


class CircuitBreaker:
    """Counts faults in a row; while open, callers are turned away without waiting for a time-out."""

    def __init__(self, faults: int = FAULTS_UNTIL_OPEN, seconds: float = OPEN_SECONDS) -> None:
        self._limit, self._seconds = faults, seconds
        self._faults, self._until = 0, 0.0

    def admit(self) -> bool:
        """True: go ahead. When the time is over one caller goes ahead, the others after its success."""
        if self._faults < self._limit:
            return True
        now = time.monotonic()
        if now < self._until:
            return False
        self._until = now + self._seconds
        return True

    def succeeded(self) -> None:
        self._faults = 0

    def failed(self) -> None:
        self._faults += 1
        if self._faults >= self._limit:
            self._until = time.monotonic() + self._seconds


class HttpRegistry:
    """`activation.ports.Registry`. token: bearer token of the operator; None where the sandbox needs none."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        open_seconds: float = OPEN_SECONDS,
    ) -> None:
        self._url = f"{url.rstrip('/')}/v1/comparisons"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._breaker = CircuitBreaker(seconds=open_seconds)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def compare(self, identity: PersonalIdentity, idempotency_key: str) -> tuple[RegistryVerdict, str]:
        async with self._slots:
            for wait in (*RETRY_SECONDS, None):
                if not self._breaker.admit():
                    raise RegistryFault("the registry failed lately and is left alone for a while")
                try:
                    answer = await self._ask(identity, idempotency_key)
                except _Passing as fault:
                    self._breaker.failed()
                    if wait is None:
                        raise RegistryFault(str(fault)) from None
                    await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 (jitter, no secret)
                except RegistryFault:
                    self._breaker.failed()
                    raise
                else:
                    self._breaker.succeeded()
                    return RegistryVerdict(answer.verdict), answer.reference
        raise AssertionError("every attempt returns or raises")

    async def _ask(self, identity: PersonalIdentity, idempotency_key: str) -> _Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        try:
            async with self._session.post(
                self._url,
                json={"name": identity.name, "number": identity.number},
                headers={"Idempotency-Key": idempotency_key},
                allow_redirects=False,
            ) as response:
                if response.status in _PASSING:
                    raise _Passing(f"the registry answered {response.status}")
                if response.status != 200:
                    raise RegistryFault(f"the registry answered {response.status}")
                body = await response.content.read(MAX_ANSWER_BYTES + 1)
                while len(body) <= MAX_ANSWER_BYTES and not response.content.at_eof():
                    body += await response.content.read(MAX_ANSWER_BYTES + 1 - len(body))
        except TimeoutError:
            raise _Passing("the registry did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _Passing(f"the registry could not be asked ({type(error).__name__})") from None
        if len(body) > MAX_ANSWER_BYTES:
            raise RegistryFault("the registry's answer is too long")
        try:
            return _Answer.model_validate_json(body)
        except ValidationError:
            raise RegistryFault("the registry's answer is not one") from None
