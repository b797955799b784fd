"""Stage: a listening test as one page, which is opened from a file and asks the network for nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from doppelgangers.analysis.sounds import read_set
from doppelgangers.analysis.stimuli import data_uri, equally_loud, farthest_pairs, headphone_tones, pink_noise
from doppelgangers.analysis.trials import UNRELATED, Side, Trial, plan_trials
from doppelgangers.errors import UserError
from doppelgangers.files import replace, write_json

TEMPLATES = Path(__file__).parent / "listening_page"
SCALE = (1, 7)  # from completely different to identical
HEADPHONE_ROUNDS = 6
SECONDS_A_TRIAL, SECONDS_BEFORE = 9, 180  # what it takes, to say so at the start


def write_listening_test(page: Path, key: Path, *, sets: list[Path], pairs: int) -> None:
    """Write the page, and the key to its trials.

    What is drawn follows from the sounds: the same sounds give the same page, byte for byte.

    Args:
        page: HTML file to write.
        key: JSON file to write: `page` (digest of the page, which is in all that it exports), `scale`, `loudness` of the sounds
            in LKFS, `limited` (how many stay below it), and `trials`: kind, delta and pair of each by its id.
        sets: folders of pairs of one architecture (`sounds.write_sounds`), one for each delta.
        pairs: that are rated at each delta.

    Raises:
        UserError: when there are too few pairs.
    """
    sounds, common, about = read_pairs(sets)
    needed = max(pairs, 2 * UNRELATED)
    if len(common) < needed:
        raise UserError(
            f"the listening test needs {needed} pairs that are audible at every delta, and there are {len(common)}: "
            "raise analysis.sounds, or lower listening_test.pairs"
        )
    deltas = [part["delta"] for part in about]
    rng = np.random.default_rng(list(hashlib.sha256(b"".join(sound.tobytes() for sound in sounds.values())).digest()))
    least = min(deltas, key=float)
    apart = farthest_pairs(np.stack([sounds[least, clip, "a"] for clip in common]), UNRELATED)
    trials = plan_trials(common, [(common[i], common[j]) for i, j in apart], deltas=deltas, pairs=pairs, rng=rng)
    used = list(dict.fromkeys(side for trial in trials for side in (trial.first, trial.second)))
    levelled, loud, limited = equally_loud([sounds[side] for side in used])
    ids = dict(zip(used, opaque(len(used), rng), strict=True))
    names = opaque(len(trials), rng)
    content = {
        "scale": SCALE,
        "rounds": HEADPHONE_ROUNDS,
        "noise": data_uri(pink_noise(loud, rng)),
        "tones": {name: data_uri(tone) for name, tone in headphone_tones(loud).items()},
        "sounds": dict(sorted((ids[side], data_uri(sound)) for side, sound in zip(used, levelled, strict=True))),
        "practice": page_trials(trials, names, ids, practice=True),
        "trials": page_trials(trials, names, ids, practice=False),
    }
    text, digest = render(content)
    with replace(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    answers = {name: {"kind": trial.kind, **facts_of(trial)} for name, trial in zip(names, trials, strict=True)}
    facts = {"page": digest, "architecture": about[0]["architecture"], "scale": list(SCALE), "loudness": round(loud, 2)}
    write_json(key, {**facts, "limited": limited, "trials": answers})


def read_pairs(sets: list[Path]) -> tuple[dict[Side, np.ndarray], list[str], list[dict[str, Any]]]:
    """The sounds of all sets, the names of the pairs that are in all of them, and what is known of each set."""
    sounds: dict[Side, np.ndarray] = {}
    names, facts = [], []
    for folder in sets:
        samples, table, about = read_set(folder)
        sounds |= {
            (about["delta"], clip, view): sound for clip, view, sound in zip(table["clip"], table["view"], samples, strict=True)
        }
        names.append(list(dict.fromkeys(table["clip"])))
        facts.append(about)
    common = [clip for clip in names[0] if all(clip in others for others in names)]
    return sounds, common, facts


def opaque(count: int, rng: np.random.Generator) -> list[str]:
    """Names that say nothing of what they name, not even in their order."""
    return [f"{number:06x}" for number in rng.choice(16**6, size=count, replace=False)]


def page_trials(trials: list[Trial], names: list[str], ids: dict[Side, str], *, practice: bool) -> list[dict[str, Any]]:
    """What the page knows of its trials: two sounds each."""
    found = [
        {"id": name, "sounds": [ids[trial.first], ids[trial.second]]}
        for name, trial in zip(names, trials, strict=True)
        if (trial.kind == "practice") == practice
    ]
    return sorted(found, key=lambda trial: trial["id"])


def facts_of(trial: Trial) -> dict[str, str]:
    """Delta and pair of a trial; catch trials have no delta, and unrelated sounds are of two pairs."""
    alone = trial.first[1] == trial.second[1]
    delta = "" if trial.kind in ("identical", "unrelated") else trial.first[0]
    return {"delta": delta, "pair": trial.first[1] if alone else f"{trial.first[1]} {trial.second[1]}"}


def render(content: dict[str, Any]) -> tuple[str, str]:
    """The page, and its digest: of the same page without it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    parts = {
        "style": Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        "script": Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),
        "content": Markup(json.dumps(content, sort_keys=True).replace("<", "\\u003c")),
        "trials": len(content["trials"]),
        "minutes": -(-(SECONDS_A_TRIAL * len(content["trials"]) + SECONDS_BEFORE) // 60),
        "practice": len(content["practice"]),
        "scale": range(content["scale"][0], content["scale"][1] + 1),
        "rounds": content["rounds"],
    }
    template = environment.get_template("page.html")
    digest = hashlib.sha256(template.render(**parts, page="").encode()).hexdigest()[:16]
    return template.render(**parts, page=digest), digest
