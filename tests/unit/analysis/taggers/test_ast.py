"""The tagger ast through transformers' own loading, with a tiny model that is saved to a folder."""

import importlib.util

import numpy as np
import pytest
import torch
from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

from doppelgangers.analysis.taggers.ast import load
from doppelgangers.errors import UserError

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_length": 128,
    "num_mel_bins": 32,
    "num_labels": 7,
}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    ASTForAudioClassification(ASTConfig(**TINY)).eval().save_pretrained(tmp_path / "ast")
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(tmp_path / "ast")
    return tmp_path / "ast"


def test_logits_are_those_of_transformers(folder):
    sounds = np.random.default_rng(0).uniform(-1, 1, (3, 16000)).astype(np.float32)
    (logits,), embedding = load(str(folder)).tag(sounds)
    model = ASTForAudioClassification.from_pretrained(folder).eval()
    inputs = ASTFeatureExtractor.from_pretrained(folder)(list(sounds), sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**inputs).logits.numpy()
    np.testing.assert_allclose(logits, theirs, atol=1e-5)
    assert embedding.shape == (3, 16)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(UserError, match=r"analysis\.ast: .*nothing cannot be loaded .*preprocessor_config\.json"):
        load(str(tmp_path / "nothing"))


def test_a_hub_that_does_not_answer_is_named(monkeypatch):
    """As on a machine without a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"analysis\.ast: somebody/some-model cannot be loaded"):
        load("somebody/some-model")


def test_a_model_for_another_rate_is_refused(folder):
    ASTFeatureExtractor(sampling_rate=8000).save_pretrained(folder)
    with pytest.raises(UserError, match="takes sounds at 8000 Hz"):
        load(str(folder))


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="needs the package transformers: pip install transformers"):
        load("anything")
