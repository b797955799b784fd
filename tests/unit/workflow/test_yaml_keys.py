import pytest

from doppelgangers.errors import UserError
from doppelgangers.workflow.yaml_keys import check_keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("probe: {epochs: 7}\ntasks: [a]\nprobe: {seed: 1}\n", "probe stands in line 1 and again in line 3"),
        ("probe:\n  epochs: 7\n  seed: 1\n  epochs: 8\n", r"probe\.epochs stands in line 2 and again in line 4"),
        ("probe: {epochs: 7, 'epochs': 8}\n", r"probe\.epochs stands in line 1 and again in line 1"),
        ("a:\n- {b: 1, b: 2}\n", r"a\.b stands in line 2 and again in line 2"),
        ('{"probe": 1, "probe": 2}', "probe stands in line 1 and again"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_its_lines(tmp_path, text, message):
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(UserError, match=rf"my\.yaml: {message}"):
        check_keys(tmp_path / "my.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: {x: 1}\nb: {x: 1}\nc: [{x: 1}, {x: 1}]\n"])
def test_the_same_key_in_two_sections_is_fine(tmp_path, text):
    (tmp_path / "my.yaml").write_text(text)
    check_keys(tmp_path / "my.yaml")
