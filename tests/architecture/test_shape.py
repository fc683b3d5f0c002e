import ast
import re

from tests.architecture.tree import PACKAGES, list_files, list_modules, name_of, read_text
from tests.conftest import REPOSITORY

EVERYWHERE = (*PACKAGES, "tests")

LONGEST_FILE = 400
# A longer file needs its reason here: one idea that splitting would only scatter.
LONG_FOR_A_REASON: dict[str, str] = {}

LARGEST_BYTES = 1_000_000
NAMES_THAT_SAY_NOTHING = {
    "common", "helper", "helpers", "manager", "managers", "misc", "tools", "util", "utils"
}  # fmt: skip

# In parts, so that this file doesn't name what it looks for.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "yarnpkg" + ".com",
    "ana" + "conda.org",
    "--index" + "-url",
]
MACHINE_PATH = re.compile(
    r"(?<![\w.$}~])/(?:home|Users)/[A-Za-z]\w*/|[A-Z]:\\Users|" + re.escape(str(REPOSITORY)) + r"(?![\w-])"
)


def test_modules_were_found():
    assert len(list_modules()) > 20


def test_no_file_is_long_without_a_reason():
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in list_modules(packages=EVERYWHERE)}
    long = {name: count for name, count in lines.items() if count > LONGEST_FILE}
    assert set(long) <= set(LONG_FOR_A_REASON), f"Split these, or write down why not: {long}"
    stale = set(LONG_FOR_A_REASON) - set(long)
    assert not stale, f"No longer long; take them off the list: {stale}"


def test_no_module_has_a_name_that_says_nothing():
    nameless = [
        name_of(path)
        for path in list_modules(packages=EVERYWHERE)
        if {path.stem, path.parent.name} & NAMES_THAT_SAY_NOTHING
    ]
    assert not nameless, f"Name these for what they hold: {nameless}"


def test_every_package_says_what_it_is():
    silent = [
        name_of(path)
        for path in list_modules()
        if path.stem == "__init__"
        and "management" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent, f"One line at the top of each: what does the package hold? {silent}"


def test_no_file_names_a_package_registry():
    named = [
        f"{name_of(path)}: {host}"
        for path in list_files()
        for host in REGISTRY_HOSTS
        if host in (read_text(path) or "")
    ]
    assert not named, f"Which registry serves a package is the reader's setting: {named}"


def test_no_file_holds_a_path_of_one_machine():
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in list_files()
        for match in MACHINE_PATH.finditer(read_text(path) or "")
    ]
    assert not found, f"Take it from the environment or the repository's root: {found}"


def test_no_file_is_large_enough_to_be_data():
    large = [name_of(path) for path in list_files() if path.stat().st_size > LARGEST_BYTES]
    assert not large, f"Sample data stays outside the repository: {large}"
