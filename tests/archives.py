"""Archives of the miniatures, and of other files that a test makes up."""

import io
import shutil
import subprocess
import tarfile
import zipfile

import pytest

from doppelgangers.datasets.catalogue import DATASETS
from tests.miniatures import FILES


def below(files, top):
    """The files in a top folder."""
    return {name: content for name, content in files.items() if name.startswith(f"{top}/")}


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar_gz(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_split_zip(path, files, level=6):
    """Made by Info-ZIP in parts of 64 kB, its smallest; returns the parts in order. Without Info-ZIP the test is skipped."""
    if not shutil.which("zip"):
        pytest.skip("zip is not installed")
    folder = write_folder(path.with_name(f"{path.stem}.members"), files)
    command = ["zip", "-q", "-r", f"-{level}", "-s", "64k", path.resolve(), *sorted({name.split("/")[0] for name in files})]
    subprocess.run(command, cwd=folder, check=True)
    shutil.rmtree(folder)
    return [*sorted(path.parent.glob(f"{path.stem}.z[0-9][0-9]")), path]


def write_archives(folder, dataset):
    """The archives that the catalogue lists for a dataset, with its miniature inside; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files, paths = FILES[dataset](), [folder / archive.file for archive in DATASETS[dataset].archives]
    for path in paths:
        top = path.name.split(".jsonwav")[0].removesuffix(".zip") if len(paths) > 1 else ""
        members = below(files, top) if top else files
        if path.with_suffix(".z01") in paths and path.suffix == ".zip":
            write_split_zip(path, members, level=0)
        elif path.suffix == ".zip":
            write_zip(path, members)
        else:
            write_tar_gz(path, members)
    return paths
