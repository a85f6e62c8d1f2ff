"""The question generators, one module for each part of the course."""

from __future__ import annotations

from engine.teach.questions import (
    depth,
    evaluation,
    gradients,
    neurons,
    objectives,
    practice,
    scale,
    sequences,
    tensors,
    vision,
)
from engine.teach.questions.question import Generator

GENERATORS: tuple[Generator, ...] = (
    *tensors.GENERATORS,
    *gradients.GENERATORS,
    *neurons.GENERATORS,
    *objectives.GENERATORS,
    *vision.GENERATORS,
    *sequences.GENERATORS,
    *practice.GENERATORS,
    *evaluation.GENERATORS,
    *scale.GENERATORS,
    *depth.GENERATORS,
)
"""Every generator; names are unique, and every topic has at least one."""
