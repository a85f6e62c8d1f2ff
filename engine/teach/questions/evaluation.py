"""Questions on the confusion matrix and what is read off it."""

from __future__ import annotations

import random

from engine.teach.questions.question import Draft, Generator, Mistake, count_of


def precision_recall_f1(rng: random.Random) -> Draft:
    tp, fp, fn, tn = rng.randint(2, 30), rng.randint(1, 20), rng.randint(1, 20), rng.randint(5, 80)
    values = {
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "specificity": tn / (tn + fp),
        "accuracy": (tp + tn) / (tp + tn + fp + fn),
        "F1": 2 * tp / (2 * tp + fp + fn),
    }
    expressions = {
        "precision": "m[1, 1] / m[:, 1].sum()",
        "recall": "m[1, 1] / m[1].sum()",
        "F1": "2 * m[1, 1] / (m[1].sum() + m[:, 1].sum())",
        "specificity": "m[0, 0] / m[0].sum()",
    }
    meaning = {
        "precision": "the share of true positives in all that was called positive",
        "recall": "the share of the positives that was found",
        "specificity": "the share of the negatives that was called negative",
        "accuracy": "the share of right answers",
        "F1": "the harmonic mean of precision and recall",
    }
    asked = rng.choice(list(expressions))
    return Draft(
        text=f"What is the {asked}?",
        code=(
            f"import torch\n\n# rows: true class, columns: predicted class; class 1 is positive\n"
            f'm = torch.tensor([[{tn}, {fp}], [{fn}, {tp}]])\nprint(f"{{({expressions[asked]}).item():.3f}}")'
        ),
        worked=f"{values[asked]:.3f}",
        because=f"it is {meaning[asked]}; here TP = {tp}, FP = {fp}, FN = {fn}, TN = {tn}.",
        mistakes=[
            Mistake(f"{value:.3f}", f"is the {name}, {meaning[name]}")
            for name, value in values.items()
            if name != asked
        ],
        card_id="precision-and-recall",
    )


def confusion_cell(rng: random.Random) -> Draft:
    n = 10
    true = [rng.randrange(3) for _ in range(n)]
    predicted = [t if rng.random() < 0.5 else rng.randrange(3) for t in true]
    slips = sorted({(t, p) for t, p in zip(true, predicted, strict=True) if t != p}) or [(0, 1)]
    i, j = rng.choice(slips)

    def count(a: int, b: int) -> int:
        return sum(t == a and p == b for t, p in zip(true, predicted, strict=True))

    return Draft(
        text="A confusion matrix with true classes in rows. What does this print?",
        code=(
            f"import torch\n\ntrue = torch.tensor({true})\npredicted = torch.tensor({predicted})\n"
            f"m = torch.bincount(true * 3 + predicted, minlength=9).reshape(3, 3)\nprint(m[{i}, {j}].item())"
        ),
        worked=str(count(i, j)),
        because=f"it counts the examples of class {i} that were called {j}.",
        mistakes=[
            Mistake(str(count(j, i)), f"has rows and columns exchanged: class {j} called {i}"),
            Mistake(str(count(i, i)), f"counts the right answers of class {i}"),
            Mistake(str(true.count(i)), f"counts all examples of class {i}"),
            Mistake(str(predicted.count(j)), f"counts everything that was called {j}"),
            Mistake(str(sum(t != p for t, p in zip(true, predicted, strict=True))), "counts all the errors"),
        ],
    )


def area_under_curve(rng: random.Random) -> Draft:
    scores = rng.sample([n / 20 for n in range(1, 20)], 6)
    positive, negative = scores[:3], scores[3:]
    if rng.random() < 0.3:
        negative[0] = positive[0]
    wins = sum(p > q for p in positive for q in negative)
    ties = sum(p == q for p in positive for q in negative)
    auc = (wins + ties / 2) / 9
    return Draft(
        text="The area under the ROC curve of these scores. What does this print?",
        code=(
            f"import torch\n\npositive, negative = torch.tensor({positive}), torch.tensor({negative})\n"
            "d = positive[:, None] - negative\n"
            'print(f"{((d > 0).float() + 0.5 * (d == 0).float()).mean().item():.3f}")'
        ),
        worked=f"{auc:.3f}",
        because=f"of the 9 pairs the positive scores higher in {wins}"
        + (f", and {count_of(ties, 'tie')} {'count' if ties > 1 else 'counts'} half." if ties else "."),
        mistakes=[
            Mistake(f"{1 - auc:.3f}", "has positives and negatives the wrong way round"),
            Mistake(f"{wins / 9 + ties / 9:.3f}", "counts ties in full"),
            Mistake(f"{wins / 9:.3f}", "does not count ties"),
            Mistake(f"{sum((p > 0.5) for p in positive) / 3:.3f}", "computes the recall at threshold 0.5"),
            Mistake(
                f"{(sum(p > 0.5 for p in positive) + sum(q <= 0.5 for q in negative)) / 6:.3f}",
                "computes the accuracy at threshold 0.5",
            ),
            Mistake(f"{sum(positive) / 3 - sum(negative) / 3:.3f}", "takes the difference of the mean scores"),
        ],
    )


def balanced_accuracy(rng: random.Random) -> Draft:
    common, rare = rng.choice((80, 90, 95, 180)), rng.choice((5, 10, 20))
    hit_common, hit_rare = common - rng.randint(0, common // 10), rng.randint(0, rare)
    a, b = hit_common / common, hit_rare / rare
    return Draft(
        text="Right answers and examples of a common and of a rare class. What is the balanced accuracy?",
        code=(
            f"import torch\n\nright, total = torch.tensor([{float(hit_common)}, {float(hit_rare)}]), "
            f"torch.tensor([{float(common)}, {float(rare)}])\n"
            'print(f"{(right / total).mean().item():.3f}")'
        ),
        worked=f"{(a + b) / 2:.3f}",
        because=f"it is the mean of the recalls, {a:.3f} and {b:.3f}; each class counts the same, however rare.",
        mistakes=[
            Mistake(
                f"{(hit_common + hit_rare) / (common + rare):.3f}",
                "computes the plain accuracy, which the common class decides",
            ),
            Mistake(f"{a:.3f}", "takes the common class's recall"),
            Mistake(f"{b:.3f}", "takes the rare class's recall"),
            Mistake(f"{a * b:.3f}", "multiplies the recalls"),
            Mistake("0.500", "gives what guessing would reach"),
        ],
    )


GENERATORS = (
    Generator("precision-recall-f1", "evaluation", "precision-and-recall", precision_recall_f1),
    Generator("confusion-cell", "evaluation", "confusion-matrix", confusion_cell),
    Generator("area-under-curve", "evaluation", "roc-and-auc", area_under_curve),
    Generator("balanced-accuracy", "evaluation", "accuracy-and-imbalance", balanced_accuracy),
)
