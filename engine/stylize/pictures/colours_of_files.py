"""What the numbers in a picture file mean, brought to 8-bit sRGB: profiles, gammas, HDR, and values of any range."""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import structlog
from PIL import Image, ImageCms

log = structlog.get_logger(__name__)

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

HDR_NOTE = "That was made for HDR screens, so I toned it down to ordinary colours."
STRETCHED_NOTE = "Its values don't say what white is, so I stretched them from the darkest to the brightest."
PQ, HLG = 16, 18
BT2020 = 9
"""Code points of ITU-T H.273."""
WHITE_CD_M2 = 203.0
"""Of diffuse white in HDR pictures (ITU-R BT.2408)."""
MOST_ORDINARY = 0.95
"""Share of float values in 0..1 that makes the rest highlights."""
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float64
)
"""ITU-R BT.2087, linear light."""
XYZ_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""IEC 61966-2-1."""


class Meaning(NamedTuple):
    """How a file's RGB values are to be understood where that isn't plain sRGB."""

    transfer: int = 0
    """`PQ`, `HLG`, or 0."""
    wide: bool = False
    """BT.2020 primaries."""
    gamma: float = 0.0
    """Exponent that makes light of values; 0: sRGB's own curve."""
    to_srgb: Floats | None = None
    """(3, 3), in linear light, where the file has primaries of its own."""

    @property
    def hdr(self) -> bool:
        return self.transfer in (PQ, HLG)

    @property
    def plain(self) -> bool:
        return not self.hdr and not self.wide and not self.gamma and self.to_srgb is None


def meaning_of(data: bytes) -> Meaning:
    """From a PNG's cICP, gAMA and cHRM chunks (in this order of strength; iCCP and sRGB come before gAMA), or from the
    `nclx` colour box of HEIC and AVIF."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_meaning(data)
    at = data.find(b"colrnclx", 0, 1 << 16)
    if at >= 0 and len(data) >= at + 12 and data[4:8] == b"ftyp":
        primaries, transfer = struct.unpack_from(">HH", data, at + 8)
        return Meaning(transfer if transfer in (PQ, HLG) else 0, primaries == BT2020)
    return Meaning()


def _png_meaning(data: bytes) -> Meaning:
    chunks = _png_header_chunks(data)
    if len(chunks.get(b"cICP", b"")) == 4:
        primaries, transfer = chunks[b"cICP"][0], chunks[b"cICP"][1]
        if transfer in (PQ, HLG) or primaries == BT2020:
            return Meaning(transfer if transfer in (PQ, HLG) else 0, primaries == BT2020)
        return Meaning()
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return Meaning()
    gamma, matrix = 0.0, None
    if len(chunks.get(b"gAMA", b"")) == 4:
        written = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
        if 0.1 <= written <= 10 and abs(written - 1 / 2.2) > 0.03:
            gamma = 1 / written
    if len(chunks.get(b"cHRM", b"")) == 32:
        matrix = _matrix_of(np.array(struct.unpack(">8I", chunks[b"cHRM"])).reshape(4, 2) / 100_000)
    return Meaning(0, False, gamma, matrix)


def _png_header_chunks(data: bytes) -> dict[bytes, bytes]:
    """Chunks before the first IDAT, except for their order."""
    found: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name in (b"IDAT", b"fdAT", b"IEND") or at + 12 + size > len(data):
            break
        found.setdefault(name, data[at + 8 : at + 8 + size] if size <= 64 else b"")
        at += 12 + size
    return found


def _matrix_of(points: Floats) -> Floats | None:
    """(white, red, green, blue) chromaticities (4, 2) -> linear RGB to linear sRGB (3, 3); None if that is nearly the
    identity, or if the points make no triangle."""
    if not (points[:, 1] > 0).all():
        return None
    xyz = np.stack([points[:, 0] / points[:, 1], np.ones(4), (1 - points.sum(1)) / points[:, 1]])  # (3, 4)
    primaries = xyz[:, 1:]
    if abs(np.linalg.det(primaries)) < 1e-6:
        return None
    to_xyz = primaries * np.linalg.solve(primaries, xyz[:, 0])
    white = xyz[:, 0]
    d65 = np.array([0.9505, 1.0, 1.089])
    matrix: Floats = XYZ_TO_SRGB @ np.diag(d65 / np.maximum(white, 1e-6)) @ to_xyz
    return None if np.abs(matrix - np.eye(3)).max() < 0.03 or not np.isfinite(matrix).all() else matrix


def to_srgb(pixels: Pixels, meaning: Meaning) -> Pixels:
    """(..., 3) values as the file has them -> sRGB."""
    if meaning.plain:
        return pixels
    codes = np.arange(256) / 255
    matrix = meaning.to_srgb
    if meaning.transfer == PQ:
        light = _pq_light(codes)
    elif meaning.transfer == HLG:
        light = _hlg_light(codes)
    elif meaning.gamma:
        light = codes**meaning.gamma
    else:
        light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    linear = light.astype(np.float32)[pixels]
    if meaning.wide and matrix is None:
        matrix = BT2020_TO_BT709
    if matrix is not None:
        linear = np.maximum(linear @ matrix.T.astype(np.float32), 0)
    if meaning.hdr:
        linear = _tone_mapped(linear)
    steps = np.linspace(0, 1, 4096)
    curve = np.where(steps <= 0.0031308, 12.92 * steps, 1.055 * steps ** (1 / 2.4) - 0.055)
    table = (255 * curve).round().astype(np.uint8)
    found: Pixels = table[(linear.clip(0, 1) * 4095 + 0.5).astype(np.uint16)]
    return found


def _pq_light(codes: Floats) -> Floats:
    """SMPTE ST 2084 codes 0..1 -> light, 1 at diffuse white."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = codes ** (1 / m2)
    light: Floats = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * 10_000 / WHITE_CD_M2
    return light


def _hlg_light(codes: Floats) -> Floats:
    """ITU-R BT.2100 HLG codes 0..1 -> light, 1 at diffuse white (75 % of the signal)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
    white = (np.exp((0.75 - c) / a) + b) / 12
    light: Floats = (scene / white) ** 1.2
    return light


def _tone_mapped(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Light up to many times white -> 0..1, the hue kept: below 0.8 nearly as it is, above it bent (Reinhard et al.,
    Photographic Tone Reproduction for Digital Images, 2002, equation 4, on the part above 0.8)."""
    knee = 0.8
    peak = linear.max(axis=-1, keepdims=True)
    over = np.maximum(peak - knee, 0) / (1 - knee)
    bent = np.where(peak > knee, knee + (1 - knee) * over / (1 + over), peak)
    mapped: npt.NDArray[np.float32] = linear * (bent / np.maximum(peak, 1e-6))
    return mapped


def with_profile(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """An L, RGB or CMYK picture without alpha as RGB in sRGB; its embedded profile (phones and screenshots have Display
    P3) is applied where it can be read and fits the picture's kind."""
    if picture.mode == "LAB":
        return _profiled(picture, ImageCms.createProfile("LAB"))
    if not profile:
        return picture.convert("RGB")
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
        if space == "RGB" and picture.mode in ("L", "1"):
            picture = picture.convert("RGB")
        if {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space) == picture.mode:
            return _profiled(picture, opened)
    except (ImageCms.PyCMSError, OSError, ValueError, AttributeError):
        log.info("an embedded colour profile could not be used", exc_info=True)
    return picture.convert("RGB")


def _profiled(picture: Image.Image, profile: object) -> Image.Image:
    converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")  # type: ignore[arg-type]
    assert converted is not None
    return converted


def grey_of_any_range(picture: Image.Image, bits: int, white_is_zero: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """Grey of 12, 16 or 32 bits or of floats -> 8 bits (L, or LA where one value means transparent), and what to say.

    16 bits run to their full range (of `bits`, where fewer were used); 32-bit integers to 255, 65535 or 2^31 - 1,
    whichever holds them; floats from 0 to 1 where nearly all lie there, as rendered pictures do, and else from the
    least to the greatest that is finite."""
    values = np.asarray(picture).astype(np.float64)
    finite = np.isfinite(values)
    values = np.where(finite, values, 0)
    known = values[finite] if finite.any() else np.zeros(1)
    low, high, notes = 0.0, 1.0, tuple[str, ...]()
    least, most = float(known.min()), float(known.max())
    if picture.mode.startswith("I;16"):
        high = float((1 << bits) - 1) if 8 < bits < 16 and most < 1 << bits else 65535.0
    elif picture.mode == "I" and least >= 0:
        high = next(top for top in (255.0, 65535.0, 2.0**31 - 1) if most <= top)
    elif picture.mode == "F" and float(((known >= 0) & (known <= 1)).mean()) >= MOST_ORDINARY:
        pass
    else:
        low, high, notes = least, max(most, least + 1e-12), (STRETCHED_NOTE,)
    scaled = ((values - low) / (high - low)).clip(0, 1)
    # A missing value is black, an infinite one white.
    scaled = np.where(np.isposinf(np.asarray(picture).astype(np.float64)), 1.0, scaled)
    if white_is_zero:
        scaled = 1 - scaled
    grey = Image.fromarray((255 * scaled).round().astype(np.uint8), "L")
    key = picture.info.get("transparency")
    if isinstance(key, int):
        grey = grey.convert("LA")
        grey.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8), "L"))
    if "icc_profile" in picture.info:
        grey.info["icc_profile"] = picture.info["icc_profile"]
    return grey, notes
