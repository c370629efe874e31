"""What scripts/twilio_contract.py takes for a mismatch, on a description of a few lines."""

from __future__ import annotations

import pytest

from scripts.openapi import FORM, Description

SID = "AC" + "1" * 32
TEXT = """
paths:
  /v1/Accounts/{Sid}.json:
    get:
      parameters:
      - {name: Sid, in: path, required: true, schema: {type: string, pattern: '^AC[0-9a-f]{32}$'}}
      - {name: Since>, in: query, schema: {type: string, format: date-time}}
      - {name: PageSize, in: query, schema: {type: integer, minimum: 1, maximum: 1000}}
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/account'}}}}
  /v1/Accounts/{Sid}/Messages.json:
    post:
      parameters:
      - {name: Sid, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [To]
              properties:
                To: {type: string, format: phone-number}
                StatusCallback: {type: string, format: uri}
                MediaUrl: {type: array, items: {type: string, format: uri}}
      responses: {}
components:
  schemas:
    account:
      type: object
      properties:
        sid: {type: string}
        status: {type: string, enum: [active, closed]}
        owner: {type: string, nullable: true}
"""


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Description:
    path = tmp_path_factory.mktemp("description") / "api.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return Description(path)


def test_the_path_is_found_with_its_parameters(description):
    template, _, path = description.operation("GET", f"/v1/Accounts/{SID}.json")
    assert (template, path) == ("/v1/Accounts/{Sid}.json", {"Sid": SID})
    template, *_ = description.operation("POST", f"/v1/Accounts/{SID}/Messages.json")
    assert template == "/v1/Accounts/{Sid}/Messages.json"
    assert description.operation("DELETE", f"/v1/Accounts/{SID}.json") is None
    assert description.operation("GET", f"/v2/Accounts/{SID}.json") is None


def asked(description: Description, path: str = SID, **query: str) -> list[str]:
    _, operation, _ = description.operation("GET", f"/v1/Accounts/{SID}.json")
    values = {name: [value] for name, value in query.items()}
    sent = {"path": {"Sid": path}, "query": values, "form": {}}
    return list(description.request_problems(operation, **sent))


def test_queries(description):
    assert asked(description, **{"Since>": "2026-03-02T09:00:00Z", "PageSize": "50"}) == []
    for query in ({"Since>": "yesterday"}, {"PageSize": "0"}, {"PageSize": "x"}, {"Other": "1"}):
        assert len(asked(description, **query)) == 1, query
    assert len(asked(description, "nobody")) == 1


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"To": ["+447700900123"], "StatusCallback": ["https://shop.example/status"]}, 0),
        ({"To": ["+447700900123"], "MediaUrl": ["https://a.example/1", "https://a.example/2"]}, 0),
        ({}, 1),
        ({"To": ["+44 7700 900123"]}, 1),
        ({"To": ["+447700900123", "+447700900124"]}, 1),
        ({"To": ["+447700900123"], "StatusCallback": ["shop"]}, 1),
        ({"To": ["+447700900123"], "Body ": ["hello"]}, 1),
    ],
)
def test_forms(description, form, wrong):
    _, operation, path = description.operation("POST", f"/v1/Accounts/{SID}/Messages.json")
    sent = {"path": path, "query": {}, "form": form}
    found = list(description.request_problems(operation, **sent, content_type=FORM))
    assert len(found) == wrong, found
    assert len(list(description.request_problems(operation, **sent))) == wrong + 1  # no form


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"sid": "x", "status": "active", "owner": None}, 0),
        ({"sid": "x", "status": "asleep", "owner": None}, 1),
        ({"sid": None, "status": "active", "owner": None}, 1),
        ({"sid": 7, "status": "active", "owner": "y"}, 1),
        ({"sid": "x", "status": "active"}, 1),
        ({"sid": "x", "status": "active", "owner": None, "more": 1}, 1),
        ([], 1),
    ],
)
def test_answers(description, answer, wrong):
    _, operation, _ = description.operation("GET", f"/v1/Accounts/{SID}.json")
    assert len(list(description.answer_problems(operation, 200, answer))) == wrong
    with pytest.raises(LookupError):
        list(description.answer_problems(operation, 404, answer))
