"""The whole way with nothing left out: marts, the real writer, a mail server, and what a reader opens."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pypdfium2
import pytest

from orchestration.reports.deliver import deliver
from orchestration.reports.writing import write_report
from tests.orchestration.reports.office import Office
from tests.receivers import Mailbox

pytestmark = pytest.mark.integration


def test_a_report_arrives_and_its_files_can_be_read(office: Office, box: Mailbox) -> None:
    office.writer = write_report
    office.declare(attachments=["pdf", "xlsx", "csv"], language="de", words="Bis <Montag>!")
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.reason) == ("sent", "")
    (mail,) = box.received
    assert "ROAS" in str(mail["Subject"])
    assert "€" in str(mail["Subject"])
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Bis <Montag>!" in text.get_content()
    assert "Bis &lt;Montag&gt;!" in html.get_content()
    pictures = {part["Content-ID"].strip("<>") for part in mail.walk() if part.get_content_type() == "image/png"}
    assert pictures
    assert all(f"cid:{name}" in html.get_content() for name in pictures)
    files = {str(part.get_filename()).rpartition(".")[2]: part.get_content() for part in mail.iter_attachments()}
    assert set(files) == {"pdf", "xlsx", "zip"}
    with pypdfium2.PdfDocument(files["pdf"]) as document:
        words = "".join(page.get_textpage().get_text_range() for page in document)
    assert "Client 1" in words
    assert "Ausgaben" in words
    assert openpyxl.load_workbook(io.BytesIO(files["xlsx"])).sheetnames
    with zipfile.ZipFile(io.BytesIO(files["zip"])) as archive:
        assert archive.testzip() is None
        assert all(archive.read(name).startswith(b"\xef\xbb\xbf") for name in archive.namelist())
