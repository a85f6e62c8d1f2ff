"""`python -m engine certificates FOLDER --name gpu-box`: what an engine on another machine needs for TLS.

An authority of its own (ca.pem, ca.key) signs the engine's certificate (engine.pem, engine.key). The bot trusts the
authority, so a new certificate, made by the same command later, needs nothing new on the bot's machine. What else a
certificate has to say is RFC 5280, section 4.2."""

from __future__ import annotations

import argparse
import ipaddress
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.command_line import BAD_INPUT_EXIT_CODE, Parser

DAYS = 825
"""Of the engine's certificate: the longest that all common clients accept."""
CA_DAYS = 3650
CLOCK_LAG = timedelta(hours=1)
"""Valid from a little earlier: clocks of two machines differ."""


def make(folder: Path, names: Sequence[str], days: int = DAYS) -> bool:
    """Write ca.pem, ca.key, engine.pem and engine.key into `folder`; whether the authority is new.

    `names` are the host names and IP addresses under which the bot will call the engine. An authority that's already
    there is kept. Raises ValueError for an authority that can't be read, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    is_new = not (folder / "ca.key").exists()
    if is_new:
        _make_authority(folder)
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        _begun(_named(names[0]), authority.subject, key.public_key(), days)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write_key(folder / "engine.key", key)
    (folder / "engine.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return is_new


def _make_authority(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named("Woodshed's own authority")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _begun(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(folder / "ca.key", key)
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_LAG)
        .not_valid_after(now + timedelta(days=days))
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """For its owner's eyes only, from the first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def main(arguments: Sequence[str]) -> int:
    """Make them, and print what to set on either side."""
    parser = Parser(prog="python -m engine certificates", description="Certificates for an engine on another machine.")
    parser.add_argument("folder", type=Path, help="where to write them; an authority that's already there is kept")
    parser.add_argument(
        "--name", action="append", required=True, metavar="HOST",
        help="host name or IP address under which the bot calls the engine; can be given several times",
    )  # fmt: skip
    parser.add_argument("--days", type=_days, default=DAYS, help="how long the engine's certificate is valid")
    options = parser.parse_args(arguments)
    try:
        is_new = make(options.folder, options.name, options.days)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"I can't make the certificates in {options.folder}: {error}.\n")
        return BAD_INPUT_EXIT_CODE
    folder = options.folder.resolve()
    host = f"[{options.name[0]}]" if ":" in options.name[0] else options.name[0]
    lines = [
        f"{'A new authority and a certificate' if is_new else 'A new certificate of the same authority'} for "
        f"{', '.join(options.name)} {'are' if is_new else 'is'} in {folder}, valid for {options.days} days.",
        "",
        "On the engine's machine:",
        "  WOODSHED_ENGINE__LISTEN=0.0.0.0:50051",
        f"  WOODSHED_ENGINE__TLS_CERTIFICATE={folder / 'engine.pem'}",
        f"  WOODSHED_ENGINE__TLS_KEY={folder / 'engine.key'}",
        "  WOODSHED_ENGINE__TOKEN=TOKEN",
        "On the bot's machine, with a copy of ca.pem:",
        f"  WOODSHED_ENGINE__ADDRESS=dns:///{host}:50051",
        "  WOODSHED_ENGINE__TLS_CERTIFICATE=/path/to/ca.pem",
        "  WOODSHED_ENGINE__TOKEN=TOKEN",
        f"TOKEN is a secret of your own, the same on both; for example {secrets.token_urlsafe(24)}",
        "Keep ca.key to yourself: whoever has it can pose as your engine.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= CA_DAYS:
        raise argparse.ArgumentTypeError(f"choose from 1 to {CA_DAYS} days")
    return days
