"""The classes of the sample studies: codes, colours, keys and what annotators read.

Decides words only; refuses to know file formats.
"""

from __future__ import annotations

from learning.slides.synthetic.protocol import StudyClass


def _class(code: str, name: str, colour: str, key: str, definition: str) -> StudyClass:
    return StudyClass(code=code, name=name, colour=colour, key=key, definition=definition)


# In the order of the source's type numbers, 0 to 12.
CHULA: tuple[StudyClass, ...] = (
    _class("normal", "Normal red cell", "#2ca02c", "n", "A round disc of 7 to 8 µm, paler in its middle third."),
    _class("macrocyte", "Macrocyte", "#d62728", "m", "A red cell clearly larger than 8.5 µm, round or oval."),
    _class("microcyte", "Microcyte", "#1f77b4", "i", "A round red cell clearly smaller than 6.5 µm."),
    _class("spherocyte", "Spherocyte", "#9467bd", "s", "A small, round, dense red cell without central pallor."),
    _class("target", "Target cell", "#ff7f0e", "t", "A red cell with a dark spot in the middle of its pallor."),
    _class("stomatocyte", "Stomatocyte", "#17becf", "o", "A red cell whose pallor is a slit or a mouth."),
    _class("ovalocyte", "Ovalocyte", "#bcbd22", "v", "An egg-shaped red cell, less than twice as long as wide."),
    _class("teardrop", "Teardrop cell", "#e377c2", "d", "A red cell drawn out into a single tail or point."),
    _class("burr", "Burr cell", "#8c564b", "b", "A red cell with many short, even spikes around its outline."),
    _class(
        "schistocyte",
        "Schistocyte",
        "#393b79",
        "f",
        "A fragment of a red cell: helmet, triangle or another angular form, mostly without pallor.",
    ),
    _class("uncategorised", "Uncategorised", "#7b4173", "u", "A red cell of a form that no other class describes."),
    _class(
        "hypochromic",
        "Hypochromic cell",
        "#637939",
        "h",
        "A red cell whose pallor takes more than half of it, leaving a thin rim.",
    ),
    _class(
        "elliptocyte", "Elliptocyte", "#843c39", "e", "A red cell shaped like a rod or cigar, twice as long as wide."
    ),
)

BCCD: tuple[StudyClass, ...] = (
    _class("red-cell", "Red cell", "#d62728", "r", "An erythrocyte: a pink disc without a nucleus."),
    _class("white-cell", "White cell", "#1f77b4", "w", "A leucocyte of any kind: a cell with a violet nucleus."),
    _class("platelet", "Platelet", "#2ca02c", "p", "A lilac body of 1 to 4 µm without a nucleus, alone or in a clump."),
)

TISSUE: tuple[StudyClass, ...] = (
    _class("epithelium", "Epithelium", "#9467bd", "e", "Most of the region is a sheet or nest of epithelial cells."),
    _class("stroma", "Stroma", "#2ca02c", "s", "Most of the region is connective tissue, vessels or fat."),
    _class("other", "Other", "#8c564b", "o", "Debris, keratin, blood, or tissue that is neither of the two."),
)

# By the names of the source's column `labelROI`.
HTT: tuple[StudyClass, ...] = (
    _class("stroma", "Intra-Tumoral Stroma", "#2ca02c", "s", "Connective tissue within the borders of the tumour."),
    _class("margin", "Invasive Margin", "#ff7f0e", "m", "The border where tumour and the tissue around it meet."),
    _class("tumour", "Tumor with No Intervening Stroma", "#9467bd", "t", "Tumour cells without stroma between them."),
    _class("other", "Other Regions", "#8c564b", "o", "Anything else: necrosis, fat, normal or unreadable tissue."),
)

OUTCOMES: tuple[StudyClass, ...] = (
    StudyClass(
        code="ambiguous",
        name="Ambiguous",
        colour="#7f7f7f",
        key="a",
        special=True,
        definition="The region is well seen, but two classes fit it equally.",
    ),
    StudyClass(
        code="not-evaluable",
        name="Not evaluable",
        colour="#3a3a3a",
        key="q",
        special=True,
        definition="Focus, stain, overlap or the edge of the image do not allow any class to be given.",
    ),
)
