"""What is in a figure, for tests: figures are kept instead of closed."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def kept(monkeypatch):
    """The figures that were drawn, the last one last."""
    found = []
    monkeypatch.setattr(plt, "close", found.append)
    yield found
    monkeypatch.undo()
    plt.close("all")


def texts(axis):
    """Title, labels and ticks of a panel."""
    return axis.get_title(), axis.get_xlabel(), [label.get_text() for label in axis.get_yticklabels()]


def panels(figure):
    """Its panels that can be seen, colour bars left out."""
    return [axis for axis in figure.axes if axis.get_visible() and axis.get_label() != "<colorbar>"]
