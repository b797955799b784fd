"""Stage: make the pairs of one architecture and delta, as a store for training and as files to listen to."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from doppelgangers.files import checksum, read_json, replace, require_space, write_json
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.store import PairStore, to_pcm

BATCH_PAIRS = 256  # pairs rendered between two steps of the progress bar


def generate_pairs(
    manifest: Path,
    *,
    recipe: PairRecipe,
    count: int,
    shard_pairs: int,
    code: str = "",
) -> None:
    """Write `count` pairs as shards of 16-bit sound beside `manifest`, then the manifest.

    A run that was killed left whole shards and `shards.json`, which says how they were made: this one keeps those that
    were made in the same way and makes the rest. So does one that is asked for more pairs than before.

    Args:
        manifest: path of manifest.json; it lists settings, counts and the sha256 of every shard.
        recipe: of the pairs.
        count: number of pairs, with indices 0 .. count - 1.
        shard_pairs: pairs per shard.
        code: digest of the code that runs; shards made by other code are not kept.

    Raises:
        UserError: when the disk has no room for the store.
    """
    folder = Path(manifest).parent
    pairs = PairGenerator(recipe)
    settings = {
        **dataclasses.asdict(recipe),
        "shard_pairs": shard_pairs,
        "samples": pairs.synth.samples,
        "parameters": pairs.synth.dimension,
        "dtype": "int16",
        "jax": jax.__version__,
        "code": code,
    }
    sizes = [min(shard_pairs, count - start) for start in range(0, count, shard_pairs)]
    shards = keep_shards(folder, settings, sizes)
    missing = sum(sizes) - sum(shard["count"] for shard in shards.values())
    require_space(folder, missing * 2 * pairs.synth.samples * 2, f"the store of {count} {recipe.architecture} pairs")

    title = f"{recipe.architecture} {recipe.delta:g}"
    with tqdm(total=count, initial=count - missing, desc=title, unit="pair", smoothing=0.05) as bar:
        for number, size in enumerate(sizes):
            name = f"shard-{number:05d}.npy"
            if name in shards:
                continue
            with replace(folder / name) as temporary:
                write_shard(temporary, pairs, number * shard_pairs, size, bar)
            shards[name] = {"file": name, "count": size, "sha256": checksum(folder / name)}
            write_json(folder / "shards.json", {"settings": settings, "shards": shards})
    write_json(manifest, {**settings, "count": count, "shards": [shards[name] for name in sorted(shards)]})
    PairStore(manifest)


def keep_shards(folder: Path, settings: dict, sizes: list[int]) -> dict[str, dict]:
    """Entries of the shards that an earlier run made in the same way; all other shards are deleted."""
    side = folder / "shards.json"
    earlier = read_json(side) if side.exists() else {"settings": None, "shards": {}}
    kept = {}
    if earlier["settings"] == settings:
        for number, size in enumerate(sizes):
            entry = earlier["shards"].get(f"shard-{number:05d}.npy")
            file = folder / f"shard-{number:05d}.npy"
            if entry and entry["count"] == size and file.exists() and checksum(file) == entry["sha256"]:
                kept[entry["file"]] = entry
    for file in folder.glob("*shard-*.npy"):
        if file.name not in kept:
            file.unlink()
    return kept


def write_shard(path: Path, generator: PairGenerator, first: int, size: int, bar: tqdm) -> None:
    """Render the pairs first .. first + size - 1 into one .npy file (size, 2, T) of 16-bit integers."""
    shard = np.lib.format.open_memmap(path, "w+", np.int16, (size, 2, generator.synth.samples))
    for start in range(0, size, BATCH_PAIRS):
        stop = min(start + BATCH_PAIRS, size)
        shard[start:stop] = to_pcm(np.asarray(generator.render(np.arange(first + start, first + stop))))
        bar.update(stop - start)
    shard.flush()
