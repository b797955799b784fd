"""What several tests need."""

from pathlib import Path

import pytest

from tests.archives import write_zip
from tests.miniatures import esc50_files
from tests.server import Host

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def esc50_zip(tmp_path):
    return write_zip(tmp_path / "esc50.zip", esc50_files())


@pytest.fixture
def host(tmp_path):
    """A file server on 127.0.0.1, of the folder `served` in the test's own."""
    (tmp_path / "served").mkdir()
    host = Host(tmp_path / "served")
    yield host
    host.close()
