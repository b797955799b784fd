"""A miniature of every dataset: a few short sounds in exactly the layout of the original."""

import io
import json

import numpy as np
import soundfile

COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
JUNK = b"not a sound"


def sound(number, take, rate_hz, *, duration_s=0.2, channels=1, subtype="PCM_16"):
    """A sound file: a tone, one semitone higher for each number, and noise that differs between takes."""
    rng = np.random.default_rng([number + 128, take])
    time = np.arange(round(duration_s * rate_hz)) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * 300 * 2 ** (number / 12) * time)
    samples = tone[:, None] + 0.01 * rng.standard_normal((len(time), channels))
    data = io.BytesIO()
    soundfile.write(data, samples, rate_hz, format="WAV", subtype=subtype)
    return data.getvalue()


def table(header, rows, separator=","):
    return ("\n".join([header, *(separator.join(map(str, row)) for row in rows)]) + "\n").encode()


def esc50_files():
    """Five folds, two classes."""
    root, rows, files = f"ESC-50-{COMMIT}", [], {}
    for fold in range(1, 6):
        for number in range(2):
            for target, category in ((0, "dog"), (1, "rooster")):
                name = f"{fold}-{100 + number}-A-{target}.wav"
                files[f"{root}/audio/{name}"] = sound(12 * target, 10 * fold + number, 44100, duration_s=0.5)
                rows.append((name, fold, target, category, True, 100 + number, "A"))
    files[f"{root}/meta/esc50.csv"] = table("filename,fold,target,category,esc10,src_file,take", rows)
    return files


def urbansound8k_files():
    """Ten folds, two classes; rates and channels differ, one recording is stereo, one has 8 kHz."""
    root, rows = "UrbanSound8K", []
    files = {f"{root}/{name}": JUNK for name in ("UrbanSound8K_README.txt", "audio/.DS_Store", "audio/fold1/._1001-3-0-0.wav")}
    for fold in range(1, 11):
        for target, label in ((3, "dog_bark"), (8, "siren")):
            name, rate_hz, channels = f"{1000 + fold}-{target}-0-0.wav", 8000 if fold == 2 else 44100, 2 if fold == 3 else 1
            files[f"{root}/audio/fold{fold}/{name}"] = sound(target, fold, rate_hz, channels=channels)
            rows.append((name, 1000 + fold, 0.0, 0.2, 1, fold, target, label))
    files[f"{root}/metadata/UrbanSound8K.csv"] = table("slice_file_name,fsID,start,end,salience,fold,classID,class", rows)
    return files


def vivae_files():
    """Eleven speakers, two emotions; the core set repeats some of them."""
    files = {}
    for speaker in range(1, 12):
        for number, emotion in enumerate(("anger", "pleasure")):
            files[f"VIVAE/full_set/S{speaker:02d}_{emotion}_peak_{number:02d}.wav"] = sound(12 * number, speaker, 44100)
    files["VIVAE/core_set/S01_anger_peak_00.wav"] = JUNK
    return files


def fsd50k_files():
    """Two labels, either or both; 20 recordings for development, 5 for evaluation."""
    labels = ("Bark", "Siren", '"Bark,Siren"', "Bark")
    mids = ("/m/05tny_", "/m/03kmc9", '"/m/05tny_,/m/03kmc9"', "/m/05tny_")
    files, rows = {}, {"dev": [], "eval": []}
    for number in range(25):
        kind = "dev" if number < 20 else "eval"
        files[f"FSD50K.{kind}_audio/{64760 + number}.wav"] = sound(number % 4 * 5, number, 44100)
        split = ("val" if number % 5 == 0 else "train",) if kind == "dev" else ()
        rows[kind].append((64760 + number, labels[number % 4], mids[number % 4], *split))
    files["FSD50K.ground_truth/dev.csv"] = table("fname,labels,mids,split", rows["dev"])
    files["FSD50K.ground_truth/eval.csv"] = table("fname,labels,mids", rows["eval"])
    files["FSD50K.ground_truth/vocabulary.csv"] = b"0,Bark,/m/05tny_\n1,Siren,/m/03kmc9\n"
    return files


def nsynth_files():
    """Three splits with different instruments; the lowest and the highest pitch are outside of HEAR's range."""
    files = {}
    for split, instruments in {"train": (0, 1, 2), "valid": (3,), "test": (4,)}.items():
        examples = {}
        for number in instruments:
            for pitch in (20, 21, 60, 109):
                note = f"bass_synthetic_{number:03d}-{pitch:03d}-100"
                files[f"nsynth-{split}/audio/{note}.wav"] = sound(pitch - 60, number, 16000)
                examples[note] = {"note_str": note, "pitch": pitch, "sample_rate": 16000}
        files[f"nsynth-{split}/examples.json"] = json.dumps(examples).encode()
    return files


def crema_d_files():
    """Ten actors, two emotions, and the four recordings that HEAR does not use."""
    absent = ("1040_ITH_SAD_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1017_IWW_FEA_XX")
    files = {f"AudioWAV/{name}.wav": JUNK for name in absent}
    for actor in range(1001, 1011):
        for number, emotion in enumerate(("ANG", "HAP")):
            files[f"AudioWAV/{actor}_DFA_{emotion}_XX.wav"] = sound(12 * number, actor, 16000)
    return files


VOCAL_IMITATION_COLUMNS = (
    *("imitation_id", "imitation_filename", "category_id", *(f"category_d{depth}" for depth in range(1, 7))),
    *("reference_filename", "included", "draft", "training", "participant_id", "satisfaction"),
)


def vocal_imitation_files():
    """Three references with six included imitations each, and one that was excluded."""
    root, rows, files = "VocalImitationSet", [], {}
    for number in range(19):
        name, reference = f"{number:06d} - {number % 3:03d}Animal_Bark.wav", f"{number % 3:03d}Animal_Bark.wav"
        folder = "included" if number < 18 else "excluded"
        files[f"{root}/vocal_imitations/{folder}/{name}"] = sound(number % 3 * 7, number, 44100)
        files[f"{root}/original_recordings/reference/{reference}"] = JUNK
        categories = (number % 3, "Animal", "", "", "", "", "")
        rows.append((number, name, *categories, reference, number < 18, number == 18, False, 1, "Mostly satisfied"))
    files[f"{root}/vocal_imitations.txt"] = table("\t".join(VOCAL_IMITATION_COLUMNS), rows, "\t")
    return files


def libricount_files():
    """Ten mixtures of nobody, ten of one person and ten of ten people."""
    files = {}
    for number in range(30):
        stem = f"test/{(0, 1, 10)[number % 3]}_{1000 + number}"
        files[f"{stem}.wav"] = sound(number % 3 * 7, number, 16000)
        files[f"{stem}.json"] = b'[{"sex": "F", "activity": [[0, 10]], "speaker_id": 1}]'
    return files


def fsdd_files():
    """Six speakers, each digit once."""
    root = "free-spoken-digit-dataset-1.0.10"
    files = {f"{root}/README.md": b"", f"{root}/utils/spectogramer.py": b""}
    for take, speaker in enumerate(("george", "jackson", "lucas", "nicolas", "theo", "yweweler")):
        files |= {f"{root}/recordings/{digit}_{speaker}_0.wav": sound(digit * 3, take, 8000) for digit in range(10)}
    return files


def mit_ir_files():
    """Four impulse responses of 24 bits, and what macOS adds to a zip archive."""
    names = ("h001_Bedroom_65txts", "h002_Bedroom_47txts", "h026_Gym_8txts", "h271_Street_1txts")
    files = {f"Audio/{name}.wav": sound(0, number, 32000, subtype="PCM_24") for number, name in enumerate(names)}
    return {**files, "__MACOSX/Audio/._h001_Bedroom_65txts.wav": JUNK, "Audio/.DS_Store": JUNK}


def folder_files():
    """A set of the user's own: three folds, and a label that some clips do not have."""
    rows = [(f"sounds/{number:02d}.wav", number % 3 + 1, "ab"[number % 2], "x" if number < 6 else "") for number in range(12)]
    files = {f"mine/sounds/{number:02d}.wav": sound(number % 2 * 12, number, 22050) for number in range(12)}
    return {**files, "mine/clips.csv": table("path,fold,letter,rare", rows)}


HEAR_METADATA = {
    **{"task_name": "spoken_digit", "version": "1.0.9", "embedding_type": "scene", "prediction_type": "multiclass"},
    **{"split_mode": "new_split_kfold", "nfolds": 3, "sample_duration": 0.2, "evaluation": ["top1_acc"]},
    "splits": ["fold00", "fold01", "fold02"],
}


def hear_files():
    """A preprocessed task of three folds, its labels numbers, at two sample rates."""
    root, files = "hear-2021.0.6/tasks/spoken_digit-1.0.9-small", {}
    for take, fold in enumerate(HEAR_METADATA["splits"]):
        labels = {f"{digit}_{fold}.wav": [digit] for digit in (0, 1)}
        files[f"{root}/{fold}.json"] = json.dumps(labels).encode()
        for rate_hz in (16000, 48000):
            files |= {f"{root}/{rate_hz}/{fold}/{name}": sound(12 * labels[name][0], take, rate_hz) for name in labels}
    files[f"{root}/labelvocabulary.csv"] = b"idx,label\n0,0\n1,1\n"
    return {**files, f"{root}/task_metadata.json": json.dumps(HEAR_METADATA).encode()}


FILES = {
    "esc50": esc50_files,
    "urbansound8k": urbansound8k_files,
    "vivae": vivae_files,
    "fsd50k": fsd50k_files,
    "nsynth_pitch": nsynth_files,
    "crema_d": crema_d_files,
    "vocal_imitation": vocal_imitation_files,
    "libricount": libricount_files,
    "fsdd": fsdd_files,
    "mit_ir": mit_ir_files,
    "folder": folder_files,
    "hear": hear_files,
}
