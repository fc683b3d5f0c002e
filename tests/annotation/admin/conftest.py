import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.annotation.api import scene as scenes


@pytest.fixture
def scene(db, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    settings.WHITENOISE_AUTOREFRESH = True
    return scenes.build()


@pytest.fixture
def browser(scene):
    """Sign in to the admin as a person of the scene, or as a superuser."""

    def sign_in(actor: str) -> Client:
        if actor == "superuser":
            user = get_user_model().objects.create_superuser(f"root-{scene.study.slug}")
        else:
            user = scene.people[actor].user
            user.is_staff = True
            user.save()
        client = Client()
        client.force_login(user)
        return client

    return sign_in
