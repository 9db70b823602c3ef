"""What each provider's answers mean, as its documentation has them, quirk by quirk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.http_answers import retry_after
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.providers import build_providers

PROVIDERS = build_providers()
NOT_FOUND, OK, SUPPRESSED = "not found", "ok", "suppressed"
ONE = {"retry-after": "1"}
HTML = {"content-type": "text/html"}
OUT_OF = 'runtime error: Query ran out in "query" at line 5 after 25 seconds, of'


def verdict(provider: str, status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Verdict:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return PROVIDERS[provider].classify("an-operation", Answer(status, headers or {}, raw))


def meaning(found: Verdict) -> object:
    if found.error is not None:
        return found.error
    return NOT_FOUND if found.not_found else SUPPRESSED if found.suppress else OK


E = ErrorClass
EVERYBODY = [
    (200, OK), (201, OK), (202, OK), (302, E.CONTRACT), (400, E.INVALID_INPUT), (401, E.AUTH), (402, E.PAYMENT),
    (403, E.AUTH), (404, E.CONTRACT), (405, E.CONTRACT), (408, E.RETRYABLE), (409, E.CONTRACT), (413, E.INVALID_INPUT),
    (422, E.INVALID_INPUT), (425, E.RETRYABLE), (429, E.RETRYABLE), (451, SUPPRESSED), (500, E.RETRYABLE),
    (502, E.RETRYABLE), (503, E.RETRYABLE), (504, E.RETRYABLE), (529, E.RETRYABLE),
]  # fmt: skip
MODELS = ("openai", "anthropic", "perplexity")
DIFFERENT = {
    ("overpass", 406),
    ("hunter", 202),
    ("hunter", 403),
    ("hunter", 429),
    ("firecrawl", 403),
    ("jina", 451),
    ("sheets", 404),
} | {(model, status) for model in MODELS for status in (400, 409, 422)}

QUIRKS: list[tuple[str, int, Any, dict[str, str], object]] = [
    ("apollo", 401, b"Invalid API key. See https://docs.apollo.io", {"content-type": "text/plain"}, E.AUTH),
    ("apollo", 403, {"error": "not authorized", "error_code": "API_INACCESSIBLE"}, {}, E.AUTH),
    ("apollo", 404, {"error": "x", "error_code": "result_pending", "retry_after_seconds": 5}, {}, E.RETRYABLE),
    ("apollo", 404, {"error": "result_pending"}, {}, E.RETRYABLE),
    ("apollo", 404, {"error_code": "request_id_unknown"}, {}, E.DEADLINE),
    ("apollo", 410, {"error_code": "request_id_expired"}, {}, E.DEADLINE),
    ("apollo", 400, {"error_code": "invalid_request_id"}, {}, E.DEADLINE),
    ("apollo", 422, {"error": "Person does not exist."}, {}, NOT_FOUND),
    ("apollo", 422, {"error": "You have insufficient credits!"}, {}, E.PAYMENT),
    ("apollo", 422, {"error_code": "UNKNOWN_ERROR", "error_message": "no implicit conversion"}, {}, E.INVALID_INPUT),
    ("apollo", 429, {"message": "allowed ... is 600 times per hour"}, ONE, E.RETRYABLE),
    ("apollo", 429, {"message": "allowed ... is 600 times per day"}, ONE, E.QUOTA),
    ("apollo", 429, b"", {"x-24-hour-requests-left": "0"}, E.QUOTA),
    ("apollo", 429, b"", {"x-24-hour-requests-left": "10", "x-minute-requests-left": "0"}, E.RETRYABLE),
    ("apollo", 200, {"status": "failed", "error_code": "INVALID_REQUEST"}, {}, E.CONTRACT),
    ("apollo", 200, {"status": "success", "error_code": None, "matches": []}, {}, OK),
    ("apollo", 200, {"person": None, "request_id": -1}, {}, OK),
    ("hunter", 202, {"data": None}, {}, E.RETRYABLE),
    ("hunter", 222, {"data": {"status": "unknown"}}, {}, E.RETRYABLE),
    ("hunter", 222, {"errors": [{"id": "remote_server_failure"}]}, {}, E.RETRYABLE),
    ("hunter", 403, {"errors": [{"id": "too_many_requests"}]}, ONE, E.RETRYABLE),
    ("hunter", 403, b"", {}, E.RETRYABLE),
    ("hunter", 403, {"errors": [{"id": "usage_limit"}]}, {}, E.QUOTA),
    ("hunter", 429, {"errors": [{"id": "too_many_requests"}]}, ONE, E.RETRYABLE),
    ("hunter", 429, b"", {}, E.QUOTA),
    ("hunter", 402, {"errors": [{"id": "usage_limit"}]}, {}, E.QUOTA),
    ("hunter", 402, {"errors": [{"id": "payment_required"}]}, {}, E.PAYMENT),
    ("hunter", 429, {"errors": [{"id": "usage_limit"}]}, {}, E.QUOTA),
    ("hunter", 401, {"errors": [{"id": "authentication_failed"}]}, {}, E.AUTH),
    ("hunter", 451, {"errors": [{"id": "claimed_email"}]}, {}, SUPPRESSED),
    ("hunter", 404, {"errors": [{"id": "not_found"}]}, {}, NOT_FOUND),
    ("hunter", 404, {"errors": [{"id": "no_such_endpoint"}]}, {}, E.CONTRACT),
    ("hunter", 200, {"errors": [{"id": "oops"}]}, {}, E.CONTRACT),
    ("hunter", 200, {"data": {"email": None}, "errors": []}, {}, OK),
    ("http", 429, {"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}, {}, E.QUOTA),
    ("http", 429, {"error": {"type": "requests", "code": "rate_limit_exceeded"}}, ONE, E.RETRYABLE),
    ("http", 400, {"error": {"type": "budget_exceeded", "param": None, "code": "400"}}, {}, E.QUOTA),
    ("http", 400, {"error": {"type": "invalid_request_error", "code": "400"}}, {}, E.INVALID_INPUT),
    ("http", 429, {"error": {"details": {"error_code": "workspace_spend_limit_reached"}}}, {}, E.QUOTA),
    ("http", 429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], {}, E.RETRYABLE),
    ("http", 429, {"error": "too many"}, {}, E.RETRYABLE),
    # OpenAI's error page; openrouter.ai/docs/api-reference/errors; docs.litellm.ai (budgets); Gemini's list; old vLLM
    ("openai", 429, {"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}, {}, E.QUOTA),
    ("openai", 429, {"error": {"type": "requests", "code": "rate_limit_exceeded"}}, ONE, E.RETRYABLE),
    ("openai", 429, {"error": {"type": "x"}}, {"x-should-retry": "false"}, E.CONTRACT),
    ("openai", 500, b"", {"x-should-retry": "false"}, E.CONTRACT),
    ("openai", 404, {"error": {"code": "model_not_found"}}, {}, E.CONTRACT),
    ("openai", 400, {"error": {"code": "model_not_found", "param": "model"}}, {}, E.CONTRACT),
    ("openai", 400, {"error": {"code": None, "param": "response_format"}}, {}, E.CONTRACT),
    ("openai", 400, {"error": {"code": "context_length_exceeded"}}, {}, E.INVALID_INPUT),
    ("openai", 400, {"error": {"code": "content_filter", "innererror": {}}}, {}, NOT_FOUND),
    ("openai", 402, {"error": {"code": 402, "message": "Insufficient credits"}}, {}, E.PAYMENT),
    ("openai", 403, {"error": {"code": 403, "metadata": {"reasons": ["violence"]}}}, {}, NOT_FOUND),
    ("openai", 403, {"error": {"code": 403, "message": "Key limit"}}, {}, E.AUTH),
    ("openai", 529, {"error": {"code": 529}}, {}, E.RETRYABLE),
    ("openai", 400, {"error": {"type": "budget_exceeded", "code": "400"}}, {}, E.QUOTA),
    ("openai", 429, {"error": {"type": "budget_exceeded", "code": "429"}}, {}, E.QUOTA),
    ("openai", 429, {"error": {"type": "internal_server_error", "code": "429"}}, {}, E.QUOTA),
    ("openai", 500, {"error": {"type": "internal_server_error", "code": "500"}}, {}, E.RETRYABLE),
    ("openai", 400, {"error": {"message": "Budget has been exceeded! Current cost: 5"}}, {}, E.QUOTA),
    ("openai", 429, {"error": {"type": "throttling_error", "code": "429"}}, {}, E.RETRYABLE),
    ("openai", 400, [{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], {}, E.CONTRACT),
    ("openai", 429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], {}, E.RETRYABLE),
    ("openai", 400, {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400}, {}, E.CONTRACT),
    ("openai", 200, {"status": "failed", "output": [], "error": {"code": "server_error"}}, {}, E.RETRYABLE),
    ("openai", 200, {"status": "failed", "error": {"code": "rate_limit_exceeded"}}, {}, E.RETRYABLE),
    ("openai", 200, {"status": "failed", "error": {"code": "invalid_prompt"}}, {}, E.CONTRACT),
    ("openai", 200, {"status": "failed", "error": {"code": "insufficient_quota"}}, {}, E.QUOTA),
    ("openai", 200, {"status": "cancelled", "error": None}, {}, E.CONTRACT),
    ("openai", 200, {"error": {"code": 502, "message": "down"}}, {}, E.RETRYABLE),
    ("openai", 200, {"error": {"code": 402, "message": "no credits"}}, {}, E.PAYMENT),
    ("openai", 200, {"choices": [{"finish_reason": "error", "message": {}}]}, {}, E.RETRYABLE),
    ("openai", 200, {"choices": [{"error": {"code": 429}, "finish_reason": "error"}]}, {}, E.RETRYABLE),
    ("openai", 200, {"status": "completed", "error": None, "output": []}, {}, OK),
    ("openai", 200, {"choices": [{"finish_reason": "length", "message": {"content": "{"}}]}, {}, OK),
    # platform.claude.com/docs/en/api/errors
    ("anthropic", 400, {"type": "error", "error": {"message": "You have reached your API usage limits."}}, {}, E.QUOTA),
    ("anthropic", 400, {"error": {"message": "Your credit balance is too low"}}, {}, E.QUOTA),
    ("anthropic", 400, {"error": {"type": "invalid_request_error", "message": "temperature"}}, {}, E.CONTRACT),
    ("anthropic", 400, {"error": {"message": "prompt is too long: 210000 tokens"}}, {}, E.INVALID_INPUT),
    ("anthropic", 402, {"error": {"type": "billing_error"}}, {}, E.PAYMENT),
    ("anthropic", 413, {"error": {"type": "request_too_large"}}, {}, E.INVALID_INPUT),
    ("anthropic", 429, {"error": {"details": {"error_code": "workspace_spend_limit_reached"}}}, {}, E.QUOTA),
    ("anthropic", 429, {"error": {"type": "rate_limit_error"}}, ONE, E.RETRYABLE),
    ("anthropic", 504, {"error": {"type": "timeout_error"}}, {}, E.RETRYABLE),
    ("anthropic", 529, {"error": {"type": "overloaded_error"}}, {}, E.RETRYABLE),
    ("anthropic", 200, {"type": "error", "error": {"type": "overloaded_error"}}, {}, E.RETRYABLE),
    ("anthropic", 200, {"type": "message", "stop_reason": "refusal", "content": []}, {}, OK),
    ("perplexity", 200, {"status": "failed", "error": {"type": "server_error"}}, {}, E.RETRYABLE),
    ("perplexity", 200, {"status": "failed"}, {}, E.CONTRACT),
    ("perplexity", 401, {"error": {"type": "invalid_api_key", "code": 401}}, {}, E.AUTH),
    ("perplexity", 429, {"error": {"type": "rate_limit_error"}}, {}, E.RETRYABLE),
    ("serper", 403, {"message": "Unauthorized.", "statusCode": 403}, {}, E.AUTH),
    ("serper", 400, {"message": "Not enough credits", "statusCode": 400}, {}, E.PAYMENT),
    ("serper", 400, {"message": "Missing query parameter", "statusCode": 400}, {}, E.INVALID_INPUT),
    ("serper", 429, {"message": "Too many requests"}, ONE, E.RETRYABLE),
    ("brave", 422, {"error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "status": 422}}, {}, E.AUTH),
    ("brave", 422, {"error": {"code": "VALIDATION", "status": 422}}, {}, E.INVALID_INPUT),
    ("brave", 429, {"error": {"code": "QUOTA_LIMITED", "status": 429}}, {}, E.QUOTA),
    ("brave", 429, {"error": {"code": "RATE_LIMITED", "status": 429}}, ONE, E.RETRYABLE),
    # firecrawl-py 4.55: what the target's server said is in metadata, and 408 says when to repeat
    ("firecrawl", 200, {"success": True, "data": {"metadata": {"statusCode": 200, "creditsUsed": 1}}}, {}, OK),
    ("firecrawl", 200, {"success": True, "data": {"markdown": "x"}}, {}, OK),
    ("firecrawl", 200, {"success": True, "data": {"metadata": {"statusCode": 404}}}, {}, NOT_FOUND),
    ("firecrawl", 200, {"success": True, "data": {"metadata": {"statusCode": 403}}}, {}, NOT_FOUND),
    ("firecrawl", 200, {"success": True, "data": {"metadata": {"statusCode": 503}}}, {}, E.RETRYABLE),
    ("firecrawl", 200, {"success": False, "error": "x"}, {}, E.RETRYABLE),
    ("firecrawl", 403, {"success": False, "error": "We do not support this site"}, {}, NOT_FOUND),
    ("firecrawl", 408, {"success": False, "code": "SCRAPE_TIMEOUT", "retryAfterSeconds": 1}, ONE, E.RETRYABLE),
    ("firecrawl", 500, {"success": False, "code": "SCRAPE_DNS_RESOLUTION_ERROR"}, {}, NOT_FOUND),
    ("firecrawl", 500, {"success": False, "code": "SCRAPE_ALL_ENGINES_FAILED"}, {}, E.RETRYABLE),
    # jina-ai/reader: `data.warning` of a dead target, 422 for a host without an address, 451 for one it does not fetch
    ("jina", 200, {"data": {"content": "x", "usage": {"tokens": 9}}}, {}, OK),
    ("jina", 200, {"data": {"warning": "Target URL returned error 404: Not Found", "content": "x"}}, {}, NOT_FOUND),
    ("jina", 200, {"data": {"warning": "Target URL returned error 500: Oops", "content": "x"}}, {}, E.RETRYABLE),
    ("jina", 200, {"data": {"warning": "This is a cached snapshot", "content": "x"}}, {}, OK),
    ("jina", 422, {"message": "Domain 'x.invalid' could not be resolved"}, {}, NOT_FOUND),
    ("jina", 422, {"message": "Invalid URL"}, {}, E.INVALID_INPUT),
    ("jina", 451, {"name": "SecurityCompromiseError"}, {}, NOT_FOUND),
    ("jina", 429, {"name": "RateLimitTriggeredError", "retryAfter": 1}, ONE, E.RETRYABLE),
    ("jina", 402, {"name": "InsufficientBalanceError"}, {}, E.PAYMENT),
    ("enrichlayer", 403, {"code": 403, "description": "Insufficient credits", "name": "Forbidden"}, {}, E.PAYMENT),
    ("enrichlayer", 401, {"code": 401, "description": "Invalid API Key", "name": "Unauthorized"}, {}, E.AUTH),
    ("enrichlayer", 404, {"code": 404, "description": "Person profile does not exist"}, {}, NOT_FOUND),
    ("enrichlayer", 404, {"detail": "Not Found"}, {}, E.CONTRACT),
    ("enrichlayer", 404, b"<html>nginx</html>", {"content-type": "text/html"}, E.CONTRACT),
    # drolbr/Overpass-API#791 (406); remarks and the busy dispatcher's page as in aio-overpass' and overpy's tests
    ("overpass", 200, {"elements": [{"type": "way", "id": 1}]}, {}, OK),
    ("overpass", 200, {"elements": []}, {}, OK),
    ("overpass", 200, {"elements": [{"id": 1}], "remark": f"{OUT_OF} time"}, {}, E.RETRYABLE),
    ("overpass", 200, {"elements": [], "remark": f"{OUT_OF} memory"}, {}, E.RETRYABLE),
    ("overpass", 200, {"elements": [{"id": n} for n in range(20_000)], "remark": OUT_OF}, {}, E.RETRYABLE),
    ("overpass", 200, b"<html>open64: 0 Success /osm3s Dispatcher_Client::request</html>", HTML, E.RETRYABLE),
    ("overpass", 200, b"<html><p>Welcome</p></html>", HTML, E.CONTRACT),
    ("overpass", 400, b"<html>Error: line 1: parse error: Unknown type</html>", HTML, E.INVALID_INPUT),
    ("overpass", 406, b"<html>Not Acceptable</html>", HTML, E.AUTH),
    ("overpass", 504, b"<html>The server is probably too busy</html>", HTML, E.RETRYABLE),
    ("clickup", 401, {"err": "Token invalid", "ECODE": "OAUTH_025"}, {}, E.AUTH),
    ("clickup", 401, {"err": "no access", "ECODE": "ACCESS_083"}, {}, E.AUTH),
    ("clickup", 400, {"err": "usages exceeded", "ECODE": "FIELD_033"}, {}, E.PAYMENT),
    ("clickup", 400, {"err": "not an option", "ECODE": "FIELD_011"}, {}, E.INVALID_INPUT),
    ("clickup", 404, {"err": "Task not found, deleted", "ECODE": "ITEM_013"}, {}, NOT_FOUND),
    ("clickup", 404, {"err": "List not found", "ECODE": "INPUT_011"}, {}, E.CONTRACT),
    ("clickup", 429, {"err": "Rate limit reached", "ECODE": "APP_002"}, {}, E.RETRYABLE),
    ("clickup", 502, b"<html>", {"content-type": "text/html"}, E.RETRYABLE),
    ("clickup", 204, b"", {}, OK),
    ("smartlead", 200, {"added_count": 0, "skipped_count": 1}, {}, OK),
    ("smartlead", 429, {"message": "Too many requests"}, {}, E.RETRYABLE),
    ("lemlist", 400, b"Lead already in the campaign", {}, E.INVALID_INPUT),
    ("lemlist", 401, b"Unauthorized", {}, E.AUTH),
    ("heyreach", 200, {"addedLeadsCount": 1}, {}, OK),
    ("heyreach", 200, b"This API key can not be used here.", {"content-type": "text/plain"}, E.AUTH),
    ("emailbison", 201, {"data": {"id": 7}}, {}, OK),
    ("emailbison", 422, {"data": {"success": False}}, {}, E.INVALID_INPUT),
    ("hubspot", 429, {"policyName": "TEN_SECONDLY_ROLLING"}, {}, E.RETRYABLE),
    ("hubspot", 429, {"policyName": "DAILY"}, {}, E.QUOTA),
    ("hubspot", 403, {"category": "MISSING_SCOPES"}, {}, E.AUTH),
    ("hubspot", 404, {"category": "OBJECT_NOT_FOUND"}, {}, NOT_FOUND),
    ("hubspot", 404, b"<html>", {"content-type": "text/html"}, E.CONTRACT),
    ("hubspot", 400, {"category": "VALIDATION_ERROR", "message": "x"}, {}, E.INVALID_INPUT),
    ("hubspot", 400, {"category": "CONFLICT", "context": {"id": ["101"]}}, {}, E.INVALID_INPUT),
    ("hubspot", 400, {"category": "RATE_LIMITS"}, {}, E.RETRYABLE),
    ("hubspot", 207, {"numErrors": 1, "errors": [{"category": "CONFLICT"}]}, {}, OK),
    ("sheets", 429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, {}, E.RETRYABLE),
    ("sheets", 403, {"error": {"code": 403, "message": "The caller does not have permission"}}, {}, E.AUTH),
    ("sheets", 400, {"error": "invalid_grant", "error_description": "Token has been revoked."}, {}, E.AUTH),
    ("sheets", 400, {"error": {"code": 400, "message": "Unable to parse range"}}, {}, E.INVALID_INPUT),
    ("sheets", 409, {"key": "k", "error": "the key stands in rows 2 and 3"}, {}, E.INVALID_INPUT),
    ("sheets", 410, {"key": "k", "error": "its row was deleted"}, {}, NOT_FOUND),
    ("airtable", 429, {"errors": [{"error": "RATE_LIMIT_REACHED"}]}, {}, E.RETRYABLE),
    ("airtable", 429, {"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED"}]}, {}, E.QUOTA),
    ("airtable", 422, {"error": {"type": "ROW_DOES_NOT_EXIST"}}, {}, NOT_FOUND),
    ("airtable", 422, {"error": {"type": "UNKNOWN_FIELD_NAME"}}, {}, E.AUTH),
    ("airtable", 422, {"error": {"type": "INVALID_VALUE_FOR_COLUMN"}}, {}, E.INVALID_INPUT),
    ("airtable", 404, {"error": "NOT_FOUND"}, {}, E.CONTRACT),
    ("salesforce", 403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], {}, E.QUOTA),
    ("salesforce", 403, [{"errorCode": "INSUFFICIENT_ACCESS"}], {}, E.AUTH),
    ("salesforce", 401, [{"errorCode": "INVALID_SESSION_ID"}], {}, E.AUTH),
    ("salesforce", 400, {"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE"}]}, {}, E.INVALID_INPUT),
    ("salesforce", 400, {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW"}]}, {}, E.RETRYABLE),
    ("salesforce", 400, {"success": False, "errors": [{"statusCode": "ENTITY_IS_DELETED"}]}, {}, NOT_FOUND),
    ("pipedrive", 429, {}, {"x-daily-ratelimit-token-remaining": "0"}, E.QUOTA),
    ("pipedrive", 429, {}, {"x-daily-ratelimit-token-remaining": "8", "x-ratelimit-reset": "2"}, E.RETRYABLE),
    ("pipedrive", 404, {"success": False, "error": "Person not found"}, {}, NOT_FOUND),
    ("pipedrive", 404, {"success": False, "error": "Unknown method ."}, {}, E.CONTRACT),
    ("attio", 400, {"code": "multiple_match_results"}, {}, E.INVALID_INPUT),
    ("instantly", 401, {"statusCode": 401, "error": "Unauthorized", "message": "Invalid API key"}, {}, E.AUTH),
    ("instantly", 402, {"statusCode": 402, "error": "Payment Required", "message": "x"}, {}, E.PAYMENT),
    ("instantly", 403, {"statusCode": 403, "error": "Forbidden", "message": "Missing required scope"}, {}, E.AUTH),
    ("instantly", 403, b"<!doctype html><body>error code: 1010</body>", {"content-type": "text/html"}, E.CONTRACT),
    ("instantly", 413, {"statusCode": 413}, {}, E.INVALID_INPUT),
    ("instantly", 429, {"statusCode": 429}, {}, E.RETRYABLE),
    ("zerobounce", 200, {"error": "Invalid API key or your account ran out of credits"}, {}, E.AUTH),
    ("zerobounce", 200, {"error": "Too many concurrent requests"}, {}, E.CONTRACT),
    ("zerobounce", 200, {"address": "a@b.example", "status": "invalid", "error": None}, {}, OK),
    ("zenrows", 401, {"code": "AUTH002"}, {}, E.AUTH),
    ("zenrows", 402, {"code": "AUTH004"}, {}, E.QUOTA),
    ("zenrows", 402, {"code": "AUTH012"}, {}, E.QUOTA),
    ("zenrows", 402, {"code": "AUTH005"}, {}, E.PAYMENT),
    ("zenrows", 402, {"code": "AUTH010"}, {}, E.PAYMENT),
    ("zenrows", 429, {"code": "AUTH006"}, ONE, E.RETRYABLE),
    ("zenrows", 429, {"code": "AUTH008"}, ONE, E.RETRYABLE),
    ("zenrows", 422, {"code": "RESP001"}, {}, E.RETRYABLE),
    ("zenrows", 422, {"code": "RESP009"}, {}, E.INVALID_INPUT),
    ("zenrows", 404, {"code": "RESP002"}, {}, NOT_FOUND),
    ("zenrows", 404, {"code": "RESP007"}, {}, NOT_FOUND),
    ("zenrows", 404, {"code": "REQS000"}, {}, E.CONTRACT),
    ("zenrows", 400, {"code": "REQS004"}, {}, E.INVALID_INPUT),
    ("clay", 403, {"message": "Webhook submission limit reached"}, {}, E.QUOTA),
    ("clay", 403, {"message": "Forbidden"}, {}, E.AUTH),
    ("n8n", 404, {"message": "The webhook is not registered."}, {"content-type": "application/json"}, E.CONTRACT),
    ("http", 404, {"error": "no such person"}, {"content-type": "application/json; charset=utf-8"}, E.CONTRACT),
    ("zenrows", 404, b"<html>gone</html>", {"x-request-cost": "0.001"}, NOT_FOUND),
    ("zenrows", 404, b"<html>nginx</html>", {"content-type": "text/html"}, E.CONTRACT),
    ("http", 404, b"<html>nginx</html>", {"content-type": "text/html"}, E.CONTRACT),
    # SMTP's codes (RFC 5321, 4.2.1): 4xx again later, 5xx never to whom it was said of; to the sender its mailbox.
    ("smtp", 250, {"command": "message", "message": "2.0.0 queued"}, {}, OK),
    ("smtp", 421, {"command": "connect", "message": "4.3.2 too many"}, {}, E.RETRYABLE),
    ("smtp", 451, {"command": "RCPT", "message": "4.7.1 greylisted, 300 seconds"}, {}, E.RETRYABLE),
    ("smtp", 452, {"command": "message", "message": "4.3.1 full"}, {}, E.RETRYABLE),
    ("smtp", 454, {"command": "AUTH", "message": "4.7.0 later"}, {}, E.RETRYABLE),
    ("smtp", 535, {"command": "AUTH", "message": "5.7.8 bad credentials"}, {}, E.RETRYABLE),
    ("smtp", 554, {"command": "connect", "message": "5.7.1 blocked"}, {}, E.RETRYABLE),
    ("smtp", 550, {"command": "MAIL", "message": "5.7.1 not yours"}, {}, E.RETRYABLE),
    ("smtp", 550, {"command": "RCPT", "message": "5.1.1 unknown"}, {}, E.INVALID_INPUT),
    ("smtp", 552, {"command": "RCPT", "message": "5.2.2 full"}, {}, E.INVALID_INPUT),
    ("smtp", 553, {"command": "EHLO", "message": "5.6.7 no SMTPUTF8"}, {}, E.INVALID_INPUT),
    ("smtp", 554, {"command": "message", "message": "5.7.1 spam"}, {}, E.INVALID_INPUT),
    ("smtp", 550, b"not JSON", {}, E.INVALID_INPUT),
    ("smtp", 599, [], {}, E.INVALID_INPUT),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), EVERYBODY)
def test_a_status_means_the_same_with_every_provider_that_has_no_quirk_about_it(status: int, expected: object) -> None:
    for provider in PROVIDERS.keys() - {"smtp"}:  # whose codes are no HTTP statuses
        if (provider, status) not in DIFFERENT:
            assert meaning(verdict(provider, status)) == expected, provider


@pytest.mark.parametrize(("provider", "status", "body", "headers", "expected"), QUIRKS)
def test_a_quirk_means_what_its_provider_means(
    provider: str, status: int, body: Any, headers: dict[str, str], expected: object
) -> None:
    assert meaning(verdict(provider, status, body, headers)) == expected


def test_only_keys_quotas_and_payments_stop_a_provider() -> None:
    stopping = {E.AUTH, E.QUOTA, E.PAYMENT}
    assert {error for error in ErrorClass if error.stops_provider} == stopping


def test_a_wait_is_read_in_every_form() -> None:
    now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    cases = [
        ("120", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (later, 90.0),
        ("9999999", 86_400.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ]
    for header, seconds in cases:
        assert retry_after(Answer(429, {"retry-after": header}, b""), now=now) == seconds, header
    gateway = {"llm_provider-retry-after": "4"}  # LiteLLM passes a provider's headers on under this name
    assert retry_after(Answer(429, gateway, b""), now=now) == 4.0
    assert retry_after(Answer(429, {"retry-after-ms": "250", "retry-after": "1"}, b""), now=now) == 0.25
    past = format_datetime(now - timedelta(hours=1), usegmt=True)
    assert retry_after(Answer(503, {"retry-after": past}, b""), now=now) == 0.0
    assert verdict("apollo", 404, {"error_code": "result_pending", "retry_after_seconds": 5}).retry_after == 5.0
    assert verdict("hunter", 202, {"data": None}).retry_after == 5.0
    assert verdict("hunter", 403, b"", {"retry-after": "7"}).retry_after == 7.0
    assert verdict("apollo", 429).retry_after is None


def test_overpass_is_left_alone_for_half_a_minute_after_a_429() -> None:
    assert verdict("overpass", 429).retry_after == 30.0
    assert verdict("overpass", 429, b"", {"retry-after": "7"}).retry_after == 30.0
    assert verdict("overpass", 429, b"", {"retry-after": "90"}).retry_after == 90.0


def test_what_zenrows_says_a_request_cost_is_kept_exactly() -> None:
    assert verdict("zenrows", 200, b"<html>", {"x-request-cost": "0.001"}).cost_units == Decimal("0.001")
    assert verdict("zenrows", 404, {"code": "RESP002"}, {"x-request-cost": "0"}).cost_units == Decimal(0)
    for nonsense in ("", "free", "NaN", "-1"):
        assert verdict("zenrows", 200, b"", {"x-request-cost": nonsense}).cost_units is None


ODD_BODIES = [b'{"error_code":[]}', b'{"errors":[[]]}', b'{"errors":{}}', b'{"code":{"a":1}}', b'{"message":5}', b"[]"]
READ_HEADERS = ["retry-after", "content-type", "x-request-cost", "x-24-hour-requests-left"]


@given(
    st.sampled_from(sorted(PROVIDERS)),
    st.integers(100, 599),
    st.binary() | st.sampled_from(ODD_BODIES),
    st.dictionaries(st.sampled_from(READ_HEADERS), st.text()),
)
def test_no_answer_makes_a_provider_raise_or_repeat_the_body(
    provider: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    found = PROVIDERS[provider].classify("x", Answer(status, headers, body + b" private-data"))
    assert "private-data" not in found.message
