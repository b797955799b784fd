"""What has to be right before a run starts: the code, the files that the configuration names, licences, the disk."""

import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from doppelgangers.datasets.catalogue import Dataset, section_of
from doppelgangers.errors import UserError
from doppelgangers.settings import check_names
from doppelgangers.workflow.config import Config
from doppelgangers.workflow.plan import downloads_of, encoders_of_ours, released_encoder, settings_of, used_datasets

SHELL_WORDS = re.compile(r"[\s'\"&()$;\\*?|<>`]")  # what a shell reads as more than a letter
LEAST_FREE_BYTES = 50_000_000  # less than this is a full disk: no run gets anywhere with it


def require_code(folder: str) -> None:
    """See that the code of this package that is running is the one in `folder`, beside the Snakefile, and lead jobs there too.

    Raises:
        UserError: naming both folders.
    """
    running = Path(__file__).resolve().parents[2]
    if not running.samefile(folder):
        raise UserError(
            f"the code of {running} is running, and the workflow is that of {folder}: run without PYTHONPATH, and without a "
            f"package called doppelgangers in the environment"
        )
    others = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place and place != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])


def check_analysis(config: Config) -> None:
    """See that the encoders whose embeddings are asked for are there, the sounds that listeners rate, and their ratings.

    Raises:
        UserError: naming one that is not.
    """
    try:
        check_names("analysis.encoders", config.analysis.encoders, encoders_of_ours(config))
        rows = [*encoders_of_ours(config), *config.encoders.peers, "random_init"]
        check_names("comparisons.against", config.comparisons.against, rows)
        check_names("listening_test.architecture", [config.listening_test.architecture], [*config.analysis.architectures])
    except ValueError as error:
        raise UserError(str(error)) from None
    if (ratings := config.listening_test.ratings) and not Path(ratings).is_dir():
        raise UserError(f"listening_test.ratings: there is no folder {ratings}; correct it, or set it to ''")


def check_sources(config: Config) -> None:
    """Look at what lies on this machine before any job starts.

    Raises:
        UserError: when the `path` or the `file://` url of a dataset in use, recordings or a released encoder does not exist,
            or `downloads.offline` is set and something is not here.
    """
    for name in sorted({real.recordings for real in config.encoders.real.values()}):
        if not Path(config.recordings[name].path).exists():
            raise UserError(f"recordings.{name}.path: {config.recordings[name].path} does not exist; correct it")
    for name, path in config.encoders.released.items():
        if not Path(released_encoder(path)).is_file():
            raise UserError(
                f"encoders.released.{name}: there is no {released_encoder(path)}; name the folder of a released encoder"
            )
    for name, row in used_datasets(config).items():
        settings = settings_of(config, name)
        parsed = urlparse(settings.url)
        section = section_of(name)
        for key, path in (("path", settings.path), ("url", url2pathname(parsed.path) if parsed.scheme == "file" else "")):
            if path and not Path(path).exists():
                raise UserError(f"{section}.{key}: {path} does not exist; correct it, or empty the key to use the catalogue's")
        check_archives(f"{section}.path", settings.path, row)
        absent = [file for file in downloads_of(config, name) if not Path(file).exists()]
        prepared = Path(f"resources/datasets/{name}/logmel.npy").exists()
        if config.downloads.offline and absent and not prepared and parsed.scheme != "file":
            address = " and ".join(archive.url for archive in row.archives)
            raise UserError(
                f"downloads.offline is set, and {absent[0]} is not here: set {section}.path to a copy of {address}, or "
                f"put it there"
            )


def check_archives(key: str, path: str, row: Dataset) -> None:
    """See that a folder has all archives of a dataset, or is the unpacked dataset.

    Raises:
        UserError: naming those that are missing beside others that are there, where nothing is unpacked.
    """
    if not Path(path).is_dir():
        return
    missing = row.missing_beside(Path(path))
    if missing and not any(entry.is_dir() for entry in Path(path).iterdir()):
        there = len(row.archives) - len(missing)
        raise UserError(f"{key}: {path} has {there} of {len(row.archives)} archives; {', '.join(missing)} must be there too")


def check_licences(config: Config) -> None:
    """See that the user agreed to the licences of what will be fetched.

    Raises:
        UserError: naming the datasets with a non-commercial licence that `downloads.noncommercial` does not list.
    """
    missing = {}
    for name, row in used_datasets(config).items():
        there = all(Path(file).exists() for file in downloads_of(config, name))
        if row.noncommercial and not there and name not in config.downloads.noncommercial:
            missing[name] = row.licence
    if missing:
        named = "\n".join(f"  {name}: {licence}" for name, licence in missing.items())
        raise UserError(
            f"these datasets may not be used commercially:\n{named}\nRead their licences; if you accept them, add to your "
            f"configuration\n  downloads: {{noncommercial: [{', '.join(missing)}]}}"
        )


def check_interpreter() -> None:
    """See that jobs can start: Snakemake gives the path of Python to a shell as it is.

    Raises:
        UserError: when the shell would read something else than that path.
    """
    if found := SHELL_WORDS.search(sys.executable):
        raise UserError(
            f"the path of Python, {sys.executable}, has the character {found[0]!r}, with which Snakemake cannot start a job: "
            f"move the folder to a path without it, and set up its .venv there (make)"
        )


def check_folders(*folders: str) -> None:
    """Look whether a run could write here, before it starts.

    Raises:
        UserError: naming the folder that is read-only, or whose disk is full.
    """
    for folder in folders:
        place = place_of(folder)
        if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
            raise UserError(
                f"{folder}: {place} cannot be written; change its owner or mode, or run in another folder (--directory)"
            )
        if (free := shutil.disk_usage(place).free) < LEAST_FREE_BYTES:
            raise UserError(f"{folder}: the disk of {place} is full ({free / 1e6:.0f} MB are free); make room there")


def place_of(folder: str) -> Path:
    """The folder, or where it would be made: the nearest one above that exists."""
    place = Path(folder).resolve()
    while not place.exists():
        place = place.parent
    return place
