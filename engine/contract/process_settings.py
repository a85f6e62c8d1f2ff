"""[engine] and [log] of config.toml: where the engine runs, and what is logged. Both processes check these tables, so
they belong to the contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

LOCAL = "local"


class Table(BaseModel):
    """A table of config.toml: typed, frozen, without unknown keys, and without numbers that are none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic takes `true` for 1."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation in (int, float):
            raise ValueError(f"it's {str(value).lower()}, and must be a number")
        return value


class ProcessSettings(Table):
    """[engine]: where it runs and how much it takes on."""

    address: str = Field(
        default=LOCAL,
        pattern=r"^(local|unix:.+|(dns:///|ipv4:|ipv6:)?[^/\s]+:\d+)$",
        description="'local', or where an engine is running, such as 'dns:///gpu-box:50051'",
    )
    """`local`: the bot starts an engine of its own; else a gRPC target such as `dns:///gpu-box:50051`."""
    listen: str = Field(
        default="unix:var/engine.sock",
        pattern=r"^(unix:.+|(dns:///|ipv4:|ipv6:)?[^/\s]+:\d+)$",
        description="'unix:' with the path of a socket, or an address and a port, such as '0.0.0.0:50051'",
    )
    tls_certificate: str = ""
    """The engine's certificate; the bot trusts a remote engine that shows this one."""
    tls_key: str = ""
    token: str = Field(default="", repr=False)
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="'auto', 'cpu', 'cuda', or 'cuda:1' for another GPU than the first",
    )
    threads: int = Field(default=0, ge=0, le=256)
    intake_processes: int = Field(default=2, ge=1, le=64)
    """Child processes that read members' files."""
    queue_length: int = Field(default=64, ge=1, le=10_000)
    start_timeout_s: float = Field(default=300.0, gt=0)
    job_timeout_s: float = Field(default=600.0, gt=0)


class LogSettings(Table):
    """[log]: what is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"
