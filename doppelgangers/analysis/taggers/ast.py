"""The tagger ast: the Audio Spectrogram Transformer, which the paper uses (Gong et al. 2021; BSD licence), of transformers."""

import importlib.util
from typing import Any

import torch

from doppelgangers.analysis.taggers.tagger import Tagger
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError


class AstTagger(Tagger):
    """A transformer on patches of the log-mel spectrum, with the feature extractor that belongs to it.

    Args:
        network: `ASTForAudioClassification`.
        extractor: `ASTFeatureExtractor`; it pads sounds to the length that the network takes, 10 s in the paper's.
    """

    rate_hz, outputs, batch_sounds = RATE_HZ, "sigmoid", 8

    def __init__(self, network: Any, extractor: Any):
        super().__init__()
        self.network, self.extractor = network, extractor

    def forward(self, audio: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        inputs = self.extractor(list(audio.cpu().numpy()), sampling_rate=self.rate_hz, return_tensors="pt")
        pooled = self.network.audio_spectrogram_transformer(inputs["input_values"].to(audio.device)).pooler_output
        return [self.network.classifier(pooled)], pooled


def load(model: str) -> AstTagger:
    """The tagger with the weights of a model.

    Args:
        model: a name on the Hugging Face hub, from where it is fetched once; or a folder with a model and its extractor.

    Raises:
        UserError: when transformers is not installed, the hub does not answer, or there is no such model.
    """
    if importlib.util.find_spec("transformers") is None:
        raise UserError("analysis.taggers: ast needs the package transformers: pip install transformers, or leave ast out")
    from transformers import ASTFeatureExtractor, ASTForAudioClassification

    try:
        extractor = ASTFeatureExtractor.from_pretrained(model)
        network = ASTForAudioClassification.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise UserError(
            f"analysis.ast: {model} cannot be loaded ({str(error).splitlines()[0]}): it has to be a model on the Hugging Face "
            "hub that this machine can reach, or a folder that such a model was saved to (config.json, model.safetensors, "
            "preprocessor_config.json)"
        ) from error
    if extractor.sampling_rate != RATE_HZ:
        raise UserError(f"analysis.ast: {model} takes sounds at {extractor.sampling_rate} Hz, and has to take {RATE_HZ} Hz")
    return AstTagger(network, extractor).eval()
