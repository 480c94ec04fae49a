"""Which drawings by other hands teach the eye which word: other emoji, and icons by their names.

A set of icons calls the same thing `cow`, `animal-cow-outline` and `cow_face`; what only says how or where something is
drawn does not count. Drawings that go by the name of an emoji that is held back (`judging.HELD_BACK`) are left out,
whoever drew them.
"""

from __future__ import annotations

import re

# Emoji of each word beside those that the house model was trained with (dreamer/house/classes.py).
MORE_EMOJI = {
    "cow": "🦬",
    "heart": "💝💞💕💓💟",
    "hand": "✌🤘🤙🤟👌🤞👐🙌🤲👏",
    "train": "🚊🚉🚈🚋🚃",
    "books": "📔📒📓",
    "moon": "🌑🌒🌓🌔🌕🌖🌗🌘🌚🌝",
    "sun": "🌅🌄",
    "star": "✨💫",
    "skyscraper": "🏙🌇🌆🏤🏪🏩",
    "house": "🏘🛖",
    "clock": "⌚⏱⏲",
    "bread": "🥯🫓",
    "ship": "🛶",
    "lorry": "🛻",
}

# What icons are called, beside the word itself.
NAMES = {
    "dog": ("jumping dog", "sitting dog", "sniffing dog", "puppy", "hound"),
    "wolf": ("wolf howl",),
    "cat": ("kitten", "cat hollow"),
    "horse": ("pony",),
    "deer": ("stag", "reindeer", "elk"),
    "cow": ("bull", "bison", "ox"),
    "boar": ("boar tusks",),
    "sheep": ("ram", "lamb"),
    "mouse": ("rat",),
    "bear": ("polar bear",),
    "koala": ("koala bear",),
    "rooster": ("chicken", "hen", "cock"),
    "chick": ("baby chick", "hatching chick"),
    "dove": ("bird", "freedom dove", "peace dove"),
    "eagle": ("hawk", "falcon"),
    "owl": ("barn owl",),
    "crocodile": ("croc", "alligator"),
    "turtle": ("sea turtle", "tortoise"),
    "lizard": ("gecko", "iguana"),
    "snake": ("cobra", "rattlesnake"),
    "dinosaur": ("t rex", "trex", "dinosaur rex", "diplodocus", "sauropod", "stegosaurus"),
    "whale": ("sperm whale", "spouting whale", "orca"),
    "dolphin": ("shark",),
    "fish": ("tropical fish", "fish", "goldfish"),
    "octopus": ("squid",),
    "bee": ("bumblebee", "wasp", "honey bee"),
    "ladybird": ("ladybug", "beetle", "lady beetle"),
    "crab": ("lobster",),
    "shrimp": ("prawn",),
    "face": ("smile", "smiley", "happy", "emoticon", "emoticon happy", "mood smile", "grin", "laughing"),
    "clown": ("jester",),
    "ogre": ("oni", "goblin"),
    "ghost": ("floating ghost",),
    "skull": ("skull crossbones",),
    "shell": ("spiral shell", "seashell", "nautilus shell"),
    "eye": ("visible", "human eye"),
    "ear": ("hearing", "human ear"),
    "mouth": ("lips",),
    "hand": ("hand palm", "hand right", "hand left", "high five", "hand stop", "five fingers", "hand multiple"),
    "heart": ("heart straight", "heart beats", "two hearts", "hearts", "shining heart"),
    "cherry blossom": ("sakura", "blossom"),
    "daisy": ("camomile", "chamomile"),
    "rose": ("rosa",),
    "clover": ("shamrock", "four leaf clover", "clover leaf"),
    "leaf": ("maple leaf", "oak leaf", "linden leaf", "curled leaf", "falling leaf", "fallen leaf", "leaves", "zigzag leaf", "ginkgo leaf", "chestnut leaf", "vine leaf"),  # noqa: E501
    "herb": ("sprout", "seedling"),
    "tree": ("deciduous tree", "oak", "trees", "beech"),
    "fir": ("pine tree", "evergreen tree", "evergreen", "christmas tree", "pine"),
    "palm": ("palm tree",),
    "watermelon": ("watermelon slice",),
    "banana": ("banana bunch",),
    "cherries": ("cherry",),
    "aubergine": ("eggplant",),
    "maize": ("corn",),
    "chilli": ("chili", "chili pepper", "chilli pepper", "hot pepper", "pepper hot"),
    "bread": ("bread slice", "sliced bread", "croissant", "loaf", "toast"),
    "cheese": ("cheese wedge",),
    "hamburger": ("burger",),
    "pizza": ("pizza slice", "full pizza"),
    "fried egg": ("egg sunny",),
    "ice cream": ("ice cream cone", "ice cream soft", "ice cream bowl", "ice cream scoop", "ice pop", "popsicle"),
    "doughnut": ("donut",),
    "biscuit": ("cookie",),
    "cake": ("birthday cake", "cake slice", "cupcake", "muffin", "slice of cake", "layered cake"),
    "lollipop": ("spiral lollipop",),
    "house": ("home", "cottage", "family house", "house chimney", "hut"),
    "castle": ("fortress", "castle turret"),
    "church": ("mosque", "chapel"),
    "tower": ("eiffel tower", "tokyo tower", "radio tower"),
    "skyscraper": ("building", "buildings", "office building", "city", "apartment", "apartments", "office", "company"),
    "temple": ("greek temple", "torii", "torii gate", "pantheon", "landmark", "parthenon"),
    "fountain": ("water fountain",),
    "car": ("automobile", "taxi", "sedan", "city car", "cab", "jeep", "car suv", "car hatchback", "car profile", "car estate", "car simple", "directions car", "car windshield"),  # noqa: E501
    "bus": ("trolleybus", "tour bus", "school bus", "double decker bus", "directions bus", "bus simple", "bus doors"),
    "lorry": ("truck", "fire truck", "delivery truck", "van", "shipping truck", "local shipping"),
    "train": ("locomotive", "steam locomotive", "tram", "rail", "railway", "train simple", "train regional", "train variant", "tram car", "directions railway", "light rail"),  # noqa: E501
    "bicycle": ("bike", "bicycle cargo", "directions bike"),
    "ship": ("boat", "sail boat", "sailboat", "sailing", "cargo ship", "sail ship", "fishing boat", "directions boat"),
    "aeroplane": ("airplane", "plane", "jet", "commercial airplane", "flight"),
    "rocket": ("rocket launch", "rocket flight"),
    "star": ("stars", "round star"),
    "globe": ("earth", "world", "globe stand", "globe asia"),
    "volcano": ("smoking volcano", "mount fuji"),
    "fire": ("flame", "fire simple", "campfire"),
    "great wave": ("wave", "waves", "big wave", "water wave", "wave crest"),
    "gem": ("diamond", "cut diamond", "gem stone"),
    "crown": ("queen crown", "crown simple", "jewel crown"),
    "guitar": ("acoustic guitar", "electric guitar", "violin", "bass guitar"),
    "clock": ("alarm clock", "alarm", "mantelpiece clock", "cuckoo clock", "wall clock", "watch"),
    "books": ("book", "book stack", "library books", "notebook", "book pile", "bookshelf", "book cover", "white book"),
    "ferris wheel": ("big wheel",),
}  # fmt: skip

# What sets of icons mean otherwise: a mouse of a computer, a seal of wax, a person at a door.
OTHERWISE = frozenset({"mouse", "seal", "woman", "man", "ant", "orange"})

# How something is drawn, and which part or side of it.
STYLES = """
outline outlined filled fill bold thin light duotone regular rounded sharp solid remix line negative variant alt color
icon logo one two three four five six seven eight nine animal face head vehicle side front food fruit vegetable plant
flower whole local
"""
UNSAID = frozenset(STYLES.split())


def key(name: str) -> tuple[str, ...]:
    """What a name says, whatever the order: ("cow",) for "animal-cow-20-outline"."""
    parts = [part for part in re.split(r"[-_ ]+", name.lower()) if part and not part.isdigit()]
    return tuple(sorted([part for part in parts if part not in UNSAID] or parts))
