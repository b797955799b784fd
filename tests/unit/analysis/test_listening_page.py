"""The listening test in a real browser, from the welcome to the table of ratings."""

import csv

import pandas as pd
import pytest
from scipy.stats import spearmanr

from doppelgangers.analysis.exports import rows_of
from doppelgangers.analysis.ratings import analyse_ratings
from tests.browser import DESKTOP, PHONE
from tests.listeners import DELTAS, Listener, write_page, write_similarity

pytestmark = pytest.mark.slow


def careful(key):
    """A listener who hears delta, more or less: the ratings of a pair of each delta follow from its name."""

    def rate(name):
        trial = key["trials"][name]
        if trial["kind"] in ("identical", "unrelated"):
            return 7 if trial["kind"] == "identical" else 1
        return 6 - 2 * DELTAS.index(trial["delta"]) + int(trial["pair"]) % 2

    return rate


def ratings_of(folder, key_file, ratings):
    analyse_ratings(
        folder / "ratings.csv",
        folder / "by_delta.csv",
        folder=ratings,
        key=key_file,
        similarity=write_similarity(folder / "similarity.csv"),
        tagger="aisfx",
        resamples=100,
    )
    return pd.read_csv(folder / "ratings.csv").set_index("rater"), pd.read_csv(folder / "by_delta.csv")


def cells(file):
    return [{name: str(value) for name, value in row.items()} for _, row in rows_of(file)]


def test_from_the_welcome_to_the_table(browse, tmp_path, monkeypatch):
    """A careful listener with keys only, one with a phone, and one who always answers the same."""
    path, key = write_page(tmp_path, monkeypatch)
    ratings, rate = tmp_path / "handed_in", careful(key)
    for rater, device, kind in (("keys", DESKTOP, "CSV"), ("phone", PHONE, "JSON")):
        listener = Listener(browse(path, device), rate, keyboard=rater == "keys")
        listener.take(rater)
        file = listener.hand_in(ratings, kind)
        other = listener.hand_in(tmp_path / "other", {"CSV": "JSON", "JSON": "CSV"}[kind])
        assert cells(file) == cells(other)
        sounds = {trial["id"]: trial["sounds"] for trial in listener.page.evaluate("content.trials")}
        for row in cells(file):
            assert listener.heard[row["trial"]] == sounds[row["trial"]][:: -1 if row["swapped"] == "1" else 1]
    careless = pd.read_csv(next(ratings.glob("*.csv"))).assign(rater="careless", rating=4)
    careless.to_csv(ratings / "careless.csv", index=False)

    table, by_delta = ratings_of(tmp_path, tmp_path / "listening_test.json", ratings)
    rated = {name: trial for name, trial in key["trials"].items() if trial["kind"] == "rated"}
    expected = spearmanr([rate(name) for name in rated], [float(trial["delta"]) for trial in rated.values()])[0]
    assert expected < -0.8
    assert table.index.tolist() == ["careless", "keys", "phone", "all"]
    assert table["kept"].tolist() == [False, True, True, True]
    assert table.loc["careless", "reason"] == "catch trials: 3 identical rated below 6, 3 unrelated above 3"
    assert table.loc[["keys", "phone", "all"], "rho"].tolist() == pytest.approx([expected] * 3, abs=1e-4)
    assert table.loc["all", "reason"] == "2 of 3 raters kept"
    assert (table["headphones"] == 1).all()
    assert table.loc["all", "repeat_difference"] == 0
    means = [sum(rate(name) for name, trial in rated.items() if trial["delta"] == delta) / 2 for delta in DELTAS]
    assert by_delta["mean"].tolist() == pytest.approx(means, abs=1e-4)
    assert by_delta["ratings"].tolist() == [4, 4, 4]
    assert by_delta["cosine_centred"].tolist() == [0.9, 0.5, 0.1]

    # What else is in a file.
    (file,) = ratings.glob("ratings_keys_*.csv")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {row["page"] for row in rows} == {key["page"]}
    assert {row["plays_a"] + row["plays_b"] for row in rows} == {"11"}
    assert {row["swapped"] for row in rows} == {"0", "1"}
    assert [row["position"] for row in rows] == [str(place) for place in range(1, len(rows) + 1)]
    times = [rows[0]["started"], *(row["at"] for row in rows)]
    assert times == sorted(times)
    assert rows[0]["finished"] >= times[-1]


def test_the_order_follows_from_the_code_and_what_comes_twice_comes_well_apart(browse, tmp_path, monkeypatch):
    path, key = write_page(tmp_path, monkeypatch)
    orders = []
    for rater in ("one", "one", "two"):
        listener = Listener(browse(path), careful(key))
        listener.start(rater)
        state = listener.state()
        assert sorted(trial["id"] for trial in state["trials"] + state["practice"]) == sorted(key["trials"])
        orders.append([(trial["id"], trial["swapped"]) for trial in state["trials"]])
    assert orders[0] == orders[1] != orders[2]
    for order in orders:
        places = {}
        for place, (name, _) in enumerate(order):
            places.setdefault((key["trials"][name]["pair"], key["trials"][name]["delta"]), []).append(place)
        twice = [both for both in places.values() if len(both) == 2]
        assert len(twice) == 3
        assert min(second - first for first, second in twice) >= len(order) / 4


def test_a_test_goes_on_where_it_was_closed(browse, tmp_path, monkeypatch):
    path, key = write_page(tmp_path, monkeypatch)
    listener = Listener(browse(path), careful(key))
    listener.begin("R1")
    for _ in range(3):
        listener.answer()
    listener.press("Begin the test")
    listener.answer()
    listener.answer()
    before = listener.state()
    context = listener.page.context
    listener.page.close()

    again = Listener(browse(path, context=context), careful(key))
    assert "You have rated 2 of 15 pairs as R1." in again.page.locator("#resume").inner_text()
    assert not again.page.get_by_role("button", name="Start", exact=True).is_visible()
    again.press("Continue")
    assert again.page.locator("h1:visible").inner_text() == "Pair 3 of 15"
    assert again.state() == before
    while again.state()["step"] != "end":
        again.answer()
    table = cells(again.hand_in(tmp_path))
    assert [row["position"] for row in table] == [str(place) for place in range(1, 16)]
    assert [row["trial"] for row in table] == [trial["id"] for trial in before["trials"]]
    assert [row["at"] for row in table[:2]] == [answer["at"] for answer in before["answers"]]

    again.page.once("dialog", lambda dialog: dialog.accept())
    again.press("Delete my answers from this browser")
    again.page.get_by_role("button", name="Start", exact=True).wait_for()
    assert again.page.evaluate("localStorage.length") == 0


def test_both_sounds_are_heard_to_their_end_before_they_are_rated(browse, tmp_path, monkeypatch):
    path, key = write_page(tmp_path, monkeypatch, duration_s=0.6)
    listener = Listener(browse(path), careful(key))
    listener.begin("R1")
    page = listener.page
    while listener.state()["step"] == "practice":
        listener.answer()
    listener.press("Begin the test")
    page.keyboard.press("a")
    page.keyboard.press("b")  # which cuts the first one short
    page.locator(".side.heard").wait_for()
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    assert page.locator("#rating:disabled").is_visible()
    assert page.get_by_role("status").first.inner_text() == "Now listen to sound A."
    assert page.locator("h1:visible").inner_text() == "Pair 1 of 15"
    page.keyboard.press("a")
    page.locator("#rating:enabled").wait_for()
    page.keyboard.press("Enter")  # without a rating
    assert page.locator("h1:visible").inner_text() == "Pair 1 of 15"
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    assert page.locator("h1:visible").inner_text() == "Pair 2 of 15"
    (answer,) = listener.state()["answers"]
    assert (answer["rating"], answer["plays_a"], answer["plays_b"]) == (5, 2, 1)
    assert answer["seconds"] > 1.2


def test_a_failed_headphone_check_is_noted_and_stops_nobody(browse, tmp_path, monkeypatch):
    path, key = write_page(tmp_path, monkeypatch)
    listener = Listener(browse(path, PHONE), careful(key))
    monkeypatch.setattr(listener, "quietest", lambda: 0)
    listener.begin("R1")
    state = listener.state()
    assert state["step"] == "practice"
    assert state["headphones"] == [names[0] == "quiet" for names in state["rounds"]]
    assert not all(state["headphones"])


def test_without_storage_the_page_says_so_and_works(browse, tmp_path, monkeypatch):
    path, key = write_page(tmp_path, monkeypatch)
    page = browse(path)
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }})")
    page.reload()
    assert page.get_by_text("This browser keeps nothing for this page").is_visible()
    Listener(page, careful(key)).start("R1")
    assert page.locator("h1:visible").inner_text() == "Volume"


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everything_has_room_and_can_be_touched(browse, tmp_path, monkeypatch, device):
    path, key = write_page(tmp_path, monkeypatch)
    page = browse(path, device)
    listener = Listener(page, careful(key))
    for step in ("welcome", "volume", "headphones", "before-practice", "practice", "before-trials"):
        if step == "volume":
            listener.start("R1")
        elif step != "welcome":
            page.evaluate(f"go('{step}')")
        page.screenshot(path=tmp_path / f"{step}.png", full_page=True)
        width = device["viewport"]["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for control in page.locator("button:visible, .scale label:visible").all():
            box = control.bounding_box()
            assert box["height"] >= 44, control.inner_text()
            assert box["width"] >= 40, control.inner_text()
    assert page.evaluate("[...document.querySelectorAll('button')].every((button) => button.textContent.trim())")
