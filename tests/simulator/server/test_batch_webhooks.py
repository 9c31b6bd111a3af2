"""Batches, and webhooks whose signature is checked by an independent implementation."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from .fake_world import ADSET, CBO, A

pytestmark = pytest.mark.integration
APP = "138483919580948"
APP_TOKEN = f"{APP}|simulator-app-secret"


def batch(server, parts, **more):
    return server.call("POST", "", data={"batch": json.dumps(parts), **more})


def test_parts_in_order_with_versions_bodies_and_failures(server):
    parts = [
        {"method": "GET", "relative_url": f"{ADSET}/?fields=name"},
        {"method": "GET", "relative_url": f"v25.0/act_{A}/insights?date_preset=yesterday"},
        {"method": "POST", "relative_url": ADSET, "body": "daily_budget=2500"},
        {"method": "GET", "relative_url": "999"},
        {"method": "GET", "relative_url": f"v19.0/{ADSET}"},
    ]
    got = batch(server, parts)
    assert got.status_code == 200
    answers = got.json()
    assert [a["code"] for a in answers] == [200, 200, 200, 400, 400]
    assert all(isinstance(a["body"], str) for a in answers)
    assert json.loads(answers[0]["body"])["name"] == "S2"
    assert json.loads(answers[4]["body"])["error"]["code"] == 2635
    assert isinstance(answers[0]["headers"], list)
    assert {"name", "value"} == set(answers[0]["headers"][0])
    state = server.admin("state")
    assert (state["http_requests"], state["calls"]) == (1, 5)
    assert "headers" not in batch(server, parts[:1], include_headers="false").json()[0]


def test_limits_of_a_batch(server):
    part = {"method": "GET", "relative_url": CBO}
    assert len(batch(server, [part] * 50).json()) == 50
    error = batch(server, [part] * 51).json()["error"]
    assert error == {
        "message": "Too many requests in batch message. Maximum batch size is 50",
        "type": "GraphBatchException",
    }
    assert batch(server, "nonsense").status_code == 400


def test_null_parts_and_faults_inside(server):
    server.admin("faults", [{"name": "batch_null", "times": 1, "path": CBO}])
    parts = [{"method": "GET", "relative_url": i} for i in (ADSET, CBO)]
    got = batch(server, parts).json()
    assert (got[0]["code"], got[1]) == (200, None)
    server.admin("faults", [{"name": "throttle_user", "times": 1, "kind": "node"}])
    assert [a["code"] for a in batch(server, parts).json()] == [400, 200]
    server.admin("faults", [{"name": "html_502", "times": 1, "kind": "batch"}])
    assert batch(server, parts).status_code == 502


class Receiver:
    """A subscriber: answers the verification and keeps what it is sent."""

    def __init__(self):
        self.got, self.fail = [], 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = parse_qs(urlsplit(self.path).query)
                good = query.get("hub.verify_token") == ["secret"] and query.get("hub.mode") == ["subscribe"]
                self.send_response(200 if good else 403)
                self.end_headers()
                self.wfile.write(query["hub.challenge"][0].encode() if good else b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                outer.fail -= 1
                self.send_response(500 if outer.fail >= 0 else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def wait(self, count):
        until = time.monotonic() + 8
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.got


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.http.shutdown()


def subscribe(server, url, token="secret"):
    data = {"object": "ad_account", "callback_url": url, "fields": "effective_status,subscriptions"}
    return server.call("POST", f"{APP}/subscriptions", token=APP_TOKEN, data={**data, "verify_token": token})


def test_verification(server, receiver):
    assert subscribe(server, receiver.url).json() == {"success": True}
    assert subscribe(server, receiver.url, "wrong").json()["error"]["code"] == 2200
    assert subscribe(server, "http://192.0.2.1/hook").json()["error"]["code"] == 2200
    assert server.post(f"{APP}/subscriptions", object="ad_account").status_code == 400
    listed = server.call("GET", f"{APP}/subscriptions", token=APP_TOKEN).json()["data"]
    assert listed[0]["callback_url"] == receiver.url


def test_signed_notifications_on_changes(server, receiver):
    subscribe(server, receiver.url)
    server.post(ADSET, status="PAUSED")
    assert server.post(f"act_{A}/subscribed_apps", app_id=APP).json() == {"success": True}
    assert server.get(f"act_{A}/subscribed_apps").json()["data"][0]["id"] == APP
    made = server.call(
        "POST", f"act_{A}/subscriptions", json={"event_type": "OBJECT_UPDATED", "field": "daily_budget", "filters": []}
    ).json()
    server.post(ADSET, daily_budget=2600)
    headers, body = receiver.wait(1)[0]
    change = json.loads(body)["entry"][0]["changes"][0]
    assert change == {
        "field": "subscriptions",
        "value": {
            "subscription_id": int(made["subscription_id"]),
            "account_id": int(A),
            "object_id": int(ADSET),
            "object_type": "adset",
            "field": "daily_budget",
            "current_value": "2600",
        },
    }
    openssl = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "simulator-app-secret"], input=body, capture_output=True, check=True
    )
    assert headers["X-Hub-Signature-256"] == "sha256=" + openssl.stdout.decode().split()[-1]
    server.post(ADSET, status="ACTIVE")
    assert json.loads(receiver.wait(2)[1][1])["entry"][0]["changes"][0]["value"]["effective_status"] == "ACTIVE"
    item = f"act_{A}/subscriptions/{made['subscription_id']}"
    assert server.call("PATCH", item, json={"status": "DISABLED"}).json() == {"success": True}
    assert server.get(item).json()["status"] == "DISABLED"
    assert server.call("DELETE", item).json() == {"success": True}
    assert server.get(item).status_code == 400


def test_escaped_bytes_and_retries(make_server, receiver):
    server = make_server(speed=100.0)
    subscribe(server, receiver.url)
    server.post(f"act_{A}/subscribed_apps")
    receiver.fail = 2
    value = {"message": "Müsli <50%> a/b @home"}
    assert server.admin("webhooks/deliver", {"account": A, "field": "effective_status", "value": value}) == {
        "sent": True
    }
    got = receiver.wait(3)
    assert len({body for _, body in got}) == 1
    body = got[0][1]
    for piece in (b"\\u00fc", b"\\u003C", b"\\u0025", b"\\/", b"\\u0040"):
        assert piece in body
    assert json.loads(body)["entry"][0]["changes"][0]["value"] == value
    time.sleep(0.1)
    assert server.admin("state")["deliveries"][0]["attempts"] == 3
