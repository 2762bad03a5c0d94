"""Attempts at one request, repeated while that can help and there is time."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from auditkit.models.endpoint.failure import Failure

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

WAIT = (0.5, 30.0)
"""Back-off in seconds: before attempt n + 1 a uniform draw from 0 to ``0.5 * 2 ** (n - 1)``, at most 30."""

SHARE = 1 / 3
"""Part of the deadline that one attempt may take: a request that gets lost is put again, twice."""

LEAST_AFTER = 1.0
"""Seconds from which a server's Retry-After is taken at its word."""

_LEAST = 0.001  # seconds


async def patiently(
    attempt: Callable[[float], Awaitable[T]], deadline: float, turn: Callable[[], Awaitable[None]]
) -> T:
    """Attempt until there is an answer, another attempt cannot help, or the deadline would pass.

    Parameters
    ----------
    attempt : callable
        Is given the seconds it may take; raises `Failure`.
    deadline : float
        Seconds for all attempts and the waits between them.
    turn : callable
        Is awaited before every attempt but the first.

    Raises
    ------
    Failure
        The last one, with the number of attempts and the time they took.
    """
    trials = _Trials(attempt, deadline, turn)
    try:
        return await trials.run()
    except Failure as failure:
        if trials.made > 1:
            failure.why += f" (attempt {trials.made}, after {trials.seconds():.0f} s)"
        elif failure.after is not None:
            failure.why += f" (it asks to wait {failure.after:.0f} s, the deadline is {deadline:g} s)"
        raise


class _Trials(Generic[T]):
    def __init__(
        self, attempt: Callable[[float], Awaitable[T]], deadline: float, turn: Callable[[], Awaitable[None]]
    ) -> None:
        self._attempt = attempt
        self._deadline = deadline
        self._turn = turn
        self._start = time.monotonic()
        self._failed: Failure | None = None
        self.made = 0

    def seconds(self) -> float:
        return time.monotonic() - self._start

    async def run(self) -> T:
        # The first attempt is made outside of tenacity, whose machinery is 0.15 of the 1.05 ms that a request takes.
        try:
            return await self._once()
        except Failure as failure:
            self._failed = failure
        from tenacity import AsyncRetrying, retry_if_exception

        retry = retry_if_exception(self._can_help)
        return await AsyncRetrying(retry=retry, wait=self._pause, stop=self._late, reraise=True)(self._again)

    async def _once(self) -> T:
        if self.made:
            await self._turn()
        self.made += 1
        return await self._attempt(max(min(self._deadline * SHARE, self._deadline - self.seconds()), _LEAST))

    async def _again(self) -> T:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        return await self._once()

    def _can_help(self, error: BaseException) -> bool:
        return isinstance(error, Failure) and self.made < error.tries

    def _pause(self, state: RetryCallState) -> float:
        from tenacity import wait_random_exponential

        own = wait_random_exponential(multiplier=WAIT[0], max=WAIT[1])
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Failure) and error.after is not None:
            # Sixteen requests that were told the same second should not all come back in it.
            asked = error.after + random.uniform(0.0, 0.1)
            # "Come back in 0 s" from a server that is overloaded: the back-off goes on growing, from a least wait.
            return asked if error.after >= LEAST_AFTER else max(asked, own(state), WAIT[0] / 2)
        return own(state)

    def _late(self, state: RetryCallState) -> bool:
        return self.seconds() + state.upcoming_sleep >= self._deadline
