import json

import pytest
import torch

from doppelgangers.encoders.adopt import adopt
from doppelgangers.encoders.card import Card, read_card
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.initialize import initialize
from doppelgangers.errors import UserError
from doppelgangers.files import checksum


def test_a_card_is_read_as_it_was_written(tmp_path):
    card = Card("voice-0.25", "synthetic", 3, architecture="voice", delta=0.25, pairs=64, width=0.5, about={"scores": [1, 2]})
    card.write(tmp_path / "encoder.json")
    assert read_card(tmp_path / "encoder.json") == card
    assert json.loads((tmp_path / "encoder.json").read_text())["scores"] == [1, 2]


def test_what_a_card_does_not_say_is_named(tmp_path):
    path = tmp_path / "encoder.json"
    path.write_text(json.dumps({"encoder": "voice-0.25", "width": 1.0}))
    with pytest.raises(UserError, match=r"encoder.json does not say source, seed"):
        read_card(path)


def test_an_adopted_encoder_has_its_weights_and_the_name_it_is_given(tmp_path):
    released, adopted = tmp_path / "released/encoder.safetensors", tmp_path / "adopted/encoder.safetensors"
    initialize(released, seed=4, width=0.1)
    adopt(adopted, released=released.parent, name="theirs")
    card = read_card(adopted.with_suffix(".json"))
    assert (card.encoder, card.source, card.seed, card.width, card.pairs) == ("theirs", "released", 0, 0.1, 0)
    assert card.about == {"released": {"encoder": "random_init", "seed": 4, "sha256": checksum(released)}}
    found, expected = load_encoder(adopted).state_dict(), load_encoder(released).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
