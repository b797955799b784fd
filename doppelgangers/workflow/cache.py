"""Results that several clones and users share: what `snakemake --cache` does here.

Snakemake's own cache would give two seeds of an encoder the same entry, moves the files of an entry one by one, and does not
look at what it takes out. So its store is replaced, and its interface kept. An entry is a folder, with the key of a job as its
name, in $SNAKEMAKE_OUTPUT_CACHE. It has all files of the job and the record of what made them, is there whole or not at all,
and is checked before it is used.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.caching import LOCATION_ENVVAR, AbstractOutputFileCache
from snakemake.exceptions import CacheMissException, WorkflowError
from snakemake.logging import logger
from snakemake.script import get_source

from doppelgangers.errors import UserError
from doppelgangers.files import checksum, disk_errors, read_json, write_json
from doppelgangers.provenance import MADE, checksum_of, made_of, record_of, versions

# Folders with results of cached rules, and the name of an entry.
PLACES = ("results/pairs", "results/encoders", "resources/datasets", "resources/recordings")
KEY = re.compile(r"[0-9a-f]{64}")
# Here it is noted which entries were checked, and what their files looked like then.
CHECKED = Path(".snakemake/checked_entries")
FORMAT = 1  # of keys and entries; another one shares nothing with this


def use_shared_cache(workflow: Any) -> None:
    """Make a run of this workflow keep its cache as described above, if it is asked for one (`--cache`).

    Snakemake has no place for this either: see `targets.prepare_planning`.
    """
    plan = workflow._prepare_dag

    def plan_with_cache(*arguments: Any, **options: Any) -> None:
        try:
            if workflow.is_main_process:
                drop_links_to_deleted_entries()
            if workflow.enable_cache:
                require_cache()
        except UserError as error:
            raise WorkflowError(str(error)) from None
        plan(*arguments, **options)
        if workflow.enable_cache:
            workflow._output_file_cache = SharedCache()

    workflow._prepare_dag = plan_with_cache


def require_cache() -> None:
    """See that there is a cache that can be written, before anything is computed.

    Raises:
        UserError: when there is none.
    """
    location = os.environ.get(LOCATION_ENVVAR, "")
    if not location:
        raise UserError(f"--cache needs a folder for what is shared: set the environment variable {LOCATION_ENVVAR} to it")
    if not os.access(location, os.W_OK | os.X_OK) or not Path(location).is_dir():
        raise UserError(f"{LOCATION_ENVVAR}: {location} is not a folder that can be written; create it, or mend its mode")


def drop_links_to_deleted_entries() -> None:
    """Remove links whose entry is gone, so that a run makes the results again.

    Raises:
        UserError: when the whole cache is gone, which may be a disk that is not mounted.
    """
    for place in PLACES:
        for folder, _, names in os.walk(place):
            for path in (Path(folder, name) for name in names):
                entry = entry_of(path)
                if entry is None or path.exists():
                    continue
                if not entry.parent.is_dir():
                    raise UserError(
                        f"{path} is a link to the cache {entry.parent}, which is not there: mount it; if it is gone for good, "
                        f"delete such links and run again, with: find {' '.join(PLACES)} -xtype l -delete"
                    )
                path.unlink()


def entry_of(path: Path) -> Path | None:
    """The entry of a cache that a path is a link to; None for anything else."""
    if not path.is_symlink():
        return None
    entry = path.readlink().parent
    return entry if entry.is_absolute() and KEY.fullmatch(entry.name) else None


def check_inputs(inputs: Iterable[str]) -> None:
    """Check the entries that inputs of a job are links to.

    Raises:
        UserError: as `check_entry`.
    """
    for entry in sorted({entry for path in map(Path, inputs) if (entry := entry_of(path))}):
        check_entry(entry)


def check_entry(entry: Path) -> None:
    """Compare the files of an entry with their checksums.

    All bytes are read when an entry is met for the first time in this working folder, and when a file was written since.

    Raises:
        UserError: naming the entry, when a file differs, or is missing.
    """
    try:
        record = next(entry.glob(f"*{MADE}"), None)
        files = read_json(record)["files"] if record else {}
        if not files:
            raise damaged(entry, "it has no record of what made it")
        seen = {name: look_of(entry / name) for name in sorted(files)}
        note = CHECKED / f"{entry.name}.json"
        if note.exists() and read_json(note) == seen:
            return
        for name, about in files.items():
            if checksum(entry / name) != about["sha256"]:
                raise damaged(entry, f"{name} differs from its checksum")
    except (OSError, ValueError, KeyError) as error:
        raise damaged(entry, str(error)) from error
    write_json(note, seen)


def look_of(path: Path) -> list[int]:
    """What changes when anything is written into a file."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]


def damaged(entry: Path, what: str) -> UserError:
    return UserError(f"the cache entry {entry} is damaged ({what}): delete that folder and run again, to make it again")


class SharedCache(AbstractOutputFileCache):
    """Entries by the key of the job that made them."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(self.cache_location).absolute()
        self.software = {name: version for name, version in versions().items() if name != "snakemake"}

    async def exists(self, job: Any) -> bool:
        return self.entry(job).is_dir()

    async def fetch(self, job: Any) -> None:
        """Link the files of a job to its entry.

        Raises:
            CacheMissException: when there is none.
            WorkflowError: when it is damaged.
        """
        entry = self.entry(job)
        if not entry.is_dir():
            raise CacheMissException(f"job {job} is not in the cache")
        try:
            await asyncio.to_thread(check_entry, entry)
        except UserError as error:
            raise WorkflowError(str(error)) from None
        logger.info(f"from the cache: {', '.join(job.output)} ({entry})")
        link_to(entry, folder_of(job))

    async def store(self, job: Any) -> None:
        """Move the files of a job into the cache, and leave links to them; where another run was first, its files stay."""
        entry, folder = self.entry(job), folder_of(job)
        record = made_of(Path(job.output[0]))
        names = [*read_json(record)["files"], record.name]  # the record last, so that it is not older than they are
        try:
            with disk_errors(entry), tempfile.TemporaryDirectory(dir=self.path) as temporary:
                whole = Path(temporary, entry.name)
                whole.mkdir()
                for name in names:
                    shutil.move(folder / name, whole / name)
                share(whole, like=self.path)
                with contextlib.suppress(FileExistsError, OSError) if entry.is_dir() else contextlib.nullcontext():
                    whole.rename(entry)
            check_entry(entry)
        except UserError as error:
            raise WorkflowError(str(error)) from None
        link_to(entry, folder)

    def identify(self, path: str) -> str:
        """Checksum of an input and of all that was made with it; empty for the user's own."""
        if record := record_of(Path(path)):
            return checksum_of(record["files"])
        if path.startswith(PLACES):
            raise WorkflowError(f"{path} has no record of what made it: delete it and run again, or run without --cache")
        return ""

    def entry(self, job: Any) -> Path:
        return self.path / self.key(job)

    def key(self, job: Any) -> str:
        """Sixty-four hexadecimal digits that differ where what a job makes can differ.

        What counts is the script, what the rule says that it needs (`params`), the job's wildcards, the versions of packages,
        and the bytes of what it reads: which jobs made those is not known where a job runs on a cluster. Files of the user's
        count through `params`.

        Raises:
            WorkflowError: when it is not known what made an input.
        """
        rule, workflow = job.rule, job.dag.workflow
        script = get_source(rule.script, workflow.sourcecache, rule.basedir, job.wildcards, job.params)[1]
        parts = {
            "format": FORMAT,
            "rule": rule.name,
            "script": script,
            "params": dict(job.params.items()),
            "wildcards": dict(job.wildcards.items()),
            "software": self.software,
            "inputs": sorted(self.identify(path) for path in job.input),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def folder_of(job: Any) -> Path:
    """Where a job of a cached rule writes all its files."""
    return Path(job.output[0]).parent


def link_to(entry: Path, folder: Path) -> None:
    """Make links in `folder` to all files of an entry."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in entry.iterdir():
        path = folder / file.name
        path.unlink(missing_ok=True)
        path.symlink_to(file)


def share(entry: Path, like: Path) -> None:
    """Let those read an entry, and delete it, who may do so in the cache; nobody writes into its files."""
    about = like.stat()
    for path in (*entry.iterdir(), entry):
        with contextlib.suppress(OSError):  # a group that is not ours, or a file system without groups
            os.chown(path, -1, about.st_gid)
        path.chmod(about.st_mode & (0o7777 if path == entry else 0o444))
