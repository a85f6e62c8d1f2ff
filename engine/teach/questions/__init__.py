"""The question generators, one module for each part of the course."""

from __future__ import annotations

from engine.teach.questions import (
    diagrams,
    evaluation,
    gradients,
    learning,
    neurons,
    objectives,
    pictures,
    practice,
    scale,
    sequences,
    systems,
    tensors,
    views,
    vision,
)
from engine.teach.questions.question import Generator

GENERATORS: tuple[Generator, ...] = (
    *views.GENERATORS,
    *tensors.GENERATORS,
    *gradients.GENERATORS,
    *neurons.GENERATORS,
    *objectives.GENERATORS,
    *vision.GENERATORS,
    *sequences.GENERATORS,
    *practice.GENERATORS,
    *evaluation.GENERATORS,
    *scale.GENERATORS,
    *learning.GENERATORS,
    *systems.GENERATORS,
    *pictures.GENERATORS,
    *diagrams.GENERATORS,
)
"""Every generator; names are unique, and every topic has at least one."""
