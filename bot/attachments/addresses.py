"""Where members' files may be fetched from: Discord's own hosts for attachments, or the playground that we talk to.

An attachment's address comes from Discord, but what isn't checked is only hoped for: another address would have the bot
fetch whatever its own network can reach.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

DISCORDS_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Of `url` and of `proxy_url` in an attachment object (Discord's reference, "Attachment Object", "CDN Endpoints")."""
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


def may_fetch(address: str, api_base: str) -> bool:
    """Whether a member's file may be fetched from `address`; `api_base` as in the settings, "" for Discord itself."""
    try:
        file = urlsplit(address)
        home = urlsplit(api_base)
        if file.username is not None or file.password is not None:
            return False
        if not api_base:
            return file.scheme == "https" and file.hostname in DISCORDS_HOSTS and file.port in (None, 443)
        return (file.scheme, _host(file), file.port) == (home.scheme, _host(home), home.port)
    except ValueError:  # a port that's none, half an IPv6 address
        return False


def _host(parts: SplitResult) -> str | None:
    """All names of this machine are one: `api_base` may say localhost where the playground says 127.0.0.1."""
    return "localhost" if parts.hostname in _THIS_MACHINE else parts.hostname
