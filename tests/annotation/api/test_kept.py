from annotation.api.kept import KeptPictures


def make_counted(made, name, size=10):
    def make():
        made.append(name)
        return name.encode() * size

    return make


def test_slow_picture_is_made_once():
    kept, made = KeptPictures(slow_seconds=0.0), []
    assert [kept.get("a", make_counted(made, "a")) for _ in range(3)] == [b"a" * 10] * 3
    assert made == ["a"]


def test_quick_picture_takes_no_room():
    kept, made = KeptPictures(slow_seconds=60.0), []
    for _ in range(2):
        kept.get("a", make_counted(made, "a"))
    assert made == ["a", "a"]


def test_least_recently_used_picture_goes_first():
    kept, made = KeptPictures(most_bytes=20, slow_seconds=0.0), []
    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get(name, make_counted(made, name))
    assert made == ["a", "b", "c", "b"]
