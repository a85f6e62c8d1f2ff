"""What crosses a network is encrypted and asks for a secret: a token alone would cross it in the clear, and TLS alone
lets everybody in. Both processes keep this rule, each on its side."""

from __future__ import annotations

from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import LOCAL, ProcessSettings

SYSTEM = "system"
"""In the bot's `tls_certificate`: trust the authorities that this machine trusts, not one certificate."""

_HERE = ("unix:", "127.0.0.1:", "localhost:", "[::1]:")


def crosses_a_network(address: str) -> bool:
    """Whether what is sent to this address, or listens on it, can leave the machine."""
    return not address.removeprefix("dns:///").removeprefix("ipv4:").startswith(_HERE)


def check_listen(settings: ProcessSettings) -> None:
    """The engine's side. Raises ConfigurationError for a port that is open to the network without token and TLS."""
    if crosses_a_network(settings.listen):
        _require(
            f"'engine.listen' is {settings.listen}, open to the network",
            {"token": settings.token, "tls_certificate": settings.tls_certificate, "tls_key": settings.tls_key},
            "with its key, or listen on 127.0.0.1",
        )
        if settings.tls_certificate == SYSTEM:
            raise ConfigurationError(
                f"'engine.tls_certificate' is '{SYSTEM}', which is for the bot's side; the engine needs a PEM file."
            )


def check_address(settings: ProcessSettings) -> None:
    """The bot's side. Raises ConfigurationError for an engine elsewhere that would be called without token and TLS."""
    if settings.address != LOCAL and crosses_a_network(settings.address):
        _require(
            f"'engine.address' is {settings.address}, on another machine",
            {"token": settings.token, "tls_certificate": settings.tls_certificate},
            f"(a PEM file, or '{SYSTEM}' for a certificate that this machine trusts anyway)",
        )


def _require(where: str, settings: dict[str, str], hint: str) -> None:
    empty = [f"'engine.{name}'" for name, value in settings.items() if not value]
    if empty:
        names = f"{' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty"
        raise ConfigurationError(f"{where}, but {names}; set a token and a certificate {hint}.")
