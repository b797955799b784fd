import base64
import collections
import hashlib
import io
import json
import re

import numpy as np
import pytest
import soundfile

from doppelgangers.analysis.listening_test import write_listening_test
from doppelgangers.analysis.sounds import read_set
from doppelgangers.analysis.stimuli import loudness
from doppelgangers.analysis.trials import plan_trials
from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from tests.listeners import DELTAS, write_page, write_sets


def content_of(page):
    return json.loads(re.search(r'id="content">(.*?)</script>', page.read_text(), re.DOTALL)[1])


def sound_of(uri):
    return soundfile.read(io.BytesIO(base64.b64decode(uri.partition(",")[2])))[0]


def test_the_page_has_every_kind_of_trial_and_the_key_says_which_is_which(tmp_path, monkeypatch):
    page, key = write_page(tmp_path, monkeypatch, pairs=3)
    kinds = collections.Counter(trial["kind"] for trial in key["trials"].values())
    assert kinds == {"practice": 3, "rated": 9, "identical": 3, "unrelated": 3, "repeat": 4}
    content = content_of(page)
    assert {trial["id"] for trial in content["trials"] + content["practice"]} == set(key["trials"])
    assert {trial["id"] for trial in content["practice"]} == {
        name for name, trial in key["trials"].items() if trial["kind"] == "practice"
    }
    rated = [(trial["pair"], trial["delta"]) for trial in key["trials"].values() if trial["kind"] == "rated"]
    pairs = {pair for pair, _ in rated}
    assert sorted(rated) == sorted((pair, delta) for pair in pairs for delta in DELTAS)
    assert len(pairs) == 3
    others = [
        name for trial in key["trials"].values() if trial["kind"] in ("practice", "identical") for name in [trial["pair"]]
    ]
    assert pairs.isdisjoint(others)


def test_the_sounds_of_a_trial_are_those_that_the_key_says(tmp_path, monkeypatch):
    page, key = write_page(tmp_path, monkeypatch)
    content = content_of(page)
    sets = {}
    for delta in DELTAS:
        sounds, table, _ = read_set(tmp_path / f"sounds/voice-{delta}")
        sets |= {(delta, row.clip, row.view): sound for row, sound in zip(table.itertuples(), sounds, strict=True)}
    for trial in content["trials"]:
        fact = key["trials"][trial["id"]]
        first, second = (sound_of(content["sounds"][sound]) for sound in trial["sounds"])
        if fact["kind"] == "identical":
            assert trial["sounds"][0] == trial["sounds"][1]
        elif fact["kind"] == "unrelated":
            one, other = fact["pair"].split()
            assert one != other
            check = [(first, sets[DELTAS[0], one, "a"]), (second, sets[DELTAS[0], other, "a"])]
        else:
            check = [(first, sets[fact["delta"], fact["pair"], "a"]), (second, sets[fact["delta"], fact["pair"], "b"])]
        if fact["kind"] != "identical":
            for found, expected in check:
                assert np.corrcoef(found, expected)[0, 1] > 0.9999


def test_all_sounds_are_equally_loud(tmp_path, monkeypatch):
    page, key = write_page(tmp_path, monkeypatch)
    levels = [loudness(sound_of(uri)) for uri in content_of(page)["sounds"].values()]
    assert levels == pytest.approx([key["loudness"]] * len(levels), abs=0.05)
    assert key["limited"] == 0


def test_nothing_in_the_page_tells_the_delta_of_a_trial(tmp_path, monkeypatch):
    page, key = write_page(tmp_path / "a", monkeypatch)
    other_page, other_key = write_page(tmp_path / "b", monkeypatch, deltas=("0.01", "0.02", "2"))
    # The same sounds with other deltas give the same page.
    assert page.read_bytes() == other_page.read_bytes()
    assert {trial["delta"] for trial in other_key["trials"].values()} == {"", "0.01", "0.02", "2"}
    text, content = page.read_text(), content_of(page)
    assert not re.search("delta|voice", re.sub('"data:audio/wav;base64,[^"]*"', "", text), re.IGNORECASE)
    assert {frozenset(trial) for trial in content["trials"]} == {frozenset({"id", "sounds"})}
    assert all(re.fullmatch("[0-9a-f]{6}", name) for name in [*content["sounds"], *key["trials"]])
    # Their lengths say nothing, and the order of the page is that of their names.
    assert len({len(uri) for uri in content["sounds"].values()}) == 1
    assert [trial["id"] for trial in content["trials"]] == sorted(trial["id"] for trial in content["trials"])
    assert list(content["sounds"]) == sorted(content["sounds"])


def test_names_and_places_do_not_go_with_delta(tmp_path):
    """Over many pages, the mean correlation of a name with delta is that of chance, within 3 / sqrt(pages * trials)."""
    found = []
    for seed in range(40):
        folder = tmp_path / str(seed)
        write_listening_test(folder / "page.html", folder / "key.json", sets=write_sets(folder, pairs=8, seed=seed), pairs=4)
        trials = read_json(folder / "key.json")["trials"]
        rated = [(int(name, 16), float(trial["delta"])) for name, trial in trials.items() if trial["kind"] == "rated"]
        found.append(np.corrcoef(np.array(rated).T)[0, 1])
    assert abs(np.mean(found)) < 3 / np.sqrt(40 * 12)


def test_the_same_sounds_give_the_same_page_and_others_another(tmp_path, monkeypatch):
    (first, key), (second, same), (_, other) = (
        write_page(tmp_path / name, monkeypatch, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first.read_bytes() == second.read_bytes()
    assert key == same
    assert set(key["trials"]).isdisjoint(other["trials"])
    assert key["page"] != other["page"]


def test_the_digest_is_that_of_the_page_without_it(tmp_path, monkeypatch):
    page, key = write_page(tmp_path, monkeypatch)
    without = page.read_text().replace(f'data-page="{key["page"]}"', 'data-page=""')
    assert hashlib.sha256(without.encode()).hexdigest()[:16] == key["page"]


def test_pairs_that_are_silent_at_one_delta_are_not_rated_at_another(tmp_path):
    sets = [*write_sets(tmp_path, deltas=["0.1"], pairs=9), *write_sets(tmp_path, deltas=["0.5"], pairs=7)]
    write_listening_test(tmp_path / "page.html", tmp_path / "key.json", sets=sets, pairs=7)
    trials = read_json(tmp_path / "key.json")["trials"].values()
    assert {trial["pair"] for trial in trials if trial["kind"] == "rated"} == set(map(str, range(7)))
    with pytest.raises(
        UserError, match=r"needs 8 pairs that are audible at every delta, and there are 7: raise analysis\.sounds"
    ):
        write_listening_test(tmp_path / "page.html", tmp_path / "key.json", sets=sets, pairs=8)


def test_trials_need_no_more_pairs_than_there_are():
    trials = plan_trials(["x"], [], deltas=["0.5"], pairs=1, rng=np.random.default_rng(0))
    assert collections.Counter(trial.kind for trial in trials) == {"practice": 3, "identical": 3, "rated": 1}
