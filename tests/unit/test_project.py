"""Files about the project agree with each other: versions, dependencies, locks."""

import re
import tomllib

import pytest
import yaml

from doppelgangers.workflow.config_docs import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-cuda.lock")


def pins(lock):
    """Of each package in a lock, what stands between its name and the name of the next: version, marker, hashes."""
    parts = re.split(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), flags=re.MULTILINE)
    assert parts[0] == ""
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.search(r"^## \[([\d.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert PROJECT["project"]["version"] == citation["version"] == released[1]
    assert str(citation["date-released"]) == released[2]


def test_every_direct_dependency_is_locked():
    locked = {name for name, _ in pins("requirements.lock")}
    for dependency in [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]:
        name = re.match(r"[\w.-]+", dependency)[0]
        assert re.sub(r"[-_.]+", "-", name).lower() in locked


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock):
    for name, pin in pins(lock):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\s", pin), name


def test_the_locks_have_the_same_versions():
    both, cuda = ({(name, pin.split()[0]) for name, pin in pins(lock)} for lock in LOCKS)
    names = {name for name, _ in both}
    assert {entry for entry in cuda if entry[0] in names} <= both


def test_every_promise_names_a_test_that_is_there():
    page = (ROOT / "docs/guarantees.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| Promise")]
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", row)
        assert named or "the same" in row, row
        for file, test in named:
            assert f"def {test}" in (ROOT / "tests" / file).read_text(), f"{file}::{test}"
