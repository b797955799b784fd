"""The features of a sound, in the order of their columns, and their units; what they are: docs/analysis.md."""

MFCC_COUNT = 13

# 1: a number without unit.
UNITS = {
    "flux": "full scale",
    "complexity": "peaks",
    "centroid": "Hz",
    "rolloff": "Hz",
    "flatness": "1",
    "entropy": "bit",
    "contrast": "1",
    "inharmonicity": "1",
    "odd_to_even": "dB",
    "dissonance": "1",
    "pitch_salience": "1",
    "pitch_confidence": "1",
    "zero_crossings": "1/s",
    **{f"mfcc_{number}": "dB" for number in range(MFCC_COUNT)},
    "log_attack_time": "log10(s)",
    "level_range": "dB",
    "temporal_centroid": "s",
}
