"""What changes nothing: comments, layout, the order and style of YAML, times, a fresh checkout."""

import os
import re
import shutil
import time

import pytest
import yaml

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

MADE = ["results", "resources", "logs", ".snakemake"]


def comment_everything(project):
    """A comment at the top and at the end of every file of code, and of the machine's settings; other threads for a job."""
    code = [*project.folder.rglob("*.py"), *project.path("rules").glob("*.smk"), project.path("Snakefile")]
    code = [path for path in code if ".snakemake" not in path.parts]
    assert len(code) > 100
    for path in [*code, project.path("profiles/default/profile.yaml"), project.path("envs/doppelgangers.yaml")]:
        path.write_text(f"# above\n{path.read_text()}\n# below\n")
    rules = project.path("rules/synthesis.smk")
    rules.write_text(rules.read_text().replace("    threads: 2\n", "    threads: 1\n"))


def reversed_keys(node):
    if isinstance(node, dict):
        return {key: reversed_keys(node[key]) for key in reversed(node)}
    return node


def restyle(path, *, flow):
    """The same configuration without comments, keys the other way round, in another style, a number spelt otherwise."""
    text = yaml.safe_dump(reversed_keys(yaml.safe_load(path.read_text())), sort_keys=False, default_flow_style=flow)
    path.write_text(re.sub(r"(learning_rate: )0\.001\b", r"\g<1>1e-3", text) + "# below\n")


def touch(paths):
    """Give files the present time, one after another."""
    start = time.time_ns()
    for number, path in enumerate(paths):
        os.utime(path, ns=(start + 10**6 * number,) * 2)


def made_files(project):
    """What the run made, oldest first; Snakemake keeps the time of a folder in a file of its own in it."""
    files = [path for place in MADE[:2] for path in project.path(place).rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(files, key=lambda path: path.stat().st_mtime_ns)


def planned(project, *arguments):
    return project.run("--dry-run", *arguments).stdout


def test_comments_order_style_and_times_rerun_nothing_whatever_the_profile(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    comment_everything(project)
    restyle(project.path("config.yaml"), flow=True)
    assert "1e-3" in project.path("config.yaml").read_text()
    restyle(project.path("tiny.yaml"), flow=False)
    assert "Nothing to be done" in planned(project), planned(project)
    touch(path for path in project.folder.rglob("*") if path.is_file() and not set(MADE) & set(path.parts))
    assert "Nothing to be done" in planned(project, "--workflow-profile", "none"), planned(project)
    touch(made_files(project))
    assert project.jobs() == {}


def test_a_fresh_checkout_over_results_that_are_there_reruns_nothing(finished, tmp_path):
    project = Project.new(tmp_path / "checkout")
    touch(path for path in project.folder.rglob("*") if path.is_file())
    for place in MADE:
        shutil.copytree(finished.path(place), project.path(place), symlinks=True)
    assert project.jobs() == {}
