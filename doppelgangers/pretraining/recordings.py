"""Stage: decode a folder or archive of real recordings, once for all trainings."""

import contextlib
import dataclasses
import hashlib
import io
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from tqdm import tqdm

from doppelgangers.audio import decode, resample
from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.audio_files import audio_files
from doppelgangers.datasets.clips import fault_report, in_order
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, disk_errors, read_json, replace, require_space, write_json
from doppelgangers.synthesis.store import to_pcm

log = logging.getLogger(__name__)

SHARD_SAMPLES = 2**29  # 1 GiB; a shard is closed once it has as many, so it may be longer by up to one recording
SAMPLED_FILES = 50  # number of files whose lengths are read to estimate the room that all of them need
UNKNOWN_S = 1e7  # libsndfile gives a length beyond this where a file does not say how long it is


@dataclasses.dataclass(frozen=True)
class Shard:
    """An entry of shards.json.

    Attributes:
        file: name of the shard.
        sha256: its checksum.
        fingerprint: of the files that it was made of, as from `fingerprint_of`.
        files: how many these are, damaged ones included.
        samples: length of all its recordings together.
        recordings: (name, start, samples) of each.
        faults: what is wrong with the damaged files.
    """

    file: str
    sha256: str
    fingerprint: str
    files: int
    samples: int
    recordings: list[tuple[str, int, int]]
    faults: list[str]


def decode_recordings(
    manifest: Path,
    *,
    path: Path,
    limit_files: int,
    tolerate_files: int,
    seed: int,
    threads: int,
    code: str = "",
    shard_samples: int = SHARD_SAMPLES,
) -> None:
    """Write recordings as shards of mono 16-bit sound at 16 kHz beside `manifest`, then the manifest.

    A run that was killed leaves whole shards and shards.json, which says what is in them. The next run keeps them, up to the
    first shard whose files have changed since; so does a run that tolerates more damaged files than before. Only a few
    recordings for each thread are in memory at a time.

    Args:
        manifest: path of recordings.csv to write, with a row per recording: its `path` in the folder or archive, the file
            name of its `shard` (flat little-endian int16), and its `start` in the shard and length, `samples`, in samples.
        path: folder, zip or tar archive; all files with the extension of a sound file are taken, in subfolders too.
        limit_files: use at most this many files, drawn at random; 0 for all.
        tolerate_files: how many damaged files may be left out.
        seed: of the draw.
        threads: that decode and resample.
        code: digest of the code that runs; shards made by other code are not kept.
        shard_samples: after which a new shard is begun.

    Raises:
        UserError: when `path` does not exist or holds no sound file, more files are damaged than tolerated, none can be
            decoded, or the disk has no room.
    """
    folder, path = Path(manifest).parent, Path(path)
    settings = {
        "rate_hz": RATE_HZ,
        "shard_samples": shard_samples,
        "soundfile": [soundfile.__version__, soundfile.__libsndfile_version__],
        "soxr": soxr.__version__,
        "code": code,
    }
    with Tree([path], folder / ".unpacked") as tree:
        names = draw(audio_files(tree), limit_files, seed)
        shards = keep_shards(folder, settings, tree, names)
        done = sum(shard.files for shard in shards)
        tree.select(names[done:])
        require_space(folder, estimate_bytes(tree, names[done:]), f"{path}, decoded,")
        with tqdm(total=len(names), initial=done, desc=f"decode {path.name}", unit="file", smoothing=0.05) as bar:
            sounds = decode_files(tree, names[done:], threads, bar)
            while done < len(names):
                file = folder / f"sounds-{len(shards):05d}.pcm"
                with replace(file) as temporary:
                    recordings, faults = write_shard(temporary, sounds, shard_samples)
                first, done = done, done + len(recordings) + len(faults)
                shard = Shard(
                    file=file.name,
                    sha256=checksum(file),
                    fingerprint=fingerprint_of(tree, names[first:done]),
                    files=done - first,
                    samples=sum(samples for _, _, samples in recordings),
                    recordings=recordings,
                    faults=faults,
                )
                shards.append(shard)
                write_json(folder / "shards.json", {"settings": settings, "shards": list(map(dataclasses.asdict, shards))})
    report_faults(path, [fault for shard in shards for fault in shard.faults], len(names), tolerate_files)
    rows = [(name, shard.file, start, samples) for shard in shards for name, start, samples in shard.recordings]
    with replace(manifest) as temporary:
        table = pd.DataFrame(rows, columns=["path", "shard", "start", "samples"])
        table.to_csv(temporary, index=False, errors="surrogateescape")  # names need not be UTF-8


def draw(names: list[str], limit: int, seed: int) -> list[str]:
    """At most `limit` of the names, drawn at random and in their order; all of them where it is 0."""
    if not limit or limit >= len(names):
        return names
    return [names[i] for i in np.sort(np.random.default_rng(seed).choice(len(names), limit, replace=False))]


def keep_shards(folder: Path, settings: dict, tree: Tree, names: list[str]) -> list[Shard]:
    """The shards that an earlier run made in the same way from the same files; all others are deleted."""
    side = folder / "shards.json"
    earlier = read_json(side) if side.exists() else {"settings": None, "shards": []}
    kept: list[Shard] = []
    done = 0
    if earlier["settings"] == settings:
        for shard in (Shard(**entry) for entry in earlier["shards"]):
            file, end = folder / shard.file, done + shard.files
            # A shard that was closed only because there were no more files would be longer if there are more now.
            whole = shard.samples >= settings["shard_samples"] or end == len(names)
            if not whole or end > len(names) or shard.fingerprint != fingerprint_of(tree, names[done:end]):
                break
            if not file.exists() or checksum(file) != shard.sha256:
                break
            kept.append(shard)
            done = end
    names_kept = {shard.file for shard in kept}
    for file in folder.glob("*sounds-*.pcm"):
        if file.name not in names_kept:
            file.unlink()
    return kept


def fingerprint_of(tree: Tree, names: list[str]) -> str:
    """Digest of the names, sizes and times of files; of the archive for its files, of what links lead to."""
    digest = hashlib.sha256()
    for name in names:
        source = tree.sources.get(name)
        if source is None or not source.exists():  # a link that leads nowhere
            digest.update(f"{name}\n".encode(errors="surrogateescape"))
            continue
        about = source.stat()
        digest.update(f"{name}\n{about.st_size} {about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def estimate_bytes(tree: Tree, names: list[str]) -> int:
    """Room that the decoded files will need, estimated from the lengths of some of them."""
    lengths = []
    for name in names[:: max(1, len(names) // SAMPLED_FILES)]:
        with contextlib.suppress(UserError, soundfile.LibsndfileError):  # it is reported when it is decoded
            lengths.append(soundfile.info(io.BytesIO(tree.read(name))).duration)
    lengths = [seconds for seconds in lengths if seconds < UNKNOWN_S]
    return int(np.mean(lengths) * len(names) * RATE_HZ * 2) if lengths else 0


def decode_files(tree: Tree, names: list[str], threads: int, bar: tqdm) -> Iterator[tuple[str, np.ndarray | UserError]]:
    """Yield (name, mono sound (T,) int16 at 16 kHz, or what is wrong with it) in the order of the names."""

    def sound_of(name: str) -> np.ndarray | UserError:
        try:
            sound = to_pcm(full_scale(resample(*decode(tree.read(name), name), RATE_HZ)))
        except UserError as fault:
            return fault
        return sound if len(sound) else UserError(f"{name} is empty: too short to have a sample at {RATE_HZ} Hz")

    with ThreadPoolExecutor(threads) as pool:
        for name, sound in in_order(pool, sound_of, names, ahead=4 * threads):
            bar.update()
            yield name, sound.result()


def full_scale(sound: np.ndarray) -> np.ndarray:
    """The sound, made quieter where it is louder than full scale, because 16-bit integers would clip it.

    Files of floats may be that loud, and resampling lets peaks rise a little.
    """
    return sound / max(1.0, np.abs(sound).max(initial=0))


def write_shard(
    path: Path, sounds: Iterator[tuple[str, np.ndarray | UserError]], shard_samples: int
) -> tuple[list[tuple[str, int, int]], list[str]]:
    """Write sounds one after another until there are `shard_samples`.

    Returns:
        (name, start, samples) of each recording, and what is wrong with each damaged file.
    """
    recordings: list[tuple[str, int, int]] = []
    faults: list[str] = []
    end = 0
    with disk_errors(path), open(path, "wb") as file:
        for name, sound in sounds:
            if isinstance(sound, UserError):
                faults.append(str(sound))
            else:
                file.write(sound.astype("<i2").tobytes())
                recordings.append((name, end, len(sound)))
                end += len(sound)
            if end >= shard_samples:
                break
    return recordings, faults


def report_faults(path: Path, faults: list[str], total: int, tolerated: int) -> None:
    """Log which damaged files are left out.

    Raises:
        UserError: when there are more than tolerated, or all are damaged.
    """
    if not faults:
        return
    message = fault_report(str(path), faults, total)
    if len(faults) == total:
        raise UserError(f"{message}\nNone can be decoded.")
    if len(faults) > tolerated:
        raise UserError(f"{message}\nReplace them, or set tolerate_files to {len(faults)} to leave them out.")
    log.warning("%s\nThey are left out.", message)
