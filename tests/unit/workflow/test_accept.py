import re

import pytest

from doppelgangers.errors import UserError
from doppelgangers.files import read_json, write_json
from doppelgangers.workflow.accept import accept
from doppelgangers.workflow.digest import ACCEPTED, digest

TABLE, SCORES = "evaluation.table.make_table", "evaluation.table.collect_scores"


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A function that leaves the record of a result, of functions whose code was `digits` then."""
    monkeypatch.chdir(tmp_path)

    def made(name, started, digits, *functions):
        write_json(tmp_path / "results" / f"{name}.made.json", {"started": started, "code": " ".join([*functions, digits])})
        return tmp_path / "results"

    return made


def test_code_that_is_the_same_is_not_accepted(results):
    assert accept([results("table.csv", "2026-01-01", digest(TABLE), TABLE)], []) == {}
    assert not ACCEPTED.exists()


def test_the_code_of_the_last_result_of_a_function_counts(results):
    results("old.csv", "2026-01-01", "first", TABLE)
    folder = results("table.csv", "2026-01-02", "second", TABLE)
    assert accept([folder], []) == {f"{TABLE} {digest(TABLE)}": f"{TABLE} second"} == read_json(ACCEPTED)


def test_only_the_functions_that_are_named_are_accepted_and_what_was_accepted_stays(results):
    results("table.csv", "2026-01-01", "before", TABLE)
    folder = results("scores.csv", "2026-01-01", "before", SCORES)
    assert list(accept([folder], [TABLE])) == [f"{TABLE} {digest(TABLE)}"]
    assert list(accept([folder], [])) == [f"{SCORES} {digest(SCORES)}"]
    assert len(read_json(ACCEPTED)) == 2


def test_a_function_that_made_nothing_here_is_refused_and_those_that_did_are_named(results):
    folder = results("table.csv", "2026-01-01", "before", TABLE)
    with pytest.raises(UserError, match=f"no result here was made by {re.escape(SCORES)};.*{re.escape(TABLE)}"):
        accept([folder], [SCORES])
