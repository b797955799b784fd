"""A copy of the project in a temporary folder, in which tests may run and change things."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import ROOT

PARTS = ["Snakefile", "rules", "workflow_scripts", "doppelgangers", "config.yaml", "configs", "profiles", "envs", "Makefile"]


class Project:
    """Runs Snakemake in a copy of the project, at the scale of tests/tiny.yaml."""

    target = "all"  # of runs that name no other

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def new(cls, folder: Path) -> "Project":
        """The project without results, in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / part, ignore=ignore) if source.is_dir() else shutil.copy2(source, folder / part)
        shutil.copy2(ROOT / "tests/tiny.yaml", folder / "tiny.yaml")
        return cls(folder)

    def copy(self, folder: Path) -> "Project":
        """The same with all that it has made, and the times of all files, which Snakemake looks at."""
        shutil.copytree(self.folder, folder)
        return Project(folder)

    def command(self, *arguments: str, config: tuple = (), target: str = "") -> list[str]:
        files = ["tiny.yaml", *map(str, config)]
        return [sys.executable, "-m", "snakemake", "--cores", "2", target or self.target, *arguments, "--configfile", *files]

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )

    def run(self, *arguments: str, config: tuple = (), target: str = "") -> subprocess.CompletedProcess:
        command = self.command(*arguments, config=config, target=target)
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def path(self, name: str) -> Path:
        return self.folder / name

    def jobs(self, config: tuple = (), target: str = "") -> dict[str, int]:
        """Rule -> number of jobs that a run would do now."""
        result = self.run("--dry-run", config=config, target=target)
        assert result.returncode == 0, result.stdout
        rows = [line.split() for line in result.stdout.splitlines()]
        counts = {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
        return {rule: count for rule, count in counts.items() if rule not in ("all", "total")}


def pytest_collection_modifyitems(items):
    """Those that mostly wait for a cluster come first, so that another process does the rest meanwhile."""
    items.sort(key=lambda item: "test_slurm" not in item.nodeid)


@pytest.fixture
def project(tmp_path):
    return Project.new(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A project whose tiny run is done. Of several processes that run tests the first one makes it, and each has a copy."""
    own = tmp_path_factory.mktemp("own")
    shared = tmp_path_factory.getbasetemp().parent / "finished" if worker_id != "master" else own / "finished"
    with FileLock(shared.with_suffix(".lock")):
        if not (shared / "output.txt").exists():
            result = Project.new(shared).run()
            assert result.returncode == 0, result.stdout
            (shared / "output.txt").write_text(result.stdout)
    project = Project(shared).copy(own / "copy")
    project.output = (shared / "output.txt").read_text()
    return project


@pytest.fixture(autouse=True, scope="session")
def no_progress_bars():
    os.environ["TQDM_DISABLE"] = "1"
    yield
    del os.environ["TQDM_DISABLE"]
