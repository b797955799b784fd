"""Settings of the encoder."""

from typing import Annotated

from pydantic import Field

from doppelgangers.settings import Section

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules


class EncoderSettings(Section):
    """The encoder, a ResNet18 on log-mel patches."""

    width: Annotated[float, Field(gt=0, le=4)] = Field(
        0.25, description="multiplies the number of channels; paper: 1.0, which takes 10 times as long on a CPU"
    )
