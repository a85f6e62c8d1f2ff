"""Figures for Prometheus on 127.0.0.1, off unless `[hosting] metrics_port` is set. `deploy/grafana.json` draws them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter as Counts
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import discord
import structlog
from discord import app_commands
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from bot.client import Woodshed
from bot.errors import EngineError, Refused, WoodshedError
from engine.contract import engine_pb2 as pb
from engine.contract.configuration import ConfigurationError

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
INTERVAL_S = 15.0
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Upper ends of the histogram's buckets: from an answer at once to the longest wait."""


class StageSeconds(Collector):
    """What the engine has summed up by itself, handed on as it is."""

    def __init__(self) -> None:
        self.told: Sequence[pb.StageTime] = ()

    def collect(self) -> Iterator[Metric]:
        family = SummaryMetricFamily(
            "woodshed_stage_seconds", "Of jobs in the engine, by their kind and stage.", labels=["kind", "stage"]
        )
        for one in self.told:
            family.add_metric([one.kind, one.stage], count_value=one.count, sum_value=one.seconds)
        yield family


class Metrics:
    """What is counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.command_seconds = Histogram(
            "woodshed_command_seconds",
            "From a command to its finished answer.",
            ["command"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.errors = Counter(
            "woodshed_errors",
            "Commands that ended with a sentence instead.",
            ["command", "kind"],
            registry=self.registry,
        )
        self.loop_lag = self._gauge("loop_lag_seconds", "The event loop's longest lag in the last minute.")
        self.gateway = self._gauge("gateway_latency_seconds", "Discord's heartbeat, there and back.")
        self.servers = self._gauge("servers", "Servers that the bot is on.")
        self.jobs = self._gauge("jobs", "Pictures and clips that members have under way.")
        self.queue = self._gauge("engine_queue", "Jobs in the engine, running and waiting.")
        self.engine_up = self._gauge("engine_up", "1 while the engine answers.")
        self.tasks = Gauge(
            "woodshed_tasks",
            "Tasks of the event loop, by what they run: more and more of one kind would be a leak.",
            ["what"],
            registry=self.registry,
        )
        self.memory_used = self._gauge("device_memory_used_bytes", "The engine's device; on a CPU, its process.")
        self.memory = self._gauge("device_memory_bytes", "How much memory the engine's device has, or its machine.")
        self.stages = StageSeconds()
        self.registry.register(self.stages)
        self.votes = self._gauge("votes", "Votes in the database.")
        self.database_bytes = self._gauge("database_bytes", "Size of the database.")

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"woodshed_{name}", help_text, registry=self.registry)

    def finished(self, interaction: discord.Interaction[Any], now: float) -> None:
        """A command has run to its end."""
        self.command_seconds.labels(_command_of(interaction)).observe(
            max(0.0, now - interaction.created_at.timestamp())
        )

    def failed(self, interaction: discord.Interaction[Any], error: BaseException) -> None:
        """A command has ended with a sentence: refused, for the engine's sake, or a defect."""
        kind = "refused" if isinstance(error, Refused) else "engine" if isinstance(error, EngineError) else "defect"
        if isinstance(error, WoodshedError) and kind == "defect":
            kind = "other"
        self.errors.labels(_command_of(interaction), kind).inc()

    async def look(self, bot: Woodshed) -> None:
        """Read what isn't counted as it happens."""
        self.loop_lag.set(bot.loop_lag.worst_s)
        self.gateway.set(bot.latency)
        self.servers.set(len(bot.guilds))
        self.jobs.set(bot.jobs.total)
        self.tasks.clear()
        for what, count in Counts(map(_what_it_runs, asyncio.all_tasks())).items():
            self.tasks.labels(what).set(count)
        row = await bot.store.fetch_one("SELECT count(*) AS votes FROM ballots")
        self.votes.set(row["votes"] if row else 0)
        self.database_bytes.set((await asyncio.to_thread(bot.store.path.stat)).st_size)
        try:
            self.queue.set(len(await bot.engine.queue()))
            about = await bot.engine.about()
            self.stages.told = about.stages
            self.memory_used.set(about.memory_used_bytes)
            self.memory.set(about.memory_bytes)
            self.engine_up.set(1)
        except EngineError:
            self.queue.set(0)
            self.engine_up.set(0)


@contextlib.asynccontextmanager
async def serve_metrics(bot: Woodshed, port: int) -> AsyncIterator[Metrics]:
    """Serve the figures until leaving. Raises ConfigurationError when the port is taken."""
    metrics = Metrics()
    try:
        server, thread = start_http_server(port, addr=HOST, registry=metrics.registry)
    except OSError as error:
        raise ConfigurationError(
            f"'hosting.metrics_port' is {port}, which can't be used: {error.strerror}; choose another, or 0 for none."
        ) from error
    log.info("figures for Prometheus", address=f"http://{HOST}:{port}/metrics")

    async def on_completion(interaction: discord.Interaction[Any], command: Any) -> None:
        metrics.finished(interaction, bot.now())

    bot.add_listener(on_completion, "on_app_command_completion")
    bot.failures.append(metrics.failed)
    looking = asyncio.create_task(_look_again(metrics, bot), name="figures")
    try:
        yield metrics
    finally:
        looking.cancel()
        bot.failures.remove(metrics.failed)
        bot.remove_listener(on_completion, "on_app_command_completion")
        await asyncio.to_thread(_stop, server, thread)


def _stop(server: Any, thread: Any) -> None:
    server.shutdown()
    server.server_close()
    thread.join()


async def _look_again(metrics: Metrics, bot: Woodshed) -> None:
    await bot.wait_until_ready()
    while True:
        try:
            await metrics.look(bot)
        except Exception:
            log.exception("figures could not be read")
        await asyncio.sleep(INTERVAL_S)


def _what_it_runs(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", type(task.get_coro()).__name__))


def _command_of(interaction: discord.Interaction[Any]) -> str:
    """The command's name; of a button or menu only what kind it is, for ids would make a series each."""
    command = interaction.command
    if isinstance(command, app_commands.Command | app_commands.ContextMenu):
        return command.qualified_name
    data: Any = interaction.data or {}
    custom_id = str(data.get("custom_id", ""))
    return f"button {custom_id.partition(':')[0]}" if custom_id else "other"
