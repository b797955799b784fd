"""Tags and sets as the stages before write them, for tests."""

import json

import numpy as np
import pandas as pd


def write_tags(path, folder, name, kind, heads, outputs="sigmoid", embedding=None):
    """Write tags of a set and the set's tables; of `synthetic` ones every second row is the other view. Returns its sounds.csv.

    Args:
        path: .npz to write.
        folder: of the set.
        name, kind: of the set.
        heads: logits (N, C) of each head.
        outputs: softmax or sigmoid.
        embedding: (N, D); zeros by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(heads[0])
    logits = {f"logits_{i}": np.asarray(head, np.float32) for i, head in enumerate(heads)}
    embedding = np.zeros((count, 3)) if embedding is None else embedding
    np.savez(path, outputs=np.array(outputs), embedding=np.asarray(embedding, np.float32), **logits)
    synthetic = kind == "synthetic"
    views = ["ab"[row % 2] if synthetic else "" for row in range(count)]
    pd.DataFrame({"sound": range(count), "view": views}).to_csv(folder / "sounds.csv", index=False)
    architecture, delta = name.split("-") if synthetic else ("", "")
    (folder / "sounds.json").write_text(
        json.dumps({"sounds": name, "kind": kind, "architecture": architecture, "delta": delta})
    )
    return folder / "sounds.csv"
