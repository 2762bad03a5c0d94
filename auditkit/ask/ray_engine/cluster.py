"""The Ray cluster of a run: the one named by RAY_ADDRESS, else one on this machine for as long as the run takes."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.version import install_line

ADDRESS = "RAY_ADDRESS"
LOCAL = "local"

# File names and answers pass through it; Ray would take 30 % of the memory, and does not start below 75 MB.
_OBJECT_STORE = 128 * 2**20  # bytes
_PATIENCE = 10.0  # seconds for a cluster to take a connection


@contextmanager
def cluster() -> Iterator[Any]:
    """Give Ray, connected; what was started or connected here is let go of at the end.

    A connection that the process has already is used and left alone.

    Yields
    ------
    module
        ``ray``, with ``ray.data`` imported.

    Raises
    ------
    AuditkitError
        When Ray is not installed, the cluster cannot be reached, or none can be started.
    """
    ray = imported()
    with ExitStack() as stack:
        if not ray.is_initialized():
            _connect(ray, _address())
            stack.callback(ray.shutdown)
        stack.enter_context(_quiet(ray))
        yield ray


def imported() -> Any:
    """Return ``ray``, with ``ray.data`` imported; what it reads of the environment at that moment is set before.

    Ray listens on every interface, whatever address it is given (6 of 7 of its ports), and whoever may talk to it runs
    code. So a cluster of our own takes a token, which this process and its workers alone know.

    Raises
    ------
    AuditkitError
        When it is not installed.
    """
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",  # an audit of patients' images tells nobody that it runs
        # Below "fatal" its core warns, for every pool that Ray Data makes, of workers that start again without their
        # constructor's arguments; those lie with the driver, without which there is no run anyway.
        "RAY_BACKEND_LOG_LEVEL": "fatal",
    }
    if "RAY_AUTH_MODE" not in os.environ and _address() == LOCAL and "ray" not in sys.modules:
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise AuditkitError(
            f"--audit-engine=ray needs Ray Data, which cannot be imported here: {error}.",
            f"Install with: {install_line('ray')}",
        ) from None
    return ray


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Keep Ray Data's logs and bars from the terminal: the run has its own, and says in words what goes wrong."""
    logger = logging.getLogger("ray.data")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray's own defaults set settings that Ray deprecates
        context = ray.data.DataContext.get_current()
    before = logger.level, context.enable_progress_bars
    logger.setLevel(logging.CRITICAL)
    context.enable_progress_bars = False
    try:
        yield
    finally:
        logger.setLevel(before[0])
        context.enable_progress_bars = before[1]


def workers_of(resources: Mapping[str, float], wanted: int | None) -> tuple[int, int]:
    """Return how many workers fit on a cluster, and how many GPUs each of them gets.

    Parameters
    ----------
    resources : mapping
        ``ray.cluster_resources()``: one worker for each whole GPU, without any for each core.
    wanted : int or None
        Bound of ``--audit-workers``; None for none.

    Raises
    ------
    AuditkitError
        When the cluster has neither.
    """
    gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    available = min(gpus, cores) if gpus else cores  # each takes a core beside its GPU
    if not available:
        raise AuditkitError(
            f"the Ray cluster has {cores} cores and {gpus} GPUs, which is not enough for one worker.",
            "Add a node (ray start --address=...), or run with --audit-engine=local.",
        )
    return min(available, wanted or available), 1 if gpus else 0


def _address() -> str:
    return os.environ.get(ADDRESS) or LOCAL


def _connect(ray: Any, address: str) -> None:
    on_this_machine = {
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE,
        "_node_ip_address": "127.0.0.1",
    }
    local = address == LOCAL
    try:
        if not local:
            _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **(on_this_machine if local else {}))
    except Exception as error:  # OSError, ConnectionError, ValueError, RuntimeError for another version of Ray, ...
        why = f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"
        ray.shutdown()
        if local:
            raise AuditkitError(
                f"Ray could not be started on this machine: {why}.", "Run with --audit-engine=local."
            ) from None
        raise AuditkitError(
            f"the Ray cluster of {ADDRESS}={address} could not be reached: {why}.",
            f"Look at `ray status` there, or unset {ADDRESS} for workers on this machine alone.",
        ) from None


def _knock(address: str) -> None:
    """Raise OSError when nobody listens: Ray itself tries twenty times, 40 s each."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
