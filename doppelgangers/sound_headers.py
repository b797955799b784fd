"""What the headers of sound files say of their length, which decoders take too lightly: they give the part that is there."""

import re
import struct

from doppelgangers.errors import UserError

# Sizes of a wav file that was written to a pipe, or whose writer died: 0, just under 2 GiB, or 4 GiB.
STREAMED = (range(1), range(2**31 - 2**13, 2**31 + 2**8), range(2**32 - 2**8, 2**32))
# Chunks that programs write behind the sound.
TRAILER = re.compile(rb"LIST|id3 |ID3 |bext|cue |smpl|inst|iXML|afsp|PEAK|fact|_PMX|cart|axml|JUNK|junk|PAD |FLLR|SAUR")
# Lines of libsndfile's log about a part that is shorter than its header says.
SHORT = re.compile(r"^ *(?:data|SSND|Data Size|Riff size|riff) *: *(?P<said>\d+) \(should be (?P<found>\d+)\)", re.MULTILINE)
SHORT_RF64 = re.compile(r"Calculated frame count (?P<found>\d+) does not match value from 'ds64' chunk of (?P<said>\d+)")
SHORT_AIFF = re.compile(r"'COMM' chunk \((?P<said>\d+)\) not equal to [^(]*\((?P<found>\d+)\)")
NIST_LENGTH = re.compile(rb"sample_count -i (?P<said>\d+)")
# Formats whose headers say how long a sound is, and are compared with it.
CHECKED = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST"}
BLOCKS = re.compile(r"Samples/Block *: (?P<block>\d+)(?:.*\n)*?fact .*\n +frames *: (?P<frames>\d+)")
MPEG_KBITS = {  # layer 3, by version
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_HZ = (44100, 48000, 32000)
TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICS", b"3DI")  # what may follow the frames of an mp3


def is_streamed(size: int) -> bool:
    """Whether a size stands for "not known"."""
    return any(size in sizes for sizes in STREAMED)


def completed(data: bytes, name: str) -> bytes:
    """The content of a sound file, with a header that says how long it is.

    Raises:
        UserError: when the file is shorter than its header says, or holds more than a decoder would give.
    """
    if data[:4] in (b"RIFF", b"RIFX"):
        return complete_wav(data, name)
    if data[:4] == b"caff":
        return complete_caf(data, name)
    if data[:4] == b"OggS":
        check_ogg(data, name)
    elif (start := mpeg_start(data)) is not None:
        return complete_mpeg(data, start, name)
    return data


def complete_wav(data: bytes, name: str) -> bytes:
    """A wav file with the true size of its sound, where the header leaves it open.

    Raises:
        UserError: when it is truncated, with the bytes that are missing.
    """
    order = "<" if data[:4] == b"RIFF" else ">"
    at = 12
    while data[at : at + 4] != b"data":
        if at + 8 > len(data):
            return data  # the decoder says what is wrong
        at = next_chunk(data, at, order)
    start = at + 8
    riff, size = (struct.unpack_from(f"{order}I", data.ljust(start, b"\0"), place)[0] for place in (4, at + 4))
    of_file = (len(data), len(data) - 8)  # some programs take the size of the file for that of the sound
    if is_streamed(size) or (size in of_file and (riff in of_file or is_streamed(riff))):
        if ends_with_chunks(data, next_chunk(data, at, order), order):
            return data
        found = (match.start() for match in TRAILER.finditer(data, start))
        end = next((begin for begin in found if ends_with_chunks(data, begin, order)), len(data))
        sizes = [struct.pack(f"{order}I", number) for number in (len(data) - 8, end - start)]
        return b"".join([data[:4], sizes[0], data[8 : at + 4], sizes[1], data[start:]])
    if start + size > len(data):
        raise UserError(f"{name} is truncated: {start + size - len(data)} of its {start + size} bytes are missing")
    return data + bytes(size % 2 and start + size == len(data))  # some decoders need the padding


def next_chunk(data: bytes, at: int, order: str) -> int:
    """Where the chunk after the one at `at` begins; chunks have an even number of bytes."""
    (size,) = struct.unpack_from(f"{order}I", data, at + 4)
    return at + 8 + size + size % 2


def ends_with_chunks(data: bytes, at: int, order: str) -> bool:
    """Whether there are only whole chunks from `at` to the end; the last one may lack its padding."""
    while at + 8 <= len(data):
        at = next_chunk(data, at, order)
    return at - len(data) in (0, 1)


def check_ogg(data: bytes, name: str) -> None:
    """Look for the last page of an ogg file, and whether another stream follows it.

    Raises:
        UserError: when the last page is missing, or the decoder would give the first of several streams only.
    """
    at, flags = 0, []
    while data.startswith(b"OggS", at) and at + 27 <= len(data):
        flags.append(data[at + 5])
        segments = data[at + 26]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    if at > len(data) or not flags or not flags[-1] & 4:
        raise UserError(f"{name} is truncated: the last page of its stream is missing")
    starts = [bool(flag & 2) for flag in flags]
    if any(starts[starts.index(False) :] if False in starts else ()):
        raise UserError(f"{name} holds several sounds one after another, and only the first can be read: split or join them")


def complete_caf(data: bytes, name: str) -> bytes:
    """A Core Audio file with the size of its last chunk, where the header leaves it open: as -1.

    Raises:
        UserError: when it is truncated, with the bytes that are missing.
    """
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">q", data, at + 4)
        if size < 0:
            return b"".join([data[: at + 4], struct.pack(">q", len(data) - at - 12), data[at + 12 :]])
        at += 12 + size
    if at > len(data):
        raise UserError(f"{name} is truncated: {at - len(data)} of its {at} bytes are missing")
    return data


def mpeg_start(data: bytes) -> int | None:
    """Where the first frame of an mp3 is, after tags; None where it is none."""
    at = 0
    while data.startswith(b"ID3", at) and at + 10 <= len(data):
        a, b, c, d = data[at + 6 : at + 10]
        at += 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if data[at + 5] & 16 else 0)
    return at if mpeg_frame(data, at) else None


def mpeg_frame(data: bytes, at: int) -> int:
    """Bytes of the layer 3 frame at `at`; 0 where there is none."""
    if at + 4 > len(data):
        return 0
    head = int.from_bytes(data[at : at + 4])
    version, layer, rate, hz = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or layer != 1 or version == 1 or rate in (0, 15) or hz == 3:
        return 0
    kbits, scale = MPEG_KBITS[3 if version == 3 else 2][rate], {3: 1, 2: 2, 0: 4}[version]
    return (144000 if version == 3 else 72000) * kbits // (MPEG_HZ[hz] // scale) + (head >> 9 & 1)


def complete_mpeg(data: bytes, start: int, name: str) -> bytes:
    """An mp3 with the number of its frames, which a decoder guesses from the first one where there is no such header.

    Raises:
        UserError: when its last frame is cut, or something else is between its frames.
    """
    size = mpeg_frame(data, start)
    if any(mark in data[start : start + size] for mark in (b"Xing", b"Info", b"VBRI")):
        return data
    at, frames = start, 0
    while length := mpeg_frame(data, at):
        at, frames = at + length, frames + 1
    rest = data[at:]
    if at > len(data):
        raise UserError(f"{name} is truncated: {at - len(data)} bytes of its last frame are missing")
    if rest.strip(b"\0") and not rest.startswith(TAGS):
        raise UserError(f"{name} is damaged: there is no MPEG frame at byte {at}; write it anew from its source")
    side = {(3, False): 32, (3, True): 17, (2, False): 17, (2, True): 9}[
        3 if data[start + 1] >> 3 & 3 == 3 else 2, data[start + 3] >> 6 == 3
    ]
    info = bytes([data[start], data[start + 1] | 1, *data[start + 2 : start + 4]]) + bytes(side)
    return data[:start] + (info + b"Info" + struct.pack(">II", 1, frames)).ljust(size, b"\0") + data[start:]


def check_length(data: bytes, file_format: str, log: str, frames: int, said: int, name: str) -> None:
    """Compare what was decoded with what libsndfile read in the header.

    Args:
        data: content of the file.
        file_format: libsndfile's name of it.
        log: libsndfile's, of the file.
        frames, said: samples of each channel, decoded and by the header.
        name: of the file, for messages.

    Raises:
        UserError: when there is less, or the format does not say how much there should be.
    """
    if file_format not in CHECKED:
        raise UserError(f"{name} is of the format {file_format}, of which nobody could tell if it is whole: convert it to wav")
    if file_format == "NIST" and (length := NIST_LENGTH.search(data)):
        said = int(length["said"])
    if frames < said < 2**62:  # a flac file that was written to a pipe has no length
        raise UserError(f"{name} is truncated: {said - frames} of its {said} samples are missing")
    for line in (SHORT, SHORT_RF64, SHORT_AIFF):
        for match in line.finditer(log):
            said, found = int(match["said"]), int(match["found"])
            if said > found and not is_streamed(said):
                raise UserError(f"{name} is truncated: its header says {said}, and {found} are there")


def without_padding(log: str, samples: int) -> int:
    """Number of samples of a wav file whose code comes in blocks, without those that only fill the last block."""
    if match := BLOCKS.search(log):
        frames, block = int(match["frames"]), int(match["block"])
        # libsndfile itself divides by the number of channels when it writes; less than half is that, not padding.
        return frames if 0 <= samples - frames < block and 2 * frames > samples else samples
    return samples
