"""Django's own pages that we expose: no WCAG A or AA violation, nothing on the console, in light and in dark."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import reverse

from annotation.models import Annotation, Finding, Membership, Region, Study
from annotation.states import Role
from tests.annotation.admin import rows
from tests.annotation.api import scene as scenes
from tests.browser import axe as axe_core
from tests.browser import smear as smears


@pytest.fixture
def scene(site, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    made = scenes.build()
    rows.add(made)
    for slide in made.study.slides.exclude(pk=made.slide.pk):
        slide.width, slide.height, slide.stored_name = 320, 256, slide.stored_name.replace(".tiff", ".png")
        slide.save()
        scenes.write_picture(slide)
    return made


@pytest.fixture
def owner(scene) -> Membership:
    """Somebody who may open every page there is."""
    Group.objects.create(name="Readers")
    return smears.join(scene.study, Role.MANAGER, username="root", first_name="Root", is_staff=True, is_superuser=True)


def lists() -> list[str]:
    """The list of every model that the admin shows."""
    return [reverse(f"{_name(model)}_changelist") for model in admin.site._registry]


def forms() -> list[str]:
    """The form of a row and the form for a new one, of every model that the admin shows."""
    found = []
    for model, model_admin in admin.site._registry.items():
        row = model._default_manager.first()
        assert row is not None, f"Make a row of {model.__name__}: its pages go untested."
        found.append(reverse(f"{_name(model)}_change", args=[row.pk]))
        if type(model_admin).has_add_permission is admin.ModelAdmin.has_add_permission:
            found.append(reverse(f"{_name(model)}_add"))
    return found


def _name(model: type[Model]) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


def some() -> list[str]:
    """One page of each kind: what they share is most of what can break."""
    names = (_name(model) for model in (Study, Annotation, Finding))
    found = [reverse(f"{name}_changelist") for name in names]
    found += [reverse(f"{_name(model)}_change", args=[model._default_manager.first().pk]) for model in (Study, Region)]
    return [*found, reverse("admin:auth_user_add")]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "addresses", [some, pytest.param(lists, marks=pytest.mark.slow), pytest.param(forms, marks=pytest.mark.slow)]
)
def test_pages_of_rows_hold_wcag(page_for, owner, guard, addresses) -> None:
    page = page_for(owner)
    guard.forgive("Autofocus processing was blocked")
    found: list[str] = []
    for address in addresses():
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, f"{address}: {answer and answer.status}"
        found += [f"{address} {text}" for text in axe_core.violations(page)]
    assert not found, "\n".join(found)


def test_pages_of_accounts_hold_wcag(new_page, owner, axe, guard) -> None:
    guard.forgive('autocomplete attributes (suggested: "username")')
    page = new_page()
    page.goto(reverse("admin:login"))
    axe(page)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("Please enter a correct username").wait_for()
    axe(page)
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill(smears.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    axe(page)
    person = get_user_model().objects.get(username="root")
    for name, args in (
        ("password_change", []),
        ("auth_user_password_change", [person.pk]),
        ("auth_user_delete", [person.pk]),
        ("auth_user_history", [person.pk]),
    ):
        page.goto(reverse(f"admin:{name}", args=args))
        axe(page)
    page.goto("/admin/")
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("Thanks for spending").wait_for()
    axe(page)
