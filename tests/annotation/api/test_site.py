"""Signing in, the shape of errors, the documentation page, and health."""

import re

import pytest
from django.contrib.sessions.models import Session

from annotation.api import errors
from annotation.models import FailedSignIn
from annotation.services import queue


def sign_in(client, username, password):
    return client.post("/api/token/", {"username": username, "password": password}, "application/json")


def test_token_opens_the_own_studies(scene, client):
    user = scene.people["annotator"].user
    user.set_password("a long phrase")
    user.save()
    token = sign_in(client, user.username, "a long phrase").json()["token"]
    listed = client.get("/api/studies/", headers={"Authorization": f"Token {token}"}).json()
    assert [(row["slug"], row["role"]) for row in listed] == [(scene.study.slug, "annotator")]


def test_passwords_are_tried_ten_times_for_one_name(scene, client):
    codes = [sign_in(client, "ada", f"guess {number}").status_code for number in range(11)]
    assert codes == [401] * 10 + [429]
    assert sign_in(client, "bob", "guess").status_code == 401


def test_sign_in_page_counts_the_same_tries(scene, client):
    for number in range(10):
        sign_in(client, "ada", f"guess {number}")
    user = scene.people["annotator"].user
    user.username = "ada"
    user.set_password("a long phrase")
    user.save()
    page = client.post("/admin/login/", {"username": "ada", "password": "a long phrase"})
    assert "Too many wrong passwords. Wait 5 minutes" in page.text
    assert client.get("/api/studies/").status_code == 401
    elsewhere = client.post(
        "/admin/login/", {"username": "ada", "password": "a long phrase"}, REMOTE_ADDR="203.0.113.9"
    )
    assert elsewhere.status_code == 302


def test_a_right_password_clears_the_count(scene, client):
    user = scene.people["annotator"].user
    user.set_password("a long phrase")
    user.save()
    for _ in range(2):
        codes = [sign_in(client, user.username, f"guess {number}").status_code for number in range(9)]
        assert codes == [401] * 9
        assert sign_in(client, user.username, "a long phrase").status_code == 200


def test_one_address_does_not_try_many_names(scene, client):
    codes = [sign_in(client, f"person {number}", "guess").status_code for number in range(61)]
    assert codes == [401] * 60 + [429]
    assert FailedSignIn.objects.exclude(address="").filter(name_and_address__contains="person").count() == 0


def test_tries_are_counted_whatever_address_a_client_claims_to_have(scene, client):
    body = {"username": "ada", "password": "guess"}
    headers = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in range(11))
    codes = [client.post("/api/token/", body, "application/json", headers=one).status_code for one in headers]
    assert codes == [401] * 10 + [429]


def test_sessions_need_the_csrf_token_to_write(scene):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.people["annotator"].user)
    assert client.get(f"{scene.base}queue/").status_code == 200
    refused = client.post(f"{scene.base}queue/claim/", {}, "application/json")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "refused"


@pytest.mark.parametrize("path", ["nothing/", "studies/x y/", "studies/a/b/c/d", "a%0Ab"])
def test_missing_addresses_have_the_apis_shape(scene, path):
    response = scene.client("manager").get(f"/api/{path}")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "missing"


def test_unforeseen_error_says_nothing_about_the_inside(scene, monkeypatch):
    def fail(**_):
        raise RuntimeError("secret path /srv")

    monkeypatch.setattr(queue, "claim_batch", fail)
    client = scene.client("annotator")
    client.raise_request_exception = False
    response = client.post(f"{scene.base}queue/claim/", {}, format="json")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "server-error"
    assert "secret" not in response.content.decode()


def test_lost_database_is_try_again(scene, monkeypatch):
    from django.db import OperationalError

    def fail(**_):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(queue, "claim_batch", fail)
    response = scene.client("annotator").post(f"{scene.base}queue/claim/", {}, format="json")
    assert (response.status_code, response["Retry-After"]) == (503, errors.RETRY_AFTER_SECONDS)


def test_documentation_page_works_under_the_sites_policy(scene, client):
    page = client.get("/api/docs/")
    policy = page["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    text = page.content.decode()
    assert "<style" not in text
    assert all(re.search(r"\bsrc=", tag) for tag in re.findall(r"<script[^>]*>", text))
    script = re.findall(r'<script src="(/api/docs/[^"]*)"', text)
    assert len(script) == 1
    assert client.get(script[0].replace("&amp;", "&"))["Content-Type"].startswith("application/javascript")


def test_icon_that_browsers_ask_for_is_there(scene, client):
    found = client.get("/favicon.ico", follow=True)
    assert (found.status_code, found["Content-Type"]) == (200, "image/svg+xml")
    assert found.getvalue().startswith(b"<svg")
    found.close()


def test_answers_are_json_and_never_a_page(scene):
    response = scene.client("annotator").get("/api/studies/", headers={"Accept": "text/html,*/*"})
    assert response["Content-Type"] == "application/json"


def test_health_tells_database_and_redis_apart(scene, client, settings):
    assert client.get("/health/live/").json() == {"status": "live"}
    assert client.get("/health/ready/").json()["checks"] == {"database": True, "redis": True}
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    down = client.get("/health/ready/")
    assert down.status_code == 503
    assert down.json()["checks"] == {"database": True, "redis": False}


def test_browser_keeps_no_page_and_no_data_for_whoever_comes_next(scene):
    from django.test import Client

    client = Client()
    client.force_login(scene.people["annotator"].user)
    home = f"/admin/studies/{scene.study.slug}"
    for path in ("/admin/", f"{home}/queue/", f"{home}/answers/", f"{scene.base}queue/", f"{scene.base}queue/answers/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"], path
    assert "no-store" in client.get("/admin/studies/not-there/queue/").headers["Cache-Control"]
    style = client.get("/static/concord/concord.css")
    style.close()
    assert "no-store" not in style.headers["Cache-Control"]


def test_page_of_one_person_writes_nothing_in_the_session_of_another(scene):
    """Two people at one computer: the tab of the first must not answer for the second."""
    mine, theirs = scene.people["annotator"], scene.people["adjudicator"]
    page = {"X-Concord-Person": f"{scene.study.slug}.{mine.pseudonym}"}
    for actor in ("adjudicator", "stranger"):
        refused = scene.client(actor).post(f"{scene.base}queue/claim/", {}, format="json", headers=page)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "another-person")
    assert not theirs.assignments.exists()
    assert scene.client("annotator").post(f"{scene.base}queue/claim/", {}, format="json", headers=page).json()["lease"]
    assert scene.client("stranger").get(f"{scene.base}queue/").status_code == 404


def test_an_answer_to_an_ended_session_does_not_sign_out_who_has_signed_in_again(scene, client):
    client.force_login(scene.people["annotator"].user)
    Session.objects.all().delete()
    refused = client.get("/api/studies/")
    assert (refused.status_code, "sessionid" in refused.cookies) == (401, False)
    client.force_login(scene.people["annotator"].user)
    signed_out = client.post("/admin/logout/")
    assert signed_out.cookies["sessionid"].value == ""
