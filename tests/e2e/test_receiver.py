"""The receiver as a process: the simulator sends, strangers try, the database goes and comes back."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from ingestion.errors import TerminalError
from orchestration.subscribing import subscribe
from tests.e2e.harness import Bench, Simulator, account_ids
from tests.e2e.receiving import (
    APP_ID,
    ROOT,
    SECRET,
    VERIFY_TOKEN,
    Receiver,
    deliver,
    deliveries,
    receiver_environment,
    running_receiver,
    subscribed,
    wait_for,
)
from warehouse import embedded
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_repeated_deliveries_are_stored_once(plain_bench: Bench, receiver: Receiver, accounts: list[int]) -> None:
    value = {"id": "7", "message": "Müsli <50%> a/b @home"}
    deliver(plain_bench.simulator, account=accounts[0], field="with_issues_ad_objects", value=value, times=5)
    wait_for(lambda: all(one["done"] for one in deliveries(plain_bench.simulator)))
    assert [one["status"] for one in deliveries(plain_bench.simulator)] == [200] * 5
    (row,) = receiver.stored()
    assert (row["account_id"], row["field"], row["state"]) == (accounts[0], "with_issues_ad_objects", "new")
    assert row["payload"] == {"field": "with_issues_ad_objects", "value": value}
    changes = [{"account": a, "field": "effective_status", "value": {"id": "8"}} for a in accounts]
    deliver(plain_bench.simulator, changes=changes, times=2)
    wait_for(lambda: all(one["done"] for one in deliveries(plain_bench.simulator)))
    assert sorted(row["account_id"] for row in receiver.stored()[1:]) == sorted(accounts)


def test_accounts_that_may_not_be_subscribed_are_told(plain_bench: Bench, receiver: Receiver) -> None:
    """A token that may only read: the callback is set with the app's own, and every account is refused."""
    plain_bench.simulator.post("tokens", {"value": "READER", "scopes": ["ads_read"]})
    plain_bench.settings |= {
        "meta_access_token": "READER",
        "meta_app_id": APP_ID,
        "meta_app_secret": SECRET,
        "meta_webhook_verify_token": VERIFY_TOKEN,
    }
    accounts = account_ids(plain_bench.simulator)
    refused = subscribe(plain_bench.platform(), f"{receiver.url}/webhook", accounts)
    assert refused.keys() == set(accounts)
    assert all("ads_management" in text for text in refused.values())


def test_a_callback_with_another_verify_token_is_refused(plain_bench: Bench, receiver: Receiver) -> None:
    plain_bench.settings |= {
        "meta_app_id": APP_ID,
        "meta_app_secret": SECRET,
        "meta_webhook_verify_token": "another-word",
    }
    with pytest.raises(TerminalError, match="Callback verification failed"):
        subscribe(plain_bench.platform(), f"{receiver.url}/webhook", [])
    assert "another-word" not in receiver.log()


def test_the_database_goes_and_comes_back_and_nothing_is_lost(simulator: Simulator, tmp_path_factory: Any) -> None:
    """A server of its own, stopped while the sender sends."""
    folder = tmp_path_factory.mktemp("server")
    server = embedded.start(folder / "postgres")
    try:
        with running_receiver(folder, server.url()) as receiver:
            bench = Bench(simulator, Warehouse(server.url()), folder)
            accounts = subscribed(bench, receiver)
            bench.warehouse.close()
            assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200
            embedded.stop(folder / "postgres")
            assert receiver.post(b"{}").status_code == 503
            assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 503
            for number in range(10):
                deliver(simulator, account=accounts[0], field="effective_status", value={"id": str(number)})
            wait_for(lambda: all(one["attempts"] for one in deliveries(simulator)))
            assert not any(one["done"] for one in deliveries(simulator))
            embedded.start(folder / "postgres")
            wait_for(lambda: all(one["done"] for one in deliveries(simulator)))
            assert {one["status"] for one in deliveries(simulator)} == {200}
            assert sorted(row["payload"]["value"]["id"] for row in receiver.stored()) == [str(n) for n in range(10)]
            assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200
    finally:
        embedded.stop(folder / "postgres")


def test_a_receiver_that_starts_before_its_database_makes_the_schema_later(tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("server")
    url = embedded.start(folder / "postgres").url()
    embedded.stop(folder / "postgres")
    try:
        with running_receiver(folder, url) as receiver:
            assert receiver.post(b"{}").status_code == 503
            embedded.start(folder / "postgres")
            assert receiver.post(b"{}").status_code == 200
            assert [row["state"] for row in receiver.stored()] == ["unknown"]
    finally:
        embedded.stop(folder / "postgres")


def test_bad_input_is_refused_without_a_word_and_stores_nothing(receiver: Receiver) -> None:
    good = b'{"object":"ad_account","entry":[{"id":"1","time":1,"changes":[{"field":"effective_status","value":{}}]}]}'
    for body, signature in ((good, ""), (good, "sha256=" + "0" * 64), (good, "sha1=" + "0" * 40), (b"", "x")):
        answer = receiver.post(body, signature)
        assert (answer.status_code, answer.content) == (403, b"")
    assert requests.post(f"{receiver.url}/webhook", data=good, timeout=30).status_code == 403
    assert receiver.post(b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    assert requests.post(f"{receiver.url}/webhook", data=chunks(5 * 1024), timeout=30).status_code == 413
    assert requests.put(f"{receiver.url}/webhook", data=good, timeout=30).status_code == 405
    assert requests.get(f"{receiver.url}/anything", timeout=30).status_code == 404
    assert receiver.stored() == []


def chunks(kilobytes: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(kilobytes):
        yield b"x" * 1024


@pytest.mark.parametrize("told", ["5", "200", "-1", "x"])
def test_a_wrong_length_stores_nothing_and_harms_nobody(receiver: Receiver, told: str) -> None:
    body = b'{"object":"ad_account","entry":[]}'
    signature = "sha256=" + "0" * 64
    host, port = receiver.url.removeprefix("http://").split(":")
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {told}\r\nX-Hub-Signature-256: {signature}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert receiver.stored() == []
    assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200


def test_what_is_signed_is_never_lost_whatever_it_says(receiver: Receiver) -> None:
    bodies = [
        b"no json",
        b"\x00\xff",
        b"",
        b'{"object":"page"}',
        b'{"entry":[{"id":"1","changes":[{"field":"a\\u0000"}]}]}',
    ]
    for body in bodies:
        assert receiver.post(body).status_code == 200
    states = [(row["state"], row["body"]) for row in receiver.stored()]
    assert states == [*(("unknown", body) for body in bodies[:4]), ("new", None)]


def test_handshake_and_a_log_without_secrets(receiver: Receiver) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN}
    answer = requests.get(f"{receiver.url}/webhook", params=query, timeout=30)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for wrong in ({"hub.verify_token": "guess-of-a-stranger"}, {"hub.mode": "x"}):
        refused = requests.get(f"{receiver.url}/webhook", params=query | wrong, timeout=30)
        assert (refused.status_code, refused.content) == (403, b"")
    receiver.post(b"secret body", "sha256=" + "1" * 64)
    for word in (VERIFY_TOKEN, SECRET, "guess-of-a-stranger", "1158201444", "secret body", "hub."):
        assert word not in receiver.log()
    assert "refused without a valid signature" in receiver.log()


@pytest.mark.parametrize("missing", ["META_APP_SECRET", "META_WEBHOOK_VERIFY_TOKEN"])
def test_it_refuses_to_start_without_its_secrets(tmp_path: Path, missing: str) -> None:
    environment = receiver_environment(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    del environment[missing]
    command = [sys.executable, "-m", "orchestration.receiver", "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"Webhooks need {missing}, which is not set.\n  -> see docs/cookbooks/webhooks.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = [sys.executable, "-m", "orchestration.receiver", "--port", str(other.getsockname()[1])]
        environment = receiver_environment(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert re.search(r"cannot listen on 127\.0\.0\.1:\d+: Address already in use", done.stderr)


def test_many_at_once_are_all_stored(receiver: Receiver) -> None:
    """Fifty senders, each with changes of its own and some of everybody's."""

    def body(number: int) -> bytes:
        change = {"field": "effective_status", "value": {"id": str(number)}}
        return json.dumps({"object": "ad_account", "entry": [{"id": "1", "time": 1, "changes": [change]}]}).encode()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: receiver.post(body(n % 300)).status_code, range(600)))
    assert set(answers) == {200}
    assert len(receiver.stored()) == 300
