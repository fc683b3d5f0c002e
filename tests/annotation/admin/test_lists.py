"""Every list and page of the admin: who sees which rows, and that more rows cost no more queries."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import ClassMapping, LabelClass, LedgerHead
from tests.annotation.admin import rows

MOST_QUERIES = 9  # session, user, managed studies for the filter, two counts at most, rows; prefetches
SHOWN_WITHIN_ANOTHER = {LabelClass: "inline of its protocol", ClassMapping: "inline of its protocol"}
ON_SCREENS_ONLY = {
    "ClassExample": "shown and changed where the class is",
    "FailedSignIn": "a count that forgets by itself",
    "Preference": "personal",
    "StagedSlide": "holds names of files and cases, for those who set the study up",
}
MODELS = [
    model
    for model in apps.get_app_config("annotation").get_models()
    if model not in SHOWN_WITHIN_ANOTHER and model.__name__ not in ON_SCREENS_ONLY
]


def list_url(model):
    return reverse(f"admin:annotation_{model._meta.model_name}_changelist")


def page_url(row):
    return reverse(f"admin:annotation_{row._meta.model_name}_change", args=[row.pk])


def count_queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_every_row_has_its_page():
    assert [model for model in MODELS if model not in admin.site._registry] == []


def test_lists_cost_as_many_queries_for_many_rows_as_for_few(scene, browser):
    client = browser("superuser")
    rows.add(scene)
    few = {model: count_queries(client, list_url(model)) for model in MODELS}
    for _ in range(3):
        rows.add(scene)
    many = {model: count_queries(client, list_url(model)) for model in MODELS}
    assert {model.__name__: (few[model], many[model]) for model in MODELS if few[model] != many[model]} == {}
    assert {model.__name__: count for model, count in many.items() if count > MOST_QUERIES} == {}


def test_every_page_of_a_row_opens(scene, browser):
    client = browser("superuser")
    rows.add(scene)
    for model in MODELS:
        row = model._default_manager.first()
        assert row is not None, model
        response = client.get(page_url(row))
        assert response.status_code == 200, model
        assert scene.study.secret not in response.content.decode()


def test_pictures_are_shown_to_those_who_may_see_them(scene, browser):
    for row in (scene.region, scene.slide):
        assert '<img src="/api/' in browser("manager").get(page_url(row)).content.decode()
    page = browser("superuser").get(page_url(scene.region)).content.decode()
    assert scene.region.public_id in page and '<img src="/api/' not in page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_managers_see_the_rows_of_their_studies_only(scene, browser, model):
    rows.add(scene)
    own, strange = browser("manager"), browser("strange manager")
    model_admin = admin.site._registry[model]
    if model_admin.is_for_superusers:
        assert own.get(list_url(model)).status_code == 403
        return
    row = model._default_manager.filter(**{model_admin.study_path or "pk": scene.study.pk}).first()
    assert own.get(page_url(row)).status_code == 200
    assert row in own.get(list_url(model)).context["cl"].queryset
    for query in ({}, {"study": scene.study.slug}):
        response = strange.get(list_url(model), query)
        assert row not in (response.context["cl"].queryset if response.status_code == 200 else ())
        if not query:
            assert f"study={scene.study.slug}" not in response.content.decode()
    assert strange.get(page_url(row)).status_code == 302


def test_people_without_staff_rights_see_no_rows(scene, client):
    client.force_login(scene.people["manager"].user)
    assert {client.get(list_url(model)).status_code for model in MODELS} == {403}


def test_nothing_but_policy_roles_and_members_can_be_written(scene, browser):
    client = browser("superuser")
    rows.add(scene)
    request = client.get(list_url(MODELS[0])).wsgi_request
    writable = {
        model.__name__
        for model in MODELS
        for may in ("has_add_permission", "has_change_permission", "has_delete_permission")
        if getattr(admin.site._registry[model], may)(request)
    }
    assert writable == {"Study", "Membership"}
    assert client.post(reverse("admin:annotation_annotation_add"), {}).status_code == 403
    head = LedgerHead.objects.get(study=scene.study)
    assert client.post(page_url(head), {"position": 0}).status_code == 403


def test_columns_can_not_be_probed_through_the_address(scene, browser):
    client = browser("manager")
    probes = ("secret__startswith=0", "memberships__user__password__startswith=a", "state__exact=%00", "study=%00")
    for probe in probes:
        response = client.get(f"{reverse('admin:annotation_study_changelist')}?{probe}")
        assert response.status_code == 400


def test_search_finds_whole_names(scene, browser):
    client = browser("manager")
    url = reverse("admin:annotation_region_changelist")
    assert client.get(url, {"q": scene.region.public_id}).context["cl"].result_count == 1
    assert client.get(url, {"q": scene.region.public_id[:5]}).context["cl"].result_count == 0
