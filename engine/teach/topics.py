"""The course's topics: one folder of cards each, and the names that `/quiz` and `/ask` offer."""

from __future__ import annotations

import difflib
import re

TOPICS: dict[str, str] = {
    "tensors": "Tensors, shapes, dtypes and devices",
    "views-and-broadcasting": "Indexing, views, strides and broadcasting",
    "autograd": "Autograd and the graph",
    "perceptron": "The perceptron and the linear layer",
    "back-propagation": "Back-propagation and initialisation",
    "activations": "Activation functions",
    "losses": "Loss functions",
    "entropy": "Entropy, cross-entropy and perplexity",
    "optimisers": "Optimisers and learning rates",
    "regularisation": "Overfitting, regularisation and weight decay",
    "data-loading": "Dataset, DataLoader and parallel preprocessing",
    "convolutions": "Convolution arithmetic",
    "cnns": "Convolutional networks",
    "normalisation": "Batch, instance, layer and group normalisation",
    "style-transfer": "Style transfer",
    "gans": "Generative adversarial networks",
    "wavenet": "WaveNet and dilated causal convolutions",
    "sequence-models": "Recurrent networks, attention and transformers",
    "media-data": "Audio, MIDI, text and images as tensors",
    "data-at-scale": "Relational data, joins and logs at scale",
    "evaluation": "Confusion matrix, precision, recall and ROC",
    "gpu": "Using a GPU",
    "training": "Training loop, saving, reproducibility and profiling",
    "worked-study": "A worked study: Fashion-MNIST with a ResNet",
    "projects": "Environments, project layout and Docker",
}
"""Slug (the folder's name, and what a member types) -> title. Discord completes them, 25 at a time."""


def normalise(name: str) -> str:
    """The slug that `name` would be: lower case, words joined by hyphens."""
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


def nearest_topic(name: str) -> str:
    """The known topic whose slug, or a word of whose title, is most like `name`."""
    wanted = normalise(name)

    def likeness(topic: str) -> float:
        words = [topic, *topic.split("-"), *re.findall(r"[a-z]+", TOPICS[topic].lower())]
        return max(difflib.SequenceMatcher(None, wanted, word).ratio() for word in words)

    return max(TOPICS, key=likeness)
