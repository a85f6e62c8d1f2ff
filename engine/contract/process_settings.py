"""[engine] of config.toml: where the engine runs. Both processes check this table, so it belongs to the contract."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

LOCAL = "local"


class Table(BaseModel):
    """A table of config.toml: typed, frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessSettings(Table):
    """[engine]: where it runs and how much it takes on."""

    address: str = LOCAL
    """`local`: the bot starts an engine of its own; else a gRPC target such as `dns:///gpu-box:50051`."""
    listen: str = "unix:var/engine.sock"
    tls_certificate: str = ""
    """The engine's certificate; the bot trusts a remote engine that shows this one."""
    tls_key: str = ""
    token: str = Field(default="", repr=False)
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    threads: int = Field(default=0, ge=0, le=256)
    intake_processes: int = Field(default=2, ge=1, le=64)
    """Child processes that read members' files."""
    queue_length: int = Field(default=64, ge=1, le=10_000)
    start_timeout_s: float = Field(default=300.0, gt=0)
    job_timeout_s: float = Field(default=600.0, gt=0)
