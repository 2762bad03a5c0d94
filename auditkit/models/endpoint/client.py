"""HTTP with patience: bounded concurrency and rate, and attempts repeated while that can help."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from auditkit.errors import AuditkitError
from auditkit.masked import masked_text
from auditkit.models.address import refuse_link_local
from auditkit.models.endpoint.access import Access
from auditkit.models.endpoint.failure import FEW, Failure, of_status, without
from auditkit.models.endpoint.logs import keep_out_of_logs
from auditkit.models.endpoint.patience import patiently
from auditkit.version import install_line

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_CLOSING = 5.0  # seconds


class Client:
    """Connections to one server, served by a thread of their own.

    A thread, because questions come from any thread and are to be let go from any other (Ctrl-C, `close`); one event
    loop in it, because that is the cheapest way to have many requests under way (0.8 ms of processor time per request
    of 35 KB; 0.6 to 1.0 ms with a pool of 16 threads, which cannot be interrupted).

    Parameters
    ----------
    base_url : str
        Address without a slash at its end.
    access : Access
        Key, headers and query; read when connections are opened, kept nowhere else.
    concurrency : int
        Requests under way at the same time.
    rate_limit : float or None
        Attempts per second at most.

    Attributes
    ----------
    gate : asyncio.Semaphore
        Holds as many requests as may be under way; a request keeps its place while it waits to be put again, so that
        a server that is overloaded is asked less.
    """

    def __init__(self, base_url: str, access: Access, *, concurrency: int, rate_limit: float | None) -> None:
        self.base_url = base_url
        self.access = access
        self._concurrency = concurrency
        self._gap = 1.0 / rate_limit if rate_limit else 0.0
        self._opening = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: httpx2.AsyncClient | None = None
        self._next = 0.0
        self.gate = asyncio.Semaphore(concurrency)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine among the connections and wait for it.

        Raises
        ------
        concurrent.futures.CancelledError
            When the client is closed meanwhile.
        """
        with self._opening:
            if self._loop is None:
                self._loop = self._open()
            future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Let go of everything under way and of the connections; the next `run` opens new ones."""
        with self._opening:
            loop, self._loop = self._loop, None
        if loop is not None:
            with suppress(TimeoutError, CancelledError):
                asyncio.run_coroutine_threadsafe(self._end(), loop).result(_CLOSING)
            loop.call_soon_threadsafe(loop.stop)

    def _open(self) -> asyncio.AbstractEventLoop:
        try:
            import httpx2
            import tenacity  # noqa: F401 - missing packages are to be told here, not per request
        except ModuleNotFoundError as error:
            raise AuditkitError(
                f"--audit-endpoint needs {error.name}, which is not installed.",
                f"Install with: {install_line('endpoint')}",
            ) from None
        headers, query = self.access.headers(), self.access.query()
        keep_out_of_logs(self.access)
        try:
            if httpx2.URL(self.base_url).host != urlsplit(self.base_url).hostname:
                raise httpx2.InvalidURL("read in two ways")
        except httpx2.InvalidURL:
            raise AuditkitError(
                f"--audit-endpoint={self.base_url} is not an address that can be asked.",
                "Give it as http://host:port/v1 or https://host/v1.",
            ) from None
        refuse_link_local(urlsplit(self.base_url).hostname or "", look_up=True)
        try:
            self._http = httpx2.AsyncClient(
                headers=headers,
                params=query,
                timeout=None,  # every attempt has its own, over all of it: see exchange
                limits=httpx2.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency),
            )
        except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
            # Not its words: it quotes the proxy's address as it stands, with the password.
            raise AuditkitError(
                f"no connection can be made from here ({type(error).__name__}): a proxy's address or a certificate's "
                "file in the environment cannot be used.",
                "Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR (signs in a password as "
                "%40 for @, %2F for /; socks5:// takes pip install socksio).",
            ) from None
        self.gate = asyncio.Semaphore(self._concurrency)  # it belongs to the loop that first waits for it
        loop = asyncio.new_event_loop()
        threading.Thread(target=_serve, args=(loop,), name="auditkit-endpoint", daemon=True).start()
        return loop

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    async def patiently(self, attempt: Callable[[float], Awaitable[T]], deadline: float) -> T:
        """Attempt as `patience.patiently` does, within the rate limit; the deadline begins with the first attempt."""
        await self._turn()
        return await patiently(attempt, deadline, self._turn)

    async def _turn(self) -> None:
        """Wait until the rate limit lets another attempt go."""
        if self._gap:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._gap
            await asyncio.sleep(at - now)

    async def exchange(self, url: str, seconds: float, body: bytes | None = None) -> dict[str, Any]:
        """Return the JSON object that one GET, or one POST of a JSON body, gives.

        Raises
        ------
        Failure
            For everything else that can happen.
        """
        import httpx2

        http, secrets = self._http, self.access.secrets()
        assert http is not None  # noqa: S101 - run() has opened it
        try:
            async with asyncio.timeout(seconds):  # over all of it: a body that trickles never ends a read timeout
                if body is None:
                    reply = await http.get(url)
                else:
                    reply = await http.post(url, content=body, headers={"Content-Type": "application/json"})
        except TimeoutError:
            raise Failure(f"no answer within {seconds:.3g} s") from None
        except (httpx2.HTTPError, OSError) as error:
            told = masked_text(without(str(error), *secrets))
            if "CERTIFICATE_VERIFY_FAILED" in told:
                remedy = "Trust the server's authority on this machine: export SSL_CERT_FILE=/path/to/authority.pem"
                raise Failure(told, tries=1, remedy=remedy) from None
            raise Failure(f"{type(error).__name__}: {told}" if told else type(error).__name__) from None
        if not reply.is_success:
            raise of_status(reply.status_code, reply.content, reply.headers, secrets, self.access.key_variable)
        try:
            found = json.loads(reply.content)
        except (ValueError, RecursionError):
            raise Failure("the reply is not JSON", tries=FEW) from None
        if not isinstance(found, dict):
            raise Failure(f"the reply is a JSON {type(found).__name__}, not an object", tries=FEW)
        return found


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
