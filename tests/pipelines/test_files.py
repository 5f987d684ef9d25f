"""A user's own files: every kind is read, nothing is guessed, what is broken is told."""

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_pipelines.ingest.files import files
from halocline_pipelines.ingest.manifest import Declared
from halocline_pipelines.ingest.source import Document

ALL = Declared(licence="LicenseRef-Own", label="confidential sides=buy", text="body")


def documents(path: Path, declared: Declared = ALL) -> dict[str, Document]:
    return {one.external_id: one for one in files(path, declared).documents()}


def texts(path: Path, declared: Declared = ALL) -> dict[str, str | None]:
    return {name: one.text for name, one in documents(path, declared).items()}


def pdf(line: str) -> bytes:
    """A one-page PDF that shows one line."""
    stream = f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
        b" >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out = b"%PDF-1.4\n"
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 5\n0000000000 65535 f \n%strailer << /Size 5 /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF" % (table, len(out))
    )


def word(path: Path, line: str) -> None:
    """A document of one paragraph, as small as the format allows."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types">'
            f'<Default Extension="rels" ContentType="{rels}"/>'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
            f' Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{main}"><w:body><w:p><w:r><w:t>{line}</w:t></w:r></w:p></w:body>'
            "</w:document>",
        )


def test_prose_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("Plain text, ünïcode.", encoding="utf-8")
    (tmp_path / "deep" / "b.md").write_bytes(b"\xef\xbb\xbf# Title\n")
    (tmp_path / "c.html").write_text("<p>Hello <b>page</b></p><script>evil()</script>")
    (tmp_path / "d.pdf").write_bytes(pdf("Hello portable document"))
    word(tmp_path / "e.docx", "Hello word document")
    found = texts(tmp_path)
    assert found["a.txt"] == "Plain text, ünïcode."
    assert found["deep/b.md"] == "# Title\n"
    assert "Hello **page**" in (found["c.html"] or "")
    assert "evil" not in (found["c.html"] or "")
    assert "Hello portable document" in (found["d.pdf"] or "")
    assert "Hello word document" in (found["e.docx"] or "")


def test_tables_of_every_kind(tmp_path: Path) -> None:
    rows = [{"k": "x", "body": "one, with\na line end", "n": 1}, {"k": "y", "body": "", "n": 2}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text('k,body,n\nx,"one, with\na line end",1\ny,,2\n')
    for name in ("a.jsonl", "b.parquet", "c.csv"):
        by_number, by_id = (texts(tmp_path / name, ALL if key is None else key) for key in _KEYS)
        assert by_number == {f"{name}#1": "one, with\na line end", f"{name}#2": ""}
        assert by_id == {f"{name}#x": "one, with\na line end", f"{name}#y": ""}


_KEYS = (None, Declared(licence="MIT", label="public", text="body", id="k"))


def test_broken_files_are_documents_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / "not.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    (tmp_path / "not.docx").write_bytes(b"this is no archive")
    (tmp_path / "not.parquet").write_bytes(b"PAR1 but not really PAR1")
    (tmp_path / "photo.jpeg").write_bytes(b"\xff\xd8")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    (tmp_path / "dangling.md").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good.txt").write_text("good")
    found = documents(tmp_path)
    assert {name for name, one in found.items() if one.text is not None} == {"good.txt"}
    assert len(found) == 8
    assert found["latin.txt"].error == "not UTF-8 text"
    assert found["link.txt"].error == "a link, not a file"
    assert "café" not in str([one.error for one in found.values()])


def test_one_bad_row_does_not_take_the_table(tmp_path: Path) -> None:
    lines = [b'{"body": "one"}', b"{not json", b'{"body": 7}', b'["body"]', b'{"body": "five"}']
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "b.csv").write_text("body,n\none,1\ntwo\nthree,3\n")
    found = documents(tmp_path)
    assert {name: one.text for name, one in found.items() if one.text} == {
        "a.jsonl#1": "one",
        "a.jsonl#5": "five",
        "b.csv#1": "one",
        "b.csv#2": "three",
    }
    assert sum(one.error is not None for one in found.values()) == 4


def test_a_table_without_the_column_is_quarantined_where_another_has_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("body\none\n")
    (tmp_path / "b.csv").write_text("other\ntwo\n")
    found = documents(tmp_path)
    assert found["a.csv#1"].text == "one"
    assert found["b.csv#rest"].error is not None


@pytest.mark.parametrize("missing", ["licence", "label", "text"])
def test_nothing_is_guessed(tmp_path: Path, missing: str) -> None:
    (tmp_path / "a.csv").write_text("id,title,body\n1,t,b\n")
    declared = {"licence": "MIT", "label": "public", "text": "body"}
    del declared[missing]
    with pytest.raises(Refused, match=f"{missing} not declared"):
        files(tmp_path, Declared(**declared))


def test_the_refusal_is_a_file_ready_to_edit(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title,body\n1,t,b\n")
    with pytest.raises(Refused) as refused:
        files(tmp_path / "a.csv")
    template = str(refused.value).partition("\n\n")[2]
    assert "one of: id, title, body" in template
    content = yaml.safe_load(template)
    content |= {"licence": "MIT", "label": "public", "text": "body", "id": "id"}
    (tmp_path / "halocline.yaml").write_text(yaml.safe_dump(content))
    source = files(tmp_path / "a.csv")
    assert (source.name, source.licence, source.label) == ("file:a", "MIT", Label("public"))
    assert [one.external_id for one in source.documents()] == ["a.csv#1"]


def test_the_caller_wins_over_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "halocline.yaml").write_text(
        "source: mine\nlicence: MIT\nlabel: {sensitivity: confidential, sides: [buy]}\n"
    )
    assert files(tmp_path).label == Label("confidential", sides=("buy",))
    source = files(tmp_path, Declared(label="restricted sides=sell"))
    assert (source.name, source.label) == ("mine", Label("restricted", sides=("sell",)))
    assert [one.external_id for one in source.documents()] == ["a.txt"]


@pytest.mark.parametrize(
    "manifest",
    [
        "licence: MIT\nlabel: secret\n",
        "licence: MIT\nlabel: public\nlabels: public\n",
        "licence: 7\nlabel: public\n",
        "- licence\n",
        "licence: [\n",
        "licence: MIT\nlabel: {sensitivity: public, side: buy}\n",
    ],
)
def test_malformed_manifests_are_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "halocline.yaml").write_text(manifest)
    with pytest.raises(Refused, match=r"halocline\.yaml"):
        files(tmp_path)


def test_what_spans_sides_names_its_crossing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    both = Declared(licence="MIT", label="confidential sides=buy,sell")
    with pytest.raises(Refused, match="open crossing") as refused:
        files(tmp_path, both)
    content = yaml.safe_load(str(refused.value).partition("\n\n")[2])
    assert content["crossing"] == ""
    (tmp_path / "halocline.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(Refused, match="open crossing"):
        files(tmp_path)
    (tmp_path / "halocline.yaml").write_text(yaml.safe_dump({**content, "crossing": "c-merger"}))
    assert files(tmp_path).crossing == "c-merger"
    assert files(tmp_path, Declared(crossing="c-other")).crossing == "c-other"
    one_side = {**content, "label": "confidential sides=buy"}
    (tmp_path / "halocline.yaml").write_text(yaml.safe_dump(one_side))
    assert files(tmp_path).crossing is None


def test_a_tenant_without_its_side_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(Refused, match="must name the side") as refused:
        files(tmp_path, Declared(licence="MIT", label="internal tenants=acme"))
    assert "crossing:" not in str(refused.value)


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not exist"):
        files(tmp_path / "nowhere", ALL)
    with pytest.raises(Refused, match="holds no file"):
        files(tmp_path, ALL)
