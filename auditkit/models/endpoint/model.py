"""An OpenAI-compatible server behind the model seam.

Nothing is sent before the fingerprint or the first answer is wanted; no key is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import cached_property
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.models.address import checked_address
from auditkit.models.base import DEFAULTS, ModelOptions, Request, Response
from auditkit.models.endpoint.access import Access
from auditkit.models.endpoint.client import Client
from auditkit.models.endpoint.failure import Failure, no_system
from auditkit.models.endpoint.first_token import decided_at_once
from auditkit.models.endpoint.hints import hint
from auditkit.models.endpoint.identity import Identity, identify
from auditkit.models.endpoint.messages import Pictures, chat_body, data_uri, folded, plain_question, settings
from auditkit.models.endpoint.replies import read_reply

FIRST_CONTACT = 10.0
"""Seconds to reach a server before anything is asked: a wrong address should be known soon, whatever the deadline."""

BATCH = 1024
"""Requests per call: places of the pool stand empty only while the last answers of a call come in. The same for any
concurrency, because it is part of an answer's key, and concurrency must not affect the answer."""

# Requests given up, without an answer to any while they were tried or since, until nothing more is asked: few where the
# server was not there for the whole deadline of each; more where it answers, because a hundred questions may be about
# one image that it cannot take.
_AWAY = 3
_USELESS = 256
# Requests that are refused, with nothing answered yet, until it is tried whether anything is taken.
_REFUSED = 3
_PLAIN_SECONDS = 60.0


class EndpointModel:
    """A model that a server answers for, asked greedily.

    Parameters
    ----------
    base_url : str
        Address that ``/chat/completions`` is put after, usually ending in ``/v1``.
    served : str
        Name of the model as the server knows it.
    name : str
        Name shown in reports.
    options : ModelOptions
        ``deadline`` (seconds per request, all attempts together), ``concurrency`` (1 when ``exact``), ``rate_limit``.
    key_variable : str
        Environment variable that holds the key, if the server wants one.
    revision : str
        Which weights these are, declared by the user (a commit, a date); part of the fingerprint.
    extra : mapping, optional
        Further fields of every request, such as ``{"reasoning_effort": "none"}``; a field that is None is left out.
        Part of the fingerprint, as all that follow are but aliases, family and the key's header.
    aliases : sequence of str
        Other names under which the server may answer for this model.
    family : str
        Architecture, as far as it is known; no server tells.
    omit : sequence of str
        Fields that are not sent: ``temperature``, ``seed``, ``max_tokens``, ``logprobs``.
    template : mapping
        Arguments of the chat template (``chat_template_kwargs``).
    max_new_tokens : int or None
        Tokens that an answer may have where a request allows fewer.
    key_header, headers, query
        As of `Access`.

    Attributes
    ----------
    fingerprint : str
        SHA-256 over the served name, the revision, what the server tells of its version and weights, and the request
        settings. Without a revision or a digest of the weights also over the address: the same name elsewhere may be
        other weights. Asks the server.
    batch_size : int
        Requests per call that keep all places of the pool busy.
    call_deadline : float
        Seconds one call may take when every request needs its whole deadline.

    Raises
    ------
    AuditkitError
        For an address that cannot be one; from ``fingerprint`` and ``generate`` when the server cannot be reached,
        refuses the key, does not have the model, or answers as another one.
    """

    backend = "openai"

    def __init__(
        self,
        base_url: str,
        served: str,
        *,
        name: str,
        options: ModelOptions = DEFAULTS,
        key_variable: str = "AUDITKIT_API_KEY",
        revision: str = "",
        extra: Mapping[str, Any] | None = None,
        aliases: Sequence[str] = (),
        family: str = "",
        omit: Sequence[str] = (),
        template: Mapping[str, Any] | None = None,
        max_new_tokens: int | None = None,
        key_header: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = checked_address(base_url)
        self.served = served
        self.name = name
        self.family = family
        self.deadline = options.deadline
        self.concurrency = 1 if options.exact else max(options.concurrency, 1)
        self.batch_size = BATCH
        rounds = math.ceil(self.batch_size / self.concurrency)
        self.call_deadline = rounds * self.deadline + self.batch_size / (options.rate_limit or math.inf) + 60.0
        self._declared = revision
        self._aliases = tuple(aliases)
        fields = dict(extra or {})
        if template:
            fields["chat_template_kwargs"] = {**fields.get("chat_template_kwargs", {}), **template}
        self._fields = settings(fields, omit)
        self._omit = tuple(omit)
        self._longer = max_new_tokens or 0
        self._exact = options.exact
        self._access = Access(key_variable, key_header, headers, query)
        self._client = Client(
            self.base_url, self._access, concurrency=self.concurrency, rate_limit=options.rate_limit or None
        )
        self._length = "" if "max_tokens" in omit else "max_tokens"
        self._offers_logprobs = "logprobs" not in omit
        self._gave_up_logprobs = ""
        self._had_logprobs = self._tried_logprobs = False
        self._refused = 0  # while nothing was answered
        self._trying = asyncio.Lock()
        self._folds_system = False
        self._unknown_ends: Counter[str] = Counter()
        self._in_vain: Counter[int] = Counter()  # by the limit that applies
        self._answered = -math.inf  # when, last
        self._stopped: AuditkitError | None = None
        self._passes = False  # what stopped it, by itself

    def __repr__(self) -> str:
        return f"EndpointModel({self.base_url!r}, {self.served!r}, name={self.name!r})"

    @cached_property
    def identity(self) -> Identity:
        """What the server told of itself; asked once."""
        return self._client.run(lambda: identify(self._client, self.served, self._aliases, FIRST_CONTACT))

    @property
    def revision(self) -> str:
        """Which weights: as declared, or the beginning of the digest that the server tells."""
        return self._declared or self.identity.digest.removeprefix("sha256:")[:12]

    @property
    def description(self) -> str:
        """The served name (of a folder only the last part) and the server's software."""
        served = self.served.rstrip("/").rpartition("/")[2] if self.served.startswith("/") else self.served
        return f"{served}, served by {self.identity.software or 'an OpenAI-compatible server'}"

    @property
    def fingerprint(self) -> str:
        told = self.identity
        known = self._declared or told.digest
        parts: dict[str, Any] = {
            "served": self.served,
            "revision": self._declared,
            "digest": told.digest,
            "weights": told.weights,
            "software": told.software,
            "fields": self._fields,
            "exact": self._exact,
            "address": "" if known else self.base_url,
        }
        # What is not used adds nothing, so that the fingerprints of other servers stay what they were.
        more: dict[str, Any] = {"omit": sorted(self._omit), "tokens": self._longer, **self._access.declared}
        parts |= {key: value for key, value in more.items() if value}
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def limits(self) -> tuple[str, ...]:
        """What a reader must know of how the server was asked."""
        said = []
        if "temperature" in self._omit or self._fields.get("temperature"):
            told = self._fields.get("temperature", "of the server's choice")
            said.append(f"The temperature was {told}: answers are drawn at random. The repeatability audits count it.")
        if self._gave_up_logprobs:
            said.append(
                f"Log-probabilities of the answers were asked for in vain and left out ({self._gave_up_logprobs})."
            )
        if self._folds_system:
            said.append("The server takes no system turn: what it was to say was put before the user's text.")
        if self._unknown_ends:
            told = ", ".join(f"{reason!r} ({n})" for reason, n in self._unknown_ends.most_common(3))
            said.append(
                f"The server ended answers for reasons that are not known: {told}. They count as cut off, except where "
                "it told that the token limit was not reached."
            )
        return tuple(said)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Ask the server; one response per request, in order.

        A request that cannot be answered gets a response with the reason and costs no other. What concerns every
        request ends the call early: what was answered by then is returned, and the next call raises (this one, if
        nothing was).
        """
        self._raise_stopped()
        if not requests:
            return []
        self.identity  # noqa: B018 - a server that is not there, or holds another model, is told before anything is sent
        try:
            responses = self._client.run(lambda: self._all(requests))
        except CancelledError:
            return [_error("the connection was closed meanwhile", again=True) for _ in requests]
        if all(response.error is not None for response in responses):
            self._raise_stopped()
        return responses

    def close(self) -> None:
        """Let go of what is under way and of the connections; the next question opens new ones."""
        self._client.close()

    def _raise_stopped(self) -> None:
        stopped, self._stopped = self._stopped, None
        if stopped is not None:
            self._in_vain.clear()
            raise stopped

    async def _all(self, requests: Sequence[Request]) -> list[Response]:
        self._trying = asyncio.Lock()  # it belongs to the loop that first waits for it
        if self._longer:
            requests = [replace(r, max_new_tokens=max(r.max_new_tokens, self._longer)) for r in requests]
        pictures = Pictures(requests)
        return await asyncio.gather(*(self._one(request, pictures) for request in requests))

    async def _one(self, request: Request, pictures: Pictures) -> Response:
        async with self._client.gate:
            if self._stopped is not None:
                return _error(self._stopped.problem, again=self._passes)
            start = time.monotonic()
            try:
                uris = await pictures.of(request)
                response = await self._client.patiently(lambda limit: self._ask(request, uris, limit), self.deadline)
            except Failure as failure:
                self._note(failure, start)
                if failure.refused and self._answered == -math.inf:
                    await self._refused_at_first()
                return _error(failure.why, again=failure.again)
            except Exception as error:  # an image that cannot be encoded, say: it costs this request only
                return _error(f"{type(error).__name__}: {error}", again=False)
            finally:
                pictures.done(request)
            self._answered = time.monotonic()
            self._in_vain.clear()
            return response

    async def _ask(self, request: Request, uris: Sequence[str], seconds: float) -> Response:
        """Make one attempt; what the server says it does not take is left out, or put in another way, from then on."""
        while True:
            put = folded(request) if self._folds_system else request
            length, logprobs = self._length, self._offers_logprobs and decided_at_once(request.choices)
            try:
                response = await self._once(put, uris, seconds, length, logprobs)
            except Failure as failure:
                if put.system and no_system(failure):
                    self._folds_system = True
                elif not await self._otherwise(failure, seconds, length, logprobs):
                    raise
            else:
                self._had_logprobs |= logprobs
                return response

    async def _once(
        self, request: Request, uris: Sequence[str], seconds: float, length: str, logprobs: bool
    ) -> Response:
        body = chat_body(request, self.served, uris, self._fields, length, logprobs)
        reply = await self._client.exchange(f"{self.base_url}/chat/completions", seconds, body)
        return read_reply(reply, request, self.served, self.identity.names, self._unknown_ends)

    async def _otherwise(self, failure: Failure, seconds: float, length: str, logprobs: bool) -> bool:
        """Whether the same question is to be put again at once, because it will be put in another way."""
        said = failure.why.lower() if failure.refused else ""
        if "max_completion_tokens" in said and length == "max_tokens":
            self._length = "max_completion_tokens"
            return True
        if not logprobs:
            return False
        if "logprobs" in said and self._offers_logprobs:
            self._offers_logprobs, self._gave_up_logprobs = False, failure.why
        elif self._offers_logprobs and math.isfinite(failure.tries) and not self._had_logprobs:
            # A server that breaks when it is asked for them does not always say so.
            async with self._trying:
                if not self._tried_logprobs:
                    self._tried_logprobs = True
                    await self._try_logprobs(seconds)
        return not self._offers_logprobs

    async def _try_logprobs(self, seconds: float) -> None:
        """Leave log-probabilities out where a plain question is answered without them and, twice, not with them."""
        if await self._plainly(seconds, logprobs=False) is not None:
            return
        failures = [await self._plainly(seconds, logprobs=True) for _ in range(2)]
        last = failures[-1]
        if last is not None and all(f is not None and math.isfinite(f.tries) for f in failures):
            self._offers_logprobs, self._gave_up_logprobs = False, last.why

    async def _plainly(self, seconds: float, *, logprobs: bool) -> Failure | None:
        """Put the plainest question there is, about a grey picture; return why it was not answered."""
        plain = plain_question()
        try:
            await self._once(plain, [data_uri(plain.images[0])], seconds, self._length, logprobs)
        except Failure as failure:
            return failure
        return None

    async def _refused_at_first(self) -> None:
        """Stop where the server takes not even the plainest question, not after hundreds about one odd picture."""
        self._refused += 1
        if self._refused != _REFUSED:
            return
        failure = await self._plainly(min(self.deadline, _PLAIN_SECONDS), logprobs=False)
        if failure is not None and failure.refused and self._stopped is None:
            sent = [*self._fields, *filter(None, [self._length]), "logprobs"]
            self._stopped = AuditkitError(
                f"--audit-endpoint={self.base_url}, model {self.served!r}: it refuses every question, even a plain one "
                f"about a grey picture: {failure.why.rstrip('.')}.",
                hint(failure.why, sent) or "Put the server, or the model's entry in the registry, right and run again.",
            )

    def _note(self, failure: Failure, start: float) -> None:
        """Keep count of what was asked in vain, and stop where asking on would be of no use."""
        limit = _AWAY if failure.tries == math.inf else _USELESS
        # Where others were answered meanwhile, this request is the reason: the last of a call to end are the bad ones.
        self._in_vain[limit] += self._answered < start
        if self._stopped is not None or (failure.remedy is None and self._in_vain[limit] < limit):
            return
        self._passes = failure.again
        since = "" if failure.remedy else f" {limit} requests in a row got no answer; the last:"
        self._stopped = AuditkitError(
            f"--audit-endpoint={self.base_url}, model {self.served!r}:{since} {failure.why.rstrip('.')}.",
            failure.remedy or "Answers so far are kept: put the server right and run again.",
        )


def _error(why: str, *, again: bool) -> Response:
    return Response(error=why, finish_reason="error", again=again)
