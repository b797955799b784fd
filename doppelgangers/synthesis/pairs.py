"""Stage: make the pairs of one architecture and delta, as a store for training."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from doppelgangers.files import checksum, read_json, replace, require_space, write_json
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.store import PairStore, Shard, to_pcm

BATCH_PAIRS = 256  # pairs rendered between two steps of the progress bar


def generate_pairs(manifest: Path, *, recipe: PairRecipe, count: int, shard_pairs: int, code: str = "") -> None:
    """Write `count` pairs as shards of 16-bit sound beside `manifest`, then the manifest.

    A run that was killed, or was asked for fewer pairs, has left shards and `shards.json`, which says how they were made.
    Shards that were made in the same way are kept, and only the others are made.

    Args:
        manifest: path of manifest.json to write; it says how the pairs were made and lists the shards.
        recipe: of the pairs.
        count: number of pairs, with the indices 0 to count - 1.
        shard_pairs: pairs per shard.
        code: digest of the code that runs; shards made by other code are not kept.

    Raises:
        UserError: when there is too little space on the disk, or a sound is not finite.
    """
    if recipe.peak != "own":
        raise ValueError("the sounds of a store are read in other batches than they were made in: peak must be own")
    folder = Path(manifest).parent
    pairs = PairGenerator(recipe)
    settings = {
        **dataclasses.asdict(recipe),
        "shard_pairs": shard_pairs,
        "samples": pairs.synth.samples,
        "parameters": pairs.synth.dimension,
        "dtype": "int16",
        "jax": jax.__version__,
        "backend": jax.default_backend(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "code": code,
    }
    starts = range(0, count, shard_pairs)
    wanted = {f"shard-{number:05d}.npy": range(count)[start : start + shard_pairs] for number, start in enumerate(starts)}
    shards = keep_shards(folder, settings, wanted)
    missing = count - sum(shard.count for shard in shards.values())
    require_space(folder, missing * 2 * pairs.synth.samples * 2, f"the store of {count} {recipe.architecture} pairs")

    title = f"{recipe.architecture} {recipe.delta:g}"
    with tqdm(total=count, initial=count - missing, desc=title, unit="pair", smoothing=0.05) as bar:
        for name, indices in wanted.items():
            if name not in shards:
                with replace(folder / name) as temporary:
                    write_shard(temporary, pairs, indices, bar)
                shards[name] = Shard(name, len(indices), checksum(folder / name))
                entries = {name: dataclasses.asdict(shard) for name, shard in shards.items()}
                write_json(folder / "shards.json", {"settings": settings, "shards": entries})
    write_json(manifest, {**settings, "count": count, "shards": [dataclasses.asdict(shards[name]) for name in wanted]})
    PairStore(manifest)  # raises if the store cannot be read


def keep_shards(folder: Path, settings: dict[str, Any], wanted: dict[str, range]) -> dict[str, Shard]:
    """Delete the shards that an earlier run did not make with these settings; return the others by file name.

    Args:
        folder: of the store.
        settings: all that the sounds depend on, as `shards.json` has them.
        wanted: file name -> indices of the pairs that the shard has to hold.
    """
    side = folder / "shards.json"
    earlier = read_json(side) if side.exists() else {}
    entries = earlier["shards"].values() if earlier.get("settings") == settings else ()
    found = {shard.file: shard for shard in (Shard(**entry) for entry in entries)}
    kept = {
        name: found[name]
        for name, indices in wanted.items()
        if name in found and found[name].count == len(indices) and found[name].is_whole(folder)
    }
    for file in folder.glob("*shard-*.npy"):  # those of killed runs, too, whose names begin with a dot
        if file.name not in kept:
            file.unlink()
    return kept


def write_shard(path: Path, generator: PairGenerator, indices: range, bar: tqdm) -> None:
    """Render the pairs at `indices` into one .npy file, (len(indices), 2, T) 16-bit integers."""
    shard = np.lib.format.open_memmap(path, "w+", np.int16, (len(indices), 2, generator.synth.samples))
    for start in range(0, len(indices), BATCH_PAIRS):
        batch = indices[start : start + BATCH_PAIRS]
        shard[start : start + len(batch)] = to_pcm(np.asarray(generator.render(np.array(batch))))
        bar.update(len(batch))
    shard.flush()
