"""The classes of the sample study, how often each is met, and the words annotators read.

Decides the protocol and policy of the synthetic study; refuses to know how cells are drawn.
"""

from __future__ import annotations

from learning.slides.synthetic.protocol import StudyClass

CLASSES: tuple[StudyClass, ...] = (
    StudyClass(
        code="neutrophil",
        name="Segmented neutrophil",
        colour="#7b3fa0",
        key="n",
        share=0.29,
        quota=3,
        definition=(
            "Granulocyte of 12 to 15 µm with fine lilac granules and a nucleus of two to five "
            "lobes joined by "
            "thin threads of chromatin."
        ),
    ),
    StudyClass(
        code="band",
        name="Band neutrophil",
        colour="#c77dff",
        key="d",
        share=0.07,
        quota=3,
        definition=(
            "Granulocyte with the cytoplasm of a neutrophil whose nucleus is a curved band; "
            "nowhere is it "
            "narrowed to less than a third of its width, and no thread is seen."
        ),
    ),
    StudyClass(
        code="lymphocyte",
        name="Lymphocyte",
        colour="#1f77b4",
        key="l",
        share=0.20,
        quota=3,
        definition=(
            "Small cell of 8 to 12 µm with a round, dense, clumped nucleus that leaves a narrow "
            "rim of "
            "clear blue cytoplasm; nucleoli are not seen."
        ),
    ),
    StudyClass(
        code="monocyte",
        name="Monocyte",
        colour="#17becf",
        key="m",
        share=0.09,
        quota=3,
        definition=(
            "Largest normal white cell, 14 to 20 µm, with grey-blue cytoplasm, often vacuoles, "
            "and a folded "
            "or kidney-shaped nucleus of loose, lacy chromatin."
        ),
    ),
    StudyClass(
        code="eosinophil",
        name="Eosinophil",
        colour="#ff7f0e",
        key="e",
        share=0.06,
        quota=3,
        definition=(
            "Granulocyte whose cytoplasm is packed with coarse, even, orange-red granules beside "
            "a nucleus "
            "that mostly has two lobes."
        ),
    ),
    StudyClass(
        code="basophil",
        name="Basophil",
        colour="#2b2d6e",
        key="b",
        share=0.035,
        quota=3,
        definition=(
            "Granulocyte with coarse, uneven, violet-black granules that lie over the nucleus and hide its outline."
        ),
    ),
    StudyClass(
        code="blast",
        name="Blast cell",
        colour="#d62728",
        key="x",
        share=0.04,
        quota=3,
        definition=(
            "Large cell with a high ratio of nucleus to cytoplasm, fine chromatin, one or more "
            "nucleoli and "
            "deep blue cytoplasm without granules."
        ),
    ),
    StudyClass(
        code="platelets",
        name="Platelet clump",
        colour="#e377c2",
        key="p",
        share=0.06,
        definition=("Three or more platelets lying together: lilac, granular bodies of 1 to 4 µm without a nucleus."),
    ),
    StudyClass(
        code="smudge",
        name="Smudge cell",
        colour="#8c564b",
        key="s",
        share=0.055,
        definition=(
            "Remains of a cell broken by smearing: a spread, structureless nucleus of frayed "
            "outline with no "
            "cytoplasm to be told."
        ),
    ),
    StudyClass(
        code="red-cell",
        name="Red cell only",
        colour="#bcbd22",
        key="r",
        share=0.10,
        definition=(
            "The region shows red cells, perhaps with single platelets, and neither a white cell "
            "nor a clump "
            "in its middle."
        ),
    ),
    StudyClass(
        code="ambiguous",
        name="Ambiguous",
        colour="#7f7f7f",
        key="a",
        special=True,
        definition=("The cell is well seen, but two classes fit it equally; a second opinion would not settle it."),
    ),
    StudyClass(
        code="not-evaluable",
        name="Not evaluable",
        colour="#3a3a3a",
        key="q",
        special=True,
        definition=("Focus, stain, overlap or the edge of the scan do not allow any class to be given."),
    ),
)

CELL_CLASSES: tuple[StudyClass, ...] = tuple(item for item in CLASSES if not item.special)

POLICY: dict[str, float | int] = {
    "min_overlap": 2,
    "max_overlap": 4,
    "target_confidence": 0.9,
    "batch_size": 60,
    "retrain_every_revisions": 80,
    # Five cases for the gate, or more, in most draws: fewer, and it takes out-of-fold estimates.
    "audit_rate": 0.35,
    "random_share": 0.15,
}
