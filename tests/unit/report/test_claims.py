import pytest

from doppelgangers.errors import UserError
from doppelgangers.report.claims import load_claims
from tests.conftest import ROOT

CLAIMS = ROOT / "configs/claims.yaml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("at_least: 7", "at_least: 9", "claims.beats_augmented_recordings: at_least is 9, of 8 tasks"),
        ("id: best_delta", "id: voice_is_strong", "'voice_is_strong' is the id of two claims"),
        ("by: features", "by: colours", "claims.features_differ.test"),
        ("{sounds: 1000}", "{sound: 1000}", "claims.features_differ.enough.sound = 1000"),
        ("at_most: 0.1", "at_most: -1", "claims.synthesis_keeps_up.test.waiting.at_most = -1"),
        ("esc50: 58.90", "esc5: 58.90", "did you mean esc50"),
        ("claims:", "claims: [", "not valid YAML"),
    ],
)
def test_a_fault_in_the_claims_is_named(tmp_path, old, new, message):
    text = CLAIMS.read_text()
    assert old in text
    (tmp_path / "claims.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=r"claims\.yaml") as caught:
        load_claims(tmp_path / "claims.yaml")
    assert message in str(caught.value)


def test_claims_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UserError, match="have to be there"):
        load_claims(tmp_path / "claims.yaml")
