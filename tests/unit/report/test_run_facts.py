import json

import pandas as pd
import pytest

from doppelgangers.encoders.card import Card
from doppelgangers.report.run_facts import about_run, duration, facts_of_run, in_range, read_records

CARDS = [
    Card("random_init", "random_init", 0, pairs=0, width=0.25),
    Card("voice-0.05", "synthetic", 0, pairs=51_200, width=0.25),
    Card("birds", "real", 0, pairs=1_000_000, width=0.5),
    Card("theirs", "peer", 0),
]


@pytest.fixture
def records(tmp_path):
    for number, (rule, seconds) in enumerate([("pretrain", 3_600.5), ("pretrain", 100), ("tag_sounds", 3)]):
        record = {
            "rule": rule,
            "machine": "Linux",
            "commit": "abc",
            "started": f"2026-01-0{number + 1}T00:00:00",
            "seconds": seconds,
        }
        (tmp_path / f"{number}.made.json").write_text(
            json.dumps({**record, "peak_memory_mb": 100 + number, "versions": {"torch": f"2.{number % 2}"}, "python": "3.11"})
        )
    return read_records(tmp_path)


def test_what_was_run(records):
    verdicts = pd.DataFrame({"verdict": ["reproduced", "not reproduced", "reproduced"]})
    facts = dict(facts_of_run(CARDS, records, verdicts))
    assert facts == {
        "encoders trained": "2",
        "pairs seen by each": "51,200 to 1,000,000",
        "width (paper: 1)": "0.25 to 0.5",
        "machines": "Linux",
        "time of all jobs": "1 h 1 min",
        "last job": "2026-01-03",
        "code": "abc",
        "verdicts on claims": "2 reproduced; 1 not reproduced",
    }


def test_nothing_trained_and_nothing_recorded(tmp_path):
    facts = dict(facts_of_run(CARDS[:1], read_records(tmp_path), pd.DataFrame({"verdict": []})))
    assert facts["encoders trained"] == "none"
    assert (facts["pairs seen by each"], facts["last job"]) == ("–", "not known")


def test_time_and_memory_of_each_rule(records):
    section = about_run(records)
    assert "torch 2.0 and 2.1" in section.blocks[0].text
    assert [[cell.text for cell in line] for line in section.blocks[-1].rows] == [
        ["pretrain", "2", "3,700", "101"],
        ["tag_sounds", "1", "3", "102"],
    ]


@pytest.mark.parametrize(("seconds", "text"), [(59.9, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min")])
def test_time_for_a_reader(seconds, text):
    assert duration(seconds) == text


def test_one_value_is_no_range():
    assert in_range([0.25, None, 0.25]) == "0.25"
