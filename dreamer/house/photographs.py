"""Photographs for training, out of two Debian packages: cut-outs of things, and whole pictures.

    tuxpaint-stamps-default   stamps of a drawing program for children: PNG with alpha, a thing each
    gcompris-qt-data          pictures of children's lessons: WebP inside Qt resource files (.rcc)

Nothing of them is kept in the project. Only what the packages' own copyright files put under a free licence is used:
public domain, CC0, CC-BY, CC-BY-SA, GPL. What is under the GFDL or a Sampling licence stays out. `sources` lists what
is used, each with its licence.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]

STAMPS_PACKAGE, PICTURES_PACKAGE = "tuxpaint-stamps-default", "gcompris-qt-data"
STAMPS, RESOURCES, COPYRIGHTS = (
    Path("/usr/share/tuxpaint/stamps"),
    Path("/usr/share/gcompris-qt/rcc"),
    Path("/usr/share/doc"),
)
SIDE = 256  # px: cut-outs fit into a square of it
LONGEST = 768  # px: whole pictures are brought down to it
FREE = re.compile(r"(public-domain|CC0(-[\d.]+)?|CC-BY(-SA)?(-[\d.]+)?|GPL-[\d.]+\+?|Expat|MIT|BSD-.*)", re.I)
NOT_FREE_ENOUGH = re.compile(r"GFDL|Free Documentation|Sampling", re.I)

# Stamps by what they show, in the words of classes.py. "" are things that no class of ours names.
CUTOUTS: dict[str, str] = {
    "dog": "animals/mammals/dogs/dog animals/mammals/dogs/dingo",
    "fox": "animals/mammals/dogs/fox",
    "lion": "animals/mammals/cats/lion animals/mammals/cats/lion-2",
    "tiger": "animals/mammals/cats/tiger animals/mammals/cats/tiger_sumatran",
    "horse": "animals/mammals/equines/horse animals/mammals/equines/donkey animals/mammals/equines/donkey_eating",
    "zebra": "animals/mammals/equines/zebra",
    "deer": "animals/mammals/deer/caribou animals/mammals/deer/deer animals/mammals/deer/doe "
    "animals/mammals/deer/wapiti animals/mammals/bovines/indian_blackbuck",
    "cow": "animals/mammals/bovines/bison animals/mammals/bovines/bull animals/mammals/bovines/cow "
    "animals/mammals/bovines/cow_white animals/mammals/bovines/gnu-baby-stand animals/mammals/bovines/gnu-stand "
    "animals/mammals/bovines/yak animals/mammals/bovines/zebu",
    "pig": "animals/mammals/pig animals/mammals/pig_golden animals/mammals/pig_golden2",
    "boar": "animals/mammals/wildboar",
    "sheep": "animals/mammals/bovines/ram animals/mammals/bovines/sheep animals/mammals/bovines/sheep_lamb",
    "goat": "animals/mammals/bovines/goat animals/mammals/bovines/mountaingoat",
    "camel": "animals/mammals/camel/camel animals/mammals/camel/dromedary",
    "giraffe": "animals/mammals/giraffe",
    "elephant": "animals/mammals/elephant",
    "rhinoceros": "animals/mammals/rhino_black",
    "hippopotamus": "animals/mammals/hippopotamus",
    "mouse": "animals/mammals/rodents/mouse animals/mammals/rodents/rat",
    "rabbit": "animals/mammals/rodents/rabbit animals/mammals/rodents/rabbit-2 animals/mammals/rabbit_little",
    "squirrel": "animals/mammals/rodents/squirrel",
    "bear": "animals/mammals/bears/bear animals/mammals/bears/european-bear",
    "koala": "animals/marsupials/koala",
    "otter": "animals/mammals/aquatic/otter animals/mammals/rodents/beaver",
    "badger": "animals/mammals/badger",
    "monkey": "animals/mammals/apes/chimp animals/mammals/apes/tamarin_emperor",
    "gorilla": "animals/mammals/apes/gorilla",
    "turkey": "animals/birds/turkey",
    "rooster": "animals/birds/rooster animals/birds/hen animals/birds/chicken_profile",
    "dove": "animals/birds/pigeon animals/birds/silver-gull animals/birds/seagull animals/birds/blackbird "
    "animals/birds/crow animals/birds/lark animals/birds/magpie",
    "penguin": "animals/birds/penguin animals/birds/little-penguin animals/birds/magellanic_penguin",
    "eagle": "animals/birds/vulture",
    "duck": "animals/birds/duck animals/birds/drake",
    "swan": "animals/birds/gander",
    "owl": "animals/birds/owl",
    "flamingo": "animals/birds/pink_flamingo",
    "peacock": "animals/birds/peacock",
    "parrot": "animals/birds/adelaide-rosella animals/birds/rainbow-lorikeet animals/birds/tucan animals/birds/quetzal",
    "frog": "animals/amphibians/frog animals/amphibians/frog-1",
    "lizard": "animals/lizards/iguana",
    "whale": "animals/mammals/aquatic/whale animals/mammals/aquatic/orca",
    "dolphin": "animals/mammals/aquatic/dolphin",
    "seal": "animals/mammals/aquatic/sea_lion",
    "fish": "animals/fish/bluegroper animals/fish/butterflyfish animals/fish/clownfish animals/fish/coraltrout "
    "animals/fish/dolphinfish animals/fish/moonwrasse animals/fish/stripedfish",
    "ant": "animals/insects/grasshopper animals/insects/mantis",
    "bee": "animals/insects/hornet animals/insects/hoverfly",
    "butterfly": "animals/insects/xanthia",
    "crab": "animals/fish/lobster",
    "shrimp": "animals/fish/shrimp",
    "shell": "animals/shellfish/abalone animals/shellfish/murray-mussel",
    "apple": "food/fruit/apple_fuji food/fruit/apple_granny_smith food/fruit/apple_green food/fruit/apple_red "
    "food/fruit/apple_sierra_beauty",
    "avocado": "food/fruit/avocado",
    "banana": "food/fruit/banana",
    "grapes": "food/fruit/grapes",
    "kiwi": "food/fruit/kiwi",
    "lemon": "food/fruit/lemon food/fruit/sliced_lime",
    "orange": "food/fruit/orange food/fruit/mandarine food/fruit/sliced_orange food/fruit/orange_seville",
    "pear": "food/fruit/pear",
    "pineapple": "food/fruit/pineapple",
    "peach": "food/fruit/apricot food/fruit/mango",
    "strawberry": "food/fruit/strawberry",
    "broccoli": "food/vegetables/broccoli food/vegetables/lettuce",
    "carrot": "food/vegetables/carrot",
    "chilli": "food/vegetables/chilepepper",
    "maize": "food/vegetables/corn",
    "aubergine": "food/vegetables/eggplant",
    "tomato": "food/vegetables/tomato",
    "mushroom": "food/vegetables/mushroom plants/mushrooms/cep plants/mushrooms/cep-1 plants/mushrooms/cep-2",
    "hibiscus": "plants/flowers/flower10 plants/flowers/chemparathi plants/flowers/adeenia plants/flowers/flower8 "
    "plants/flowers/flower9 plants/flowers/anemone_red",
    "daisy": "plants/flowers/yellow-flower plants/flowers/pigface plants/flowers/marigold plants/flowers/red-gazania "
    "plants/flowers/flower3",
    "rose": "plants/flowers/rose",
    "tree": "plants/trees/holm_oak plants/trees/tree336 plants/trees/birch",
    "palm": "plants/trees/liberia-palm",
    "fir": "seasonal/christmas/Christmas_Tree_photo",
    "herb": "plants/trees/holly_leaves",
    "car": "vehicles/auto/beetle vehicles/auto/sedan vehicles/auto/sportscar2",
    "lorry": "vehicles/auto/truck vehicles/garbagetruck vehicles/emergency/firetruck vehicles/construction/dumper",
    "bus": "vehicles/masstransit/green_korean_bus",
    "aeroplane": "vehicles/flight/planes/747",
    "ship": "vehicles/ship/chineseJunk vehicles/ship/walnutBoat",
    "guitar": "hobbies/music/string/guitar2 hobbies/music/string/guitar_classical hobbies/music/string/guitar_electric "
    "hobbies/music/string/violin hobbies/music/string/cello",
    "moon": "space/moon/moon_full space/moon/moon_3qt space/moon/moon_crescent",
    "globe": "space/planets/3_earth",
    "": "animals/marsupials/kangaroo animals/marsupials/wombat animals/mammals/rodents/marmot "
    "animals/mammals/rodents/capybara animals/mammals/ferret animals/birds/heron_greatblue "
    "animals/birds/heron_greatblue_flying animals/birds/crowned_crane animals/birds/ostrich animals/birds/nandou "
    "animals/birds/pelican animals/birds/guineafowl animals/fish/lionfish animals/fish/seahorse "
    "animals/mammals/bovines/gnu-sitting plants/flowers/iris plants/flowers/daffodil plants/flowers/flower1 "
    "plants/flowers/flower4 plants/flowers/whitestar-petunia plants/flowers/flower6 vehicles/7spoke256 "
    "vehicles/wheel_tractor vehicles/flight/balloon360 space/planets/6_saturn hobbies/music/percussion/drumkit "
    "hobbies/camera_35mm household/dishes/teapot food/vegetables/pumpkin_small food/fruit/pomegranate "
    "food/fruit/raspberry plants/trees/pinecone",
}
# The resource files with photographs of things and of country, by folder in them.
PICTURES = {
    "erase": "erase/resource/*",
    "explore_farm_animals": "explore_farm_animals/resource/animals/*",
    "explore_world_animals": "explore_world_animals/resource/animals/*",
    "explore_monuments": "explore_monuments/resource/*",
    "categorization": "categorization/resource/images/*",
    "clickgame": "clickgame/resource/sea*",
}
DULL = ("/tools/", "/others/", "solar")  # hammers on white teach a dream nothing


@dataclass(frozen=True)
class Source:
    """One picture file of a package: its path there, what it shows ("" where no class of ours says it), its licence."""

    package: str
    path: str
    label: str
    licence: str


def missing() -> str:
    """What to install, or "" where everything is there."""
    absent = [
        package
        for package, folder in ((STAMPS_PACKAGE, STAMPS), (PICTURES_PACKAGE, RESOURCES))
        if not folder.is_dir() or not (COPYRIGHTS / package / "copyright").is_file()
    ]
    return f"no photographs to train with: install the packages {' and '.join(absent)}" if absent else ""


def sources() -> tuple[Source, ...]:
    """Everything that is used. Raises FileNotFoundError saying what to install."""
    if problem := missing():
        raise FileNotFoundError(problem)
    return (*_stamps(), *(source for source, _ in _pictures()))


@lru_cache(maxsize=1)
def cutouts() -> dict[str, tuple[Bytes, ...]]:
    """Things cut out, by label: uint8 [SIDE, SIDE, 4] RGBA. Raises FileNotFoundError saying what to install."""
    found: dict[str, list[Bytes]] = {}
    for source in sources():
        if source.package == STAMPS_PACKAGE:
            found.setdefault(source.label, []).append(_cut_out(STAMPS / source.path))
    return {label: tuple(versions) for label, versions in found.items()}


@lru_cache(maxsize=1)
def pictures() -> tuple[Bytes, ...]:
    """Whole photographs, uint8 [height, width, 3], of at most LONGEST px.

    Raises FileNotFoundError saying what to install.
    """
    if problem := missing():
        raise FileNotFoundError(problem)
    found = []
    for _, data in _pictures():
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        found.append(np.asarray(picture))
    return tuple(found)


def table() -> str:
    """The sources as Markdown, by package and licence."""
    lines: list[str] = []
    used = sources()
    for package in (STAMPS_PACKAGE, PICTURES_PACKAGE):
        of_it = [source for source in used if source.package == package]
        lines += [f"**`{package}`**, {len(of_it)} pictures:", ""]
        for licence in sorted({source.licence for source in of_it}):
            files = sorted(source.path for source in of_it if source.licence == licence)
            named = f"- {licence}: {', '.join(f'`{_without_ending(name)}`' for name in files)}"
            lines += textwrap.wrap(named, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        lines.append("")
    return "\n".join(lines)


def _cut_out(path: Path) -> Bytes:
    picture = Image.open(path).convert("RGBA")
    box = picture.getchannel("A").point(lambda a: 255 if a > 40 else 0).getbbox()
    picture = picture.crop(box)
    scale = (SIDE - 16) / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    square = Image.new("RGBA", (SIDE, SIDE))
    square.paste(picture, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return np.asarray(square)


# --- stamps: one licence for all, and a changelog that names what is under another ----------------------------------


def _stamps() -> Iterator[Source]:
    documents = COPYRIGHTS / STAMPS_PACKAGE
    everything = Copyright.read(documents / "copyright").licence_of("stamps")
    with gzip.open(documents / "changelog.gz", "rt", encoding="utf-8", errors="replace") as file:
        exceptional = exceptions(file.read())
    for label, names in CUTOUTS.items():
        for name in names.split():
            licence = exceptional.get(_words(Path(name).name), everything)
            if allowed(licence) and (STAMPS / f"{name}.png").is_file():
                yield Source(STAMPS_PACKAGE, f"{name}.png", label, licence)


def exceptions(changelog: str) -> dict[str, str]:
    """Which stamps the changelog puts under a licence of their own: names in small letters with spaces, to licences.

    An entry names one stamp or several, a line each, and then says where they are from and, on a line with "License",
    "GFDL" or "Creative Commons", under what.
    """
    found: dict[str, str] = {}
    names: list[str] = []
    fresh, depth, heading = True, 0, ""  # whether the next name begins an entry; the licence of the list it is in
    for line in changelog.splitlines():
        entry = re.match(r"(\s*)[*+-]\s+(.*)", line)
        if entry:
            if fresh:
                heading = found.get(names[0], "") if names and len(entry[1]) > depth else ""
                names = []
            fresh, depth = False, len(entry[1])
            names.append(_words(Path(re.sub(r"\.(png|svg)$", "", entry[2].strip())).name))
            if heading:
                found[names[-1]] = heading
        elif not line.strip():
            fresh, names = True, []  # what follows is about something else: a sound, say
        else:
            fresh = True
            if licence := _licence_in(line):
                found |= dict.fromkeys(names, licence)
    return found


def _licence_in(line: str) -> str:
    if NOT_FREE_ENOUGH.search(line):
        choice = re.search(r"or (CC-BY\S*(?: [\d.]+)?)", line)
        return choice[1].replace(" ", "-") if choice else "GFDL"
    if match := re.search(r"CC-BY(-SA)?-?([\d.]+)?", line):
        return match[0]
    if match := re.search(r"Creative Commons (?:CC-)?(BY-SA|BY|Attribution)[ -]?([\d.]+)?", line, re.I):
        kind = "CC-BY-SA" if match[1].upper() == "BY-SA" else "CC-BY"
        return kind + (f"-{match[2]}" if match[2] else "")
    return "public-domain" if re.search(r"Licen[sc]e: public domain", line, re.I) else ""


def _words(name: str) -> str:
    return re.sub(r"[_\W]+", " ", name).strip().lower()


# --- Qt resource files ----------------------------------------------------------------------------------------------


def _pictures() -> Iterator[tuple[Source, bytes]]:
    rights = Copyright.read(COPYRIGHTS / PICTURES_PACKAGE / "copyright")
    for file, pattern in PICTURES.items():
        path = RESOURCES / f"{file}.rcc"
        for name, data in sorted(resources(path.read_bytes()).items()):
            inside = name.partition("/src/activities/")[2]
            if not fnmatch(inside, pattern) or not name.endswith(".webp") or any(part in name for part in DULL):
                continue
            licence = rights.licence_of(f"src/activities/{inside}")
            if allowed(licence):
                yield Source(PICTURES_PACKAGE, inside, "", licence), data


def resources(data: bytes) -> dict[str, bytes]:
    """The uncompressed files of a Qt resource file (.rcc, format versions 1 to 3) by path.

    The layout is that of Qt's own `rcc`: a header, and a tree of nodes whose names and contents lie in two areas.
    Raises ValueError for anything else.
    """
    if data[:4] != b"qres":
        raise ValueError(f"a Qt resource file begins with b'qres', this one with {data[:4]!r}")
    version, tree, contents, names = struct.unpack(">4I", data[4:20])
    node_size = 14 if version == 1 else 22  # later ones have a time
    found: dict[str, bytes] = {}
    folders = [(0, "")]
    while folders:
        folder, path = folders.pop()
        count, first = struct.unpack_from(">II", data, tree + folder * node_size + 6)
        for number in range(first, first + count):
            at = tree + number * node_size
            name_at, flags = struct.unpack_from(">IH", data, at)
            (length,) = struct.unpack_from(">H", data, names + name_at)
            start = names + name_at + 6
            name = f"{path}/{data[start : start + 2 * length].decode('utf-16-be')}"
            if flags & 2:
                folders.append((number, name))
            elif not flags & 5:  # neither zlib nor Zstandard
                (offset,) = struct.unpack_from(">I", data, at + 10)
                (size,) = struct.unpack_from(">I", data, contents + offset)
                found[name] = data[contents + offset + 4 : contents + offset + 4 + size]
    return found


# --- Debian's machine-readable copyright files ----------------------------------------------------------------------


@dataclass(frozen=True)
class Copyright:
    """What a `debian/copyright` file says: patterns of files and their licences, in its order."""

    files: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> Copyright:
        """Read the file, in Debian's format 1.0."""
        return cls.parse(path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Copyright:
        """Read the text of such a file."""
        found = []
        for paragraph in re.split(r"\n\s*\n", text):
            fields: dict[str, str] = {}
            field = ""
            for line in paragraph.splitlines():
                if line[:1].isspace():
                    fields[field] = fields.get(field, "") + "\n" + line.strip()
                elif ":" in line:
                    field, _, value = line.partition(":")
                    fields[field] = value.strip()
            licence = fields.get("License", "").split("\n", 1)[0]
            found += [(_without_ending(pattern), licence) for pattern in fields.get("Files", "").split()]
        return cls(tuple(found))

    def licence_of(self, path: str) -> str:
        """The licence of the last pattern that fits, whatever kind of picture file it was when that was written."""
        bare = _without_ending(path)
        return next((licence for pattern, licence in reversed(self.files) if fnmatch(bare, pattern)), "unknown")


def _without_ending(path: str) -> str:
    return re.sub(r"\.(jpe?g|png|webp)$", "", path, flags=re.I)


def allowed(licence: str) -> bool:
    """Whether training may use what is under this licence: one of its alternatives is free, all parts of it."""
    for choice in re.split(r"\s+or\s+", licence):
        parts = re.split(r"\s+and\s+", choice)
        if all(FREE.fullmatch(part.strip(" ,")) for part in parts):
            return True
    return False
