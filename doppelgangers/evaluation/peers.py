"""Stages: encoders of others, behind the HEAR API, as rows of the table."""

import importlib
import importlib.metadata
import inspect
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.datasets.clips import batches, open_clips, read_sounds
from doppelgangers.errors import UserError
from doppelgangers.files import replace, write_json

RATES_HZ = (16000, 22050, 32000, 44100, 48000)  # that the HEAR API allows
BATCH_S = 60.0  # of sound that a model gets at once
FUNCTIONS = ("load_model", "get_scene_embeddings")


def load_peer(module: str, model: str) -> tuple[ModuleType, torch.nn.Module]:
    """Import a HEAR-API module and let it load its model, on the GPU where there is one.

    Raises:
        UserError: when the module cannot be imported, or is not of the HEAR API.
    """
    try:
        api = importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"encoders.hear: module {module} cannot be imported ({error}); install it in this environment, or put its folder "
            "on PYTHONPATH"
        ) from error
    if lacking := [name for name in FUNCTIONS if not hasattr(api, name)]:
        raise UserError(f"encoders.hear: module {module} has no {', '.join(lacking)}: it is not of the HEAR API")
    if model and not Path(model).exists():
        raise UserError(f"encoders.hear: {model}, the model of {module}, does not exist")
    loaded = api.load_model(model) if model else api.load_model()
    for name in ("sample_rate", "scene_embedding_size"):
        if not isinstance(getattr(loaded, name, None), int):
            raise UserError(f"encoders.hear: the model of {module} has no integer {name}, which the HEAR API demands")
    if loaded.sample_rate not in RATES_HZ:
        raise UserError(f"encoders.hear: {module} wants {loaded.sample_rate} Hz; the HEAR API has {RATES_HZ}")
    if not isinstance(loaded, torch.nn.Module):
        raise UserError(f"encoders.hear: the model of {module} is a {type(loaded).__name__}; only torch modules can be used")
    return api, loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def register_peer(card: Path, *, name: str, module: str, model: str) -> None:
    """Write the card of an encoder of somebody else, after a look at whether it can be used.

    Args:
        card: encoder.json to write.
        name: of the encoder setting.
        module: importable module with the HEAR API.
        model: what its `load_model` is given.

    Raises:
        UserError: when it cannot be used.
    """
    api, loaded = load_peer(module, model)
    package = module.partition(".")[0]
    distribution = importlib.metadata.packages_distributions().get(package, [""])[0]
    content = {
        "encoder": name,
        "source": "hear",
        "architecture": "",
        "delta": None,
        "augmentation": "",
        "seed": 0,
        "pairs": None,
        "module": module,
        "model": model,
        "version": importlib.metadata.version(distribution) if distribution else "",
        "file": inspect.getfile(api),
        "sample_rate_hz": loaded.sample_rate,
        "embedding_size": loaded.scene_embedding_size,
    }
    write_json(card, content)


def extract_peer_features(
    features: Path,
    *,
    clips: Path,
    dataset: str,
    row: Dataset,
    sources: list[Path],
    checksum: str,
    module: str,
    model: str,
    threads: int = 1,
) -> None:
    """Embed every clip of a prepared dataset at the encoder's own sample rate.

    Args:
        features: .npy file to write, (N, D) float32; row i belongs to row i of clips.csv.
        clips: clips.csv of the prepared dataset.
        dataset, row, sources, checksum: as in `datasets.prepare.prepare`.
        module, model: as in `load_peer`.
        threads: that decode and resample.

    Raises:
        UserError: when the encoder cannot be used, or its embeddings are not what it declares.
    """
    api, loaded = load_peer(module, model)
    names = pd.read_csv(clips, dtype={"clip": str}, keep_default_na=False, usecols=["clip"])["clip"]
    result = np.empty((len(names), loaded.scene_embedding_size), np.float32)
    with Tree(sources, Path(features).parent / f".unpacked-{Path(features).stem}") as tree:
        found = open_clips(dataset, row, tree, pinned=checksum != "none")
        rows = found.table.set_index(found.table["clip"].astype(str), drop=False).loc[names].reset_index(drop=True)
        faults = []
        sounds = read_sounds(
            found,
            rows,
            rate_hz=loaded.sample_rate,
            duration_s=row.clip_s,
            threads=threads,
            faults=faults,
            title=f"features {dataset}",
        )
        done = 0
        for batch in batches(sounds, max(1, round(BATCH_S / row.clip_s))):
            labels, waves = zip(*batch, strict=True)
            result[list(labels)] = embed(api, loaded, np.stack(waves), module)
            done += len(labels)
    if done < len(rows):
        raise UserError(f"{dataset}: {len(rows) - done} clips of {clips} cannot be read any more. {' '.join(faults)}")
    with replace(features) as temporary:
        np.save(temporary, result)


def embed(api: ModuleType, model: torch.nn.Module, sounds: np.ndarray, module: str) -> np.ndarray:
    """Scene embeddings (B, D) of sounds (B, T).

    Raises:
        UserError: when they are not finite, or not of the declared size.
    """
    device = next((tensor.device for tensor in (*model.parameters(), *model.buffers())), "cpu")
    with torch.inference_mode():
        found = api.get_scene_embeddings(torch.from_numpy(sounds).to(device), model)
    found = found.float().cpu().numpy()
    if found.shape != (len(sounds), model.scene_embedding_size):
        raise UserError(f"{module} gave embeddings of shape {found.shape}, not {(len(sounds), model.scene_embedding_size)}")
    if not np.isfinite(found).all():
        raise UserError(f"{module} gave embeddings that are not finite")
    return found
