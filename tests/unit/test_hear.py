"""The HEAR API. The checks of HEAR's validator are written from its documentation, so that they need no TensorFlow."""

import json
import warnings

import numpy as np
import pytest
import torch

from doppelgangers import hear
from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import save_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.errors import UserError
from doppelgangers.evaluation.features import extract_features
from doppelgangers.evaluation.release import release


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A narrow encoder; its running statistics are not the initial ones, so that evaluation mode matters."""
    folder = tmp_path_factory.mktemp("seed=0")
    encoder = Encoder(width=0.1, seed=3)
    torch.manual_seed(0)
    encoder(torch.randn(8, 96, 64))
    save_encoder(folder / "encoder.safetensors", encoder, Card("voice-0.25", "synthetic", 0, width=0.1))
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return hear.load_model(str(folder))


def noise(sounds, seconds, seed=0):
    return torch.rand((sounds, int(seconds * 16000)), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_model_has_what_hear_asks_for(model):
    assert isinstance(model, torch.nn.Module)
    assert not any(module.training for module in model.modules())
    assert model.sample_rate == 16000
    for size in (model.scene_embedding_size, model.timestamp_embedding_size):
        assert isinstance(size, int)
        assert size == 512


@pytest.mark.parametrize("seconds", [1.07, 1.98, 4.0])
def test_validator_timestamps(model, seconds):
    embeddings, timestamps = hear.get_timestamp_embeddings(noise(2, seconds), model)
    assert embeddings.dtype == timestamps.dtype == torch.float32
    assert (embeddings.ndim, timestamps.ndim) == (3, 2)
    assert embeddings.shape == (2, timestamps.shape[1], model.timestamp_embedding_size)
    assert timestamps.shape[0] == 2
    gaps = np.diff(timestamps.numpy())
    assert gaps.max() <= 50  # else it warns
    assert np.abs(gaps - gaps.mean()).max() <= 1
    assert timestamps.min() <= gaps.mean()
    assert 1000 * seconds - 50 <= timestamps.max() <= 1000 * seconds


def test_validator_scenes(model):
    embeddings = hear.get_scene_embeddings(noise(4, 2.74), model)
    assert embeddings.dtype == torch.float32
    assert embeddings.shape == (4, model.scene_embedding_size)


@pytest.mark.parametrize("seconds", [5.0, 0.96, 0.975])
def test_scene_embeddings_are_the_pipelines_features(tmp_path, folder, model, seconds):
    audio = noise(3, seconds)
    np.save(tmp_path / "logmel.npy", LogMel()(audio).numpy())
    extract_features(tmp_path / "x.npy", encoder=folder / "encoder.safetensors", logmel=tmp_path / "logmel.npy")
    expected = np.load(tmp_path / "x.npy")
    np.testing.assert_allclose(hear.get_scene_embeddings(audio, model).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_timestamp_embedding_is_that_of_the_window_around_it(model):
    audio = noise(1, 2.0)
    embeddings, timestamps = hear.get_timestamp_embeddings(audio, model)
    silent = torch.zeros(1, 16000)
    around = torch.cat([silent, audio, silent], dim=1)
    assert timestamps[0].tolist() == [50.0 * i for i in range(41)]
    for milliseconds in (0, 50, 1000, 1950, 2000):
        centre = 16000 + milliseconds * 16
        window = around[:, centre - 7800 : centre + 7800]  # 96 frames of 10 ms, and what the last one overhangs
        expected = hear.get_scene_embeddings(window, model)
        torch.testing.assert_close(embeddings[:, milliseconds // 50], expected, rtol=1e-4, atol=1e-5)


def test_an_embedding_does_not_depend_on_the_batch(model, monkeypatch):
    audio = noise(4, 1.2)
    scenes, (moments, _) = hear.get_scene_embeddings(audio, model), hear.get_timestamp_embeddings(audio, model)
    monkeypatch.setattr(hear, "BATCH_WINDOWS", 3)
    alone = hear.get_timestamp_embeddings(audio[3:4], model)[0]
    torch.testing.assert_close(hear.get_scene_embeddings(audio, model), scenes, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(hear.get_timestamp_embeddings(audio, model)[0], moments, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone[0], moments[3], rtol=1e-4, atol=1e-5)


def test_long_audio_is_embedded_in_parts(model):
    seen = []
    hook = model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    embeddings, timestamps = hear.get_timestamp_embeddings(noise(1, 30), model)
    hook.remove()
    assert embeddings.shape == (1, 601, 512)
    assert timestamps[0, -1] == 30000
    assert sum(seen) == 601
    assert max(seen) <= hear.BATCH_WINDOWS


def test_ten_milliseconds_are_enough(model):
    audio = noise(2, 0.01)
    padded = torch.nn.functional.pad(audio, (0, 15600 - 160))
    assert torch.equal(hear.get_scene_embeddings(audio, model), hear.get_scene_embeddings(padded, model))
    embeddings, timestamps = hear.get_timestamp_embeddings(audio, model)
    assert embeddings.shape == (2, 1, 512)
    assert timestamps.tolist() == [[0], [0]]
    assert torch.isfinite(embeddings).all()


def test_double_and_half_precision_give_float32(model):
    audio = noise(1, 1.0)
    scenes = hear.get_scene_embeddings(audio, model)
    assert torch.equal(hear.get_scene_embeddings(audio.double(), model), scenes)
    assert hear.get_scene_embeddings(audio.half(), model).dtype == torch.float32


@pytest.mark.parametrize("function", [hear.get_scene_embeddings, hear.get_timestamp_embeddings])
@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (torch.zeros(16000), r"\(sounds, samples\).*\(16000,\)"),
        (torch.zeros(1, 1, 16000), r"\(1, 1, 16000\)"),
        (torch.zeros(2, 0), r"not empty.*\(2, 0\)"),
        (torch.zeros(1, 16000, dtype=torch.int16), "int16"),
    ],
)
def test_wrong_audio_is_refused_in_words(model, function, audio, words):
    with pytest.raises(ValueError, match=words):
        function(audio, model)


def test_a_file_and_its_folder_are_the_same_model(folder, model):
    other = hear.load_model(str(folder / "encoder.safetensors"))
    assert torch.equal(other.encoder.fc.weight, model.encoder.fc.weight)


def test_a_released_encoder_embeds_as_the_encoder_did(tmp_path, folder, model):
    released, none = tmp_path / "pretrained/tones", tmp_path / "none"
    release(folder / "encoder.safetensors", released, scores=none)
    audio = noise(4, 2.0)
    scenes, (moments, _) = hear.get_scene_embeddings(audio, model), hear.get_timestamp_embeddings(audio, model)
    for place in (released, released / "encoder.safetensors"):
        other = hear.load_model(str(place))
        assert {tensor.dtype for tensor in other.parameters()} == {torch.float32}
        for found, expected in (
            (hear.get_scene_embeddings(audio, other), scenes),
            (hear.get_timestamp_embeddings(audio, other)[0], moments),
        ):
            change = (found - expected).norm(dim=-1) / expected.norm(dim=-1)
            assert 0 < change.max() < 5e-3  # it is another file, and as good


def test_no_path_is_the_random_initialisation_and_says_so():
    with pytest.warns(UserWarning, match=r"random initialisation: width 1.0, seed 0"):
        model = hear.load_model()
    assert torch.equal(model.encoder.conv1.weight, Encoder(width=1.0, seed=0).conv1.weight)
    assert not model.training


def test_a_wrong_path_is_named_with_what_is_accepted(tmp_path, folder):
    for path in (tmp_path / "none", tmp_path, tmp_path / "none.safetensors"):
        with pytest.raises(UserError, match=rf"{path}.*is not an encoder.*encoder.safetensors.*encoder.json"):
            hear.load_model(str(path))
    (tmp_path / "encoder.safetensors").write_bytes((folder / "encoder.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"there is no \S+encoder.json"):
        hear.load_model(str(tmp_path))
    (tmp_path / "encoder.json").write_text(json.dumps({"width": 1.0}))
    with pytest.raises(UserError, match=r"not the encoder that its \.json describes"):
        hear.load_model(str(tmp_path))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same(folder, model):
    audio = noise(2, 2.0)
    on_gpu = hear.load_model(str(folder)).to("cuda")
    scenes, (moments, timestamps) = hear.get_scene_embeddings(audio, on_gpu), hear.get_timestamp_embeddings(audio, on_gpu)
    assert scenes.device.type == moments.device.type == timestamps.device.type == "cuda"
    torch.testing.assert_close(scenes.cpu(), hear.get_scene_embeddings(audio, model), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(moments.cpu(), hear.get_timestamp_embeddings(audio, model)[0], rtol=1e-2, atol=1e-2)


def test_loading_an_encoder_warns_of_nothing(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hear.load_model(str(folder))
