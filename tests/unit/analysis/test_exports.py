import json

import pandas as pd
import pytest

from doppelgangers.analysis.exports import COLUMNS, read_ratings
from doppelgangers.errors import UserError
from doppelgangers.files import write_json

PAGE = "0123456789abcdef"
TRIALS = {
    "aa": {"kind": "rated", "delta": "0.1", "pair": "4"},
    "bb": {"kind": "identical", "delta": "", "pair": "5"},
    "cc": {"kind": "practice", "delta": "0.1", "pair": "6"},
}


@pytest.fixture
def folder(tmp_path):
    write_json(tmp_path / "key.json", {"page": PAGE, "architecture": "voice", "scale": [1, 7], "trials": TRIALS})
    (tmp_path / "ratings").mkdir()
    return tmp_path / "ratings"


def rows(rater="R1", ratings=(3, 7), **changed):
    first = dict.fromkeys(COLUMNS, "1") | {"rater": rater, "page": PAGE, "started": "2026-01-01T10:00:00.000Z"}
    return [{**first, "trial": trial, "rating": rating} | changed for trial, rating in zip(["aa", "bb"], ratings, strict=True)]


def write_csv(path, table, **options):
    pd.DataFrame(table).to_csv(path, index=False, **options)
    return path


def write_export(path, table):
    facts = {
        name: table[0][name] for name in ("rater", "page", "seed", "started", "finished", "headphones_right", "headphones_of")
    }
    path.write_text(json.dumps({**facts, "trials": [{k: v for k, v in row.items() if k not in facts} for row in table]}))


def read(folder):
    return read_ratings(folder, folder.parent / "key.json")[0]


def test_both_formats_are_read_and_trials_get_what_the_key_says(folder):
    write_csv(folder / "a.csv", rows("R1"))
    write_export(folder / "b.json", rows("R2", (2, 6)))
    (folder / "deeper").mkdir()
    # As a program for tables saves it.
    write_csv(folder / "deeper/c.CSV", rows("R3", (1, 5)), sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    (folder / "notes.txt").write_text("from Tuesday")
    table = read(folder)
    assert table[["rater", "trial", "rating", "kind", "delta", "pair"]].to_numpy().tolist() == [
        [rater, trial, rating, TRIALS[trial]["kind"], TRIALS[trial]["delta"], TRIALS[trial]["pair"]]
        for rater, ratings in (("R1", (3, 7)), ("R2", (2, 6)), ("R3", (1, 5)))
        for trial, rating in zip(["aa", "bb"], ratings, strict=True)
    ]


def test_a_rater_may_hand_in_both_formats_if_they_agree(folder):
    write_csv(folder / "a.csv", rows())
    write_export(folder / "a.json", rows()[::-1])
    assert len(read(folder)) == 2
    write_export(folder / "a.json", rows(ratings=(4, 7)))
    with pytest.raises(UserError, match=r"a\.json: rater R1 has other ratings in .*a\.csv"):
        read(folder)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            rows(page="ffff"),
            r"a\.csv, line 2: it is of page ffff, and the key of page 0123456789abcdef: put the listening_test\.json",
        ),
        (rows(ratings=(3, 8)), r"a\.csv, line 3: rating 8 is not from 1 to 7"),
        (rows(ratings=(0, 7)), r"a\.csv, line 2: rating 0 is not from 1 to 7"),
        (rows(ratings=("three", 7)), r"a\.csv, line 2: invalid literal for int\(\) with base 10: 'three'"),
        (rows(ratings=("", 7)), r"a\.csv, line 2: rating missing"),
        (rows(trial="zz"), r"a\.csv, line 2: the page has no trial zz"),
        (rows(trial="cc"), r"a\.csv, line 2: the page has no trial cc"),
        (rows(trial="aa"), r"a\.csv, line 3: trial aa is there twice"),
        ([rows("R1")[0], rows("R2")[1]], r"a\.csv, line 3: rater R2, and R1 before: one file for each rater"),
        ([{"name": "somebody", "age": 5}], r"a\.csv, line 2: rater, page, .* missing: ask for the file again"),
    ],
)
def test_what_cannot_be_taken_is_named_with_file_and_row(folder, table, message):
    write_csv(folder / "a.csv", table)
    with pytest.raises(UserError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", r"a\.csv has no ratings"),
        ("a.csv", "rater,page\n", r"a\.csv has no ratings"),
        ("a.json", "{", r"a\.json is not a file that the listening test saves \(Expecting"),
        ("a.json", "[]", r"a\.json is not a file that the listening test saves"),
        ("a.json", "{}", r"a\.json is not a file that the listening test saves \('trials'\)"),
        ("a.json", '{"trials": [3]}', r"a\.json is not a file that the listening test saves"),
        ("a.json", '{"trials": []}', r"a\.json has no ratings"),
        ("a.csv", "rater\n\0\xff", r"a\.csv is not a file|a\.csv, line"),
        ("a.txt", "", r"has no \.csv or \.json files of ratings: put them there, or set listening_test\.ratings to ''"),
    ],
)
def test_a_file_that_is_something_else_is_named(folder, name, text, message):
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=message):
        read(folder)


def test_a_json_row_is_named_by_its_number(folder):
    write_export(folder / "a.json", rows(ratings=(3, 9)))
    with pytest.raises(UserError, match=r"a\.json, trial 2: rating 9 is not from 1 to 7"):
        read(folder)


def test_ratings_of_an_earlier_page_are_read_with_the_key_beside_them(folder):
    write_csv(folder / "a.csv", rows(page="earlier", trial="dd")[:1])
    earlier = {"page": "earlier", "architecture": "additive", "scale": [1, 7], "trials": {"dd": TRIALS["aa"]}}
    write_json(folder / "listening_test.json", earlier)
    table, key = read_ratings(folder, folder.parent / "key.json")
    assert table["delta"].tolist() == ["0.1"]
    assert key == earlier
