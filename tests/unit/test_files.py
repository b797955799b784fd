import errno
import os

import pytest

from doppelgangers.errors import UserError
from doppelgangers.files import checksum, replace, require_space


def test_a_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "new" / "a.txt"

    def fail():
        with replace(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(path.parent.iterdir()) == []
    with replace(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")]
)
def test_a_disk_that_cannot_be_written_is_named(tmp_path, number, words):
    def fail():
        with replace(tmp_path / "table.csv"):
            raise OSError(number, os.strerror(number))

    with pytest.raises(UserError, match=rf"table.csv.*{words}"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_said_before_the_work(tmp_path):
    with pytest.raises(UserError, match=r"the store needs 1000000.00 GB in .* GB are free"):
        require_space(tmp_path, 10**15, "the store")


def test_checksum_is_the_standards(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert checksum(tmp_path / "a", "md5") == "900150983cd24fb0d6963f7d28e17f72"
