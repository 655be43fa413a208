#!/usr/bin/env python3
"""Makes curves.json: the losses of PyTorch on small networks, step by step.

    pip install torch==2.15.0 && python make_golden.py

Each step has all frames of three utterances. A network's first layer sees frames beyond an utterance's
edge as the edge itself; runs of eight frames go through the layers together, so that a normalisation
counts a frame of a hidden layer once for each run that needs it.
"""

import json
from pathlib import Path

import torch

STEPS, RUN = 8, 8
torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
utterances = [
    {"features": torch.randn(n, 4), "labels": torch.randint(3, (n,))} for n in (16, 24, 8)
]
NETWORKS = {
    "feed-forward": {"offsets": [list(range(-2, 2)), [0], [0]], "normalised": False},
    "time-delay": {"offsets": [[-1, 0, 1], [-2, 0, 1], [0]], "normalised": False},
    "normalised": {"offsets": [[-1, 0, 1], [-1, 2], [0]], "normalised": True},
}
OPTIMIZERS = {
    "sgd": ({}, lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9)),
    "nesterov": (
        {"nesterov": True},
        lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9, nesterov=True),
    ),
    "adam": ({"optimizer": "adam"}, lambda p: torch.optim.Adam(p, lr=0.02)),
    "adamw": (
        {"optimizer": "adamw", "weightDecay": 0.1},
        lambda p: torch.optim.AdamW(
            [
                {"params": [w for w in p if w.dim() == 2], "weight_decay": 0.1},
                {"params": [w for w in p if w.dim() == 1], "weight_decay": 0},
            ],
            lr=0.02,
        ),
    ),
}


def inputs(offsets):
    """All frames of each run that its network needs: runs × times × features."""
    low, high = sum(o[0] for o in offsets), sum(o[-1] for o in offsets)
    runs, labels = [], []
    for utterance in utterances:
        count = len(utterance["labels"])
        for start in range(0, count, RUN):
            times = torch.arange(start + low, start + RUN + high).clamp(0, count - 1)
            runs.append(utterance["features"][times])
            labels.append(utterance["labels"][start : start + RUN])
    return torch.stack(runs), torch.stack(labels)


def logits(x, layers, offsets, normalised):
    for index, (layer, own) in enumerate(zip(layers, offsets)):
        times = x.shape[1] - (own[-1] - own[0])
        seen = torch.cat([x[:, o - own[0] : o - own[0] + times] for o in own], dim=2)
        x = seen @ layer["weight"].T + layer["bias"]
        if index == len(layers) - 1:
            return x
        if normalised:
            rows = x.reshape(-1, x.shape[2])
            mean, variance = rows.mean(0), rows.var(0, unbiased=False)
            x = layer["scale"] * (x - mean) / torch.sqrt(variance + 1e-5) + layer["shift"]
        x = torch.relu(x)


golden = {
    "utterances": [
        {"features": u["features"].flatten().tolist(), "labels": u["labels"].tolist()}
        for u in utterances
    ],
    "networks": {},
    "curves": [],
}
for name, kind in NETWORKS.items():
    sizes = [4, 6, 6, 3]
    layers = []
    for n, own in enumerate(kind["offsets"]):
        columns = len(own) * sizes[n]
        # Single precision, so that both sides start from the same numbers.
        weight = (torch.randn(sizes[n + 1], columns) * (2 / columns) ** 0.5).float().double()
        layers.append({"weight": weight, "bias": (0.1 * torch.randn(sizes[n + 1])).float().double()})
    golden["networks"][name] = {
        "offsets": kind["offsets"],
        "normalised": kind["normalised"],
        "weights": [layer["weight"].flatten().tolist() for layer in layers],
        "biases": [layer["bias"].tolist() for layer in layers],
    }
    for optimizer, (options, make) in OPTIMIZERS.items():
        own = [{k: v.clone().requires_grad_() for k, v in layer.items()} for layer in layers]
        if kind["normalised"]:
            for layer in own[:-1]:
                layer["scale"] = torch.ones_like(layer["bias"]).detach().requires_grad_()
                layer["shift"] = torch.zeros_like(layer["bias"]).detach().requires_grad_()
        optimizing = make([v for layer in own for v in layer.values()])
        x, labels = inputs(kind["offsets"])
        losses, norms = [], []
        for _ in range(STEPS):
            z = logits(x, own, kind["offsets"], kind["normalised"])
            loss = torch.nn.functional.cross_entropy(z.flatten(0, 1), labels.flatten())
            optimizing.zero_grad()
            loss.backward()
            losses.append(loss.item())
            squares = [v.grad.square().sum() for layer in own for v in layer.values()]
            norms.append(torch.stack(squares).sum().sqrt().item())
            optimizing.step()
        golden["curves"].append(
            {
                "network": name,
                "training": options
                | {
                    "learningRate": 0.02 if "optimizer" in options else 0.2,
                    "schedule": "constant",
                    "epochs": STEPS,
                    "batchSize": 4096,
                    "chunk": RUN,
                },
                "losses": losses,
                "gradientNorms": norms,
            }
        )
path = Path(__file__).parent / "curves.json"
path.write_text(json.dumps(golden) + "\n")
