"""Stages: encoders of others, behind the HEAR API, as rows of the table."""

import dataclasses
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
from doppelgangers.datasets.clips import batches, open_clips, read_sounds, rows_named
from doppelgangers.datasets.records import verify
from doppelgangers.encoders.card import Card
from doppelgangers.encoders.device import find_device
from doppelgangers.errors import UserError
from doppelgangers.files import replace

RATES_HZ = (16000, 22050, 32000, 44100, 48000)  # that the HEAR API allows
BATCH_S = 60.0  # of sound that a model gets at once
FUNCTIONS = ("load_model", "get_scene_embeddings")


@dataclasses.dataclass(frozen=True)
class Peer:
    """A HEAR-API module with its model; sounds go in at `rate_hz`, embeddings of `size` numbers come out."""

    api: ModuleType
    model: torch.nn.Module
    rate_hz: int
    size: int

    def embed(self, sounds: np.ndarray) -> np.ndarray:
        """Scene embeddings (B, D) of sounds (B, T).

        Raises:
            UserError: when they are not finite, or not of the declared size.
        """
        device = next((tensor.device for tensor in (*self.model.parameters(), *self.model.buffers())), "cpu")
        with torch.inference_mode():
            found = self.api.get_scene_embeddings(torch.from_numpy(sounds).to(device), self.model)
        found, module = found.float().cpu().numpy(), self.api.__name__
        if found.shape != (len(sounds), self.size):
            raise UserError(f"{module} gave embeddings of shape {found.shape}, not {(len(sounds), self.size)}")
        if not np.isfinite(found).all():
            raise UserError(f"{module} gave embeddings that are not finite")
        return found


def load_peer(module: str, model: str) -> Peer:
    """Import a HEAR-API module and let it load its model, on the GPU where there is one.

    Args:
        module: importable module with the HEAR API.
        model: what its `load_model` is given; nothing where it is empty.

    Raises:
        UserError: when the module cannot be imported, or has not the HEAR API.
    """
    try:
        api = importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"encoders.peers: module {module} cannot be imported ({error}); install it in this environment, or put its folder "
            "on PYTHONPATH"
        ) from error
    if missing := [name for name in FUNCTIONS if not hasattr(api, name)]:
        raise UserError(f"encoders.peers: module {module} has no {', '.join(missing)}: it has not the HEAR API")
    if model and not Path(model).exists():
        raise UserError(f"encoders.peers: {model}, the model of {module}, does not exist")
    loaded = api.load_model(model) if model else api.load_model()
    for name in ("sample_rate", "scene_embedding_size"):
        if not isinstance(getattr(loaded, name, None), int):
            raise UserError(f"encoders.peers: the model of {module} has no integer {name}, which the HEAR API demands")
    rate_hz, size = loaded.sample_rate, loaded.scene_embedding_size
    if rate_hz not in RATES_HZ:
        raise UserError(f"encoders.peers: {module} wants {rate_hz} Hz; the HEAR API has {RATES_HZ}")
    if not isinstance(loaded, torch.nn.Module):
        raise UserError(f"encoders.peers: the model of {module} is a {type(loaded).__name__}; only torch modules can be used")
    return Peer(api, loaded.to(find_device()).eval(), rate_hz, size)


def register_peer(card: Path, *, name: str, module: str, model: str) -> None:
    """Write the card of an encoder of somebody else, after a look at whether it can be used.

    Args:
        card: encoder.json to write.
        name: of the encoder setting.
        module, model: as in `load_peer`.

    Raises:
        UserError: when it cannot be used.
    """
    peer = load_peer(module, model)
    package = module.partition(".")[0]
    distribution = importlib.metadata.packages_distributions().get(package, [""])[0]
    about = {
        "module": module,
        "model": model,
        "version": importlib.metadata.version(distribution) if distribution else "",
        "file": inspect.getfile(peer.api),
        "sample_rate_hz": peer.rate_hz,
        "embedding_size": peer.size,
    }
    Card(name, source="peer", seed=0, augmentation="", frontend="", about=about).write(card)


def extract_peer_features(
    features: Path,
    *,
    clips: Path,
    dataset: str,
    row: Dataset,
    files: list[Path],
    checksum: str,
    module: str,
    model: str,
    threads: int = 1,
) -> None:
    """Embed every clip of a prepared dataset at the encoder's own sample rate.

    Args:
        features: .npy file to write, (N, D) float32; row i belongs to row i of clips.csv.
        clips: clips.csv of the prepared dataset.
        dataset, row, files, checksum: as in `datasets.prepare.prepare`.
        module, model: as in `load_peer`.
        threads: that decode and resample.

    Raises:
        UserError: when the encoder cannot be used, or its embeddings are not what it declares.
    """
    peer = load_peer(module, model)
    names = pd.read_csv(clips, dtype={"clip": str}, keep_default_na=False, usecols=["clip"])["clip"]
    result = np.empty((len(names), peer.size), np.float32)
    with Tree(verify(files, dataset, checksum), Path(features).parent / f".unpacked-{Path(features).stem}") as tree:
        found = open_clips(dataset, row, tree, pinned=checksum != "none")
        rows = rows_named(found.table, names)
        faults: list[str] = []
        sounds = read_sounds(
            found,
            rows,
            rate_hz=peer.rate_hz,
            duration_s=row.clip_s,
            threads=threads,
            faults=faults,
            title=f"features {dataset}",
        )
        done = 0
        for batch in batches(sounds, max(1, round(BATCH_S / row.clip_s))):
            labels, waves = zip(*batch, strict=True)
            result[list(labels)] = peer.embed(np.stack(waves))
            done += len(labels)
    if done < len(rows):
        raise UserError(f"{dataset}: {len(rows) - done} clips of {clips} cannot be read any more. {' '.join(faults)}")
    with replace(features) as temporary:
        np.save(temporary, result)
