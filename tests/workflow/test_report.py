"""The page that tells the study, of a whole run, in a real browser; and Snakemake's own report."""

import re

import pandas as pd
import pytest

from tests.browser import DESKTOP, PHONE

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
def test_the_page_of_a_run_is_whole(finished, browse, device):
    page = browse(finished.path("results/report.html"), device)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    figures = sorted(path.stem for path in finished.path("results/figures").glob("*.svg"))
    assert page.locator("figure > svg").count() == len(figures) >= 8
    too_small = "[...document.querySelectorAll('figure > svg')].filter(svg => svg.getBoundingClientRect().width < 200).length"
    assert page.evaluate(too_small) == 0
    verdicts = pd.read_csv(finished.path("results/claims.csv"))
    assert page.locator(".verdict").count() == len(verdicts)
    assert page.locator("#scores table").first.get_by_text("random_init").is_visible()
    play = page.locator(".play").first
    play.scroll_into_view_if_needed()
    play.click()
    page.wait_for_function("[...document.querySelectorAll('audio')].some(sound => sound.currentTime > 0.2)")


def test_every_figure_is_there_for_papers_too(finished):
    figures = finished.path("results/figures")
    names = {path.stem for path in figures.glob("*.svg")}
    assert (
        names
        == {path.stem for path in figures.glob("*.pdf")}
        > {"scores_by_delta", "comparisons", "training", "spectrograms_voice"}
    )
    assert all(path.read_bytes().startswith(b"%PDF") for path in figures.glob("*.pdf"))


def test_nothing_is_claimed_at_the_smallest_scale(finished):
    verdicts = pd.read_csv(finished.path("results/claims.csv"))
    assert set(verdicts.verdict) <= {"reproduced", "not reproduced", "not tested at this scale"}
    of_scores = verdicts[verdicts.claim.isin(["better_than_no_training", "best_delta", "voice_is_strong"])]
    assert set(of_scores.verdict) == {"not tested at this scale"}
    table = finished.path("results/table.md").read_text()
    assert re.search(r"^\| random\\_init \| 0 \|", table, re.MULTILINE)


def test_snakemakes_own_report_has_captions_and_categories(finished):
    result = finished.run("--report", "snakemake.html")
    assert result.returncode == 0, result.stdout
    text = finished.path("snakemake.html").read_text()
    for part in ("Scores", "Sounds", "Training", "Verdicts on the paper"):
        assert part in text
